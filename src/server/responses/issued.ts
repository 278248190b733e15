import type { Owner } from '../../stored/entries.ts';
import type { Steps } from '../../turns.ts';
import { topKeys } from '../../wire/json-keys.ts';

/** The owner of a response or interaction, and the provider that has stored it. */
export interface IssuedResponse {
  readonly owner: Owner;
  readonly provider: string;
}

/** The number of remembered responses and interactions. */
const MOST = 10_000;

const ID = /^\s*:\s*"([^"\\]{1,200})"/;
const TRUE = /^\s*:\s*true\b/;

/** How much of the text after a key may contain its value, characters. */
const VALUE = 256;

/**
 * Which providers have stored which responses and interactions, as far as these have passed through this process. What
 * is remembered here is out of reach for all other keys.
 */
export class IssuedResponses {
  readonly #known = new Map<string, IssuedResponse>();

  get(id: string): IssuedResponse | undefined {
    return this.#known.get(id);
  }

  /** Whether another key had it stored. */
  isForeign(id: string, owner: Owner): boolean {
    const known = this.#known.get(id);
    return known !== undefined && known.owner !== owner;
  }

  /**
   * Remembers what a provider has stored.
   * @param answer as received from the provider, JSON
   * @param saysSo whether only an answer that says `"store": true` was stored
   */
  *note(answer: string, issued: IssuedResponse, saysSo: boolean): Steps<void> {
    const { id: ids, store } = yield* topKeys(answer, ['id', 'store']);
    const behind = (span: { readonly end: number } | undefined, value: RegExp) =>
      span && value.exec(answer.slice(span.end, span.end + VALUE));
    const [, id] = behind(ids.at(-1), ID) ?? [];
    if (id === undefined || this.isForeign(id, issued.owner)) return;
    if (saysSo && !behind(store.at(-1), TRUE)) return;
    this.#known.delete(id);
    this.#known.set(id, issued);
    if (this.#known.size <= MOST) return;
    const [oldest] = this.#known.keys();
    this.#known.delete(oldest!);
  }
}
