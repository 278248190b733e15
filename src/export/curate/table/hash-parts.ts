import type { Spool } from './spool.ts';
import { Column, words } from './column.ts';

/** The number of hashes per part: a table of them takes about 12 MB. */
const PART = 2 ** 19;
/** A record consists of the two halves of a hash, and two numbers. */
const WORDS = 4;
/** How many records of all parts are buffered in memory, and the fewest of one part that are written at once. */
const WAITING = 2 ** 16;
const LEAST_WAITING = 64;

/** Records that share no hash with any other part, in the order in which they were added. */
export interface HashPart {
  /** The number of records. */
  readonly size: number;
  /** An iterator would create an object for each. */
  each(visit: (hi: number, lo: number, number: number, more: number) => void): void;
}

/**
 * Numbers by 64-bit hash, divided by hash into parts that are small enough for one table. Large amounts are stored in a
 * file, so that time is linear and memory constant.
 */
export class HashParts {
  readonly #spool: () => Spool;
  readonly #parts: readonly StoredPart[];
  #file: Spool | undefined;

  /**
   * @param expected the approximate number of records: lists with the same number are divided alike
   * @param spool called when there are more records than fit into memory; closed with the parts
   */
  constructor(expected: number, spool: () => Spool) {
    this.#spool = spool;
    let count = 1;
    while (count * PART < expected) count *= 2;
    const file = () => (this.#file ??= this.#spool());
    this.#parts = Array.from({ length: count }, () => new StoredPart(count, file));
  }

  /** @param lo the second half of the hash; @param more an additional number */
  add(hi: number, lo: number, number: number, more = 0): void {
    this.#parts[lo & (this.#parts.length - 1)]!.add(hi, lo, number, more);
  }

  get parts(): readonly HashPart[] {
    return this.#parts;
  }

  close(): void {
    this.#file?.close();
  }
}

class StoredPart implements HashPart {
  readonly #file: () => Spool;
  /** The numbers of one block; everything stays in memory if there is only one part. */
  readonly #block: number;
  readonly #only = new Column(words);
  readonly #waiting: Uint32Array<ArrayBuffer>;
  #length = 0;
  /** The positions of the blocks in the file. */
  readonly #blocks: number[] = [];

  constructor(parts: number, file: () => Spool) {
    this.#file = file;
    this.#block = parts === 1 ? 0 : WORDS * Math.max(LEAST_WAITING, WAITING / parts);
    this.#waiting = words(this.#block);
  }

  get size(): number {
    return (this.#blocks.length * this.#block + this.#length + this.#only.length) / WORDS;
  }

  add(hi: number, lo: number, number: number, more: number): void {
    if (this.#block === 0) {
      this.#only.push(hi);
      this.#only.push(lo);
      this.#only.push(number);
      this.#only.push(more);
      return;
    }
    const [waiting, at] = [this.#waiting, this.#length];
    waiting[at] = hi;
    waiting[at + 1] = lo;
    waiting[at + 2] = number;
    waiting[at + 3] = more;
    this.#length = at + WORDS;
    if (this.#length < this.#block) return;
    this.#blocks.push(this.#file().append(bytesOf(waiting)));
    this.#length = 0;
  }

  each(visit: (hi: number, lo: number, number: number, more: number) => void): void {
    visitAll(this.#only.values, visit);
    const block = words(this.#block);
    for (const at of this.#blocks) {
      this.#file().read(bytesOf(block), at);
      visitAll(block, visit);
    }
    visitAll(this.#waiting.subarray(0, this.#length), visit);
  }
}

function visitAll(
  records: Uint32Array,
  visit: (hi: number, lo: number, number: number, more: number) => void,
): void {
  for (let at = 0; at < records.length; at += WORDS)
    visit(records[at]!, records[at + 1]!, records[at + 2]!, records[at + 3]!);
}

function bytesOf({ buffer, byteOffset, byteLength }: Uint32Array<ArrayBuffer>): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
