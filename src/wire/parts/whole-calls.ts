/** For clients whose protocol tells calls as a whole: pieces of an answer in their order, of which calls wait for their rest. */
import type { JsonObject } from '../json.ts';
import { JsonEnd } from '../json-end.ts';
import { argumentsObject, isObject, numberOf, objectOf, parseJson, stringOf } from '../json.ts';

/** A call that is complete. */
export interface WholeCall {
  readonly id: string;
  readonly name: string;
  /** `undefined` where they were cut: it is none that could be carried out. */
  readonly args: JsonObject | undefined;
  /** Whatever was told with its first piece. */
  readonly note: string | undefined;
}

class Growing {
  readonly id: string;
  readonly note: string | undefined;
  name = '';
  #text = '';
  readonly #end = new JsonEnd();
  /** Looked at when somebody asks whether they end: nobody does for a whole answer. */
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

/** @typeParam Piece what else there is between the calls */
export class WholeCalls<Piece extends object> {
  readonly #calls = new Map<number, Growing>();
  #last: Growing | undefined;
  #queue: (Piece | Growing)[] = [];
  #over = false;

  add(...pieces: Piece[]): void {
    this.#queue.push(...pieces);
  }

  /**
   * A piece of a call. Some vendors leave the index out or give every call the same one: a new id is a new call.
   * @param newId names a call that has no id of its own
   * @param noted tells what is kept with a call that begins
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

  /** Nothing more comes: what waits is given as it is. */
  end(): void {
    this.#over = true;
  }

  /** What is complete, in order, since the last call. */
  take<Told>(piece: (piece: Piece) => Told[], call: (call: WholeCall) => Told[]): Told[] {
    const told: Told[] = [];
    for (let first = this.#queue[0]; first !== undefined; first = this.#queue[0]) {
      if (first instanceof Growing) {
        if (!this.#over && !first.complete) break;
        told.push(...call(first.whole()));
      } else told.push(...piece(first));
      this.#queue.shift();
    }
    return told;
  }
}
