import type { UsageOptions } from './options.ts';
import type { Counted } from './tally.ts';
import type { FromWorker, ToWorker } from './worker.ts';
import { InputError } from '../logs/problem.ts';

/** The compiled binary keeps its entry points below their common directory, which is src. */
const WORKER = import.meta.url.endsWith('/threads.ts') ? './worker.ts' : './usage/worker.js';

interface Waiting {
  readonly resolve: (message: FromWorker) => void;
  readonly reject: (error: Error) => void;
}

/** A counting thread. */
export class CountingThread {
  readonly #worker: Worker;
  /** The pending requests, which are answered in order. */
  readonly #waiting: Waiting[] = [];

  /** @param options.ref whether the thread keeps the process alive */
  constructor({ ref }: { readonly ref: boolean }) {
    this.#worker = new Worker(new URL(WORKER, import.meta.url).href, { smol: true, ref });
    this.#worker.addEventListener('message', ({ data }: MessageEvent<FromWorker>) => {
      const next = this.#waiting.shift();
      if (data.kind === 'failed') next?.reject(errorOf(data));
      else next?.resolve(data);
    });
    this.#worker.addEventListener('error', (event) => {
      event.preventDefault();
      this.#fail(`a thread ended: ${event.message}`);
    });
  }

  get load(): number {
    return this.#waiting.length;
  }

  ask<Kind extends FromWorker['kind']>(message: ToWorker): Promise<Extract<FromWorker, { kind: Kind }>> {
    const { promise, resolve, reject } = Promise.withResolvers<FromWorker>();
    this.#waiting.push({ resolve, reject });
    this.#worker.postMessage(message, []);
    return promise as Promise<Extract<FromWorker, { kind: Kind }>>;
  }

  close(): void {
    this.#worker.terminate();
    this.#fail('it was ended');
  }

  #fail(state: string): void {
    const error = new Error(`Cannot count usage: ${state}`);
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }
}

/** An error that is sent by a thread loses its class. */
function errorOf({ name, message }: { readonly name: string; readonly message: string }): Error {
  return name === 'InputError' ? new InputError(message) : Object.assign(new Error(message), { name });
}

/** The number of ranges in flight per thread: one in progress, one waiting. */
const WINDOW = 2;

/** Several threads that share the work. */
export class CountingThreads {
  readonly #threads: readonly CountingThread[];
  readonly #running = new Set<Promise<void>>();
  /** The first error. */
  #failure: Error | undefined;

  constructor(threads: number) {
    this.#threads = Array.from({ length: threads }, () => new CountingThread({ ref: true }));
  }

  async begin(options: UsageOptions): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.ask<'done'>({ kind: 'begin', options })));
  }

  /** Hands out work, and waits while all threads are busy. @throws the error of work that was handed out before */
  async give(message: ToWorker): Promise<void> {
    const work: Promise<void> = this.#idlest()
      .ask<'done'>(message)
      .then(
        () => undefined,
        (error: Error) => void (this.#failure ??= error),
      )
      .finally(() => this.#running.delete(work));
    this.#running.add(work);
    if (this.#running.size >= WINDOW * this.#threads.length) await Promise.race(this.#running);
    if (this.#failure) throw this.#failure;
  }

  /** Waits for all pending work. */
  async settle(): Promise<void> {
    await Promise.all(this.#running);
  }

  async end(): Promise<Counted[]> {
    const all = await Promise.all(this.#threads.map((thread) => thread.ask<'counted'>({ kind: 'end' })));
    if (this.#failure) throw this.#failure;
    return all.map(({ counted }) => counted);
  }

  close(): void {
    for (const thread of this.#threads) thread.close();
  }

  #idlest(): CountingThread {
    return this.#threads.reduce((best, thread) => (thread.load < best.load ? thread : best));
  }
}
