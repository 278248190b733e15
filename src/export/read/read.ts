/** Reads the inputs and converts them, with all available threads, in the order of the log. */
import type { LogInput } from '../../logs/input.ts';
import type { Batch } from '../convert/batch.ts';
import type { Converters, RangeBatch } from '../convert/converters.ts';
import type { Job } from '../job.ts';
import type { InputSeen } from './input-watch.ts';
import type { Counters } from '../report/counters.ts';
import { readChunks } from '../../logs/chunks.ts';
import type { RangedFile } from '../../logs/ranges.ts';
import { rangedFile } from '../../logs/ranges.ts';
import { InputWatch } from './input-watch.ts';

/** Receives a batch in its turn. @returns false when no more is wanted */
export type TakeBatch = (batch: Batch, origin: BatchOrigin) => Promise<boolean>;

interface ReadOptions {
  readonly inputs: readonly LogInput[];
  readonly converters: Converters;
  readonly counters: Counters;
  readonly signal?: AbortSignal;
  /** Called with the number of bytes read from disk. */
  readonly onBytes: (bytes: number) => void;
  /** Whether inputs are hashed: that costs a second per gigabyte or two. */
  readonly hash: boolean;
  readonly take: TakeBatch;
}

export interface BatchOrigin {
  readonly file: number;
  /** The number of its first line, from 1. */
  readonly firstLine: number;
}

/** A part of the log in its turn: a batch in progress, or an error at that place. */
interface Turn {
  readonly file: number;
  readonly batch?: Promise<RangeBatch>;
  readonly wrong?: 'too_long' | 'damaged_file';
}

/** @returns what was read of each input; @throws InputError; the signal's reason when it aborts */
export async function readInputs(job: Job, take: TakeBatch): Promise<InputSeen[]> {
  const { inputs, converters, counters, onBytes, hooks } = job;
  const { sink } = job.options;
  const { signal } = hooks;
  const options = { inputs, converters, counters, signal, onBytes, hash: sink.hash, take };
  const queue = new TurnQueue(options);
  const seen: InputSeen[] = [];
  for (const [file, input] of inputs.entries()) {
    const watch = new InputWatch(input, options);
    const more = await readInput(file, input, { options, watch, queue });
    if (!more) return seen;
    seen.push(watch.done());
  }
  await queue.settle(0);
  return seen;
}

interface Reading {
  readonly options: ReadOptions;
  readonly watch: InputWatch;
  readonly queue: TurnQueue;
}

async function readInput(
  file: number,
  input: LogInput,
  { options, watch, queue }: Reading,
): Promise<boolean> {
  const { converters, signal, onBytes } = options;
  const memory = (bytes: number) => converters.memory.take(bytes);
  options.counters.files += 1;
  const ranged = watch.idle && converters.convertRange ? rangedFile(input) : undefined;
  if (ranged) return readRanges(file, ranged, { options, watch, queue });
  for await (const chunk of readChunks(input, { signal, onBytes, memory })) {
    if (chunk.tooLong) queue.push({ file, wrong: 'too_long' });
    else if (chunk.damaged) queue.push({ file, wrong: 'damaged_file' });
    else {
      // The conversion takes ownership of the memory behind it.
      watch.see(chunk.bytes);
      queue.push({ file, batch: whole(converters.convert(chunk.bytes)) });
    }
    if (!(await queue.settle(converters.window))) return false;
  }
  return true;
}

/** Hands out ranges of a file, each read where it is converted. */
async function readRanges(
  file: number,
  ranged: RangedFile,
  { options, watch, queue }: Reading,
): Promise<boolean> {
  const { converters, signal, onBytes } = options;
  try {
    for (const range of ranged.ranges) {
      signal?.throwIfAborted();
      queue.push({ file, batch: converters.convertRange!(range) });
      onBytes(range.to - range.from);
      if (!(await queue.settle(converters.window))) return false;
    }
    watch.pass(ranged.wholeBytes);
    // The file stays open until the last of its ranges was read.
    return await queue.settle(0);
  } finally {
    ranged.close();
  }
}

async function whole(batch: Promise<Batch>): Promise<RangeBatch> {
  return { batch: await batch, tooLong: false };
}

/** Takes converted batches back in the order in which they were handed out. */
class TurnQueue {
  readonly #options: ReadOptions;
  readonly #turns: Turn[] = [];
  #file = -1;
  #nextLine = 1;

  constructor(options: ReadOptions) {
    this.#options = options;
  }

  push(turn: Turn): void {
    // It is not awaited yet: an error is thrown in its turn.
    turn.batch?.catch(() => {});
    this.#turns.push(turn);
  }

  /** Takes turns back until this many are left. @returns false when no more is wanted */
  async settle(left: number): Promise<boolean> {
    while (this.#turns.length > left) if (!(await this.#take(this.#turns.shift()!))) return false;
    return true;
  }

  async #take({ file, batch: converting, wrong }: Turn): Promise<boolean> {
    const { inputs, counters, take, signal } = this.#options;
    if (file !== this.#file) this.#nextLine = 1;
    this.#file = file;
    const { name } = inputs[file]!;
    if (wrong !== undefined) {
      if (wrong === 'too_long') this.#tooLong(name);
      else counters.spoil(wrong, `${name}:${this.#nextLine++}`);
      return true;
    }
    const { batch, tooLong } = await converting!;
    signal?.throwIfAborted();
    const firstLine = this.#nextLine;
    this.#nextLine += batch.lines;
    counters.add(batch, (line) => `${name}:${firstLine + line}`);
    if (tooLong) this.#tooLong(name);
    return take(batch, { file, firstLine });
  }

  #tooLong(name: string): void {
    const { counters } = this.#options;
    counters.lines += 1;
    counters.spoil('too_long', `${name}:${this.#nextLine++}`);
  }
}
