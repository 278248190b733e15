import type { ObjectOwners, StoredObject } from '../../limits/object-owners.ts';
import type { SharedObject, SharedOwners } from '../../limits/replicas/shared-owners.ts';
import type { Owner } from '../../stored/entries.ts';
import type { Steps } from '../../turns.ts';
import { topKeys } from '../../wire/json-keys.ts';

const ID = /^\s*:\s*"([^"\\]{1,200})"/;
const TRUE = /^\s*:\s*true\b/;

/** How much of the text after a key may contain its value, characters. */
const VALUE = 256;

/** Where it is remembered who had what stored. */
export interface Owners {
  readonly objects: ObjectOwners;
  /** What replicas know together; `undefined` if they share nothing. */
  readonly sharedOwners: SharedOwners | undefined;
}

/**
 * Which providers have stored which responses and interactions, as far as these have passed through here, or through
 * replicas that share it. What is known to belong to a key is out of reach for all others.
 */
export class IssuedResponses {
  readonly #owners: () => Owners;

  constructor(owners: () => Owners) {
    this.#owners = owners;
  }

  /**
   * What is known of an object.
   * @param owner who asks for it
   * @throws as SQLite does, or rejects with that
   */
  find(id: string, owner: Owner): SharedObject | undefined | Promise<SharedObject | undefined> {
    const { objects, sharedOwners } = this.#owners();
    const known = objects.get(id);
    if (known) return { isOwn: known.owner === owner, provider: known.provider };
    return sharedOwners && this.#findShared(id, owner, sharedOwners);
  }

  async #findShared(id: string, owner: Owner, shared: SharedOwners): Promise<SharedObject | undefined> {
    const found = await shared.find(id, owner);
    // An owner never changes, so that it need not be asked for again.
    if (found?.isOwn) this.#owners().objects.note(id, { owner, provider: found.provider });
    return found;
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
    const { objects, sharedOwners } = this.#owners();
    objects.note(id, issued);
    sharedOwners?.note(id, issued);
  }
}
