/** A thread of the export: converts what it is handed. An entry point of its own in the compiled binary. */
import type { Plan } from './plan.ts';
import type { FromWorker, ToWorker } from './pool.ts';
import { RangeReader } from '../../logs/ranges.ts';
import { memoryOf } from './builder.ts';
import { Converter } from './converter.ts';
import { renderRows } from './render-rows.ts';

declare const self: Worker;

let plan: Plan;
let converter: Converter;
let spare: ArrayBuffer | undefined;
const reader = new RangeReader();
let ranges = 0;
let jobs = 0;
/** Shared with the thread that asks, by number. */
const pieces: SharedArrayBuffer[] = [];

/** Ranges between two sweeps: texts of heads are far larger than the collector sees, and lines that are left out leave little else. */
const SWEEP_RANGES = 256;

/** The same where tokens are counted, each of which is a small thing. */
const SWEEP_COUNTED = 16;

/** The same for rows to be rendered, whose texts are read and written whole. */
const SWEEP_JOBS = 16;

/** Memory for one very long line is not kept. */
const MOST_SPARE = 8 * 1024 ** 2;

self.addEventListener('message', async ({ data }: MessageEvent<ToWorker>) => {
  try {
    if (data.kind === 'plan') {
      plan = data.plan;
      converter = await Converter.create(plan);
      reply({ kind: 'ready' });
    } else if (data.kind === 'convert') {
      const { memory, offset, length } = data;
      const batch = converter.convert([new Uint8Array(memory, offset, length)], spare);
      // The rows of the next chunk go where this one was.
      spare = memory.byteLength <= MOST_SPARE ? memory : undefined;
      reply({ kind: 'batch', batch }, memoryOf(batch));
    } else if (data.kind === 'range') {
      if (++ranges % (plan.countTokens ? SWEEP_COUNTED : SWEEP_RANGES) === 0) Bun.gc(true);
      const memory = (pieces[data.piece] ??= data.memory!);
      const { text, ...columns } = converter.convert(reader.pieces(data.range), memory);
      const shared = text.buffer === memory;
      reply(
        { kind: 'range', columns, text: shared ? text.length : text, tooLong: reader.tooLong },
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
