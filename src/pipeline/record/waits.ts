/** Periods spent waiting for others. They may overlap, and arrive in any order, since attempts may race. */
export class Waits {
  readonly #spans: { readonly fromMs: number; readonly toMs: number }[] = [];

  add(fromMs: number, toMs: number): void {
    if (toMs > fromMs) this.#spans.push({ fromMs, toMs });
  }

  /** The total time waited, counting overlaps once. */
  get totalMs(): number {
    let total = 0;
    let untilMs = -Infinity;
    // Nearly always they are in order, and checking that costs less than sorting.
    const isSorted = this.#spans.every(({ fromMs }, n) => n === 0 || this.#spans[n - 1]!.fromMs <= fromMs);
    const spans = isSorted ? this.#spans : this.#spans.toSorted((a, b) => a.fromMs - b.fromMs);
    for (const { fromMs, toMs } of spans) {
      total += Math.max(0, toMs - Math.max(fromMs, untilMs));
      untilMs = Math.max(untilMs, toMs);
    }
    return total;
  }
}
