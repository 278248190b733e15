import type { Duplex } from 'node:stream';
import type { IncomingMessage } from 'node:http';
import type { Clock } from '../clock.ts';
import type { RealtimeSocket, SocketEvents, SocketMessage, SocketReply } from './base.ts';
import { createHash, randomBytes } from 'node:crypto';
import { ProxyError } from '../errors.ts';
import { CLOSE, fittingReason, isSendable } from '../wire/websocket/close.ts';
import { closePayload, encodeFrame, MASK_BYTES, OPCODE } from '../wire/websocket/frames.ts';
import type { Opcode } from '../wire/websocket/frames.ts';
import { FrameFlaw, FrameReader } from '../wire/websocket/reader.ts';
import { networkError } from './transport.ts';

export interface SocketInit {
  /** With lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** The largest accepted message, bytes. */
  readonly maxMessage: number;
  readonly clock: Clock;
}

/** The constant for answering the key of a handshake. @see https://www.rfc-editor.org/rfc/rfc6455#section-4.2.2 */
const ACCEPT_SUFFIX = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** How long the other side may take to answer a close frame, milliseconds. */
const CLOSE_MS = 2_000;

/** The number of frames for which masks are generated at once. */
const MASKS = 1_024;

/**
 * Opens a WebSocket, or returns the response that rejects it: Bun's own WebSocket reports neither the status of a
 * rejection nor its body, and cannot be paused.
 * @param url with the scheme http: or https:
 * @throws the signal's reason, or ProxyError `unreachable`, `network`
 */
export async function openSocket(provider: string, url: URL, init: SocketInit): Promise<SocketReply> {
  const { headers, signal, maxMessage, clock } = init;
  const { promise, resolve, reject } = Promise.withResolvers<SocketReply>();
  const key = randomBytes(16).toString('base64');
  // Loaded with the first session, since most processes never have one.
  const { request } = await (url.protocol === 'https:' ? import('node:https') : import('node:http'));
  if (signal.aborted) throw signal.reason;
  const upgrade = request(url, {
    method: 'GET',
    // A connection that has become a WebSocket is never reused.
    agent: false,
    headers: {
      ...headers,
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': key,
    },
  });
  const leave = () => {
    upgrade.destroy();
    reject(signal.reason as Error);
  };
  signal.addEventListener('abort', leave, { once: true });
  upgrade.on('upgrade', (answer, stream, head) => {
    if (signal.aborted) return void stream.destroy();
    const accept = createHash('sha1')
      .update(key + ACCEPT_SUFFIX)
      .digest('base64');
    if (answer.headers['sec-websocket-accept'] !== accept) {
      stream.destroy();
      const message = `Cannot open a WebSocket to ${provider}: its handshake is not a WebSocket handshake`;
      return reject(new ProxyError('network', message, { target: provider }));
    }
    const socket = new ClientSocket(stream, head, { maxMessage, clock });
    resolve({ status: 101, headers: headersOf(answer), body: null, socket });
  });
  upgrade.on('response', (answer) => {
    resolve({ status: answer.statusCode ?? 0, headers: headersOf(answer), body: bodyOf(answer) });
  });
  upgrade.on('error', (cause) => reject(networkError(provider, cause)));
  upgrade.end();
  try {
    return await promise;
  } finally {
    signal.removeEventListener('abort', leave);
  }
}

function headersOf({ headers }: IncomingMessage): Headers {
  const all = new Headers();
  for (const [name, value] of Object.entries(headers))
    for (const each of [value].flat()) if (each !== undefined) all.append(name, each);
  return all;
}

function bodyOf(answer: IncomingMessage): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    start(controller) {
      answer.on('data', (chunk: Buffer) => controller.enqueue(new Uint8Array(chunk)));
      answer.on('end', () => controller.close());
      answer.on('error', (cause) => controller.error(cause));
    },
    cancel: () => void answer.destroy(),
  });
}

