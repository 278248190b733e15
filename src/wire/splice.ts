import type { Steps } from '../turns.ts';
import { ProxyError } from '../errors.ts';
import { concatInSteps } from './bytes.ts';
import { BACKSLASH, COLON, QUOTE } from './json-bytes.ts';
import type { Span } from './json-keys.ts';
import { topKeys } from './json-keys.ts';

/**
 * Fields that determine where a request goes and how its answer is read: the proxy and the provider must see the same
 * ones.
 */
const MODEL = '"model"';
const STREAM = '"stream"';

/** How each of their letters begins when it is escaped, and what both have in common. */
const ESCAPED = [String.raw`\u006`, String.raw`\u007`];
const ANY_ESCAPED = String.raw`\u00`;

/** How many bytes are searched between two pauses. */
const SEARCHED = 4 * 1024 * 1024;

/**
 * The position of the value of the top-level `model`, in bytes. If `model` or `stream` occurs twice, some parsers use
 * the first and others the last, so that only one is allowed.
 * @param bytes a JSON object @param given whether it has a `model` that is a string
 * @throws ProxyError `invalid_request` when one of them occurs twice
 */
export function* findModel(bytes: Uint8Array, given: boolean): Steps<Span | undefined> {
  const json = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const key = yield* plainModel(json);
  if (key !== undefined) return given ? valueSpan(json, key + MODEL.length) : undefined;
  const { model, stream } = yield* topKeys(asLatin1(bytes), ['model', 'stream']);
  if (model.length > 1) throw givenTwice('model');
  if (stream.length > 1) throw givenTwice('stream');
  return given && model[0] ? valueSpan(json, model[0].end) : undefined;
}

/** Bytes as text in which each character stands for one byte: positions in it are positions in the bytes. */
export function asLatin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}

function givenTwice(param: string): ProxyError {
  return new ProxyError('invalid_request', `Cannot read the request: "${param}" is given twice`, { param });
}

/**
 * The position of the key `model`, or -1; `undefined` unless both keys occur at most once, in their plain spelling, so
 * that nothing is hidden.
 */
function* plainModel(json: Buffer): Steps<number | undefined> {
  if ((yield* search(json, ANY_ESCAPED)) >= 0)
    for (const escaped of ESCAPED) if ((yield* search(json, escaped)) >= 0) return undefined;
  const [model, stream] = [yield* search(json, MODEL), yield* search(json, STREAM)];
  if (model >= 0 && (yield* search(json, MODEL, model + 1)) >= 0) return undefined;
  if (stream >= 0 && (yield* search(json, STREAM, stream + 1)) >= 0) return undefined;
  return model;
}

/** The first position of a word; -1 if it does not occur. */
function* search(json: Buffer, word: string, from = 0): Steps<number> {
  for (let at = from; at < json.length; at += SEARCHED) {
    const end = at + SEARCHED + word.length - 1;
    const part = end < json.length ? json.subarray(0, end) : json;
    const found = part.indexOf(word, at);
    if (found >= 0) return found;
    if (end < json.length) yield;
  }
  return -1;
}

/** A change at a position in JSON. */
export interface Edit {
  /** In bytes; empty for an insertion. */
  readonly at: Span;
  readonly written: Uint8Array;
}

/** Replaces the name of the model. */
export function modelEdit(at: Span, model: string): Edit {
  return { at, written: new TextEncoder().encode(JSON.stringify(model)) };
}

/**
 * Changes parts of JSON; every other byte stays the same.
 * @param edits in any order, without overlaps
 */
export function splice(bytes: Uint8Array, edits: readonly Edit[]): Steps<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = [];
  let copied = 0;
  for (const { at, written } of edits.toSorted((a, b) => a.at.start - b.at.start)) {
    pieces.push(bytes.subarray(copied, at.start), written);
    copied = at.end;
  }
  return concatInSteps([...pieces, bytes.subarray(copied)]);
}

/** The position of the string after a key, including its quotes. */
function valueSpan(json: Buffer, keyEnd: number): Span {
  const start = json.indexOf(QUOTE, json.indexOf(COLON, keyEnd));
  let end = start + 1;
  while (end < json.length && json[end] !== QUOTE) end += json[end] === BACKSLASH ? 2 : 1;
  return { start, end: end + 1 };
}
