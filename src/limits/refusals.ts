import type { Limit } from './limit.ts';
import type { Decision } from './limiter.ts';

/** Limits that are counted apart; keys may have limits of their own, and there may be many keys. */
const MAX_NAMED = 200;

/** How often each limit refused a request, or cut an answer; and what was decided of requests to which limits apply. */
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