/** The client's end of a WebSocket. It reads nothing until a listener is set. */
class ClientSocket implements RealtimeSocket {
  readonly #stream: Duplex;
  readonly #reader: FrameReader;
  readonly #clock: Clock;
  #head: Uint8Array;
  #events: SocketEvents | undefined;
  #masks: Uint8Array = new Uint8Array();
  #masked = 0;
  /** Whether a close frame was sent. */
  #closing = false;
  #closed = false;
  #cancelClose: (() => void) | undefined;

  constructor(
    stream: Duplex,
    head: Uint8Array,
    { maxMessage, clock }: { readonly maxMessage: number; readonly clock: Clock },
  ) {
    this.#stream = stream;
    this.#head = head;
    this.#clock = clock;
    this.#reader = new FrameReader(maxMessage);
    stream.pause();
    stream.on('data', (chunk: Buffer) => this.#read(chunk));
    stream.on('end', () => this.#end(CLOSE.abnormal, ''));
    stream.on('close', () => this.#end(CLOSE.abnormal, ''));
    stream.on('error', () => this.#end(CLOSE.abnormal, ''));
    stream.on('drain', () => this.#events?.drained());
  }

  listen(events: SocketEvents): void {
    const first = this.#events === undefined;
    this.#events = events;
    if (!first) return;
    const head = this.#head;
    this.#head = new Uint8Array();
    if (head.length > 0) this.#read(head);
    this.resume();
  }

  get unsent(): number {
    return this.#stream.writableLength;
  }

  send(message: SocketMessage): void {
    if (typeof message === 'string') this.#write(OPCODE.text, Buffer.from(message));
    else this.#write(OPCODE.binary, message);
  }

  ping(): void {
    this.#write(OPCODE.ping, new Uint8Array());
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    if (!this.#closed) this.#stream.resume();
  }

  close(code: number, reason: string): void {
    if (this.#closing || this.#closed) return;
    if (isSendable(code)) this.#write(OPCODE.close, closePayload(code, fittingReason(reason)));
    else this.#write(OPCODE.close, new Uint8Array());
    this.#closing = true;
    // Everything sent before the answer has been read as well.
    this.#stream.resume();
    this.#cancelClose = this.#clock.after(CLOSE_MS, () => this.terminate());
  }

  terminate(): void {
    this.#stream.destroy();
    this.#end(CLOSE.abnormal, '');
  }

  #read(chunk: Uint8Array): void {
    if (this.#closed) return;
    this.#events?.heard();
    try {
      for (const message of this.#reader.push(chunk)) {
        if (this.#closed) return;
        if (message.kind === 'text') this.#events?.message(message.text);
        else if (message.kind === 'binary') this.#events?.message(message.bytes);
        else if (message.kind === 'ping') this.#write(OPCODE.pong, message.bytes);
        else if (message.kind === 'close') this.#answerClose(message.code, message.reason);
      }
    } catch (thrown) {
      if (!(thrown instanceof FrameFlaw)) throw thrown;
      this.close(thrown.code, thrown.message);
      this.#end(thrown.code, thrown.message, true);
    }
  }

  #answerClose(code: number, reason: string): void {
    this.close(code, '');
    this.#stream.end();
    this.#end(code, reason);
  }

  #write(opcode: Opcode, payload: Uint8Array): void {
    if (this.#closing || this.#closed || !this.#stream.writable) return;
    this.#stream.write(encodeFrame(opcode, payload, this.#mask()));
  }

  #mask(): Uint8Array {
    if (this.#masked >= this.#masks.length) {
      this.#masks = randomBytes(MASKS * MASK_BYTES);
      this.#masked = 0;
    }
    return this.#masks.subarray(this.#masked, (this.#masked += MASK_BYTES));
  }

  /** @param flawed whether what the other side sent cannot be parsed any more */
  #end(code: number, reason: string, flawed = false): void {
    if (this.#closed) return;
    this.#closed = true;
    if (!flawed) this.#cancelClose?.();
    this.#events?.closed(code, reason, flawed);
  }
}
