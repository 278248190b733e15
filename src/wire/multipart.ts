/** A field of a multipart/form-data body and where its value stands. */
export interface MultipartField {
  readonly value: string;
  readonly start: number;
  readonly end: number;
}

/** A form has a handful of parts, and the head of a part a few lines: what has more is not looked through. */
const MAX_PARTS = 256;
const MAX_HEAD = 8 * 1024;

/** RFC 2046 allows 70 characters. */
const MAX_BOUNDARY = 200;

/**
 * Finds a plain field by name, without parsing files. Parts that carry a file name are no plain fields.
 * @see https://www.rfc-editor.org/rfc/rfc7578
 */
export function multipartField(
  body: Uint8Array,
  contentType: string,
  name: string,
): MultipartField | undefined {
  const found = /boundary=(?:"([^"]+)"|([^\s;]+))/i.exec(contentType);
  const boundary = found?.[1] ?? found?.[2];
  if (boundary === undefined || boundary.length > MAX_BOUNDARY) return undefined;
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const delimiter = Buffer.from(`--${boundary}`);
  const following = Buffer.concat([Buffer.from('\r\n'), delimiter]);
  let at = bytes.indexOf(delimiter);
  for (let parts = 0; at >= 0 && parts < MAX_PARTS; parts += 1) {
    const headStart = at + delimiter.length;
    const headEnd = bytes.indexOf('\r\n\r\n', headStart);
    if (headEnd < 0 || headEnd - headStart > MAX_HEAD) return undefined;
    const next = bytes.indexOf(following, headEnd + 2);
    const head = bytes.toString('latin1', headStart, headEnd);
    if (next >= 0 && !/filename\*?=/i.test(head) && partName(head) === name) {
      const start = Math.min(headEnd + 4, next);
      return { value: bytes.toString('utf8', start, next), start, end: next };
    }
    at = next < 0 ? -1 : next + 2;
  }
  return undefined;
}

function partName(head: string): string | undefined {
  const match = /^content-disposition:[^\r\n]*[;\s]name=(?:"([^"]*)"|([^\s;]+))/im.exec(head);
  return match?.[1] ?? match?.[2];
}

/** The body with the field's value replaced and every other byte as it was; the same body when the field is missing. */
export function spliceMultipart(
  body: Uint8Array<ArrayBuffer>,
  contentType: string,
  name: string,
  replacement: string,
): Uint8Array<ArrayBuffer> {
  const field = multipartField(body, contentType, name);
  if (!field) return body;
  const value = new TextEncoder().encode(replacement);
  const spliced = new Uint8Array(body.length - (field.end - field.start) + value.length);
  spliced.set(body.subarray(0, field.start));
  spliced.set(value, field.start);
  spliced.set(body.subarray(field.end), field.start + value.length);
  return spliced;
}
