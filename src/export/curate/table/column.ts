/** Lists of numbers in typed arrays. */

export type Numbers = Uint8Array<ArrayBuffer> | Uint32Array<ArrayBuffer> | Float64Array<ArrayBuffer>;
export type Make<A extends Numbers> = (length: number) => A;

/** A contiguous list that grows by doubling. For lists that are passed on when they are complete. */
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

  /** The values so far, without a copy. */
  get values(): A {
    return this.#values.subarray(0, this.#length) as A;
  }

  #grow(needed: number): void {
    const larger = this.#make(Math.max(needed, 2 * this.#values.length));
    larger.set(this.values);
    this.#values = larger;
  }
}

export const bytes: Make<Uint8Array<ArrayBuffer>> = (length) => new Uint8Array(length);
export const words: Make<Uint32Array<ArrayBuffer>> = (length) => new Uint32Array(length);
export const doubles: Make<Float64Array<ArrayBuffer>> = (length) => new Float64Array(length);
