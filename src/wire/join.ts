import { PrefixSearch } from './prefix-search.ts';

/** The shortest overlap that counts as a repetition. */
export const MIN_OVERLAP = 4;

/** A match of this length from the very beginning is a restart, whatever follows. */
const RESTART = 24;

/** How the beginning of a continuation is handled. */
export interface JoinOptions {
  /** The shortest overlap that is removed, characters. */
  readonly minOverlap: number;
  /** Trailing white space that was sent to the client, but not to the target: it may be repeated. */
  readonly unseen?: string;
}

/** Thrown when a continuation restarted and then diverged, so that it cannot be joined. */
export class Diverged extends Error {}

/**
 * Joins a continuation to an interrupted text, without loss or repetition. A continuation may continue directly, repeat
 * the last words, or start over: its beginning is held back while it could still be part of the text, and then the
 * overlap is removed.
 */
export class Joiner {
  readonly #sent: string;
  readonly #options: JoinOptions;
  /** Searches the text for the beginning that is held back. */
  readonly #search: PrefixSearch;
  #joined = false;
  /** The unsent white space that may still be repeated. */
  #unseen: string;

  constructor(sent: string, options: JoinOptions) {
    this.#sent = sent;
    this.#search = new PrefixSearch(sent);
    this.#options = options;
    this.#unseen = options.unseen ?? '';
  }

  /** @returns the new part. @throws Diverged */
  push(piece: string): string {
    if (this.#joined) return this.#spaced(piece);
    if (piece === '') return '';
    return this.#search.push(piece) ? '' : this.#settle();
  }

  /** Called at the end of the continuation. @returns the rest of it */
  end(): string {
    return this.#joined ? '' : this.#settle();
  }

  #settle(): string {
    this.#joined = true;
    const held = this.#search.wanted;
    const overlap = this.#overlap(held);
    if (overlap === 0 && this.#restarted(held)) {
      throw new Diverged('The continuation does not match what was already sent');
    }
    return this.#spaced(held.slice(overlap));
  }

  /** The piece without the white space that the client already has. */
  #spaced(piece: string): string {
    if (this.#unseen === '' || piece === '') return piece;
    const length = repeatedSpace(this.#unseen, piece);
    this.#unseen = length === piece.length ? this.#unseen.slice(length) : '';
    return piece.slice(length);
  }

  /** The length of the overlap with the end of the text. */
  #overlap(held: string): number {
    const length = this.#search.end();
    // A repetition of the whole text is a restart, even if it is short.
    const enough =
      length >= this.#options.minOverlap || (length === this.#sent.length && held.length > length);
    return enough ? length : 0;
  }

  #restarted(held: string): boolean {
    return held.length >= RESTART && this.#sent.startsWith(held.slice(0, RESTART));
  }
}

/** How much of the white space is repeated. */
function repeatedSpace(unseen: string, held: string): number {
  let length = 0;
  while (length < unseen.length && held[length] === unseen[length]) length += 1;
  return length;
}
