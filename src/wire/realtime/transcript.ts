import type { JsonObject } from '../json.ts';
import { sizeOf } from '../json-size.ts';
import type { ClientEvent, SessionMessage, ProviderEvent } from './protocol.ts';

/** The text of a session, in order, without audio. Above its size limit nothing is kept. */
export class Transcript {
  readonly #maxCharacters: number;
  #session: JsonObject = {};
  #turns: SessionMessage[] = [];
  /** Messages whose text is still incomplete. */
  readonly #open = new Map<'user' | 'assistant', string[]>();
  #characters = 0;
  #full = false;

  /** @param maxCharacters 0 to keep nothing */
  constructor(maxCharacters: number) {
    this.#maxCharacters = maxCharacters;
    this.#full = maxCharacters === 0;
  }

  /** The approximate number of characters kept. */
  get size(): number {
    return this.#characters;
  }

  /** Adds a client message. */
  clientEvent({ session, turns = [] }: ClientEvent): void {
    if (this.#full) return;
    if (session) {
      this.#session = { ...this.#session, ...session };
      this.#grow(sizeOf(session, this.#maxCharacters));
    }
    this.#add(turns);
  }

  /** Adds a provider message. */
  providerEvent({ turns = [], piece = [], answer }: ProviderEvent): void {
    if (this.#full) return;
    for (const { role, text } of piece) {
      const pieces = this.#open.get(role);
      if (pieces) pieces.push(text);
      else this.#open.set(role, [text]);
      this.#grow(text.length);
    }
    if (answer === 'ends' || turns.length > 0) this.#close();
    this.#add(turns);
  }

  /** Discards everything, and marks the transcript as truncated. */
  discard(): void {
    this.#full = true;
    this.#characters = 0;
    this.#session = {};
    this.#turns = [];
    this.#open.clear();
  }

  /** The client's settings as JSON; `undefined` if they were left out. */
  request(): string | undefined {
    return this.#full ? undefined : JSON.stringify(this.#session);
  }

  /** The transcript as JSON; `undefined` if it was left out. */
  response(): string | undefined {
    if (this.#full) return undefined;
    this.#close();
    return JSON.stringify({ object: 'realtime.session', messages: this.#turns });
  }

  #add(turns: readonly SessionMessage[]): void {
    for (const message of turns) {
      if (this.#full) return;
      this.#turns.push(message);
      this.#grow((message.content?.length ?? 0) + sizeOf(message.tool_calls, this.#maxCharacters));
    }
  }

  /** The user's transcript belongs before the model's answer, although it arrives later. */
  #close(): void {
    for (const role of ['user', 'assistant'] as const) {
      const pieces = this.#open.get(role);
      if (pieces) this.#turns.push({ role, content: pieces.join('') });
    }
    this.#open.clear();
  }

  #grow(characters: number): void {
    // The overhead of a message.
    this.#characters += characters + 40;
    if (this.#characters > this.#maxCharacters) this.discard();
  }
}
