/**
 * Other spellings of a text: escaped, as in URLs, JSON, source code, HTML and mail, and in characters of other scripts.
 * What is searched for is found in the plain spelling, and replaced where it stands.
 */
import type { Piece } from './piece.ts';
import { escapesIn } from './escapes.ts';
import { scriptsIn } from './scripts.ts';

export interface Plain {
  readonly text: string;
  /** The position in the original where the character at this position of the text begins. */
  place(at: number): number;
  /** The position in the original where the character before this position of the text ends. */
  end(at: number): number;
}

/** The number of characters around an escape that are searched together with it, and that it may take to end a word. */
const AROUND = 64;
const LONGEST_WORD = 4_096;

/** The parts of a text that are spelled in another way. Each is searched on its own. */
export function plainParts(text: string): Plain[] {
  const escapes = escapesIn(text);
  const scripts = scriptsIn(text);
  if (escapes.length === 0 && scripts.length === 0) return [];
  const pieces =
    scripts.length === 0
      ? escapes
      : escapes.length === 0
        ? scripts
        : [...escapes, ...scripts].sort((a, b) => a.from - b.from || b.to - a.to);
  const parts: Plain[] = [];
  let plain: Builder | undefined;
  const close = () => {
    if (plain) parts.push(plain.done(wordEnd(text, plain.end + AROUND)));
    plain = undefined;
  };
  for (const piece of pieces) {
    const { from } = piece;
    if (plain && from > plain.end + AROUND && from > wordEnd(text, plain.end + AROUND)) close();
    plain ??= new Builder(text, wordStart(text, from - AROUND));
    if (from >= plain.end) plain.add(piece);
  }
  close();
  return parts;
}

/** A value must not be cut where a part begins or ends. */
function wordStart(text: string, at: number): number {
  const least = Math.max(0, at - LONGEST_WORD);
  let start = Math.max(0, at);
  while (start > least && !isSpace(text, start - 1)) start -= 1;
  return start;
}

function wordEnd(text: string, at: number): number {
  const most = Math.min(text.length, at + LONGEST_WORD);
  let end = Math.min(text.length, at);
  while (end < most && !isSpace(text, end)) end += 1;
  return end;
}

function isSpace(text: string, at: number): boolean {
  return text.charCodeAt(at) <= SPACE;
}

const SPACE = 0x20;

/** A plain text: what is copied, and what pieces stand for. */
class Builder {
  readonly #from: string;
  #text = '';
  /** For each of its parts, where it begins in the plain text and in the original, and whether it is a copy. */
  readonly #starts: number[] = [];
  readonly #origins: number[] = [];
  readonly #copies: boolean[] = [];
  /** How far the original has been read. */
  end: number;

  constructor(from: string, start: number) {
    this.#from = from;
    this.end = start;
  }

  add({ from, to, plain }: Piece): void {
    this.#copy(from);
    this.#append(plain, to, false);
  }

  #copy(to: number): void {
    if (to > this.end) this.#append(this.#from.slice(this.end, to), to, true);
  }

  #append(plain: string, to: number, copy: boolean): void {
    this.#starts.push(this.#text.length);
    this.#origins.push(this.end);
    this.#copies.push(copy);
    this.#text += plain;
    this.end = to;
  }

  done(end: number): Plain {
    this.#copy(end);
    this.#append('', this.end, true);
    const [starts, origins, copies] = [this.#starts, this.#origins, this.#copies];
    /** The last part that begins at this position or before it. */
    const partAt = (at: number) => {
      let low = 0;
      let high = starts.length - 1;
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if (starts[middle]! <= at) low = middle;
        else high = middle - 1;
      }
      return low;
    };
    return {
      text: this.#text,
      place(at) {
        const part = partAt(at);
        const into = at - starts[part]!;
        return copies[part] || into === 0 ? origins[part]! + into : origins[part + 1]!;
      },
      end(at) {
        if (at === 0) return origins[0]!;
        const part = partAt(at - 1);
        return copies[part] ? origins[part]! + at - starts[part]! : origins[part + 1]!;
      },
    };
  }
}
