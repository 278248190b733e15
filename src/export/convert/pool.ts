import type { LineRange } from '../../logs/ranges.ts';
import type { Batch } from './batch.ts';
import type { Plan } from './plan.ts';
import type { Rendered, RenderJob } from './render-rows.ts';
import { Converter, wantedBy } from './converter.ts';
import type { PieceName } from './memory.ts';
import { MemoryPool, SharedPieces } from './memory.ts';
import { renderRows } from './render-rows.ts';

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
      /** Its length, where it is in the piece that was given; itself, where it was too long for that. */
      readonly text: number | Uint8Array;
      readonly tooLong: boolean;
    }
  | { readonly kind: 'rendered'; readonly rendered: Rendered }
  | { readonly kind: 'failed'; readonly error: Error };

/** Converts chunks of lines: in threads, or in this one. */
export interface Converters {
  /** How many chunks are worth handing out before the first is taken back. */
  readonly window: number;
  /** The pool that memory for chunks is taken from. */
  readonly memory: MemoryPool;
  /** Takes the memory behind the bytes. */
  convert(bytes: Uint8Array<ArrayBuffer>): Promise<Batch>;
  /** Converts lines that are read where they are converted; left out where nothing is won by that. */
  convertRange?(range: LineRange): Promise<RangeBatch>;
  /** Takes back the memory behind the text of a batch. */
  release(batch: Batch): void;
  /** Takes the memory of the examples. */
  render(job: RenderJob): Promise<Rendered>;
  /** Ends the threads. @returns kept when their memory is free again */
  close(): Promise<void>;
}

export interface RangeBatch {
  readonly batch: Batch;
  /** Behind its lines begins one that is too long to be held. */
  readonly tooLong: boolean;
}

/** Memory for the rows of a range, which are seldom longer than the lines they are made of. */
const ROWS_BYTES = 4 * 1024 ** 2;
/** Chunks in flight for each thread: one in work, one that waits, one that comes back. */
const WINDOW_PER_THREAD = 3;

/**
 * Converters in threads.
 * @param threads 0 for none: what is small is done before a thread has started
 */
export async function startConverters(plan: Plan, threads: number): Promise<Converters> {
  if (threads === 0) return inline(plan);
  // What is wrong with it is told here: an error that comes from a thread has lost its kind.
  await wantedBy(plan);
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
      const batch = converter.convert([bytes], memory.take(bytes.length));
      memory.give(bytes.buffer);
      return batch;
    },
    release: ({ text }) => memory.give(text.buffer as ArrayBuffer),
    render: async (job) => renderRows(plan, job, converter.counter),
    close: async () => {},
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
  readonly #ended: Promise<void>;
  /** A thread answers in the order it was asked. */
  readonly #waiting: Waiting[] = [];
  readonly pieces = new SharedPieces(ROWS_BYTES);

  constructor() {
    // A smaller heap is swept more often, which costs nothing here: rows are out of it as soon as they are written.
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

  close(): Promise<void> {
    this.#worker.terminate();
    return this.#ended;
  }
}

class Pool implements Converters {
  readonly #threads: readonly Thread[];
  readonly #ready: Promise<unknown>;
  readonly memory = new MemoryPool();
  readonly window: number;
  /** Gives back what batches hold that were handed out and are still read. */
  readonly #holds = new WeakMap<Batch, () => void>();

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
    const thread = this.#idlest();
    const { pieces } = thread;
    const name = pieces.take();
    const { columns, text, tooLong } = await thread.ask<'range'>({ kind: 'range', range, ...name });
    const shared = typeof text === 'number';
    const batch = { ...columns, text: shared ? pieces.read(name.piece, text) : text };
    if (!shared) pieces.give(name.piece);
    // Nothing that was too long for a piece is kept for later.
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
