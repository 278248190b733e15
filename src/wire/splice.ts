import type { Steps } from '../turns.ts';
import { ProxyError } from '../errors.ts';
import { concatInSteps } from './bytes.ts';
import { QUOTE, COMMA, LIST, BACKSLASH, LIST_END, OBJECT, OBJECT_END } from './json-bytes.ts';

const KEY = '"model"';

/** How each letter of "model" begins when it is escaped. */
const ESCAPED = String.raw`\u006`;

/** Text of this length is searched as it is, characters. */
const SHORT = 16 * 1024;

/** Characters that are looked at between two pauses. */
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
 * Where the value of the top-level `model` stands: what is routed by must be what is sent, so there may be only one.
 * @param body a JSON object @param given whether it has a `model`, which is a text
 * @throws ProxyError `invalid_request` when it is given twice
 */
export function* findModel({ text, bytes }: JsonBody, given: boolean): Steps<Span | undefined> {
  if (!given) return undefined;
  // Bytes are searched ten times as fast as text, where that is worth another object.
  const long = text.length > SHORT;
  const searched = long ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length) : text;
  const first = searched.indexOf(KEY);
  // One plain spelling and no escaped one: nothing can hide.
  const alone = first >= 0 && searched.indexOf(KEY, first + 1) < 0 && !searched.includes(ESCAPED);
  const [span, second] = alone
    ? [yield* valueSpan(text, text.indexOf(KEY) + KEY.length)]
    : yield* modelSpans(text);
  if (second)
    throw new ProxyError('invalid_request', 'Cannot read the request: "model" is given twice', {
      param: 'model',
    });
  return span;
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

function* modelSpans(text: string): Steps<Span[]> {
  const spans: Span[] = [];
  let depth = 0;
  let expectKey = false;
  let pauseAt = STRIDE;
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charCodeAt(at);
    if (char === QUOTE) {
      const end = yield* stringEnd(text, at);
      if (depth === 1 && expectKey) {
        expectKey = false;
        if (isModel(text.slice(at, end))) spans.push(yield* valueSpan(text, end));
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
  return spans;
}

/** Whether a key, with its quotes, is "model". One whose letters are all escaped has 32 characters. */
function isModel(key: string): boolean {
  return key.length <= 32 && JSON.parse(key) === 'model';
}

/** The index behind the closing quote of the string that opens at `at`. */
function* stringEnd(text: string, at: number): Steps<number> {
  let quotes = 0;
  for (let quote = text.indexOf('"', at + 1); quote > 0; quote = text.indexOf('"', quote + 1)) {
    let slashes = 0;
    while (text.charCodeAt(quote - 1 - slashes) === BACKSLASH) slashes += 1;
    if (slashes % 2 === 0) return quote + 1;
    if (++quotes % MAX_QUOTES === 0) yield;
  }
  return text.length;
}

function* valueSpan(text: string, keyEnd: number): Steps<Span> {
  const start = text.indexOf('"', text.indexOf(':', keyEnd));
  return { start, end: yield* stringEnd(text, start) };
}
