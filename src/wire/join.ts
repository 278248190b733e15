import { PrefixSearch } from './prefix-search.ts';

/** The shortest repetition that is one. */
export const MIN_OVERLAP = 4;

/** A match of this length from the very beginning is a second beginning, whatever follows. */
const RESTART = 24;

/** How a continuation that was asked for begins. */
export interface JoinOptions {
  /** The shortest repetition that is taken for one, characters. */
  readonly minOverlap: number;
  /** White space at the end of what was sent that the target did not see: it may come again. */
  readonly unseen?: string;
}

/** A continuation that began again and went another way: it cannot be joined. */
export class Diverged extends Error {}

/**
 * Joins a continuation to a text that was cut, without loss or repetition. A continuation may go straight on,
 * repeat the last words first, or start over from the beginning: its own beginning is held back while it still
 * could be found in the text, then what is already there is taken off.
 */
export class Joiner {
  readonly #sent: string;
  readonly #options: JoinOptions;
  /** Looks for the beginning that is held back. */
  readonly #search: PrefixSearch;
  #joined = false;
  /** What of the unseen white space may still come again. */
  #unseen: string;

  constructor(sent: string, options: JoinOptions) {
    this.#sent = sent;
    this.#search = new PrefixSearch(sent);
    this.#options = options;
    this.#unseen = options.unseen ?? '';
  }

  /** @returns what is new. @throws Diverged */
  push(piece: string): string {
    if (this.#joined) return this.#spaced(piece);
    if (piece === '') return '';
    return this.#search.push(piece) ? '' : this.#settle();
  }

  /** The continuation ended. @returns what is left of it */
  end(): string {
    return this.#joined ? '' : this.#settle();
  }

  #settle(): string {
    this.#joined = true;
    const held = this.#search.wanted;
    const overlap = this.#overlap(held);
    if (overlap === 0 && this.#restarted(held)) {
      throw new Diverged('The continuation began again and went another way');
    }
    return this.#spaced(held.slice(overlap));
  }

  /** The piece without the white space that the client has already. */
  #spaced(piece: string): string {
    if (this.#unseen === '' || piece === '') return piece;
    const length = repeatedSpace(this.#unseen, piece);
    this.#unseen = length === piece.length ? this.#unseen.slice(length) : '';
    return piece.slice(length);
  }

  /** How much of the beginning is what the text ends with. */
  #overlap(held: string): number {
    const length = this.#search.end();
    // All of the text again is a second beginning, however short it was.
    const enough =
      length >= this.#options.minOverlap || (length === this.#sent.length && held.length > length);
    return enough ? length : 0;
  }

  #restarted(held: string): boolean {
    return held.length >= RESTART && this.#sent.startsWith(held.slice(0, RESTART));
  }
}

/** How much of the white space comes again. */
function repeatedSpace(unseen: string, held: string): number {
  let length = 0;
  while (length < unseen.length && held[length] === unseen[length]) length += 1;
  return length;
}
