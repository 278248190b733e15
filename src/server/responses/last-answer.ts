import type { Chain } from '../../stored/entries.ts';
import type { Steps } from '../../turns.ts';
import type { JsonObject } from '../../wire/json.ts';
import type { JsonBounds } from '../../wire/json-bounds.ts';
import { inputItems } from '../../stored/items.ts';
import { exactly } from '../../wire/json-exact.ts';
import { parseInSteps } from '../../wire/json-steps.ts';
import { stringifyInSteps } from '../../wire/json-write.ts';
import { objectOf } from '../../wire/json.ts';

interface Kept {
  /** The earlier conversation, as a JSON list of items. */
  readonly before: string;
  /** The request and its answer, JSON. */
  readonly request: string;
  readonly response: string;
}

/** Memory that is attributed to the owner of a connection. */
export interface Held {
  /** @throws ProxyError when there is no room for that many bytes, or this client has too much */
  take(bytes: number): void;
  free(bytes: number): void;
}

/**
 * The last answer of a connection's lane, which the next request may continue although it is not stored. It is only
 * parsed when that happens.
 */
export class LastAnswer {
  readonly #maxLength: number;
  readonly #held: Held;
  readonly #others: () => Iterable<LastAnswer>;
  #kept: Kept | undefined;
  #ended = false;

  /**
   * @param maxLength the limit for the whole conversation, characters; nothing is kept above it
   * @param others the last answers of the connection's other lanes, which can be continued in this one
   */
  constructor(maxLength: number, held: Held, others: () => Iterable<LastAnswer> = () => []) {
    this.#maxLength = maxLength;
    this.#held = held;
    this.#others = others;
  }

  /** The conversation up to the answer with this id; `undefined` if it is not the last one of any lane. */
  *find(id: string): Steps<Extract<Chain, { kind: 'found' }> | undefined> {
    const own = yield* this.#own(id);
    if (own) return own;
    for (const other of this.#others()) {
      const found = other === this ? undefined : yield* other.#own(id);
      if (found) return found;
    }
    return undefined;
  }

  *#own(id: string): Steps<Extract<Chain, { kind: 'found' }> | undefined> {
    const kept = this.#kept;
    if (!kept) return undefined;
    const response = yield* read(kept.response);
    if (response.id !== id) return undefined;
    const request = yield* read(kept.request);
    const own = [...inputItems(request.input), ...inputItems(response.output)];
    const lists = [kept.before, yield* stringifyInSteps(own)].map((list) => list.slice(1, -1));
    return { kind: 'found', items: `[${lists.filter((inner) => inner !== '').join(',')}]` };
  }

  /** @param before the earlier conversation, as a JSON list of items */
  keep(before: string, request: string, response: string): void {
    this.forget();
    const kept = { before, request, response };
    if (this.#ended || lengthOf(kept) > this.#maxLength) return;
    try {
      this.#held.take(lengthOf(kept));
      this.#kept = kept;
    } catch {
      // Without memory for it, its client is told that it is unknown, and sends the whole conversation again.
      this.#kept = undefined;
    }
  }

  forget(): void {
    if (this.#kept) this.#held.free(lengthOf(this.#kept));
    this.#kept = undefined;
  }

  /** The connection is closed: nothing is kept from now on. */
  end(): void {
    this.#ended = true;
    this.forget();
  }
}

function lengthOf({ before, request, response }: Kept): number {
  return before.length + request.length + response.length;
}

/** Text that was parsed before within the limits of a request, or generated here. */
const NO_BOUNDS: JsonBounds = {
  maxDepth: Infinity,
  maxValues: Infinity,
  maxFields: Infinity,
  maxObjectFields: Infinity,
};

function* read(json: string): Steps<JsonObject> {
  return exactly(json, objectOf(yield* parseInSteps(json, NO_BOUNDS)));
}
