import type { Clock } from '../../clock.ts';
import type { SocketMessage } from '../../providers/base.ts';
import type { Peer } from './session.ts';
import { bytesOf } from './messages.ts';

export interface OutboxOptions {
  readonly clock: Clock;
  /** What may wait beside the message that the client is behind with, bytes. */
  readonly maxWaiting: number;
  /** How long the client may take nothing, milliseconds. */
  readonly stallMs: number;
  /** Told that nothing more should come for now. */
  readonly behind: () => void;
  /** Told that the client has taken all there was. */
  readonly caughtUp: () => void;
  /** Told, in words, that the client takes too little. */
  readonly tooSlow: (state: string) => void;
}

/** What is on its way to the client. Nothing in it is dropped: a client that is behind holds its provider back. */
export class Outbox {
  readonly #peer: Peer;
  readonly #options: OutboxOptions;
  #queue: SocketMessage[] = [];
  #isBehind = false;
  #cancelStall: (() => void) | undefined;
  /** Bytes that wait. */
  waiting = 0;
  /** Bytes that were sent. */
  sent = 0;

  constructor(peer: Peer, options: OutboxOptions) {
    this.#peer = peer;
    this.#options = options;
  }

  /** Whether the client has not taken all that was sent. */
  get isBehind(): boolean {
    return this.#isBehind;
  }

  add(message: SocketMessage): void {
    if (!this.#isBehind) return this.#send(message);
    this.#queue.push(message);
    this.waiting += bytesOf(message);
    if (this.waiting > this.#options.maxWaiting)
      this.#options.tooSlow('the client takes less than the provider sends (limits.realtime.max_unsent)');
  }

  /** The client takes more again. */
  drained(): void {
    this.#cancelStall?.();
    this.#isBehind = false;
    while (this.#queue.length > 0 && !this.#isBehind) {
      const message = this.#queue.shift()!;
      this.waiting -= bytesOf(message);
      this.#send(message);
    }
    if (!this.#isBehind) this.#options.caughtUp();
  }

  /** Nothing more is sent. */
  stop(): void {
    this.#cancelStall?.();
    this.#queue = [];
    this.waiting = 0;
  }

  #send(message: SocketMessage): void {
    this.sent += bytesOf(message);
    if (this.#peer.send(message)) return;
    const { clock, stallMs, behind, tooSlow } = this.#options;
    this.#isBehind = true;
    behind();
    this.#cancelStall = clock.after(stallMs, () =>
      tooSlow('the client took nothing for limits.client_stall'),
    );
  }
}
