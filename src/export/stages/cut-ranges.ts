/** Divides the logs into ranges, each of which one process reads. */
import { closeSync, openSync, readSync } from 'node:fs';
import { packingOf } from '../../logs/unpacked.ts';
import type { PlannedInput, PlannedPart, PlannedRange } from './stage-plan.ts';

/** The assumed expansion of compressed logs. */
const UNPACKED = 8;

/**
 * Ranges of about this size. Small inputs share a range, large ones are divided, except those that can only be read
 * from their start: compressed files and objects.
 * @param rangeBytes the size of the decompressed log
 */
export function cutRanges(inputs: readonly PlannedInput[], rangeBytes: number): PlannedRange[] {
  const cutter = new RangeCutter(rangeBytes);
  for (const [number, input] of inputs.entries()) {
    const weight = weightOf(input);
    if (isWhole(input)) cutter.whole({ input: number, from: 0, to: null }, input.bytes, weight);
    else cutter.cut(number, input.bytes);
  }
  return cutter.done();
}

/** The estimated decompressed size of all inputs, bytes. */
export function totalWeight(inputs: readonly PlannedInput[]): number {
  return inputs.reduce((sum, input) => sum + weightOf(input), 0);
}

class RangeCutter {
  readonly #rangeBytes: number;
  readonly #ranges: PlannedRange[] = [];
  #parts: PlannedPart[] = [];
  #bytes = 0;
  #weight = 0;

  constructor(rangeBytes: number) {
    this.#rangeBytes = rangeBytes;
  }

  whole(part: PlannedPart, bytes: number, weight: number): void {
    if (this.#weight + weight > this.#rangeBytes) this.#close();
    this.#add(part, bytes, weight);
  }

  cut(input: number, bytes: number): void {
    if (bytes <= this.#rangeBytes) return this.whole({ input, from: 0, to: bytes }, bytes, bytes);
    this.#close();
    // Evenly: no process starts for a small rest, and none takes much longer than the others.
    const pieces = Math.round(bytes / this.#rangeBytes);
    for (let piece = 0; piece < pieces; piece++) {
      const [from, to] = [piece, piece + 1].map((edge) => Math.round((edge * bytes) / pieces)) as [
        number,
        number,
      ];
      this.#add({ input, from, to }, to - from, to - from);
      this.#close();
    }
  }

  done(): PlannedRange[] {
    this.#close();
    return this.#ranges;
  }

  #add(part: PlannedPart, bytes: number, weight: number): void {
    this.#parts.push(part);
    this.#bytes += bytes;
    this.#weight += weight;
    if (this.#weight >= this.#rangeBytes) this.#close();
  }

  #close(): void {
    if (this.#parts.length > 0) this.#ranges.push({ parts: this.#parts, bytes: this.#bytes });
    this.#parts = [];
    this.#bytes = 0;
    this.#weight = 0;
  }
}

function weightOf(input: PlannedInput): number {
  return isPacked(input) ? input.bytes * UNPACKED : input.bytes;
}

function isWhole(input: PlannedInput): boolean {
  return input.etag !== undefined || isPacked(input);
}

/** The kind of a file is determined by its first bytes, that of an object by its name. */
function isPacked({ path, etag }: PlannedInput): boolean {
  if (etag !== undefined) return /\.(gz|zst)$/.test(path);
  const fd = openSync(path, 'r');
  try {
    const start = Buffer.alloc(4);
    return packingOf(start.subarray(0, readSync(fd, start, 0, start.length, 0))) !== undefined;
  } finally {
    closeSync(fd);
  }
}
