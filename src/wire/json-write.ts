import type { Steps } from '../turns.ts';
import { concatInSteps, wholeBefore } from './bytes.ts';
import type { JsonObject } from './json.ts';

/** What is written between two pauses, characters: a few milliseconds' worth, also where each is escaped. */
const STRIDE = 512 * 1024;

/** To write a value takes as long as to write so many characters. */
const VALUE = 32;

/** Longer texts are written in pieces. */
const LONG_TEXT = STRIDE;

/** Numbers, words and texts up to this length are plain, characters; lists and objects of few such members are small. */
const SHORT_TEXT = 256;
const FEW = 16;

/** Plain members of a list that are written at once. */
const ROW = 2_000;

/** What is made of so many characters or bytes is written at once. */
const SHORT = 256 * 1024;

/** JSON text of a value, which is written in steps when what it is made of is long. @param length of that, characters or bytes */
export function* writeJson(value: object, length: number): Steps<string> {
  if (length <= SHORT) return JSON.stringify(value);
  yield;
  return yield* stringifyInSteps(value);
}

/** The same for what is sent: what is long is given as bytes, since putting it together as text takes long in itself. */
export function* writeBody(value: object, length: number): Steps<string | Uint8Array<ArrayBuffer>> {
  if (length <= SHORT) return JSON.stringify(value);
  yield;
  const bytes: Uint8Array[] = [];
  for (const piece of yield* piecesOf(value)) {
    bytes.push(encoder.encode(piece));
    yield;
  }
  return yield* concatInSteps(bytes);
}

/** JSON text of a value, in steps of a few milliseconds; the same as JSON.stringify makes. */
export function* stringifyInSteps(value: unknown): Steps<string> {
  return (yield* piecesOf(value)).join('');
}

function* piecesOf(value: unknown): Steps<readonly string[]> {
  const writer = new Writer();
  yield* writer.write(value);
  return writer.end();
}

const encoder = new TextEncoder();

class Writer {
  /** What was written between two pauses, each as one. */
  readonly #written: string[] = [];
  #pieces: string[] = [];
  #left = STRIDE;

  *write(value: unknown): Steps<void> {
    if (typeof value === 'string' && value.length > LONG_TEXT) yield* this.#text(value);
    else if (!isContainer(value) || isSmall(value)) this.#push(JSON.stringify(value) ?? 'null');
    else if (Array.isArray(value)) yield* this.#list(value);
    else yield* this.#object(value);
  }

  end(): readonly string[] {
    this.#flush();
    return this.#written;
  }

  #push(piece: string): void {
    this.#pieces.push(piece);
    this.#left -= VALUE + piece.length;
  }

  #flush(): void {
    this.#written.push(this.#pieces.join(''));
    this.#pieces = [];
    this.#left = STRIDE;
  }

  *#pauseWhenDue(): Steps<void> {
    if (this.#left > 0) return;
    this.#flush();
    yield;
  }

  *#text(text: string): Steps<void> {
    this.#push('"');
    for (let at = 0, end = 0; at < text.length; at = end) {
      end = wholeBefore(text, at + LONG_TEXT);
      this.#push(JSON.stringify(text.slice(at, end)).slice(1, -1));
      yield* this.#pauseWhenDue();
    }
    this.#push('"');
  }

  *#list(list: readonly unknown[]): Steps<void> {
    let lead = '[';
    for (let at = 0; at < list.length;) {
      const end = plainUntil(list, at);
      this.#push(lead);
      lead = ',';
      if (end > at) this.#push(JSON.stringify(list.slice(at, end)).slice(1, -1));
      else yield* this.write(list[at]);
      at = Math.max(end, at + 1);
      yield* this.#pauseWhenDue();
    }
    this.#push(']');
  }

  *#object(value: object): Steps<void> {
    let lead = '{';
    for (const [name, member] of Object.entries(value)) {
      if (member === undefined) continue;
      this.#push(`${lead}${JSON.stringify(name)}:`);
      lead = ',';
      yield* this.write(member);
      yield* this.#pauseWhenDue();
    }
    this.#push(lead === '{' ? '{}' : '}');
  }
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function isPlain(value: unknown): boolean {
  return typeof value === 'string' ? value.length <= SHORT_TEXT : !isContainer(value);
}

/** Whether it has few members, all of them plain. */
function isSmall(container: object): boolean {
  if (Array.isArray(container)) return container.length <= FEW && container.every(isPlain);
  let members = 0;
  for (const name in container)
    if (++members > FEW || !isPlain((container as JsonObject)[name])) return false;
  return true;
}

/** Where a row of plain members ends that is short enough to be written at once. */
function plainUntil(list: readonly unknown[], from: number): number {
  let at = from;
  while (at < list.length && at < from + ROW && isPlain(list[at])) at += 1;
  return at;
}
