import type { Peer } from '../../pipeline/realtime/session.ts';
import type { ServerSocket, SocketHandler } from '../context.ts';
import { CLOSE, fittingReason, isSendable } from '../../wire/websocket/close.ts';

/** Receives the events of the client. */
export interface Listening {
  fromClient(message: string | Uint8Array): void;
  drained(): void;
  clientClosed(code: number, reason: string): void;
}

/** The client's end of a session. Messages that arrive before there is a listener are kept, up to a limit. */
export class ClientEnd implements SocketHandler, Peer {
  readonly #maxWaiting: number;
  #socket: ServerSocket | undefined;
  #listening: Listening | undefined;
  #waiting: (string | Uint8Array)[] = [];
  #bytes = 0;
  #take: ((message: string | Uint8Array) => void) | undefined;
  #gone: (() => void) | undefined;
  #closed: readonly [code: number, reason: string] | undefined;

  /** @param maxWaiting how much is kept until there is a listener, bytes */
  constructor(maxWaiting: number) {
    this.#maxWaiting = maxWaiting;
  }

  opened(socket: ServerSocket): void {
    this.#socket = socket;
  }

  /** Whether the client has disconnected, or is being disconnected. */
  get isClosed(): boolean {
    return this.#closed !== undefined;
  }

  /**
   * Returns the first message, which the listener does not receive again. @param gone called if the client disconnects
   * first
   */
  first(take: (message: string | Uint8Array) => void, gone: () => void): void {
    const [message] = this.#waiting.splice(0, 1);
    this.#gone = gone;
    if (message === undefined) this.#take = take;
    else take(message);
    if (this.#closed) gone();
  }

  message(message: string | Uint8Array): void {
    const take = this.#take;
    this.#take = undefined;
    if (take) return take(message);
    if (this.#listening) return this.#listening.fromClient(message);
    this.#bytes += message.length;
    if (this.#bytes > this.#maxWaiting)
      return this.close(
        CLOSE.tooLarge,
        'Too much was sent before the session began (limits.realtime.max_unsent)',
      );
    this.#waiting.push(message);
  }

  drained(): void {
    this.#listening?.drained();
  }

  closed(code: number, reason: string): void {
    this.#closed = [code, reason];
    if (!this.#listening) this.#gone?.();
    this.#listening?.clientClosed(code, reason);
  }

  /** Delivers the messages so far, and all further ones. */
  listen(listening: Listening): void {
    this.#listening = listening;
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#bytes = 0;
    for (const message of waiting) listening.fromClient(message);
    if (this.#closed) listening.clientClosed(...this.#closed);
  }

  send(message: string | Uint8Array): boolean {
    if (this.#closed || !this.#socket) return true;
    return this.#socket.send(message) > 0;
  }

  close(code: number, reason: string): void {
    if (this.#closed) return;
    if (isSendable(code)) this.#socket?.close(code, fittingReason(reason));
    else this.#socket?.close();
  }

  terminate(): void {
    if (!this.#closed) this.#socket?.terminate();
  }
}
