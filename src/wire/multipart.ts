/** A field of a multipart/form-data body and where its value stands. */
export interface MultipartField {
  readonly value: string;
  readonly start: number;
  readonly end: number;
}

/**
 * Finds a plain field by name, without parsing files. Parts that carry a file name are no plain fields.
 * @see https://www.rfc-editor.org/rfc/rfc7578
 */
export function multipartField(
  body: Uint8Array,
  contentType: string,
  name: string,
): MultipartField | undefined {
  const boundary = /boundary=(?:"([^"]+)"|([^\s;]+))/i.exec(contentType);
  if (!boundary) return undefined;
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const delimiter = Buffer.from(`--${boundary[1] ?? boundary[2]}`);
  let at = bytes.indexOf(delimiter);
  while (at >= 0) {
    const headStart = at + delimiter.length;
    const headEnd = bytes.indexOf('\r\n\r\n', headStart);
    if (headEnd < 0) return undefined;
    const next = bytes.indexOf(Buffer.concat([Buffer.from('\r\n'), delimiter]), headEnd + 2);
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
  const match = /content-disposition:[^\r\n]*[;\s]name=(?:"([^"]*)"|([^\s;]+))/i.exec(head);
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
