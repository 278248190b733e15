import type { Steps } from '../turns.ts';
import { ProxyError } from '../errors.ts';
import { concatInSteps } from './bytes.ts';
import type { Span } from './json-keys.ts';
import { stringEnd, topKeys } from './json-keys.ts';

/** Fields that decide where a request goes and how its answer is read: what is read here must be what is sent. */
const KEYS = ['"model"', '"stream"'] as const;
const [MODEL] = KEYS;

/** How each letter of them begins when it is escaped. */
const ESCAPED = [String.raw`\u006`, String.raw`\u007`];

/** Text of this length is searched as it is, characters. */
const SHORT = 16 * 1024;

/** Bytes or characters that are searched between two pauses. */
const SEARCHED = 4 * 1024 * 1024;

/** The first byte of EF BB BF. JSON begins with none of its like. */
const BYTE_ORDER_MARK = 0xef;

/**
 * Where the value of the top-level `model` stands. Of two `model` or `stream` one reader takes the first and another the
 * last, so there may be only one.
 * @param body a JSON object @param given whether it has a `model`, which is a text
 * @throws ProxyError `invalid_request` when one of them is given twice
 */
export function* findModel({ text, bytes }: JsonBody, given: boolean): Steps<Span | undefined> {
  // Bytes are searched ten times as fast as text, where that is worth another object.
  const plain = text.length <= SHORT ? isPlain(text) : yield* isPlainInSteps(bytes);
  if (plain) return given ? yield* valueSpan(text, (yield* search(text, MODEL)) + MODEL.length) : undefined;
  const { model, stream } = yield* topKeys(text, ['model', 'stream']);
  if (model.length > 1) throw givenTwice('model');
  if (stream.length > 1) throw givenTwice('stream');
  return given && model[0] ? yield* valueSpan(text, model[0].end) : undefined;
}

function givenTwice(param: string): ProxyError {
  return new ProxyError('invalid_request', `Cannot read the request: "${param}" is given twice`, { param });
}

/** Whether each key stands there at most once, in its plain spelling: nothing can hide. */
function isPlain(text: string): boolean {
  if (ESCAPED.some((escaped) => text.includes(escaped))) return false;
  return KEYS.every((key) => text.indexOf(key, text.indexOf(key) + 1) <= text.indexOf(key));
}

function* isPlainInSteps(bytes: Uint8Array): Steps<boolean> {
  const searched = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  for (const escaped of ESCAPED) if ((yield* search(searched, escaped)) >= 0) return false;
  for (const key of KEYS) {
    const first = yield* search(searched, key);
    if (first >= 0 && (yield* search(searched, key, first + 1)) >= 0) return false;
  }
  return true;
}

/** Where a word stands first; -1 where it does not. */
function* search(searched: string | Buffer, word: string, from = 0): Steps<number> {
  for (let at = from; at < searched.length; at += SEARCHED) {
    const end = at + SEARCHED + word.length - 1;
    const part = typeof searched === 'string' ? searched.slice(at, end) : searched.subarray(at, end);
    const found = part.indexOf(word);
    if (found >= 0) return at + found;
    if (end < searched.length) yield;
  }
  return -1;
}

/** A body of JSON, as bytes and as text. */
export interface JsonBody {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly text: string;
}

/** What is written at a place in JSON. */
export interface Edit {
  /** Empty where something is only put in. */
  readonly at: Span;
  readonly written: Uint8Array;
}

/** The name of a model in place of another. */
export function modelEdit(at: Span, model: string): Edit {
  return { at, written: new TextEncoder().encode(JSON.stringify(model)) };
}

/**
 * Changes places in JSON; every other byte stays as it is.
 * @param edits in any order; none of them touches another
 */
export function splice({ bytes, text }: JsonBody, edits: readonly Edit[]): Steps<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = [];
  let read = 0;
  // Megabytes of pictures are not encoded again for the sake of a name. A byte order mark is no part of the text.
  let copied = 0;
  let behind = bytes[0] === BYTE_ORDER_MARK ? 3 : 0;
  for (const { at, written } of edits.toSorted((a, b) => a.at.start - b.at.start)) {
    const from = behind + Buffer.byteLength(text.slice(read, at.start));
    pieces.push(bytes.subarray(copied, from), written);
    behind = copied = from + Buffer.byteLength(text.slice(at.start, at.end));
    read = at.end;
  }
  return concatInSteps([...pieces, bytes.subarray(copied)]);
}

function* valueSpan(text: string, keyEnd: number): Steps<Span> {
  const start = text.indexOf('"', text.indexOf(':', keyEnd));
  return { start, end: yield* stringEnd(text, start) };
}
