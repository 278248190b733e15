/**
 * A counting thread: it counts given ranges of files, or makes a whole report. It is an entry point of the compiled
 * binary.
 */
import type { LogInput } from '../logs/input.ts';
import type { LineRange } from '../logs/ranges.ts';
import type { UsageOptions } from './options.ts';
import type { UsageReport } from './report.ts';
import type { Counted } from './tally.ts';
import { Counter } from './counter.ts';
import { usageOf } from './usage.ts';

declare const self: Worker;

export type ToWorker =
  | { readonly kind: 'begin'; readonly options: UsageOptions }
  | { readonly kind: 'range'; readonly range: LineRange }
  | { readonly kind: 'input'; readonly input: LogInput }
  | { readonly kind: 'end' }
  | { readonly kind: 'question'; readonly options: UsageOptions };

export type FromWorker =
  | { readonly kind: 'done' }
  | { readonly kind: 'counted'; readonly counted: Counted }
  | { readonly kind: 'report'; readonly report: UsageReport }
  | { readonly kind: 'failed'; readonly name: string; readonly message: string };

/** All data is copied. */
const NOTHING: ArrayBuffer[] = [];

let counter: Counter | undefined;

/** Answers are sent in the order of the requests. */
let last: Promise<void> = Promise.resolve();

self.addEventListener('message', ({ data }: MessageEvent<ToWorker>) => {
  last = last.then(() => answer(data));
});

async function answer(message: ToWorker): Promise<void> {
  self.postMessage(await work(message).catch(failed), NOTHING);
}

function failed({ name, message }: Error): FromWorker {
  return { kind: 'failed', name, message };
}

async function work(message: ToWorker): Promise<FromWorker> {
  // It already runs in a background thread and needs no others.
  if (message.kind === 'question')
    return { kind: 'report', report: await usageOf({ ...message.options, threads: 0 }) };
  if (message.kind === 'begin') counter = await Counter.create(message.options);
  else if (message.kind === 'range') counter!.range(message.range);
  else if (message.kind === 'input') await counter!.input(message.input);
  else return { kind: 'counted', counted: counter!.counted };
  return { kind: 'done' };
}
