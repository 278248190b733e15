/** Adds up the usage of logged requests. */
import { availableParallelism } from 'node:os';
import { basename } from 'node:path';
import type { LogInput } from '../logs/input.ts';
import type { UsageOptions } from './options.ts';
import type { UsageReport } from './report.ts';
import { findInputs } from '../logs/input.ts';
import { endOfDay, parseLogName } from '../logs/names.ts';
import { rangedFile } from '../logs/ranges.ts';
import { Counter } from './counter.ts';
import { reportOf } from './report-of.ts';
import { Tally } from './tally.ts';
import { CountingThreads } from './threads.ts';

/** Smaller inputs are counted faster than threads can start. */
const THREADS_FROM_BYTES = 16 * 1024 ** 2;

/**
 * How long before the day in its file name a request may have arrived, milliseconds: requests take time, and their
 * records may have waited for a disk.
 */
const LATE_MS = 2 * 86_400_000;

/**
 * Counts the usage of the requests in logs.
 * @param signal cancels the work with its reason
 * @throws InputError with a message for the user
 */
export async function usageOf(options: UsageOptions, signal?: AbortSignal): Promise<UsageReport> {
  const found = options.inputs.length === 0 ? [] : await findInputs(options.inputs);
  const inputs = found.filter((input) => mayHold(input, options));
  const tally = new Tally(options, undefined);
  const threads = threadsFor(inputs, options);
  if (threads === 0) {
    const counter = await Counter.create(options);
    await eachPart(inputs, counter, signal);
    tally.merge(counter.counted);
  } else for (const counted of await inThreads(inputs, threads, { options, signal })) tally.merge(counted);
  return reportOf(tally.counted, options, inputs.length);
}

interface Parts {
  range(range: Parameters<Counter['range']>[0]): void | Promise<void>;
  input(input: LogInput, signal?: AbortSignal): Promise<void>;
  /** Waits until nothing is being read any more. */
  settle?(): Promise<void>;
}

/** Hands out plain files in ranges, and inputs that must be read from their start as a whole. */
async function eachPart(inputs: readonly LogInput[], parts: Parts, signal?: AbortSignal): Promise<void> {
  for (const input of inputs) {
    const ranged = rangedFile(input);
    if (!ranged) {
      await parts.input(input, signal);
      continue;
    }
    try {
      for (const range of ranged.ranges) {
        signal?.throwIfAborted();
        await parts.range(range);
      }
    } finally {
      await parts.settle?.();
      ranged.close();
    }
  }
}

async function inThreads(
  inputs: readonly LogInput[],
  count: number,
  { options, signal }: { readonly options: UsageOptions; readonly signal: AbortSignal | undefined },
) {
  const threads = new CountingThreads(count);
  try {
    await threads.begin(options);
    await eachPart(
      inputs,
      {
        range: (range) => threads.give({ kind: 'range', range }),
        input: (input) => threads.give({ kind: 'input', input }),
        settle: () => threads.settle(),
      },
      signal,
    );
    return await threads.end();
  } finally {
    threads.close();
  }
}

/**
 * Whether a file may contain requests of the period: the name of a log file tells the day on which its records were
 * written.
 */
function mayHold({ path }: LogInput, { fromMs = -Infinity, untilMs = Infinity }: UsageOptions): boolean {
  const log = parseLogName(basename(path).replace(/\.gz$/, ''));
  if (!log) return true;
  return endOfDay(log.day) > fromMs && Date.parse(log.day) - LATE_MS <= untilMs;
}

function threadsFor(inputs: readonly LogInput[], { threads }: UsageOptions): number {
  if (threads !== undefined) return threads;
  const bytes = inputs.map((input) => input.bytes ?? Infinity).reduce((sum, each) => sum + each, 0);
  return bytes < THREADS_FROM_BYTES ? 0 : availableParallelism();
}
