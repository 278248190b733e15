/**
 * The usage of a stream whose client did not request it: it is requested from the provider nevertheless, and removed
 * from the stream again, so that the usage of every answer is known.
 */
import type { JsonObject } from '../json.ts';
import type { Edit } from '../splice.ts';
import { asLatin1 } from '../splice.ts';
import type { Steps } from '../../turns.ts';
import { atOnce } from '../../turns.ts';
import { isObject, listOf } from '../json.ts';
import { COLON, COMMA, OBJECT } from '../json-bytes.ts';
import { topKeys } from '../json-keys.ts';

/** The field that requests it. */
export const USAGE_FIELD = 'stream_options';

const ASKING = new TextEncoder().encode(`"${USAGE_FIELD}":{"include_usage":true},`);

/** Longer options are not changed, characters. */
const MAX_OPTIONS = 1_024;

/**
 * How servers reject the field: OpenAI's "Unrecognized request argument supplied: stream_options", FastAPI's
 * `loc: ["body", "stream_options"]`.
 */
export const USAGE_REFUSED = /stream_options|include_usage/;

/**
 * The request's options with usage requested; `undefined` if the client requests it itself, or its options are invalid.
 */
export function askingOptions(request: JsonObject): JsonObject | undefined {
  const { stream_options: options } = request;
  if (options !== undefined && options !== null && !isObject(options)) return undefined;
  return options?.include_usage === true ? undefined : { ...options, include_usage: true };
}

/**
 * The edit that adds the options to a request's bytes, which stay the same otherwise; `undefined` if that is
 * impossible.
 * @param bytes of the request @param options as `askingOptions` gives them
 */
export function* askingEdit(
  bytes: Uint8Array,
  request: JsonObject,
  options: JsonObject,
): Steps<Edit | undefined> {
  if (!Object.hasOwn(request, USAGE_FIELD)) {
    const start = bytes.indexOf(OBJECT) + 1;
    return { at: { start, end: start }, written: ASKING };
  }
  const text = asLatin1(bytes);
  const { [USAGE_FIELD]: places } = yield* topKeys(text, [USAGE_FIELD]);
  const [place] = places;
  if (!place || places.length > 1) return undefined;
  const start = text.indexOf(':', place.end) + 1;
  const end = valueEnd(text.slice(start, start + MAX_OPTIONS));
  if (end === undefined) return undefined;
  return {
    at: { start, end: start + end },
    written: new TextEncoder().encode(JSON.stringify(options)),
  };
}

/** The end of an object or `null` at the beginning of a text; `undefined` if it continues past the text. */
function valueEnd(text: string): number | undefined {
  const nothing = /^\s*null/.exec(text);
  if (nothing) return nothing[0].length;
  let depth = 0;
  for (const { 0: token, index } of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}]/g)) {
    if (token === '{') depth += 1;
    else if (token === '}' && --depth === 0) return index + 1;
  }
  return undefined;
}

/** Whether an event only reports the usage: the one that a client gets which requested it. */
export function isUsageAlone(event: unknown): boolean {
  return isObject(event) && isObject(event.usage) && listOf(event.choices).length === 0;
}

const TOKEN = Buffer.from('"usage"');

/** Whether an event contains `"usage":null`, which OpenAI adds to every other chunk. */
export function hasNullUsage(event: unknown): boolean {
  return isObject(event) && event.usage === null;
}

/**
 * Events without the members `"usage":null` of their objects; every other byte stays the same.
 * @param bytes of complete events @param count the number of their objects that have such a member
 * @returns `undefined` if nested objects have one as well, or none is found
 */
export function withoutNullUsage(bytes: Uint8Array, count: number): Uint8Array | undefined {
  const block = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const kept: Uint8Array[] = [];
  let from = 0;
  for (let at = block.indexOf(TOKEN); at >= 0; at = block.indexOf(TOKEN, at + TOKEN.length)) {
    const member = nullMember(block, at);
    if (!member) continue;
    kept.push(bytes.subarray(from, member.start));
    from = member.end;
  }
  if (kept.length !== count) return undefined;
  kept.push(bytes.subarray(from));
  return together(kept);
}

/**
 * The same for one event whose nested objects have such a member too. @param data of the event, a JSON object on one
 * line
 */
export function withoutTopNullUsage(bytes: Uint8Array, data: string): Uint8Array {
  const { usage } = atOnce(topKeys(data, ['usage']));
  const block = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const begin = block.indexOf(data);
  const [place] = usage;
  if (begin < 0 || !place || usage.length > 1) return bytes;
  const at = begin + Buffer.byteLength(data.slice(0, place.start));
  const member = nullMember(block, at);
  return member ? together([bytes.subarray(0, member.start), bytes.subarray(member.end)]) : bytes;
}

/** A member whose key begins at `at`, with the comma that separates it; `undefined` if it has another value. */
function nullMember(block: Buffer, at: number): { readonly start: number; readonly end: number } | undefined {
  const colon = blanksAfter(block, at + TOKEN.length);
  if (block[colon] !== COLON) return undefined;
  const value = blanksAfter(block, colon + 1);
  const end = value + 4;
  if (block.toString('latin1', value, end) !== 'null') return undefined;
  let before = at - 1;
  while (isBlank(block[before])) before -= 1;
  if (block[before] === COMMA) return { start: before, end };
  const next = blanksAfter(block, end);
  if (block[before] !== OBJECT || block[next] !== COMMA) return undefined;
  return { start: at, end: blanksAfter(block, next + 1) };
}

function blanksAfter(block: Buffer, from: number): number {
  let at = from;
  while (isBlank(block[at])) at += 1;
  return at;
}

/** White space within a line: a member that spans two lines of an event is kept. */
function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09;
}

function together(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let end = 0;
  for (const piece of pieces) {
    whole.set(piece, end);
    end += piece.length;
  }
  return whole;
}
