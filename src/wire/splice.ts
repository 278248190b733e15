import type { Steps } from '../turns.ts';
import { ProxyError } from '../errors.ts';
import { concatInSteps } from './bytes.ts';
import type { Span } from './json-keys.ts';
import { stringEnd, topKeys } from './json-keys.ts';

/** Fields that determine where a request goes and how its answer is read: the proxy and the provider must see the same ones. */
const KEYS = ['"model"', '"stream"'] as const;
const [MODEL] = KEYS;

/** How each of their letters begins when it is escaped. */
const ESCAPED = [String.raw`\u006`, String.raw`\u007`];

/** Up to this length text is searched directly, characters. */
const SHORT = 16 * 1024;

/** How many bytes or characters are searched between two pauses. */
const SEARCHED = 4 * 1024 * 1024;

/** The first byte of EF BB BF. JSON never begins with it. */
const BYTE_ORDER_MARK = 0xef;

/**
 * The position of the value of the top-level `model`. If `model` or `stream` occurs twice, some parsers use the first and others
 * the last, so that only one is allowed.
 * @param body a JSON object @param given whether it has a `model` that is a string
 * @throws ProxyError `invalid_request` when one of them occurs twice
 */
export function* findModel({ text, bytes }: JsonBody, given: boolean): Steps<Span | undefined> {
  // Bytes are searched ten times as fast as text, which is worth another object here.
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

/** Whether each key occurs at most once, in its plain spelling, so that nothing is hidden. */
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

/** The first position of a word; -1 if it does not occur. */
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

/** A JSON body, as bytes and as text. */
export interface JsonBody {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly text: string;
}

/** A change at a position in JSON. */
export interface Edit {
  /** Empty for an insertion. */
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
export function splice({ bytes, text }: JsonBody, edits: readonly Edit[]): Steps<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = [];
  let read = 0;
  // Megabytes of images are not encoded again to change a name. A byte order mark is not part of the text.
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
