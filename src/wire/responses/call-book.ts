import type { JsonObject } from '../json.ts';
import { numberOf } from '../json.ts';
import { decodeCall } from './response.ts';

/** A call in progress. */
export interface Call {
  readonly id: string;
  readonly name: string;
  /** The index among the calls; `undefined` until it is sent to the client. */
  index: number | undefined;
  fragments: boolean;
}

/** The calls of a response, by what identifies them in events: item id, call id or output index. */
export class CallBook {
  readonly #newId: () => string;
  readonly #calls = new Map<unknown, Call>();
  #last: Call | undefined;

  constructor(newId: () => string) {
    this.#newId = newId;
  }

  add(item: JsonObject, place: unknown): Call {
    const { id, function: fn } = decodeCall(item, this.#newId);
    const call: Call = { id, name: fn.name, index: undefined, fragments: false };
    for (const each of [item.id, item.call_id, numberOf(place)]) {
      if (each !== undefined && each !== '') this.#calls.set(each, call);
    }
    this.#last = call;
    return call;
  }

  named(...names: readonly unknown[]): Call | undefined {
    return names.map((name) => this.#calls.get(name)).find((call) => call !== undefined);
  }

  /** The call of an event: the last one if the event does not identify it. */
  about({ item_id, call_id, output_index }: JsonObject): Call | undefined {
    return this.named(item_id, call_id, output_index) ?? this.#last;
  }
}
