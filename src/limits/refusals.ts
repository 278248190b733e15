import type { Limit } from './limit.ts';
import type { Decision } from './limiter.ts';

/** The most limits that are counted separately; each of many keys may have limits of its own. */
const MAX_NAMED = 200;

/** Counts how often each limit refused a request or cut off an answer, and the decisions on requests with limits. */
export class Refusals {
  readonly #decisions: Record<Decision, number> = { admitted: 0, refused: 0, replaced: 0 };
  readonly #counts = new Map<string, { readonly limit: string; readonly kind: string; count: number }>();

  add({ name, kind }: Limit): void {
    const named = this.#counts.has(name) || this.#counts.size < MAX_NAMED;
    const limit = named ? name : 'other';
    const found = this.#counts.get(limit);
    if (found) found.count += 1;
    else this.#counts.set(limit, { limit, kind: named ? kind : '', count: 1 });
  }

  decided(decision: Decision): void {
    this.#decisions[decision] += 1;
  }

  get decisions(): Readonly<Record<Decision, number>> {
    return this.#decisions;
  }

  get all(): readonly { readonly limit: string; readonly kind: string; readonly count: number }[] {
    return [...this.#counts.values()];
  }
}
