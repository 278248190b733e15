import type { ObjectOwners, StoredObject } from '../../limits/object-owners.ts';
import type { Owner } from '../../stored/entries.ts';
import type { Steps } from '../../turns.ts';
import { topKeys } from '../../wire/json-keys.ts';

const ID = /^\s*:\s*"([^"\\]{1,200})"/;
const TRUE = /^\s*:\s*true\b/;

/** How much of the text after a key may contain its value, characters. */
const VALUE = 256;

/**
 * Which providers have stored which responses and interactions, as far as these have passed through here. What is known
 * to belong to a key is out of reach for all others.
 */
export class IssuedResponses {
  readonly #objects: () => ObjectOwners;

  /** @param objects returns where they are remembered */
  constructor(objects: () => ObjectOwners) {
    this.#objects = objects;
  }

  /** @throws as SQLite does */
  get(id: string): StoredObject | undefined {
    return this.#objects().get(id);
  }

  /** Whether another key had it stored. @throws as SQLite does */
  isForeign(id: string, owner: Owner): boolean {
    const known = this.get(id);
    return known !== undefined && known.owner !== owner;
  }

  /**
   * Remembers what a provider has stored.
   * @param answer as received from the provider, JSON
   * @param saysSo whether only an answer that says `"store": true` was stored
   */
  *note(answer: string, issued: StoredObject, saysSo: boolean): Steps<void> {
    const { id: ids, store } = yield* topKeys(answer, ['id', 'store']);
    const behind = (span: { readonly end: number } | undefined, value: RegExp) =>
      span && value.exec(answer.slice(span.end, span.end + VALUE));
    const [, id] = behind(ids.at(-1), ID) ?? [];
    if (id === undefined || (saysSo && !behind(store.at(-1), TRUE))) return;
    this.#objects().note(id, issued);
  }
}
