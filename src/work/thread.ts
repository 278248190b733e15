import type { Clock } from '../clock.ts';
import type { LogRecord } from '../logs/record.ts';
import { ProxyError } from '../errors.ts';

export type ToWorker =
  | { readonly kind: 'secrets'; readonly secrets: readonly string[]; readonly keys: readonly string[] }
  | {
      readonly kind: 'count';
      readonly job: number;
      /** All texts, one behind the other: one long string is handed over at a fraction of what many short ones cost. */
      readonly text: string;
      /** Where each of them ends. */
      readonly ends: Uint32Array;
    }
  | { readonly kind: 'line'; readonly job: number; readonly record: LogRecord }
  | { readonly kind: 'forget'; readonly job: number };

export type FromWorker =
  | { readonly kind: 'counted'; readonly job: number; readonly tokens: number }
  | { readonly kind: 'line'; readonly job: number; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'failed'; readonly job: number; readonly reason: string };

export interface WorkOptions {
  readonly clock: Clock;
  /** What is taken out of the lines of the log; see `redactor()`. */
  readonly secrets: readonly string[];
  readonly keys: readonly string[];
}

interface Waiting {
  readonly resolve: (message: FromWorker) => void;
  readonly reject: (error: Error) => void;
}

/** Requests that are counted at once. */
const MAX_COUNTS = 256;

/** How long the thread stays when there is nothing to do, milliseconds: it holds the vocabulary, some 100 MB. */
const IDLE_MS = 60_000;

/** The compiled binary keeps its entry points below the folder they share, which is src. */
const WORKER = import.meta.url.endsWith('/thread.ts') ? './worker.ts' : './work/worker.js';

/**
 * One thread for what would hold the event loop: counting tokens and writing large records. It begins with the first
 * job, serves all, and ends when it had nothing to do for a minute.
 */
export class WorkThread {
  readonly #options: WorkOptions;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #jobs = 0;
  #counts = 0;
  #cancelIdle: (() => void) | undefined;

  constructor(options: WorkOptions) {
    this.#options = options;
  }

  /** Whether there is a thread now. */
  get running(): boolean {
    return this.#worker !== undefined;
  }

  /**
   * The tokens of texts in OpenAI's o200k vocabulary.
   * @param signal its reason ends the wait
   * @throws ProxyError `unavailable` when too many are counted already
   */
  async countTokens(texts: readonly string[], signal: AbortSignal): Promise<number> {
    signal.throwIfAborted();
    if (this.#counts >= MAX_COUNTS)
      throw new ProxyError('unavailable', 'Cannot count the tokens: too many requests are counted at once', {
        retryAfterMs: 1_000,
      });
    const job = ++this.#jobs;
    let end = 0;
    const ends = Uint32Array.from(texts, (text) => (end += text.length));
    const { promise: left, reject } = Promise.withResolvers<never>();
    const leave = () => {
      this.#post({ kind: 'forget', job });
      this.#settle(job);
      reject(signal.reason);
    };
    signal.addEventListener('abort', leave, { once: true });
    this.#counts += 1;
    try {
      const counted = this.#ask<'counted'>({ kind: 'count', job, text: texts.join(''), ends });
      return (await Promise.race([counted, left])).tokens;
    } finally {
      this.#counts -= 1;
      signal.removeEventListener('abort', leave);
    }
  }

  /** A record as its line, without secrets. @throws Error named like what went wrong */
  async line(record: LogRecord): Promise<Uint8Array<ArrayBuffer>> {
    return (await this.#ask<'line'>({ kind: 'line', job: ++this.#jobs, record })).bytes;
  }

  /** Ends the thread; what is still in work fails. */
  close(): void {
    this.#end('the proxy is being stopped');
  }

  #ask<Kind extends FromWorker['kind']>(
    message: Extract<ToWorker, { job: number }>,
  ): Promise<Extract<FromWorker, { kind: Kind }>> {
    const { promise, resolve, reject } = Promise.withResolvers<FromWorker>();
    this.#waiting.set(message.job, { resolve, reject });
    this.#cancelIdle?.();
    this.#cancelIdle = undefined;
    if (!this.#worker) this.#start();
    this.#post(message);
    return promise as Promise<Extract<FromWorker, { kind: Kind }>>;
  }

  #post(message: ToWorker): void {
    this.#worker?.postMessage(message);
  }

  #start(): void {
    const worker = new Worker(new URL(WORKER, import.meta.url).href, { smol: true, ref: false });
    worker.addEventListener('message', ({ data }: MessageEvent<FromWorker>) => {
      const waiting = this.#settle(data.job);
      if (data.kind === 'failed') waiting?.reject(namedError(data.reason));
      else waiting?.resolve(data);
    });
    worker.addEventListener('error', (event) => {
      event.preventDefault();
      if (worker === this.#worker) this.#end(event.message);
    });
    const { secrets, keys } = this.#options;
    this.#worker = worker;
    this.#post({ kind: 'secrets', secrets, keys });
  }

  #settle(job: number): Waiting | undefined {
    const waiting = this.#waiting.get(job);
    this.#waiting.delete(job);
    if (this.#waiting.size === 0)
      this.#cancelIdle ??= this.#options.clock.after(IDLE_MS, () => this.#end('it had nothing to do'));
    return waiting;
  }

  #end(reason: string): void {
    this.#cancelIdle?.();
    this.#cancelIdle = undefined;
    this.#worker?.terminate();
    this.#worker = undefined;
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of waiting) reject(new Error(`The thread for long work ended: ${reason}`));
  }
}

function namedError(name: string): Error {
  return Object.assign(new Error(`Cannot do the work: ${name}`), { name });
}
