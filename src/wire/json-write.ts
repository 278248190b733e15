import type { Steps } from '../turns.ts';
import { concatInSteps, wholeBefore } from './bytes.ts';
import type { JsonObject } from './json.ts';
import { sizeOf } from './json-size.ts';

/**
 * How much is written between two pauses, characters: a few milliseconds of work, even if every character is escaped.
 */
const STRIDE = 512 * 1024;

/** The cost of writing a value, in characters written in the same time. */
const VALUE = 32;

/** Longer strings are written in pieces, characters. */
const LONG_TEXT = STRIDE;

/**
 * Numbers, literals and strings up to this length are plain, characters; lists and objects with few such members are
 * small.
 */
const SHORT_TEXT = 256;
const FEW = 16;

/** How many plain members of a list are written at once. */
const ROW = 2_000;

/** Results up to about this length are written at once, characters. */
const SHORT = 256 * 1024;

/** The JSON text of a value, written in steps if it is long. */
export function* writeJson(value: object): Steps<string> {
  if (sizeOf(value, SHORT) <= SHORT) return JSON.stringify(value);
  yield;
  return yield* stringifyInSteps(value);
}

/** The same for sending: long results are bytes, since joining them as text would take long. */
export function* writeBody(value: object): Steps<string | Uint8Array<ArrayBuffer>> {
  if (sizeOf(value, SHORT) <= SHORT) return JSON.stringify(value);
  yield;
  const bytes: Uint8Array[] = [];
  for (const piece of yield* piecesOf(value)) {
    bytes.push(encoder.encode(piece));
    yield;
  }
  return yield* concatInSteps(bytes);
}

/** The JSON text of a value, in steps of a few milliseconds; the same as that of JSON.stringify. */
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
  /** The parts written between two pauses, each joined. */
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

/** The end of a run of plain members that is short enough to be written at once. */
function plainUntil(list: readonly unknown[], from: number): number {
  let at = from;
  while (at < list.length && at < from + ROW && isPlain(list[at])) at += 1;
  return at;
}
