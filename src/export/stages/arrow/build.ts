/** Builds frames column by column. */
import { Column, words } from '../../curate/table/column.ts';
import type { Strings } from './shape.ts';

/** Collects texts or byte strings. */
export class StringColumn {
  #bytes = Buffer.alloc(1_024);
  #length = 0;
  readonly #ends = new Column(words);

  get length(): number {
    return this.#ends.length;
  }

  /** Their total size, bytes. */
  get size(): number {
    return this.#length;
  }

  push(text: string): void {
    this.#room(text.length * 3);
    this.#length += this.#bytes.write(text, this.#length);
    this.#ends.push(this.#length);
  }

  pushBytes(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
    this.#ends.push(this.#length);
  }

  get values(): Strings {
    const offsets = new Int32Array(this.#ends.length + 1);
    offsets.set(this.#ends.values, 1);
    return { offsets, bytes: this.#bytes.subarray(0, this.#length) };
  }

  #room(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const larger = Buffer.alloc(Math.max(this.#length + more, 2 * this.#bytes.length));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}

/** A column of empty strings. */
export function noStrings(rows: number): Strings {
  return { offsets: new Int32Array(rows + 1), bytes: new Uint8Array(0) };
}
