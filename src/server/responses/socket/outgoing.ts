import type { Clock } from '../../../clock.ts';
import type { ServerSocket } from '../../context.ts';

/** The messages to the client of a connection, sent as fast as it takes them. */
export class Outgoing {
  readonly #clock: Clock;
  readonly #stallMs: number;
  #socket: ServerSocket | undefined;
  #closed = false;
  /** Pending while the client must first take what was sent before. */
  #full: { readonly over: Promise<void>; readonly end: () => void } | undefined;

  /** @param stallMs how long a client may take nothing, milliseconds */
  constructor(clock: Clock, stallMs: number) {
    this.#clock = clock;
    this.#stallMs = stallMs;
  }

  opened(socket: ServerSocket): void {
    this.#socket = socket;
  }

  /** Resolves when the client has taken enough that more may be sent. */
  async send(event: string): Promise<void> {
    while (this.#full) await this.#full.over;
    if (this.#closed || !this.#socket) return;
    if (this.#socket.send(event) > 0) return;
    const { promise: over, resolve } = Promise.withResolvers<void>();
    const cancel = this.#clock.after(this.#stallMs, () => this.#socket?.terminate());
    this.#full = {
      over,
      end: () => {
        cancel();
        this.#full = undefined;
        resolve();
      },
    };
    await over;
  }

  /** Called when the client has taken what waited. */
  drained(): void {
    this.#full?.end();
  }

  /** Sends nothing more. */
  end(): void {
    this.#closed = true;
    this.#full?.end();
  }

  close(code: number, reason: string): void {
    this.#socket?.close(code, reason);
  }
}
