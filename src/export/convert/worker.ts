/** A thread of the export: converts what it is sent. It is an entry point of its own in the compiled binary. */
import type { Plan } from './plan.ts';
import type { FromWorker, ToWorker } from './pool.ts';
import { memoryOf } from './builder.ts';
import { Converter } from './converter.ts';
import { RangeConverter } from './range-converter.ts';
import { renderRows } from './render-rows.ts';

declare const self: Worker;

let plan: Plan;
let converter: Converter;
let spare: ArrayBuffer | undefined;
let ranges: RangeConverter;
let jobs = 0;
/** Shared with the calling thread, by number. */
const pieces: SharedArrayBuffer[] = [];

/** The number of rendering jobs between two garbage collections: the texts of their rows are read and written whole. */
const SWEEP_JOBS = 16;

/** Memory for one very long line is not kept. */
const MOST_SPARE = 8 * 1024 ** 2;

self.addEventListener('message', async ({ data }: MessageEvent<ToWorker>) => {
  try {
    if (data.kind === 'plan') {
      plan = data.plan;
      converter = await Converter.create(plan);
      ranges = new RangeConverter(converter, plan);
      reply({ kind: 'ready' });
    } else if (data.kind === 'convert') {
      const { memory, offset, length } = data;
      const batch = converter.convert([new Uint8Array(memory, offset, length)], spare);
      // The rows of the next chunk are written to the memory of this one.
      spare = memory.byteLength <= MOST_SPARE ? memory : undefined;
      reply({ kind: 'batch', batch }, memoryOf(batch));
    } else if (data.kind === 'range') {
      const memory = (pieces[data.piece] ??= data.memory!);
      const { batch, tooLong } = ranges.convert(data.range, memory);
      const { text, ...columns } = batch;
      const shared = text.buffer === memory;
      reply(
        { kind: 'range', columns, text: shared ? text.length : text, tooLong },
        memoryOf(shared ? columns : { ...columns, text }),
      );
    } else {
      if (++jobs % SWEEP_JOBS === 0) Bun.gc(true);
      const rendered = renderRows(plan, data.job, converter.counter);
      reply({ kind: 'rendered', rendered }, [rendered.text.buffer]);
    }
  } catch (error) {
    reply({ kind: 'failed', error: error instanceof Error ? error : new Error(String(error)) });
  }
});

function reply(message: FromWorker, memory: ArrayBuffer[] = []): void {
  self.postMessage(message, memory);
}
