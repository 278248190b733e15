import type { LineRange } from '../../logs/ranges.ts';
import type { Batch } from './batch.ts';
import type { Converters, RangeBatch } from './converters.ts';
import type { MemoryPool } from './memory.ts';
import type { Plan } from './plan.ts';
import type { Rendered, RenderJob } from './render-rows.ts';
import type { Inline } from './inline.ts';
import { Pool } from './pool.ts';

/**
 * Threads take a tenth of a second of two cores before they do any work, so they are started if more than this remains.
 */
const WORTH_MS = 400;
/** The number of recent steps that are measured: early ones run uncompiled code and must not count. */
const LOOK_BACK = 3;
/** The smallest step, bytes: decompressed data arrives in many chunks per read. */
const STEP_BYTES = 512 * 1024;

interface Work {
  /** The number of threads that may be started in addition. */
  readonly threads: number;
  /** The total size of the inputs on disk, bytes. */
  readonly totalBytes: number;
  /** The number of bytes read so far. */
  readonly bytesRead: () => number;
}

/**
 * Converts in this thread, and also in others once the remaining work is worth starting them: that depends on the bytes
 * to read, and on the share of them that is parsed rather than skipped. Rows are the same wherever they are made.
 */
export class Growing implements Converters {
  readonly #plan: Plan;
  readonly #inline: Inline;
  readonly #work: Work;
  /** The durations of recent steps, milliseconds per byte. */
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

  /** The creator of the pool: they share its memory. */
  release(batch: Batch): void {
    (this.#pool ?? this.#inline).release(batch);
  }

  render(job: RenderJob): Promise<Rendered> {
    return this.#next.render(job);
  }

  async close(): Promise<void> {
    await this.#starting?.close();
  }

  /** The next converter to get work: the other threads while they have little, then this one. */
  get #next(): Inline | Pool {
    if (this.#failure) throw this.#failure.cause;
    return this.#pool?.hasRoom ? this.#pool : this.#inline;
  }

  /** Measures progress, and starts threads if that pays. */
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
