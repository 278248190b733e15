import type { JsonObject } from './json.ts';
import { ProxyError } from '../errors.ts';
import { decodeStrictly } from './bytes.ts';
import { parseJson } from './json.ts';
import { MAX_NAMES } from './other-models.ts';

/** A field of a multipart/form-data body, and the position of its value. */
export interface FormField {
  readonly value: string;
  readonly start: number;
  readonly end: number;
}

/** The fields of a form that determine its route, and how its answer is read. */
export interface Form {
  readonly model: FormField | undefined;
  readonly stream: FormField | undefined;
}

interface Part {
  readonly head: string;
  readonly start: number;
  readonly end: number;
}

/** The largest number of parts, and of lines in a part's header. */
const MAX_PARTS = 256;
const MAX_HEAD = 8 * 1024;

/** How much of a field is read, bytes: more than the longest list of names, whose characters have up to three bytes. */
const MAX_TEXT = 3 * MAX_NAMES + 3;

/** Longer values are not plausible numbers. */
const MAX_DIGITS = 9;

/** RFC 2046 allows 70 characters. */
const MAX_BOUNDARY = 200;

const DASH = 0x2d;
const CARRIAGE_RETURN = 0x0d;
const NEWLINE = 0x0a;

/**
 * Parses the parts of a form that routing needs, without reading files. The proxy and the provider must see the same
 * fields: a form that two parsers may understand differently is rejected.
 * @throws ProxyError `invalid_request`
 * @see https://www.rfc-editor.org/rfc/rfc7578
 */
export function readForm(body: Uint8Array, contentType: string): Form {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const found = new Map<string, FormField>();
  for (const part of partsOf(bytes, boundaryOf(contentType))) {
    const disposition = dispositionOf(part.head);
    const name = nameOf(disposition);
    const meant = meantBy(name);
    if (meant === undefined) continue;
    // Some servers ignore the case of a name or spaces around it, or make a list of "model[]".
    if (name !== meant) throw unreadable(`write "${meant}" instead of "${name}"`, meant);
    if (found.has(name)) throw unreadable(`its form has two fields "${name}"`, name);
    found.set(name, fieldOf(bytes, part, disposition, name));
  }
  return { model: found.get('model'), stream: found.get('stream') };
}

/** The field that decides about the request and that a name may stand for. */
function meantBy(name: string | undefined): 'model' | 'stream' | undefined {
  // Names are much shorter.
  if (name === undefined || name.length > 100) return undefined;
  const letters = name
    .replaceAll(/%[\da-f]{2}/gi, unescaped)
    .replaceAll(/[^a-z]/gi, '')
    .toLowerCase();
  return letters === 'model' || letters === 'stream' ? letters : undefined;
}

function unescaped(code: string): string {
  return String.fromCharCode(Number.parseInt(code.slice(1), 16));
}

/** The body with the model's name replaced and every other byte unchanged; the same body when it has no model. */
export function spliceFormModel(
  body: Uint8Array<ArrayBuffer>,
  contentType: string,
  replacement: string,
): Uint8Array<ArrayBuffer> {
  const { model } = readForm(body, contentType);
  if (!model) return body;
  const value = new TextEncoder().encode(replacement);
  const spliced = new Uint8Array(body.length - (model.end - model.start) + value.length);
  spliced.set(body.subarray(0, model.start));
  spliced.set(value, model.start);
  spliced.set(body.subarray(model.end), model.start + value.length);
  return spliced;
}

/** A field of a parsed form as an integer; `undefined` if it is not one. */
export function formNumber(body: Uint8Array, contentType: string, name: string): number | undefined {
  if (!contentType.toLowerCase().startsWith('multipart/form-data')) return undefined;
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  for (const { head, start, end } of partsOf(bytes, boundaryOf(contentType))) {
    if (end - start > MAX_DIGITS || nameOf(dispositionOf(head)) !== name) continue;
    const digits = bytes.toString('latin1', start, end);
    return /^\d+$/.test(digits) ? Number(digits) : undefined;
  }
  return undefined;
}

