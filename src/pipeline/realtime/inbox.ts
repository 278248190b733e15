import type { SocketMessage } from '../../providers/base.ts';
import { bytesOf } from './messages.ts';

export interface InboxOptions<Event> {
  /** Reads a message, in steps if it is long, or if many have arrived at once; it never rejects. */
  readonly read: (message: SocketMessage) => Event | Promise<Event>;
  /** Handles a message that was read. @returns what later messages must wait for; it never rejects */
  readonly handle: (message: SocketMessage, event: Event) => Promise<void> | undefined;
  /** The largest size of the messages that wait for one being handled, bytes. */
  readonly maxWaiting: number;
  /** The same while one is read. */
  readonly maxUnread: number;
  /** Called when too much waits. */
  readonly full: () => void;
  /** Called when nothing waits any more. */
  readonly idle?: () => void;
}

/** The messages of one side in their order: later ones wait while one is read, or checked elsewhere. */
export class Inbox<Event> {
  readonly #options: InboxOptions<Event>;
  /** Those that wait, from `#first` on. */
  #queue: SocketMessage[] = [];
  #first = 0;
  #bytes = 0;
  #isBusy = false;
  /** Whether the message that the others wait for is read. */
  #reads = false;

  constructor(options: InboxOptions<Event>) {
    this.#options = options;
  }

  /** Whether a message is read or checked, for which later ones must wait. */
  get isBusy(): boolean {
    return this.#isBusy;
  }

  add(message: SocketMessage): void {
    if (!this.#isBusy) return this.#work(message);
    this.#queue.push(message);
    this.#bytes += bytesOf(message);
    const { maxUnread, maxWaiting, full } = this.#options;
    if (this.#bytes > (this.#reads ? maxUnread : maxWaiting)) full();
  }

  #work(next = this.#next()): void {
    for (let message = next; message !== undefined; message = this.#next()) {
      const working = this.#take(message);
      if (!working) continue;
      this.#isBusy = true;
      void working.then(() => this.#work());
      return;
    }
    if (!this.#isBusy) return;
    this.#isBusy = false;
    this.#options.idle?.();
  }

  #take(message: SocketMessage): Promise<void> | undefined {
    const { read, handle } = this.#options;
    const event = read(message);
    if (!(event instanceof Promise)) return handle(message, event);
    this.#reads = true;
    return event.then((known) => {
      this.#reads = false;
      return handle(message, known);
    });
  }

  #next(): SocketMessage | undefined {
    const message = this.#queue[this.#first];
    if (message === undefined) {
      this.#queue = [];
      this.#first = this.#bytes = 0;
      return undefined;
    }
    this.#first += 1;
    this.#bytes -= bytesOf(message);
    // A client that never pauses may keep the queue from becoming empty.
    if (this.#first > this.#queue.length / 2) {
      this.#queue = this.#queue.slice(this.#first);
      this.#first = 0;
    }
    return message;
  }
}
