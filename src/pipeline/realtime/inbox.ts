import type { SocketMessage } from '../../providers/base.ts';
import { bytesOf } from './messages.ts';

export interface InboxOptions {
  /** The largest size of the messages that wait, bytes. */
  readonly maxWaiting: number;
  /** Handles a message. @returns what later messages must wait for; it never rejects */
  readonly handle: (message: SocketMessage) => Promise<void> | undefined;
  /** Called when too much waits. */
  readonly full: () => void;
}

/** The messages of a client in their order: later ones wait while one is checked elsewhere. */
export class Inbox {
  readonly #options: InboxOptions;
  /** `undefined` while none has to wait. */
  #waiting: SocketMessage[] | undefined;
  #bytes = 0;

  constructor(options: InboxOptions) {
    this.#options = options;
  }

  add(message: SocketMessage): void {
    if (!this.#waiting) return this.#take([message]);
    this.#waiting.push(message);
    this.#bytes += bytesOf(message);
    if (this.#bytes > this.#options.maxWaiting) this.#options.full();
  }

  #take(messages: SocketMessage[]): void {
    this.#waiting = undefined;
    this.#bytes = 0;
    for (const [index, message] of messages.entries()) {
      const checking = this.#options.handle(message);
      if (!checking) continue;
      const waiting = messages.slice(index + 1);
      this.#waiting = waiting;
      void checking.then(() => this.#take(waiting));
      return;
    }
  }
}
