import type { Steps } from '../turns.ts';
import { ProxyError } from '../errors.ts';
import { concatInSteps } from './bytes.ts';
import { QUOTE, COMMA, LIST, BACKSLASH, LIST_END, OBJECT, OBJECT_END } from './json-bytes.ts';

/** Fields that decide where a request goes and how its answer is read: what is read here must be what is sent. */
const KEYS = ['"model"', '"stream"'] as const;
const [MODEL] = KEYS;

/** How each letter of them begins when it is escaped. */
const ESCAPED = [String.raw`\u006`, String.raw`\u007`];

/** The longest of them, all letters escaped, characters. */
const LONGEST = '""'.length + 6 * '\\u0061'.length;

/** Text of this length is searched as it is, characters. */
const SHORT = 16 * 1024;

/** Bytes or characters that are searched, and characters that are looked at, between two pauses. */
const SEARCHED = 4 * 1024 * 1024;
const STRIDE = 256 * 1024;
const MAX_QUOTES = 32 * 1024;

/** The first byte of EF BB BF. JSON begins with none of its like. */
const BYTE_ORDER_MARK = 0xef;

/** Where a text stands in JSON, its quotes included. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

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
  const { model, stream } = yield* keyEnds(text);
  if (model.length > 1) throw givenTwice('model');
  if (stream.length > 1) throw givenTwice('stream');
  return given && model[0] !== undefined ? yield* valueSpan(text, model[0]) : undefined;
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

/** Replaces a text in JSON; every other byte stays as it is. */
export function spliceModel(
  { bytes, text }: JsonBody,
  { start, end }: Span,
  replacement: string,
): Steps<Uint8Array<ArrayBuffer>> {
  // Megabytes of pictures are not encoded again for the sake of a name. A byte order mark is no part of the text.
  const from = Buffer.byteLength(text.slice(0, start)) + (bytes[0] === BYTE_ORDER_MARK ? 3 : 0);
  const to = from + Buffer.byteLength(text.slice(start, end));
  const written = new TextEncoder().encode(JSON.stringify(replacement));
  return concatInSteps([bytes.subarray(0, from), written, bytes.subarray(to)]);
}

/** Where the top-level keys `model` and `stream` end, each time that they are given. */
function* keyEnds(text: string): Steps<{ readonly model: number[]; readonly stream: number[] }> {
  const ends = { model: [] as number[], stream: [] as number[] };
  let depth = 0;
  let expectKey = false;
  let pauseAt = STRIDE;
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charCodeAt(at);
    if (char === QUOTE) {
      const end = yield* stringEnd(text, at);
      if (depth === 1 && expectKey) {
        expectKey = false;
        const key = end - at <= LONGEST ? (JSON.parse(text.slice(at, end)) as string) : '';
        if (key === 'model' || key === 'stream') ends[key].push(end);
      }
      at = end - 1;
    } else if (char === OBJECT || char === LIST) {
      depth += 1;
      expectKey = depth === 1 && char === OBJECT;
    } else if (char === OBJECT_END || char === LIST_END) depth -= 1;
    else if (char === COMMA && depth === 1) expectKey = true;
    if (at > pauseAt) {
      pauseAt = at + STRIDE;
      yield;
    }
  }
  return ends;
}

/** The index behind the closing quote of the string that opens at `at`. */
function* stringEnd(text: string, at: number): Steps<number> {
  let quotes = 0;
  let looked = 0;
  for (let quote = text.indexOf('"', at + 1); quote > 0; quote = text.indexOf('"', quote + 1)) {
    let slashes = 0;
    while (text.charCodeAt(quote - 1 - slashes) === BACKSLASH) {
      slashes += 1;
      if (++looked % STRIDE === 0) yield;
    }
    if (slashes % 2 === 0) return quote + 1;
    if (++quotes % MAX_QUOTES === 0) yield;
  }
  return text.length;
}

function* valueSpan(text: string, keyEnd: number): Steps<Span> {
  const start = text.indexOf('"', text.indexOf(':', keyEnd));
  return { start, end: yield* stringEnd(text, start) };
}
