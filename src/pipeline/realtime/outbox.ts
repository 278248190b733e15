import type { Clock } from '../../clock.ts';
import type { SocketMessage } from '../../providers/base.ts';
import type { Peer } from './session.ts';
import { bytesOf } from './messages.ts';

export interface OutboxOptions {
  readonly clock: Clock;
  /** The largest queue besides the message being sent, bytes. */
  readonly maxWaiting: number;
  /** How long the client may take nothing, milliseconds. */
  readonly stallMs: number;
  /** Called when nothing more should be added for now. */
  readonly behind: () => void;
  /** Called when the client has taken everything. */
  readonly caughtUp: () => void;
  /** Called with a message when the client takes too little. */
  readonly tooSlow: (state: string) => void;
}

/** The messages on their way to the client. None is dropped: a slow client slows its provider down. */
export class Outbox {
  readonly #peer: Peer;
  readonly #options: OutboxOptions;
  #queue: SocketMessage[] = [];
  #isBehind = false;
  #cancelStall: (() => void) | undefined;
  /** The number of queued bytes. */
  waiting = 0;
  /** The number of bytes sent. */
  sent = 0;

  constructor(peer: Peer, options: OutboxOptions) {
    this.#peer = peer;
    this.#options = options;
  }

  /** Whether the client has not taken everything that was sent. */
  get isBehind(): boolean {
    return this.#isBehind;
  }

  add(message: SocketMessage): void {
    if (!this.#isBehind) return this.#send(message);
    this.#queue.push(message);
    this.waiting += bytesOf(message);
    if (this.waiting > this.#options.maxWaiting)
      this.#options.tooSlow('the client reads less than the provider sends (limits.realtime.max_unsent)');
  }

  /** The client can take more again. */
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

  /** Sends nothing more. */
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
      tooSlow('the client read nothing for limits.client_stall'),
    );
  }
}
