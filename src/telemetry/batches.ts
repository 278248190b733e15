import type { Clock } from '../clock.ts';
import type { OtlpSender, Sent } from './otlp/sender.ts';

/** The size of the work encoded at once: small enough not to delay anything. */
const MOST_WEIGHT = 1_024;
/** How long the first item of a batch waits for others, milliseconds. */
const GATHER_MS = 2_000;

export interface BatchesOptions<Item> {
  readonly clock: Clock;
  readonly problem: (message: string) => void;
  /** The largest number of waiting items. */
  readonly most: number;
  /** What is sent and its destination, for messages. */
  readonly signal: string;
  readonly url: string;
  readonly sender: Pick<OtlpSender, 'send' | 'hurry' | 'abort'>;
  readonly encode: (items: readonly Item[]) => Uint8Array<ArrayBuffer> | string;
  /** The work of encoding an item; 1,024 make a batch. */
  readonly weight: (item: Item) => number;
}

/** Collects items and sends them in batches. An outage is reported once, and its end once. */
export class Batches<Item> {
  readonly #options: BatchesOptions<Item>;
  #waiting: Item[] = [];
  /** The work of all waiting items. */
  #weight = 0;
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

  /** Whether an earlier batch is still being sent. */
  get isBusy(): boolean {
    return this.#sending !== undefined;
  }

  drop(count: number): void {
    this.dropped += count;
  }

  add(items: readonly Item[]): void {
    for (const item of items) {
      this.#waiting.push(item);
      this.#weight += this.#options.weight(item);
    }
    if (this.#weight >= MOST_WEIGHT) return this.flush();
    this.#cancel ??= this.#options.clock.after(GATHER_MS, () => this.flush());
  }

  /** Sends waiting items once the current batch has arrived. */
  flush(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    if (this.#waiting.length > 0)
      this.#sending ??= this.#sendAll().finally(() => (this.#sending = undefined));
  }

  /** Sends everything that is left, each batch once. */
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
    while (this.#waiting.length > 0) {
      const batch = this.#next();
      const sent = await this.#send(batch);
      if (!sent.ok) {
        this.dropped += batch.length;
        this.#trouble(sent.reason, batch.length);
      } else if (sent.rejected > 0) {
        this.dropped += sent.rejected;
        this.#trouble(`it rejected ${sent.rejected} of ${batch.length}: ${sent.words}`, sent.rejected);
      } else this.#fine();
    }
  }

  /** Items that cannot be encoded are dropped individually. */
  async #send(batch: readonly Item[]): Promise<Sent> {
    const { sender, encode } = this.#options;
    try {
      return await sender.send(encode(batch));
    } catch (error) {
      return { ok: false, reason: (error as Error).message };
    }
  }

  /** At least one item. */
  #next(): Item[] {
    const { weight } = this.#options;
    let count = 0;
    for (let left = MOST_WEIGHT; count < this.#waiting.length && left > 0; count += 1)
      left -= weight(this.#waiting[count]!);
    const batch = this.#waiting.splice(0, count);
    for (const item of batch) this.#weight -= weight(item);
    return batch;
  }

  #trouble(reason: string, count: number): void {
    const { problem, signal, url } = this.#options;
    if (!this.#failing)
      problem(
        `Cannot send ${signal} to ${url}: ${reason}; ${count} are lost, and further losses are not reported`,
      );
    this.#failing = true;
  }

  #fine(): void {
    const { problem, signal, url } = this.#options;
    if (this.#failing) problem(`Sending ${signal} to ${url} works again; ${this.dropped} were lost`);
    this.#failing = false;
  }
}
