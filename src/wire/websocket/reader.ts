import { isUtf8 } from 'node:buffer';
import { CLOSE, isSendable } from './close.ts';
import { OPCODE } from './frames.ts';

/** A message or a control frame from a server. */
export type Message =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'binary' | 'ping' | 'pong'; readonly bytes: Uint8Array }
  /** @property code 1005 if none was given */
  | { readonly kind: 'close'; readonly code: number; readonly reason: string };

/** Thrown when a server violates the protocol, with the close code to send. */
export class FrameFlaw extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** The longest header of a frame that a server sends, bytes. */
const MAX_HEADER = 10;

/** The largest payload of a close, ping or pong, bytes. */
const MAX_CONTROL = 125;

const NOTHING = Buffer.alloc(0);

/** A frame whose payload has not arrived completely. */
interface Begun {
  readonly opcode: number;
  readonly fin: boolean;
  readonly length: number;
}

/** Assembles a server's frames to messages, however its bytes are chunked. */
export class FrameReader {
  readonly #maxMessage: number;
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  /** Bytes that arrived and are not read yet. */
  #rest: Uint8Array = NOTHING;
  /** An incomplete header. */
  #header: Buffer = NOTHING;
  #frame: Begun | undefined;
  /** The pieces of the current frame's payload. */
  #payload: Uint8Array[] = [];
  #payloadBytes = 0;
  /** A message that consists of several frames. */
  #opcode: number | undefined;
  #parts: Uint8Array[] = [];
  #bytes = 0;

  /** @param maxMessage the largest message, bytes */
  constructor(maxMessage: number) {
    this.#maxMessage = maxMessage;
  }

  /** Reads the next bytes. @throws FrameFlaw, after which nothing more can be read */
  *push(chunk: Uint8Array): Generator<Message> {
    this.#rest = chunk;
    while (this.#rest.length > 0) {
      this.#frame ??= this.#begin();
      const frame = this.#frame;
      if (!frame) return;
      const piece = this.#rest.subarray(0, frame.length - this.#payloadBytes);
      if (piece.length > 0) this.#payload.push(piece);
      this.#payloadBytes += piece.length;
      this.#rest = this.#rest.subarray(piece.length);
      if (this.#payloadBytes < frame.length) return;
      const message = this.#end(frame);
      if (message) yield message;
    }
  }

  /** Reads the header of the frame that begins here; `undefined` while it is incomplete. */
  #begin(): Begun | undefined {
    const known = this.#header.length;
    const header = Buffer.concat([this.#header, this.#rest.subarray(0, MAX_HEADER)]);
    const size = header.length < 2 ? Infinity : headerSize(header[1]!);
    if (header.length < size) {
      this.#header = header;
      this.#rest = NOTHING;
      return undefined;
    }
    this.#header = NOTHING;
    this.#rest = this.#rest.subarray(size - known);
    const [first, second] = header as unknown as [number, number];
    if ((first & 0x70) !== 0) throw new FrameFlaw(CLOSE.protocol, 'a frame uses an extension');
    if ((second & 0x80) !== 0) throw new FrameFlaw(CLOSE.protocol, 'a frame of the server is masked');
    const opcode = first & 0x0f;
    const fin = (first & 0x80) !== 0;
    const length = lengthIn(header, second);
    this.#check(opcode, fin, length);
    return { opcode, fin, length };
  }

  #check(opcode: number, fin: boolean, length: number): void {
    if (opcode >= OPCODE.close) {
      if (opcode > OPCODE.pong) throw new FrameFlaw(CLOSE.protocol, 'a frame is of no known kind');
      if (!fin || length > MAX_CONTROL)
        throw new FrameFlaw(CLOSE.protocol, 'a control frame is fragmented, or too long');
      return;
    }
    if (opcode > OPCODE.binary) throw new FrameFlaw(CLOSE.protocol, 'a frame is of no known kind');
    const continues = opcode === OPCODE.continuation;
    if (continues === (this.#opcode === undefined))
      throw new FrameFlaw(
        CLOSE.protocol,
        'a message begins within another, or a continuation has no beginning',
      );
    if (this.#bytes + length > this.#maxMessage)
      throw new FrameFlaw(CLOSE.tooLarge, `a message is larger than ${this.#maxMessage} bytes`);
  }

  #end({ opcode, fin }: Begun): Message | undefined {
    const payload = this.#payload;
    this.#frame = undefined;
    this.#payload = [];
    this.#payloadBytes = 0;
    if (opcode >= OPCODE.close) return this.#control(opcode, Buffer.concat(payload));
    if (opcode !== OPCODE.continuation) this.#opcode = opcode;
    for (const piece of payload) {
      this.#parts.push(piece);
      this.#bytes += piece.length;
    }
    if (!fin) return undefined;
    const isText = this.#opcode === OPCODE.text;
    const bytes = this.#parts.length === 1 ? this.#parts[0]! : Buffer.concat(this.#parts);
    this.#opcode = undefined;
    this.#parts = [];
    this.#bytes = 0;
    return isText ? { kind: 'text', text: this.#text(bytes) } : { kind: 'binary', bytes };
  }

  #control(opcode: number, bytes: Buffer): Message {
    if (opcode === OPCODE.ping) return { kind: 'ping', bytes };
    if (opcode === OPCODE.pong) return { kind: 'pong', bytes };
    if (bytes.length === 0) return { kind: 'close', code: CLOSE.none, reason: '' };
    const code = bytes.length < 2 ? 0 : bytes.readUInt16BE(0);
    if (!isSendable(code)) throw new FrameFlaw(CLOSE.protocol, 'a close frame has no valid code');
    return { kind: 'close', code, reason: this.#text(bytes.subarray(2)) };
  }

  #text(bytes: Uint8Array): string {
    // Decoding invalid UTF-8 would take Bun thirty times as long.
    if (!isUtf8(bytes)) throw new FrameFlaw(CLOSE.notText, 'a text is not UTF-8');
    return this.#decoder.decode(bytes);
  }
}

function headerSize(second: number): number {
  const length = second & 0x7f;
  return length < 126 ? 2 : length === 126 ? 4 : MAX_HEADER;
}

function lengthIn(header: Buffer, second: number): number {
  const length = second & 0x7f;
  if (length < 126) return length;
  return length === 126 ? header.readUInt16BE(2) : header.readUInt32BE(2) * 2 ** 32 + header.readUInt32BE(6);
}
