import type { LineRange } from '../../logs/ranges.ts';
import type { Batch } from './batch.ts';
import type { Converters, RangeBatch } from './converters.ts';
import type { MemoryPool } from './memory.ts';
import type { Plan } from './plan.ts';
import type { Rendered, RenderJob } from './render-rows.ts';
import type { Inline } from './inline.ts';
import { Pool } from './pool.ts';

/** Threads take a tenth of a second of two cores before they do anything, so they start where more than this is left to do. */
const WORTH_MS = 400;
/** Steps that are looked back at: the first are done by code that is not compiled yet, and count for less. */
const LOOK_BACK = 3;
/** Bytes of a step, at least: what is decompressed comes in many chunks for each read. */
const STEP_BYTES = 512 * 1024;

interface Work {
  /** Threads that may start beside this one. */
  readonly threads: number;
  /** The bytes of all inputs on disk. */
  readonly totalBytes: number;
  /** Those that were read so far. */
  readonly bytesRead: () => number;
}

/**
 * Converts in this thread, and in others too as soon as what is left to do is worth their start: that hangs on the bytes to
 * read, and on how many of them are parsed and not passed over. Rows are the same wherever they are made.
 */
export class Growing implements Converters {
  readonly #plan: Plan;
  readonly #inline: Inline;
  readonly #work: Work;
  /** Of the last steps, milliseconds a byte. */
  readonly #rates: number[] = [];
  #stepMs = 0;
  #stepFrom = 0;
  #starting: Pool | undefined;
  #pool: Pool | undefined;
  #failure: { readonly cause: unknown } | undefined;

  constructor(plan: Plan, inline: Inline, work: Work) {
    this.#plan = plan;
    this.#inline = inline;
    this.#work = work;
  }

  get window(): number {
    return this.#inline.window + (this.#pool?.window ?? 0);
  }

  get memory(): MemoryPool {
    return this.#inline.memory;
  }

  async convert(bytes: Uint8Array<ArrayBuffer>): Promise<Batch> {
    const batch = await this.#next.convert(bytes);
    this.#look();
    return batch;
  }

  async convertRange(range: LineRange): Promise<RangeBatch> {
    const made = await this.#next.convertRange(range);
    this.#look();
    return made;
  }

  /** Whoever made it: they share their memory. */
  release(batch: Batch): void {
    (this.#pool ?? this.#inline).release(batch);
  }

  render(job: RenderJob): Promise<Rendered> {
    return this.#next.render(job);
  }

  async close(): Promise<void> {
    await this.#starting?.close();
  }

  /** Who takes the next piece of work: the other threads as long as they have little, then this one. */
  get #next(): Inline | Pool {
    if (this.#failure) throw this.#failure.cause;
    return this.#pool?.hasRoom ? this.#pool : this.#inline;
  }

  /** Takes note of how fast it goes, and starts threads where that pays. */
  #look(): void {
    if (this.#starting) return;
    const { totalBytes, bytesRead } = this.#work;
    this.#stepMs += this.#inline.lastMs;
    const at = bytesRead();
    const bytes = at - this.#stepFrom;
    if (bytes < STEP_BYTES) return;
    this.#rates.push(this.#stepMs / bytes);
    if (this.#rates.length > LOOK_BACK) this.#rates.shift();
    [this.#stepMs, this.#stepFrom] = [0, at];
    const leftMs = Math.min(...this.#rates) * (totalBytes - at);
    if (leftMs * this.#rates.length > WORTH_MS * LOOK_BACK) this.#start();
  }

  #start(): void {
    const pool = new Pool(this.#plan, this.#work.threads, this.memory);
    this.#starting = pool;
    pool.ready().then(
      () => void (this.#pool = pool),
      (cause: unknown) => void (this.#failure = { cause }),
    );
  }
}
