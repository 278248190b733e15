import type { Limit } from './limit.ts';

/** Limits that are counted apart; keys may have limits of their own, and there may be many keys. */
const MAX_NAMED = 200;

/** How often each limit refused a request, or cut an answer. */
export class Refusals {
  readonly #counts = new Map<string, { readonly limit: string; readonly kind: string; count: number }>();

  add({ name, kind }: Limit): void {
    const named = this.#counts.has(name) || this.#counts.size < MAX_NAMED;
    const limit = named ? name : 'other';
    const found = this.#counts.get(limit);
    if (found) found.count += 1;
    else this.#counts.set(limit, { limit, kind: named ? kind : '', count: 1 });
  }

  get all(): readonly { readonly limit: string; readonly kind: string; readonly count: number }[] {
    return [...this.#counts.values()];
  }
}
