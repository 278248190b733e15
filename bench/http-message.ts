/** The events that a reader emits for each message, in this order. */
export interface MessageEvents {
  /** The start line and the headers, as Latin-1. */
  head(text: string): void;
  /** A part of the body, without chunk framing. */
  body(part: Buffer): void;
  end(): void;
}

const BLANK_LINE = Buffer.from('\r\n\r\n');
const EMPTY = Buffer.alloc(0);

/** What the next byte is part of. */
type Place = 'head' | 'body' | 'chunk size' | 'chunk' | 'chunk end' | 'trailer';

/**
 * Reads the HTTP/1.1 messages of one connection, requests or responses, with a length or chunked. It supports nothing
 * else, so that the load generator uses far less CPU than the proxy under test.
 */
export class MessageReader {
  readonly #events: MessageEvents;
  #place: Place = 'head';
  #left = 0;
  #pending = EMPTY;

  constructor(events: MessageEvents) {
    this.#events = events;
  }

  /** Whether a message has begun and not yet ended. */
  get within(): boolean {
    return this.#place !== 'head' || this.#pending.length > 0;
  }

  read(bytes: Buffer): void {
    let rest = this.#pending.length > 0 ? Buffer.concat([this.#pending, bytes]) : bytes;
    this.#pending = EMPTY;
    while (rest.length > 0) {
      const used = this.#step(rest);
      if (used === 0) {
        // Copied, because the socket may reuse its buffer.
        this.#pending = Buffer.from(rest);
        return;
      }
      rest = rest.subarray(used);
    }
  }

  /** @returns the number of bytes consumed; 0 when more bytes are needed */
  #step(bytes: Buffer): number {
    switch (this.#place) {
      case 'head':
        return this.#head(bytes);
      case 'body':
      case 'chunk':
        return this.#part(bytes);
      case 'chunk size':
        return this.#chunkSize(bytes);
      case 'chunk end':
        if (bytes.length < 2) return 0;
        this.#place = 'chunk size';
        return 2;
      case 'trailer':
        // No server here sends trailers, so an empty line ends the message.
        if (bytes.length < 2) return 0;
        this.#end();
        return 2;
    }
  }

  #head(bytes: Buffer): number {
    const end = bytes.indexOf(BLANK_LINE);
    if (end < 0) return 0;
    const text = bytes.toString('latin1', 0, end);
    const chunked = /\r\ntransfer-encoding: *chunked/i.test(text);
    this.#left = chunked ? 0 : Number(/\r\ncontent-length: *(\d+)/i.exec(text)?.[1] ?? 0);
    this.#place = chunked ? 'chunk size' : 'body';
    this.#events.head(text);
    if (!chunked && this.#left === 0) this.#end();
    return end + 4;
  }

  #part(bytes: Buffer): number {
    const used = Math.min(bytes.length, this.#left);
    this.#left -= used;
    this.#events.body(used === bytes.length ? bytes : bytes.subarray(0, used));
    if (this.#left > 0) return used;
    if (this.#place === 'chunk') this.#place = 'chunk end';
    else this.#end();
    return used;
  }

  #chunkSize(bytes: Buffer): number {
    const end = bytes.indexOf(10);
    if (end < 0) return 0;
    this.#left = Number.parseInt(bytes.toString('latin1', 0, end), 16);
    this.#place = this.#left === 0 ? 'trailer' : 'chunk';
    return end + 1;
  }

  #end(): void {
    this.#place = 'head';
    this.#events.end();
  }
}
