/** Reads log lines without the content of requests and answers. */
import { isObject, parseJson } from '../wire/json.ts';
import type { JsonObject } from '../wire/json.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
/** The value of braces and of brackets, which differ in this bit only. */
const EITHER = 0x20;
const OPENING = 0x7b;
const CLOSING = 0x7d;
const TAIL = [Buffer.from('"request":'), Buffer.from('"response":')];

/**
 * The record of a line without its content: the request and the answer, the messages of errors and of feedback, and the
 * name of the client program. `undefined` when the line is not a record.
 * @param line the whole line, or its beginning up to any point within the request or the response
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
 * The record of a line without its request and its answer, which are neither parsed nor decoded; `undefined` when the
 * line is not a record.
 * @param line the whole line, or its beginning up to any point within the request or the response
 */
export function withoutTail(line: Buffer): RecordWithoutTail | undefined {
  const end = beginOfTail(line);
  const record = parseJson(end === undefined ? line.toString() : `${line.toString('utf8', 0, end)}}`);
  return isObject(record) && typeof record.ts === 'string' && typeof record.id === 'string'
    ? (record as RecordWithoutTail)
    : undefined;
}

/** The only fields that a record read from a file is guaranteed to have. */
export type RecordWithoutTail = JsonObject & { readonly ts: string; readonly id: string };

/**
 * The position of the comma before the request or the response, which are the last fields; `undefined` if there is
 * neither.
 */
function beginOfTail(line: Buffer): number | undefined {
  let depth = 0;
  for (let at = 0; at < line.length; at += 1) {
    const byte = line[at]!;
    if (byte !== QUOTE) {
      if ((byte | EITHER) === OPENING) depth += 1;
      else if ((byte | EITHER) === CLOSING) depth -= 1;
      continue;
    }
    // A string after a comma of the outermost object is the name of a field.
    if (depth === 1 && line[at - 1] === COMMA && TAIL.some((name) => startsWith(line, name, at)))
      return at - 1;
    at = endOfString(line, at);
  }
  return undefined;
}

function startsWith(line: Buffer, name: Buffer, at: number): boolean {
  return line.length - at >= name.length && line.compare(name, 0, name.length, at, at + name.length) === 0;
}

/** The position of the quote that ends a string, or the end of the line if the string is not closed. */
function endOfString(line: Buffer, begin: number): number {
  for (let at = line.indexOf(QUOTE, begin + 1); at >= 0; at = line.indexOf(QUOTE, at + 1)) {
    let escapes = 0;
    while (line[at - 1 - escapes] === BACKSLASH) escapes += 1;
    if (escapes % 2 === 0) return at;
  }
  return line.length;
}
