const FIRST_SLOTS = 1_024;
/** Above this fill level searches for free slots become long. */
const FULL = 0.7;

/** A map from 64-bit hashes to numbers, 12 bytes per slot: a Map of BigInts would take ten times as much. */
export class HashMap64 {
  #hi: Uint32Array;
  #lo: Uint32Array;
  /** Values plus one: 0 is a free slot. */
  #values: Uint32Array;
  #size = 0;

  /** @param expected the number of entries, so that it need not grow */
  constructor(expected = 0) {
    let slots = FIRST_SLOTS;
    while (slots * FULL <= expected) slots *= 2;
    this.#hi = new Uint32Array(slots);
    this.#lo = new Uint32Array(slots);
    this.#values = new Uint32Array(slots);
  }

  get size(): number {
    return this.#size;
  }

  get(hi: number, lo: number): number | undefined {
    const value = this.#values[this.#slot(hi, lo)]!;
    return value === 0 ? undefined : value - 1;
  }

  has(hi: number, lo: number): boolean {
    return this.#values[this.#slot(hi, lo)]! !== 0;
  }

  /** @param value an integer from 0 to 2^32 - 2 */
  set(hi: number, lo: number, value: number): void {
    let slot = this.#slot(hi, lo);
    if (this.#isFree(slot)) {
      if (this.#size >= FULL * this.#values.length) {
        this.#grow();
        slot = this.#slot(hi, lo);
      }
      this.#size += 1;
      this.#hi[slot] = hi;
      this.#lo[slot] = lo;
    }
    this.#values[slot] = value + 1;
  }

  #isFree(slot: number): boolean {
    return this.#values[slot] === 0;
  }

  /** The slot that contains the key, or would. */
  #slot(hi: number, lo: number): number {
    const mask = this.#values.length - 1;
    let slot = (lo ^ Math.imul(hi, 0x9e3779b1)) & mask;
    while (this.#values[slot]! !== 0 && (this.#lo[slot]! !== lo >>> 0 || this.#hi[slot]! !== hi >>> 0))
      slot = (slot + 1) & mask;
    return slot;
  }

  #grow(): void {
    const [hi, lo, values] = [this.#hi, this.#lo, this.#values];
    const slots = 2 * values.length;
    this.#hi = new Uint32Array(slots);
    this.#lo = new Uint32Array(slots);
    this.#values = new Uint32Array(slots);
    for (let old = 0; old < values.length; old++) {
      const value = values[old]!;
      if (value === 0) continue;
      const slot = this.#slot(hi[old]!, lo[old]!);
      this.#hi[slot] = hi[old]!;
      this.#lo[slot] = lo[old]!;
      this.#values[slot] = value;
    }
  }
}
