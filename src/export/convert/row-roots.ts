/** Roots of rows: if several processes decide on a log, rows that affect each other meet by their roots. */
import type {
  ConversationHash,
  HashedConversation,
  HashedMessage,
} from '../conversation/conversation-hash.ts';
import type { Plan } from './plan.ts';
import { Hash64 } from '../conversation/hash64.ts';
import { linkText } from '../conversation/conversation-hash.ts';
import { Redactor } from '../../redact/redactor.ts';
import { HASH } from './batch.ts';

/**
 * Computes two roots for each row. Rows of one conversation share the first: it is derived from how the conversation
 * begins, as logged. Rows that are written alike share the second: it is derived from how the row begins, as written,
 * or from its prompt if that begins with system messages only and rows with equal prompts must meet. The two are equal
 * unless the beginning of the conversation was removed or something in it could not be redacted in the same way.
 */
export class RowRoots {
  readonly #prompts: boolean;
  /** Redacts a message in the same way as its row. */
  readonly #redactor: Redactor | undefined;
  readonly #hash = new Hash64();
  readonly #roots = new Uint32Array(4);

  constructor({ roots, redact, unrendered }: Pick<Plan, 'roots' | 'redact' | 'unrendered'>) {
    this.#prompts = roots === 'prompts';
    this.#redactor = redact && !unrendered ? new Redactor(redact) : undefined;
  }

  /** @param hashes of the row as written; the result is valid until the next call */
  of(
    logged: HashedConversation,
    written: HashedConversation,
    { hashes }: ConversationHash,
  ): { roots: Uint32Array } {
    const began = firstOf(logged);
    this.#put(0, began.message, (text) => this.#hidden(text));
    const begins = firstOf(written);
    if (this.#prompts && begins.answered) this.#copy(2, hashes, HASH.prompt);
    else if (written === logged && !this.#redactor) this.#repeat();
    else this.#put(2, begins.message, (text) => this.#unnumbered(text));
    return { roots: this.#roots };
  }

  /** A whole record only affects equal ones. */
  ofRecord({ hashes }: ConversationHash): { roots: Uint32Array } {
    this.#copy(0, hashes, HASH.content);
    this.#copy(2, hashes, HASH.content);
    return { roots: this.#roots };
  }

  #hidden(text: string): string {
    this.#redactor?.fresh();
    return this.#unnumbered(this.#redactor ? this.#redactor.text(text) : text);
  }

  /** The number of a tag depends on what precedes it. */
  #unnumbered(text: string): string {
    return this.#redactor ? text.replaceAll(/\d/g, '') : text;
  }

  #put(place: number, message: HashedMessage, read: (text: string) => string): void {
    this.#hash.start(message.role === 'assistant' ? 1 : 2);
    const text = linkText(message);
    // Texts are bytes only in exports without redaction.
    this.#hash.add(typeof text === 'string' ? read(text) : text);
    this.#roots[place] = this.#hash.hi;
    this.#roots[place + 1] = this.#hash.lo;
  }

  /** The second root is the first. */
  #repeat(): void {
    this.#roots[2] = this.#roots[0]!;
    this.#roots[3] = this.#roots[1]!;
  }

  #copy(place: number, hashes: Uint32Array, from: number): void {
    this.#roots[place] = hashes[from]!;
    this.#roots[place + 1] = hashes[from + 1]!;
  }
}

/** The beginning of a conversation, as used in chains: without system messages. */
function firstOf({ prompt, answer }: HashedConversation): {
  readonly message: HashedMessage;
  readonly answered: boolean;
} {
  const message = prompt.find(({ role }) => role !== 'system');
  return message ? { message, answered: false } : { message: answer, answered: true };
}
