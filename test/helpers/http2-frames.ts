/** HTTP/2 by hand: frames as in RFC 9113 and RFC 7541, including some that no client sends. */
import { connect } from 'node:net';
import type { Socket } from 'node:net';

export const DATA = 0;
export const HEADERS = 1;
export const RST_STREAM = 3;
export const SETTINGS = 4;
export const PING = 6;
export const GOAWAY = 7;
export const WINDOW_UPDATE = 8;
export const CONTINUATION = 9;

export const END_STREAM = 1;
export const END_HEADERS = 4;

const CANCEL = Buffer.from([0, 0, 0, 8]);
const HEAD_BYTES = 9;

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Uint8Array = Buffer.alloc(0),
): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** A list of uncompressed headers. */
export function headerBlock(fields: Readonly<Record<string, string>>): Buffer {
  const text = (value: string) => Buffer.concat([lengthOf(value), Buffer.from(value)]);
  return Buffer.concat(
    Object.entries(fields).flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]),
  );
}

/** A length in HPACK's encoding, with a prefix of seven bits. */
function lengthOf({ length }: string): Buffer {
  if (length < 127) return Buffer.from([length]);
  const bytes = [127];
  let rest = length - 127;
  for (; rest >= 128; rest >>= 7) bytes.push((rest & 127) | 128);
  return Buffer.from([...bytes, rest]);
}

const common = { ':scheme': 'http', ':authority': 'localhost' };

/** The frames of a request. */
export function request(stream: number, path: string, body?: string): Buffer {
  if (body === undefined) {
    const fields = headerBlock({ ':method': 'GET', ':path': path, ...common });
    return frame(HEADERS, END_HEADERS | END_STREAM, stream, fields);
  }
  const fields = headerBlock({ ':method': 'POST', ':path': path, ...common });
  const head = frame(HEADERS, END_HEADERS, stream, fields);
  return Buffer.concat([head, frame(DATA, END_STREAM, stream, Buffer.from(body))]);
}

export const reset = (stream: number): Buffer => frame(RST_STREAM, 0, stream, CANCEL);

/** A connection whose client is fully controlled by the test. It never opens windows by itself. */
export class FrameClient implements Disposable {
  readonly #socket: Socket;
  #left: Buffer = Buffer.alloc(0);
  readonly frames: Frame[] = [];
  closed = false;

  constructor(url: string) {
    const { hostname, port } = new URL(url);
    this.#socket = connect({ host: hostname, port: Number(port) });
    this.#socket.on('error', () => this.#socket.destroy());
    this.#socket.on('close', () => (this.closed = true));
    this.#socket.on('data', (bytes: Buffer) => this.#read(bytes));
    this.#socket.write(
      Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame(SETTINGS, 0, 0)]),
    );
  }

  /** Sends as fast as the server reads. */
  async send(...frames: readonly Buffer[]): Promise<void> {
    if (this.closed || this.#socket.write(Buffer.concat(frames))) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#socket.once('drain', resolve);
    this.#socket.once('close', resolve);
    // A server that no longer reads must not block the test.
    await Promise.race([promise, Bun.sleep(2_000)]);
  }

  seen(type: number, stream?: number): Frame[] {
    return this.frames.filter((each) => each.type === type && (stream ?? each.stream) === each.stream);
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  #read(bytes: Buffer): void {
    this.#left = Buffer.concat([this.#left, bytes]);
    for (;;) {
      const left = this.#left;
      const end = HEAD_BYTES + (left.length < HEAD_BYTES ? 0 : left.readUIntBE(0, 3));
      if (left.length < end) return;
      const [type = 0, flags = 0] = left.subarray(3, 5);
      const payload = Buffer.from(left.subarray(HEAD_BYTES, end));
      this.frames.push({ type, flags, stream: left.readUInt32BE(5) & 0x7f_ff_ff_ff, payload });
      this.#left = left.subarray(end);
    }
  }
}
