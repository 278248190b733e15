/** A request as received. */
export interface RawRequest {
  readonly method: string;
  readonly path: string;
  /** Names are in lower case; for a repeated header, the last value counts. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const BLANK_LINE = '\r\n\r\n';

/** Reads requests from a connection one by one: start line, headers, and a body with a length or chunked. */
export class RequestReader {
  #bytes: Buffer = Buffer.alloc(0);

  push(bytes: Buffer): void {
    this.#bytes = this.#bytes.length === 0 ? bytes : Buffer.concat([this.#bytes, bytes]);
  }

  /** The next request; `undefined` until it is complete. */
  next(): RawRequest | undefined {
    const end = this.#bytes.indexOf(BLANK_LINE);
    if (end < 0) return undefined;
    const [start = '', ...lines] = this.#bytes.toString('latin1', 0, end).split('\r\n');
    const headers = Object.fromEntries(lines.map(headerOf));
    const body = bodyOf(this.#bytes.subarray(end + BLANK_LINE.length), headers);
    if (!body) return undefined;
    this.#bytes = this.#bytes.subarray(end + BLANK_LINE.length + body.taken);
    const [method = '', path = ''] = start.split(' ');
    return { method, path, headers, body: body.text };
  }
}

function headerOf(line: string): [name: string, value: string] {
  const colon = line.indexOf(':');
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
}

interface Body {
  readonly text: string;
  readonly taken: number;
}

function bodyOf(bytes: Buffer, headers: Readonly<Record<string, string>>): Body | undefined {
  if (headers['transfer-encoding']?.includes('chunked')) return chunkedBody(bytes);
  const length = Number(headers['content-length'] ?? 0);
  return bytes.length < length ? undefined : { text: bytes.toString('utf8', 0, length), taken: length };
}

function chunkedBody(bytes: Buffer): Body | undefined {
  const chunks: Buffer[] = [];
  for (let at = 0; ;) {
    const line = bytes.indexOf('\r\n', at);
    if (line < 0) return undefined;
    const size = Number.parseInt(bytes.toString('latin1', at, line), 16);
    const next = line + 2 + size + 2;
    if (bytes.length < next) return undefined;
    if (size === 0) return { text: Buffer.concat(chunks).toString(), taken: next };
    chunks.push(bytes.subarray(line + 2, line + 2 + size));
    at = next;
  }
}
