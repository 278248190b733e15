import { setImmediate } from 'node:timers/promises';
import type { LineRange } from '../../logs/ranges.ts';
import type { Batch } from './batch.ts';
import type { Converters, RangeBatch } from './converters.ts';
import type { Plan } from './plan.ts';
import type { Rendered, RenderJob } from './render-rows.ts';
import { Converter } from './converter.ts';
import { MemoryPool, ROWS_BYTES } from './memory.ts';
import { RangeConverter } from './range-converter.ts';
import { renderRows } from './render-rows.ts';

/** Converts in this thread: small inputs are done before a thread has started. */
export class Inline implements Converters {
  readonly #plan: Plan;
  readonly #converter: Converter;
  readonly #ranges: RangeConverter;
  readonly window = 1;
  readonly memory = new MemoryPool();
  /** The CPU time that the last range or chunk took in this thread, milliseconds. */
  lastMs = 0;

  private constructor(plan: Plan, converter: Converter) {
    this.#plan = plan;
    this.#converter = converter;
    this.#ranges = new RangeConverter(converter, plan);
  }

  /** @throws ExportError of kind `usage` when the plan's selection is invalid */
  static async create(plan: Plan): Promise<Inline> {
    return new Inline(plan, await Converter.create(plan));
  }

  async convert(bytes: Uint8Array<ArrayBuffer>): Promise<Batch> {
    const began = cpuMs();
    const batch = this.#converter.convert([bytes], this.memory.take(bytes.length));
    this.lastMs = cpuMs() - began;
    this.memory.give(bytes.buffer);
    return batch;
  }

  async convertRange(range: LineRange): Promise<RangeBatch> {
    // Reading is synchronous, and without a pause would delay signals and the progress display to the end of the log.
    await setImmediate();
    const began = cpuMs();
    const memory = this.memory.take(ROWS_BYTES);
    const made = this.#ranges.convert(range, memory);
    this.lastMs = cpuMs() - began;
    if (made.batch.text.buffer !== memory) this.memory.give(memory);
    return made;
  }

  release({ text }: Batch): void {
    this.memory.give(text.buffer as ArrayBuffer);
  }

  async render(job: RenderJob): Promise<Rendered> {
    return renderRows(this.#plan, job, this.#converter.counter);
  }

  async close(): Promise<void> {
    // There is nothing to release but memory.
  }
}

/**
 * CPU time rather than elapsed time: other programs on the same cores slow everything down, which more threads cannot
 * change.
 */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
