import type { Clock } from '../../../clock.ts';
import type { Answers, FromThread, Job, ToThread } from './jobs.ts';
import { ProxyError } from '../../../errors.ts';

/** The number of queued requests; further ones are refused. */
const MAX_WAITING = 32;

/** How long an idle thread is kept, milliseconds. */
const IDLE_MS = 60_000;

/** The compiled binary keeps its entry points below their common directory, which is src. */
const WORKER = import.meta.url.endsWith('/thread.ts') ? './worker.ts' : './server/page/history/worker.js';

interface Waiting {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Reads the request log in a thread of its own, so that no stream is delayed. It is started with the first request. */
export class HistoryThread {
  readonly #clock: Clock;
  /** By the number of the request. */
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #lastNumber = 0;
  #cancelIdle: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether the thread is running. */
  get running(): boolean {
    return this.#worker !== undefined;
  }

  /**
   * @param signal aborts when the answer is no longer needed, so that the search ends
   * @throws ProxyError `unavailable` when too many requests are queued, or the log cannot be read
   */
  async ask<Kind extends Job['kind']>(
    job: Extract<Job, { kind: Kind }>,
    signal?: AbortSignal,
  ): Promise<Answers[Kind]> {
    if (this.#waiting.size >= MAX_WAITING)
      throw new ProxyError('unavailable', 'Cannot read the request log: too many requests at once', {
        retryAfterMs: 1_000,
      });
    this.#cancelIdle?.();
    this.#cancelIdle = undefined;
    this.#worker ??= this.#start();
    const number = (this.#lastNumber += 1);
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#waiting.set(number, { resolve, reject });
    const left = new Int32Array(new SharedArrayBuffer(4));
    const leave = () => void Atomics.store(left, 0, 1);
    if (signal?.aborted) leave();
    signal?.addEventListener('abort', leave, { once: true });
    const question: ToThread = { number, job, left };
    this.#worker.postMessage(question, []);
    try {
      return (await promise) as Answers[Kind];
    } finally {
      signal?.removeEventListener('abort', leave);
    }
  }

  /** Terminates the thread; pending requests fail. */
  close(): void {
    this.#end('it is being stopped');
  }

  #start(): Worker {
    const worker = new Worker(new URL(WORKER, import.meta.url).href, { smol: true, ref: false });
    worker.addEventListener('message', ({ data }: MessageEvent<FromThread>) => {
      const waiting = this.#waiting.get(data.number);
      this.#waiting.delete(data.number);
      if (this.#waiting.size === 0) this.#rest();
      if ('failed' in data) waiting?.reject(failure(data.failed));
      else waiting?.resolve(data.answer);
    });
    worker.addEventListener('error', (event) => {
      event.preventDefault();
      if (worker === this.#worker) this.#end(`a thread ended: ${event.message}`);
    });
    return worker;
  }

  #rest(): void {
    this.#cancelIdle ??= this.#clock.after(IDLE_MS, () => this.#end('it was idle'));
  }

  #end(why: string): void {
    this.#cancelIdle?.();
    this.#cancelIdle = undefined;
    this.#worker?.terminate();
    this.#worker = undefined;
    const all = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of all) reject(failure(why));
  }
}

function failure(why: string): ProxyError {
  return new ProxyError('unavailable', `Cannot read the request log: ${why}`);
}
