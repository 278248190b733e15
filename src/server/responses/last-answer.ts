import type { Chain } from '../../stored/entries.ts';
import type { JsonObject } from '../../wire/json.ts';
import { inputItems } from '../../stored/items.ts';
import { objectOf } from '../../wire/json.ts';

interface Kept {
  /** What was said before, as a JSON list of items. */
  readonly before: string;
  /** The request and its answer, JSON. */
  readonly request: string;
  readonly response: string;
}

/**
 * The last answer of a connection, which the next request may go on from although nobody stores it. What is in it is read only
 * when somebody does.
 */
export class LastAnswer {
  readonly #maxLength: number;
  #kept: Kept | undefined;

  /** @param maxLength of all that was said, characters; beyond it nothing is kept */
  constructor(maxLength: number) {
    this.#maxLength = maxLength;
  }

  /** All that was said up to the answer of this id; `undefined` where that is not the last one. */
  find(id: string): Extract<Chain, { kind: 'found' }> | undefined {
    const kept = this.#kept;
    if (!kept) return undefined;
    const response = read(kept.response);
    if (response.id !== id) return undefined;
    const own = JSON.stringify([...inputItems(read(kept.request).input), ...inputItems(response.output)]);
    const lists = [kept.before, own].map((list) => list.slice(1, -1)).filter((inner) => inner !== '');
    return { kind: 'found', items: `[${lists.join(',')}]` };
  }

  /** @param before what was said before, as a JSON list of items */
  keep(before: string, request: string, response: string): void {
    const length = before.length + request.length + response.length;
    this.#kept = length > this.#maxLength ? undefined : { before, request, response };
  }

  forget(): void {
    this.#kept = undefined;
  }
}

function read(json: string): JsonObject {
  return objectOf(JSON.parse(json));
}
