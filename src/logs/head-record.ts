/** Lines of the log without what people and models wrote. */
import { isObject, parseJson } from '../wire/json.ts';
import type { JsonObject } from '../wire/json.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
/** Of braces and brackets, which differ by this bit alone. */
const EITHER = 0x20;
const OPENING = 0x7b;
const CLOSING = 0x7d;
const TAIL = [Buffer.from('"request":'), Buffer.from('"response":')];

/**
 * The record of a line without what people and models wrote: a request and its answer, the words of errors and of feedback, and
 * the name of the client program. `undefined` when the line is no record.
 * @param line all of it, or its beginning up to somewhere within the request or the response
 */
export function headRecord(line: Buffer): JsonObject | undefined {
  const record = withoutTail(line);
  if (!record) return undefined;
  const { request: _request, response: _response, omitted: _omitted, feedback, ...head } = record;
  if ('user_agent' in head) head.user_agent = null;
  if ('error' in head) head.error = null;
  if (isObject(feedback)) {
    const { correction: _correction, comment: _comment, ...kept } = feedback;
    head.feedback = kept;
  }
  return { ...head, content: 'expired' };
}

/**
 * The record of a line without its request and its answer, which are neither read nor held in memory as text; `undefined` when
 * the line is no record.
 * @param line all of it, or its beginning up to somewhere within the request or the response
 */
export function withoutTail(line: Buffer): RecordWithoutTail | undefined {
  const end = beginOfTail(line);
  const record = parseJson(end === undefined ? line.toString() : `${line.toString('utf8', 0, end)}}`);
  return isObject(record) && typeof record.ts === 'string' && typeof record.id === 'string'
    ? (record as RecordWithoutTail)
    : undefined;
}

/** Of what is in a file nothing is certain but these. */
export type RecordWithoutTail = JsonObject & { readonly ts: string; readonly id: string };

/** Where the comma before the request or the response is, which are the last fields; `undefined` where there is neither. */
function beginOfTail(line: Buffer): number | undefined {
  let depth = 0;
  for (let at = 0; at < line.length; at += 1) {
    const byte = line[at]!;
    if (byte !== QUOTE) {
      if ((byte | EITHER) === OPENING) depth += 1;
      else if ((byte | EITHER) === CLOSING) depth -= 1;
      continue;
    }
    // A string behind a comma of the outermost object is the name of a field.
    if (depth === 1 && line[at - 1] === COMMA && TAIL.some((name) => startsWith(line, name, at)))
      return at - 1;
    at = endOfString(line, at);
  }
  return undefined;
}

function startsWith(line: Buffer, name: Buffer, at: number): boolean {
  return line.length - at >= name.length && line.compare(name, 0, name.length, at, at + name.length) === 0;
}

/** Where the quote is that ends a string; the end of the line where none does. */
function endOfString(line: Buffer, begin: number): number {
  for (let at = line.indexOf(QUOTE, begin + 1); at >= 0; at = line.indexOf(QUOTE, at + 1)) {
    let escapes = 0;
    while (line[at - 1 - escapes] === BACKSLASH) escapes += 1;
    if (escapes % 2 === 0) return at;
  }
  return line.length;
}