/** The fields of a parsed form, as a JSON body would have them; lists and objects are written as JSON there. */
export function formFields(body: Uint8Array, contentType: string): JsonObject {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const fields = new Map<string, unknown[]>();
  for (const { head, start, end } of partsOf(bytes, boundaryOf(contentType))) {
    const name = nameOf(dispositionOf(head))?.replace(/\[\]$/, '');
    if (name === undefined) continue;
    // What is cut is not JSON, and too long for names of models.
    const text = bytes.toString('utf8', start, Math.min(end, start + MAX_TEXT));
    const value = /^\s*[[{]/.test(text) ? (parseJson(text) ?? text) : text;
    fields.set(name, [...(fields.get(name) ?? []), value]);
  }
  return Object.fromEntries(Array.from(fields, ([name, all]) => [name, all.length === 1 ? all[0] : all]));
}

function unreadable(state: string, param?: string): ProxyError {
  const options = param === undefined ? {} : { param };
  return new ProxyError('invalid_request', `Cannot read the request: ${state}`, options);
}

function boundaryOf(contentType: string): string {
  const given = split(contentType, true).flatMap((parameter) => valueOf(parameter, 'boundary', true) ?? []);
  const [boundary = ''] = given;
  if (given.length !== 1 || boundary === '' || boundary.length > MAX_BOUNDARY)
    throw unreadable('its Content-Type does not name one boundary');
  return boundary;
}

/** The parts in order, up to the closing delimiter. */
function* partsOf(bytes: Buffer, boundary: string): Generator<Part> {
  const delimiter = Buffer.from(`--${boundary}`, 'latin1');
  const onNewLine = Buffer.concat([Buffer.of(NEWLINE), delimiter]);
  let at = 0;
  while (bytes[at] === CARRIAGE_RETURN && bytes[at + 1] === NEWLINE) at += 2;
  if (!bytes.subarray(at, at + delimiter.length).equals(delimiter))
    throw unreadable('its form does not begin with its boundary');
  for (let parts = 0; ; parts += 1) {
    const behind = at + delimiter.length;
    if (bytes[behind] === DASH && bytes[behind + 1] === DASH) {
      if (bytes.indexOf(delimiter, behind) >= 0) throw unreadable('its form continues after its end');
      return;
    }
    if (parts === MAX_PARTS) throw unreadable(`its form has more than ${MAX_PARTS} parts`);
    const lineEnd = endOfDelimiter(bytes, behind);
    // The blank line may follow at once: a part may have no headers.
    const headEnd = bytes.indexOf('\r\n\r\n', lineEnd - 2);
    if (headEnd < 0 || headEnd - lineEnd > MAX_HEAD)
      throw unreadable(`a part of its form has no complete header within ${MAX_HEAD} bytes`);
    const next = bytes.indexOf(onNewLine, headEnd + 2);
    // Some parsers accept a bare line feed as a line end.
    if (next < 0 || bytes[next - 1] !== CARRIAGE_RETURN)
      throw unreadable('a part of its form does not end with a line break and the boundary');
    const start = headEnd + 4;
    yield { head: bytes.toString('latin1', lineEnd, headEnd), start, end: Math.max(start, next - 1) };
    at = next + 1;
  }
}

/** The position after the line break of a delimiter, before which blanks are allowed. */
function endOfDelimiter(bytes: Buffer, from: number): number {
  let at = from;
  while (bytes[at] === 0x20 || bytes[at] === 0x09) at += 1;
  if (bytes[at] === CARRIAGE_RETURN && bytes[at + 1] === NEWLINE) return at + 2;
  throw unreadable('its form has something between its boundary and the line break');
}

/** The value of the single Content-Disposition header of a part. */
function dispositionOf(head: string): string {
  const lines = head.replace(/\r\n[ \t]+/g, ' ').split('\r\n');
  if (lines.some((line) => /[\r\n\0]/.test(line))) throw unreadable('a part of its form has a broken head');
  const values = lines.flatMap((line) => /^content-disposition[ \t]*:(.*)$/i.exec(line)?.[1] ?? []);
  if (values.length > 1) throw unreadable('a part of its form has two Content-Dispositions');
  return values[0] ?? '';
}

/** The name of a part; parsers differ in whether a backslash escapes the next character. */
function nameOf(disposition: string): string | undefined {
  const [name, plainly] = [true, false].map((escapes) => {
    const parameters = split(disposition, escapes);
    const names = parameters.flatMap((parameter) => valueOf(parameter, 'name', escapes) ?? []);
    const encoded = parameters.some((parameter) => /^name\*/i.test(parameter));
    if (names.length > 1 || encoded) throw unreadable('a part of its form has more than one name');
    return names[0];
  });
  const decides = [name, plainly].some((word) => word === 'model' || word === 'stream');
  if (decides && name !== plainly) throw unreadable('the name of a part of its form can be read in two ways');
  return name;
}

/** Splits `a; b="c;d"` at semicolons outside quotes. */
function split(text: string, escapes: boolean): string[] {
  const parts: string[] = [];
  let begun = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at];
    if (char === '\\' && quoted && escapes) at += 1;
    else if (char === '"') quoted = !quoted;
    else if (char === ';' && !quoted) {
      parts.push(text.slice(begun, at).trim());
      begun = at + 1;
    }
  }
  parts.push(text.slice(begun).trim());
  return parts;
}

/** The value of a parameter, if it has this name. */
function valueOf(parameter: string, name: string, escapes: boolean): string | undefined {
  const equals = parameter.indexOf('=');
  if (equals < 0 || parameter.slice(0, equals).trim().toLowerCase() !== name) return undefined;
  const value = parameter.slice(equals + 1).trim();
  if (!value.startsWith('"')) return value;
  const inner = value.slice(1, Math.max(1, value.lastIndexOf('"')));
  return escapes ? inner.replace(/\\(.)/g, '$1') : inner;
}

/** A field as plain text. */
function fieldOf(bytes: Buffer, { head, start, end }: Part, disposition: string, name: string): FormField {
  const plain =
    !split(disposition, true).some((parameter) => /^filename\*?\s*=/i.test(parameter)) &&
    !/^content-transfer-encoding[ \t]*:[ \t]*(?!7bit|8bit|binary)/im.test(head) &&
    !/^content-type[ \t]*:.*charset[ \t]*=[ \t]*"?(?!utf-?8\b|us-ascii\b)/im.test(head);
  if (!plain) throw unreadable(`"${name}" must be a plain field of its form`, name);
  try {
    return { value: decodeStrictly(bytes.subarray(start, end)), start, end };
  } catch (cause) {
    throw new ProxyError('invalid_request', `Cannot read the request: "${name}" is not valid UTF-8`, {
      param: name,
      cause,
    });
  }
}
