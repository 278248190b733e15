import type { JsonObject } from '../json.ts';
import type { Asked, Said, Told } from './protocol.ts';

/** What was said in a session, in order, without its sound. Beyond its bound it keeps nothing. */
export class Transcript {
  readonly #maxCharacters: number;
  #session: JsonObject = {};
  #said: Said[] = [];
  /** Messages whose words still come. */
  readonly #open = new Map<'user' | 'assistant', string[]>();
  #characters = 0;
  #full = false;

  /** @param maxCharacters 0 to keep nothing */
  constructor(maxCharacters: number) {
    this.#maxCharacters = maxCharacters;
    this.#full = maxCharacters === 0;
  }

  /** Characters that are kept, about. */
  get size(): number {
    return this.#characters;
  }

  /** What the client sent. */
  asked({ session, said = [] }: Asked): void {
    if (this.#full) return;
    if (session) {
      this.#session = { ...this.#session, ...session };
      this.#grow(JSON.stringify(session).length);
    }
    this.#add(said);
  }

  /** What the provider sent. */
  told({ said = [], piece = [], answer }: Told): void {
    if (this.#full) return;
    for (const { role, text } of piece) {
      const pieces = this.#open.get(role);
      if (pieces) pieces.push(text);
      else this.#open.set(role, [text]);
      this.#grow(text.length);
    }
    if (answer === 'ends' || said.length > 0) this.#close();
    this.#add(said);
  }

  /** Keeps nothing of it any more, and says that something was left out. */
  letGo(): void {
    this.#full = true;
    this.#characters = 0;
    this.#session = {};
    this.#said = [];
    this.#open.clear();
  }

  /** What the client set, as JSON; `undefined` where it is left out. */
  request(): string | undefined {
    return this.#full ? undefined : JSON.stringify(this.#session);
  }

  /** What was said, as JSON; `undefined` where it is left out. */
  response(): string | undefined {
    if (this.#full) return undefined;
    this.#close();
    return JSON.stringify({ object: 'realtime.session', messages: this.#said });
  }

  #add(said: readonly Said[]): void {
    for (const message of said) {
      if (this.#full) return;
      this.#said.push(message);
      this.#grow((message.content?.length ?? 0) + JSON.stringify(message.tool_calls ?? '').length);
    }
  }

  /** The user spoke before the model did. */
  #close(): void {
    for (const role of ['user', 'assistant'] as const) {
      const pieces = this.#open.get(role);
      if (pieces) this.#said.push({ role, content: pieces.join('') });
    }
    this.#open.clear();
  }

  #grow(characters: number): void {
    // A message is more than its words.
    this.#characters += characters + 40;
    if (this.#characters > this.#maxCharacters) this.letGo();
  }
}
