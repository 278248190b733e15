import type { LineRange } from '../../logs/ranges.ts';
import type { Batch } from './batch.ts';
import type { Plan } from './plan.ts';
import type { Rendered, RenderJob } from './render.ts';
import { Converter } from './converter.ts';
import { MemoryPool } from './memory.ts';
import { renderDrafts } from './render.ts';

export type ToWorker =
  | { readonly kind: 'plan'; readonly plan: Plan }
  | {
      readonly kind: 'convert';
      readonly memory: ArrayBuffer;
      readonly offset: number;
      readonly length: number;
    }
  | { readonly kind: 'range'; readonly range: LineRange; readonly memory: ArrayBuffer }
  | { readonly kind: 'render'; readonly job: RenderJob };

export type FromWorker =
  | { readonly kind: 'ready' }
  | { readonly kind: 'batch'; readonly batch: Batch; readonly tooLong: boolean }
  | { readonly kind: 'rendered'; readonly rendered: Rendered }
  | { readonly kind: 'failed'; readonly error: Error };

/** Who does the work: threads, or this one. */
export interface Converters {
  /** How many chunks are worth handing out before the first is taken back. */
  readonly window: number;
  /** Where memory for chunks comes from, and where the memory of batches goes back to. */
  readonly memory: MemoryPool;
  /** Takes the memory behind the bytes. */
  convert(bytes: Uint8Array<ArrayBuffer>): Promise<Batch>;
  /** Converts lines that are read where they are converted; left out where nothing is won by that. */
  convertRange?(range: LineRange): Promise<RangeBatch>;
  render(job: RenderJob): Promise<Rendered>;
  close(): void;
}

export interface RangeBatch {
  readonly batch: Batch;
  /** Behind its lines begins one that is too long to be held. */
  readonly tooLong: boolean;
}

/** Memory for the rows of a range. */
const ROWS_BYTES = 2 * 1024 ** 2;
/** Chunks in flight for each thread: one in work, one that waits, one that comes back. */
const WINDOW_PER_THREAD = 3;

/**
 * Converters in threads.
 * @param threads 0 for none: what is small is done before a thread has started
 */
export async function startConverters(plan: Plan, threads: number): Promise<Converters> {
  if (threads === 0) return inline(plan);
  const pool = new Pool(plan, threads);
  await pool.ready();
  return pool;
}

async function inline(plan: Plan): Promise<Converters> {
  const converter = await Converter.create(plan);
  const memory = new MemoryPool();
  return {
    window: 1,
    memory,
    convert: async (bytes) => {
      const batch = converter.convert(bytes, memory.take(bytes.length));
      memory.give(bytes.buffer);
      return batch;
    },
    render: async (job) => renderDrafts(plan, job),
    close: () => {},
  };
}

/** The compiled binary keeps its entry points below the folder they share, which is src. */
const WORKER = import.meta.url.endsWith('/pool.ts') ? './worker.ts' : './export/convert/worker.js';

interface Waiting {
  readonly resolve: (message: FromWorker) => void;
  readonly reject: (error: Error) => void;
}

class Thread {
  readonly #worker: Worker;
  /** A thread answers in the order it was asked. */
  readonly #waiting: Waiting[] = [];

  constructor() {
    this.#worker = new Worker(new URL(WORKER, import.meta.url).href);
    this.#worker.addEventListener('message', ({ data }: MessageEvent<FromWorker>) => {
      const next = this.#waiting.shift();
      if (data.kind === 'failed') next?.reject(data.error);
      else next?.resolve(data);
    });
    this.#worker.addEventListener('error', (event) => {
      event.preventDefault();
      const error = new Error(`Cannot go on: a thread of the export ended: ${event.message}`);
      for (const { reject } of this.#waiting.splice(0)) reject(error);
    });
  }

  get load(): number {
    return this.#waiting.length;
  }

  ask<Kind extends FromWorker['kind']>(
    message: ToWorker,
    memory: ArrayBuffer[] = [],
  ): Promise<Extract<FromWorker, { kind: Kind }>> {
    const { promise, resolve, reject } = Promise.withResolvers<FromWorker>();
    this.#waiting.push({ resolve, reject });
    this.#worker.postMessage(message, memory);
    return promise as Promise<Extract<FromWorker, { kind: Kind }>>;
  }

  close(): void {
    this.#worker.terminate();
  }
}

class Pool implements Converters {
  readonly #threads: readonly Thread[];
  readonly #ready: Promise<unknown>;
  readonly memory = new MemoryPool();
  readonly window: number;

  constructor(plan: Plan, threads: number) {
    this.#threads = Array.from({ length: threads }, () => new Thread());
    this.#ready = Promise.all(this.#threads.map((thread) => thread.ask({ kind: 'plan', plan })));
    this.window = threads * WINDOW_PER_THREAD;
  }

  async ready(): Promise<void> {
    await this.#ready;
  }

  async convert({ buffer, byteOffset, byteLength }: Uint8Array<ArrayBuffer>): Promise<Batch> {
    const message = { kind: 'convert', memory: buffer, offset: byteOffset, length: byteLength } as const;
    return (await this.#idlest().ask<'batch'>(message, [buffer])).batch;
  }

  async convertRange(range: LineRange): Promise<RangeBatch> {
    const memory = this.memory.take(ROWS_BYTES);
    return this.#idlest().ask<'batch'>({ kind: 'range', range, memory }, [memory]);
  }

  async render(job: RenderJob): Promise<Rendered> {
    return (await this.#idlest().ask<'rendered'>({ kind: 'render', job })).rendered;
  }

  close(): void {
    for (const thread of this.#threads) thread.close();
  }

  #idlest(): Thread {
    return this.#threads.reduce((best, thread) => (thread.load < best.load ? thread : best));
  }
}
