/** Spans of time that were spent waiting for others. They may overlap, and come in any order: attempts race. */
export class Waits {
  readonly #spans: { readonly fromMs: number; readonly toMs: number }[] = [];

  add(fromMs: number, toMs: number): void {
    if (toMs > fromMs) this.#spans.push({ fromMs, toMs });
  }

  /** How long it was waited, whatever overlaps counted once. */
  get totalMs(): number {
    let total = 0;
    let untilMs = -Infinity;
    for (const { fromMs, toMs } of this.#spans.toSorted((a, b) => a.fromMs - b.fromMs)) {
      total += Math.max(0, toMs - Math.max(fromMs, untilMs));
      untilMs = Math.max(untilMs, toMs);
    }
    return total;
  }
}
