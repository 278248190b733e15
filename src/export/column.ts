/** Lists of numbers in typed arrays. */

type Numbers = Uint8Array<ArrayBuffer> | Uint32Array<ArrayBuffer> | Float64Array<ArrayBuffer>;
type Make<A extends Numbers> = (length: number) => A;

/** A list in one piece, which grows by doubling. For lists that are handed on when they are done. */
export class Column<A extends Numbers> {
  readonly #make: Make<A>;
  #values: A;
  #length = 0;

  constructor(make: Make<A>) {
    this.#make = make;
    this.#values = make(64);
  }

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    if (this.#length === this.#values.length) this.#grow(this.#length + 1);
    this.#values[this.#length++] = value;
  }

  append(values: ArrayLike<number>): void {
    if (this.#length + values.length > this.#values.length) this.#grow(this.#length + values.length);
    this.#values.set(values, this.#length);
    this.#length += values.length;
  }

  /** What is there, without a copy. */
  get values(): A {
    return this.#values.subarray(0, this.#length) as A;
  }

  #grow(needed: number): void {
    const larger = this.#make(Math.max(needed, 2 * this.#values.length));
    larger.set(this.values);
    this.#values = larger;
  }
}

const PIECE_BITS = 16;
const PIECE = 1 << PIECE_BITS;

/** A list of millions in pieces: it is never copied, and takes no more memory than its numbers and one piece. */
export class LongColumn<A extends Numbers> {
  readonly #make: Make<A>;
  readonly #pieces: A[] = [];
  #length = 0;

  constructor(make: Make<A>) {
    this.#make = make;
  }

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    const at = this.#length & (PIECE - 1);
    if (at === 0) this.#pieces.push(this.#make(PIECE));
    this.#pieces.at(-1)![at] = value;
    this.#length += 1;
  }

  append(values: A): void {
    for (let from = 0; from < values.length;) {
      const at = this.#length & (PIECE - 1);
      if (at === 0) this.#pieces.push(this.#make(PIECE));
      const part = values.subarray(from, from + PIECE - at);
      this.#pieces.at(-1)!.set(part, at);
      this.#length += part.length;
      from += part.length;
    }
  }

  /** A copy in one piece. */
  toArray(): A {
    const all = this.#make(this.#length);
    this.#pieces.forEach((piece, index) => {
      all.set(piece.subarray(0, this.#length - index * PIECE), index * PIECE);
    });
    return all;
  }

  at(index: number): number {
    return this.#pieces[index >>> PIECE_BITS]![index & (PIECE - 1)]!;
  }

  set(index: number, value: number): void {
    this.#pieces[index >>> PIECE_BITS]![index & (PIECE - 1)] = value;
  }
}

export const bytes: Make<Uint8Array<ArrayBuffer>> = (length) => new Uint8Array(length);
export const words: Make<Uint32Array<ArrayBuffer>> = (length) => new Uint32Array(length);
export const doubles: Make<Float64Array<ArrayBuffer>> = (length) => new Float64Array(length);
