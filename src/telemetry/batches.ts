import type { Clock } from '../clock.ts';
import type { OtlpSender } from './otlp/sender.ts';

/** Few enough that to encode them holds up nothing. */
const BATCH = 128;
/** How long the first of a batch waits for others, milliseconds. */
const GATHER_MS = 2_000;

export interface BatchesOptions<Item> {
  readonly clock: Clock;
  readonly problem: (message: string) => void;
  /** Items that wait at most. */
  readonly most: number;
  /** What is sent, and where to, for messages. */
  readonly signal: string;
  readonly url: string;
  readonly sender: Pick<OtlpSender, 'send' | 'hurry' | 'abort'>;
  readonly encode: (items: readonly Item[]) => Uint8Array<ArrayBuffer> | string;
}

/** Gathers items and sends them, one batch after the other. Trouble is told once, and once more when it is over. */
export class Batches<Item> {
  readonly #options: BatchesOptions<Item>;
  #waiting: Item[] = [];
  #sending: Promise<void> | undefined;
  #cancel: (() => void) | undefined;
  #failing = false;
  dropped = 0;

  constructor(options: BatchesOptions<Item>) {
    this.#options = options;
  }

  hasRoom(count: number): boolean {
    return this.#waiting.length + count <= this.#options.most;
  }

  /** Whether an earlier batch is still on its way. */
  get isBusy(): boolean {
    return this.#sending !== undefined;
  }

  drop(count: number): void {
    this.dropped += count;
  }

  add(items: readonly Item[]): void {
    for (const item of items) this.#waiting.push(item);
    if (this.#waiting.length >= BATCH) return this.flush();
    this.#cancel ??= this.#options.clock.after(GATHER_MS, () => this.flush());
  }

  /** Sends what waits, when what is on its way has arrived. */
  flush(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    if (this.#waiting.length > 0)
      this.#sending ??= this.#sendAll().finally(() => (this.#sending = undefined));
  }

  /** Sends all that is left, each batch once. */
  async close(): Promise<void> {
    this.#options.sender.hurry();
    await this.#sending;
    this.flush();
    await this.#sending;
  }

  abort(): void {
    this.#options.sender.abort();
  }

  async #sendAll(): Promise<void> {
    const { sender, encode } = this.#options;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, BATCH);
      const sent = await sender.send(encode(batch));
      if (!sent.ok) {
        this.dropped += batch.length;
        this.#trouble(sent.reason, batch.length);
      } else if (sent.rejected > 0) {
        this.dropped += sent.rejected;
        this.#trouble(`it did not take ${sent.rejected} of ${batch.length}: ${sent.words}`, sent.rejected);
      } else this.#fine();
    }
  }

  #trouble(reason: string, count: number): void {
    const { problem, signal, url } = this.#options;
    if (!this.#failing)
      problem(
        `Cannot send ${signal} to ${url}: ${reason}; ${count} are lost, and further ones are not told of`,
      );
    this.#failing = true;
  }

  #fine(): void {
    const { problem, signal, url } = this.#options;
    if (this.#failing) problem(`Sending ${signal} to ${url} works again; ${this.dropped} were lost`);
    this.#failing = false;
  }
}
