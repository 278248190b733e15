import type { LineRange } from '../../logs/ranges.ts';
import type { Batch } from './batch.ts';
import type { Plan } from './plan.ts';
import type { Rendered, RenderJob } from './render-rows.ts';
import type { Converters, RangeBatch } from './converters.ts';
import type { PieceName } from './memory.ts';
import { MemoryPool, ROWS_BYTES, SharedPieces } from './memory.ts';

export type ToWorker =
  | { readonly kind: 'plan'; readonly plan: Plan }
  | {
      readonly kind: 'convert';
      readonly memory: ArrayBuffer;
      readonly offset: number;
      readonly length: number;
    }
  | (PieceName & { readonly kind: 'range'; readonly range: LineRange })
  | { readonly kind: 'render'; readonly job: RenderJob };

export type FromWorker =
  | { readonly kind: 'ready' }
  | { readonly kind: 'batch'; readonly batch: Batch }
  | {
      readonly kind: 'range';
      readonly columns: Omit<Batch, 'text'>;
      /** Its length if it is in the piece that was provided; the rows themselves if they did not fit. */
      readonly text: number | Uint8Array;
      readonly tooLong: boolean;
    }
  | { readonly kind: 'rendered'; readonly rendered: Rendered }
  | { readonly kind: 'failed'; readonly error: Error };

/** The number of chunks in flight per thread: one in progress, one waiting, one on its way back. */
const WINDOW_PER_THREAD = 3;
/** How many chunks a thread gets before others get any: one in progress, and one waiting. */
const LEAST_LOAD = 2;

/** The compiled binary keeps its entry points below their common directory, which is src. */
const WORKER = import.meta.url.endsWith('/pool.ts') ? './worker.ts' : './export/convert/worker.js';

interface Waiting {
  readonly resolve: (message: FromWorker) => void;
  readonly reject: (error: Error) => void;
}

class Thread {
  readonly #worker: Worker;
  readonly #ended: Promise<void>;
  /** A thread answers in the order of the requests. */
  readonly #waiting: Waiting[] = [];
  readonly pieces = new SharedPieces(ROWS_BYTES);

  constructor() {
    // A smaller heap is collected more often, which costs nothing here: rows leave it as soon as they are written.
    this.#worker = new Worker(new URL(WORKER, import.meta.url).href, { smol: true });
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#ended = promise;
    this.#worker.addEventListener('close', () => resolve());
    this.#worker.addEventListener('message', ({ data }: MessageEvent<FromWorker>) => {
      const next = this.#waiting.shift();
      if (data.kind === 'failed') next?.reject(data.error);
      else next?.resolve(data);
    });
    this.#worker.addEventListener('error', (event) => {
      event.preventDefault();
      const error = new Error(`Cannot continue: a thread of the export ended: ${event.message}`);
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

  close(): Promise<void> {
    this.#worker.terminate();
    return this.#ended;
  }
}

/** Converters in threads. */
export class Pool implements Converters {
  readonly #threads: readonly Thread[];
  readonly #ready: Promise<unknown>;
  readonly memory: MemoryPool;
  readonly window: number;
  /** Returns memory of batches that were handed out and are still being read. */
  readonly #holds = new WeakMap<Batch, () => void>();

  /** @param memory from which chunks are taken, and to which their rows are returned */
  constructor(plan: Plan, threads: number, memory = new MemoryPool()) {
    this.memory = memory;
    this.#threads = Array.from({ length: threads }, () => new Thread());
    this.#ready = Promise.all(this.#threads.map((thread) => thread.ask({ kind: 'plan', plan })));
    this.window = threads * WINDOW_PER_THREAD;
  }

  async ready(): Promise<void> {
    await this.#ready;
  }

  /** Whether a thread has so little work that it would soon be idle. */
  get hasRoom(): boolean {
    return this.#idlest().load < LEAST_LOAD;
  }

  async convert({ buffer, byteOffset, byteLength }: Uint8Array<ArrayBuffer>): Promise<Batch> {
    const message = { kind: 'convert', memory: buffer, offset: byteOffset, length: byteLength } as const;
    return (await this.#idlest().ask<'batch'>(message, [buffer])).batch;
  }

  async convertRange(range: LineRange): Promise<RangeBatch> {
    const thread = this.#idlest();
    const { pieces } = thread;
    const name = pieces.take();
    const { columns, text, tooLong } = await thread.ask<'range'>({ kind: 'range', range, ...name });
    const shared = typeof text === 'number';
    const batch = { ...columns, text: shared ? pieces.read(name.piece, text) : text };
    if (!shared) pieces.give(name.piece);
    // Memory that was too large for a piece is not kept.
    this.#holds.set(batch, shared ? () => pieces.give(name.piece) : () => {});
    return { batch, tooLong };
  }

  release(batch: Batch): void {
    const giveBack = this.#holds.get(batch);
    if (giveBack) giveBack();
    else this.memory.give(batch.text.buffer as ArrayBuffer);
  }

  async render(job: RenderJob): Promise<Rendered> {
    return (await this.#idlest().ask<'rendered'>({ kind: 'render', job }, [job.text.buffer])).rendered;
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }

  #idlest(): Thread {
    return this.#threads.reduce((best, thread) => (thread.load < best.load ? thread : best));
  }
}
