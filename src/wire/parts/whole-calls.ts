/**
 * For protocols that send calls whole: the pieces of an answer in order, with calls held back until they are complete.
 */
import type { JsonObject } from '../json.ts';
import { JsonEnd } from '../json-end.ts';
import { argumentsObject, isObject, numberOf, objectOf, parseJson, stringOf } from '../json.ts';

/** A complete call. */
export interface WholeCall {
  readonly id: string;
  readonly name: string;
  /** `undefined` if they are truncated: the call cannot be executed. */
  readonly args: JsonObject | undefined;
  /** The fields that came with its first piece. */
  readonly note: string | undefined;
}

class Growing {
  readonly id: string;
  readonly note: string | undefined;
  name = '';
  #text = '';
  readonly #end = new JsonEnd();
  /** Only checked on demand: for a whole answer it never is. */
  #unread: string[] = [];

  constructor(id: string, note: string | undefined) {
    this.id = id;
    this.note = note;
  }

  push(piece: string): void {
    this.#text += piece;
    this.#unread.push(piece);
  }

  get complete(): boolean {
    for (const piece of this.#unread.splice(0)) this.#end.push(piece);
    return this.#end.ended && this.name !== '';
  }

  whole(): WholeCall {
    const { id, name, note } = this;
    const args = argumentsObject(this.#text) ?? (parseJson(this.#text) === null ? {} : undefined);
    return { id, name, args, note };
  }
}

/** @typeParam Piece the other content between the calls */
export class WholeCalls<Piece extends object> {
  readonly #calls = new Map<number, Growing>();
  #last: Growing | undefined;
  #queue: (Piece | Growing)[] = [];
  #over = false;

  add(...pieces: Piece[]): void {
    this.#queue.push(...pieces);
  }

  /**
   * Adds a piece of a call. Some vendors omit the index or give every call the same one: a new id is a new call.
   * @param newId creates an id for a call without one
   * @param noted returns what to keep with a new call
   */
  call(delta: JsonObject, newId: () => string, noted: () => string | undefined = () => undefined): void {
    const { name, arguments: piece } = objectOf(delta.function);
    const index = numberOf(delta.index);
    const id = stringOf(delta.id) || undefined;
    let call = index === undefined ? this.#last : this.#calls.get(index);
    if (!call || (id !== undefined && call.id !== id)) {
      call = new Growing(id ?? newId(), noted());
      if (index !== undefined) this.#calls.set(index, call);
      this.#last = call;
      this.#queue.push(call);
    }
    if (call.name === '') call.name = stringOf(name) ?? '';
    call.push(isObject(piece) ? JSON.stringify(piece) : (stringOf(piece) ?? ''));
  }

  /** Ends the content: what is incomplete is returned as it is. */
  end(): void {
    this.#over = true;
  }

  /** The complete content, in order, since the last call. */
  take<Encoded>(piece: (piece: Piece) => Encoded[], call: (call: WholeCall) => Encoded[]): Encoded[] {
    const encoded: Encoded[] = [];
    for (let first = this.#queue[0]; first !== undefined; first = this.#queue[0]) {
      if (first instanceof Growing) {
        if (!this.#over && !first.complete) break;
        encoded.push(...call(first.whole()));
      } else encoded.push(...piece(first));
      this.#queue.shift();
    }
    return encoded;
  }
}
