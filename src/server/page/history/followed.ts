/** Log files that are read as they grow, each byte once. */
import type { LogInput } from '../../../logs/input.ts';
import type { JsonObject } from '../../../wire/json.ts';
import { readChunks } from '../../../logs/chunks.ts';
import { beginningOf } from './beginning.ts';
import { LineHeads } from './line-heads.ts';
import { rangedFile, RangeReader } from '../../../logs/ranges.ts';

export interface ReadOptions {
  /** Records that arrived earlier are skipped, milliseconds since 1970. */
  readonly fromMs: number;
  /** The time limit for reading, milliseconds. */
  readonly patienceMs: number;
}

/** Called with the head of each record, and the arrival of its request, milliseconds since 1970. */
export type OnHead = (head: JsonObject, ms: number) => void;

export class FollowedFiles {
  /** How far each file was read, by its uncompressed name; `Infinity` when it no longer grows. */
  readonly #read = new Map<string, number>();
  readonly #ranges = new RangeReader();

  /** @returns whether everything was read */
  async read(inputs: readonly LogInput[], options: ReadOptions, onHead: OnHead): Promise<boolean> {
    const untilMs = performance.now() + options.patienceMs;
    const heads = new LineHeads(options.fromMs, onHead);
    for (const input of inputs) {
      if (performance.now() > untilMs) return false;
      if (!(await this.#file(input, heads, { untilMs, fromMs: options.fromMs }))) return false;
    }
    return true;
  }

  async #file(
    input: LogInput,
    heads: LineHeads,
    { untilMs, fromMs }: { readonly untilMs: number; readonly fromMs: number },
  ): Promise<boolean> {
    const name = input.path.replace(/\.(?:gz|zst)$/, '');
    let from = this.#read.get(name) ?? 0;
    const ranged = rangedFile(input);
    if (!ranged) {
      if ((input.bytes ?? 0) === 0 || from === Infinity) return true;
      await packed(input, heads, from);
      this.#read.set(name, Infinity);
      return true;
    }
    try {
      for (const range of ranged.ranges) {
        if (range.from === 0 && from === 0) from = beginningOf(range.fd, ranged.wholeBytes, fromMs);
        const to = Math.min(range.to, ranged.wholeBytes);
        if (to <= from) continue;
        if (performance.now() > untilMs) return false;
        for (const piece of this.#ranges.pieces({ ...range, from: Math.max(from, range.from), to }))
          heads.lines(piece);
        this.#read.set(name, to);
      }
      return true;
    } finally {
      ranged.close();
    }
  }
}

/** @param from the position in the decompressed file: what was read before it was compressed is skipped */
async function packed(input: LogInput, heads: LineHeads, from: number): Promise<void> {
  for await (const { bytes, offset } of readChunks(input)) {
    const known = Math.max(0, from - offset);
    if (known < bytes.length) heads.lines(bytes.subarray(known));
  }
}
