import type { Socket } from 'node:net';
import type { ErrorName } from './errors.ts';
import type { Attempt } from './attempt.ts';
import type { Wire } from './wire.ts';
import { ERRORS } from './errors.ts';
import { WIRES } from './wires.ts';

/** How the end of a body is marked: by its last chunk, by its declared length, or by closing the connection. */
export type Framing = 'chunked' | 'close' | { readonly length: number };

const CRLF = Buffer.from('\r\n');

export interface TurnOptions {
  readonly socket: Socket;
  readonly attempt: Attempt;
  /** The number of the attempt at its model, from 1. */
  readonly count: number;
  /** The number of the request on its connection, from 1. */
  readonly ordinal: number;
  /** The part of the model name after a colon. */
  readonly argument: string;
  /** The text of an answer without a fault. */
  readonly text: string;
}

/** One exchange: the request, and the means to answer it or not. Scripts are built from these. */
export class Turn {
  readonly attempt: Attempt;
  readonly count: number;
  readonly ordinal: number;
  readonly argument: string;
  readonly text: string;
  readonly wire: Wire;
  readonly #socket: Socket;
  readonly #over = Promise.withResolvers<void>();
  #framing: Framing = 'chunked';

  constructor({ socket, attempt, count, ordinal, argument, text }: TurnOptions) {
    this.attempt = attempt;
    this.count = count;
    this.ordinal = ordinal;
    this.argument = argument;
    this.text = text;
    this.#socket = socket;
    const { stream_options: streamOptions } = attempt.body as {
      stream_options?: { include_usage?: boolean };
    };
    this.wire = WIRES[attempt.protocol === 'probe' ? 'openai' : attempt.protocol]({
      id: `broken-${attempt.connection}-${ordinal}`,
      model: attempt.model,
      usage: streamOptions?.include_usage === true,
    });
    socket.once('close', this.#left);
    socket.once('end', this.#left);
    socket.on('error', this.#left);
    if (socket.destroyed) this.#left();
  }

  get stream(): boolean {
    return this.attempt.stream;
  }

  get #streamType(): string {
    return this.attempt.protocol === 'ollama' ? 'application/x-ndjson' : 'text/event-stream';
  }

  /** Whether nothing more can be sent. */
  get over(): boolean {
    return this.attempt.closedBy !== undefined;
  }

  /** Stops listening to the connection's events. */
  dispose(): void {
    this.#socket.off('close', this.#left).off('end', this.#left).off('error', this.#left);
  }

  /** Sends status line and headers, by default those of a stream if one was requested, otherwise of JSON. */
  async head({
    status = 200,
    framing = 'chunked' as Framing,
    headers = {},
  }: { status?: number; framing?: Framing; headers?: Record<string, string> } = {}): Promise<void> {
    this.#framing = framing;
    const all: Record<string, string> = {
      'content-type': this.stream && status === 200 ? this.#streamType : 'application/json',
      ...framingHeader(framing),
      ...headers,
    };
    this.attempt.answered = { status, headers: all };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    await this.raw(`HTTP/1.1 ${status} Whatever\r\n${lines.join('')}\r\n`);
  }

  /** Sends a piece of the body. Resolves when the socket accepts more. */
  async send(piece: string | Uint8Array): Promise<void> {
    const bytes = Buffer.from(piece);
    if (bytes.length === 0 || this.over) return;
    if (this.#framing !== 'chunked') await this.raw(bytes);
    else await this.raw(Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, CRLF]));
    this.attempt.sentBytes += bytes.length;
  }

  /** Sends bytes without any framing. */
  async raw(bytes: string | Uint8Array): Promise<void> {
    if (this.over) return;
    if (this.#socket.write(bytes)) return;
    const { promise: drained, resolve } = Promise.withResolvers<void>();
    this.#socket.once('drain', resolve);
    await Promise.race([drained, this.#over.promise]);
    this.#socket.off('drain', resolve);
  }

  /** Completes the body; the connection is kept open if the framing allows that. */
  async end(): Promise<void> {
    if (this.#framing === 'chunked') await this.raw('0\r\n\r\n');
    if (this.#framing === 'close') return this.fin();
    this.#settle('us');
  }

  /** Sends a complete answer of known length. */
  async answer(status: number, body: string, headers: Record<string, string> = {}): Promise<void> {
    await this.head({ status, headers, framing: { length: Buffer.byteLength(body) } });
    await this.send(body);
    await this.end();
  }

  /** Sends an error answer in the protocol's own shape. */
  async error(name: ErrorName, headers: Record<string, string> = {}): Promise<void> {
    await this.answer(ERRORS[name].status, this.wire.errorBody(ERRORS[name]), headers);
  }

  /** Closes the connection with a FIN, whatever was sent before. */
  fin(): void {
    this.#settle('us');
    this.#socket.end();
  }

  /** Resets the connection with an RST. */
  reset(): void {
    this.#settle('us');
    this.#socket.resetAndDestroy();
  }

  /** Sends nothing until the other side disconnects. */
  async stay(): Promise<void> {
    await this.#over.promise;
  }

  /** Waits; resolves early when the other side disconnects. */
  async sleep(ms: number): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    await Promise.race([late, this.#over.promise]);
    clearTimeout(timer);
  }

  readonly #left = (): void => this.#settle('them');

  #settle(by: 'us' | 'them'): void {
    if (this.over) return;
    this.attempt.closedAtMs = performance.now();
    this.attempt.closedBy = by;
    this.attempt.aborted = by === 'them';
    this.#over.resolve();
  }
}

function framingHeader(framing: Framing): Record<string, string> {
  if (framing === 'chunked') return { 'transfer-encoding': 'chunked' };
  if (framing === 'close') return { connection: 'close' };
  return { 'content-length': String(framing.length) };
}
