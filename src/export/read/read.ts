/** Reads the inputs and converts them, in as many threads as there are, in the order of the log. */
import type { LogInput } from '../../logs/input.ts';
import type { Batch } from '../convert/batch.ts';
import type { Converters, RangeBatch } from '../convert/pool.ts';
import type { Job } from '../job.ts';
import type { ConsumedInput, InputSeen } from './input-watch.ts';
import type { Tally } from '../report/counters.ts';
import { readChunks } from '../../logs/chunks.ts';
import type { RangedFile } from '../../logs/ranges.ts';
import { rangedFile } from '../../logs/ranges.ts';
import { InputWatch } from './input-watch.ts';

/** Takes a batch in its turn. @returns false when no more is wanted */
export type TakeBatch = (batch: Batch, origin: BatchOrigin) => Promise<boolean>;

interface Gathering {
  readonly inputs: readonly LogInput[];
  readonly converters: Converters;
  readonly tally: Tally;
  readonly signal?: AbortSignal;
  /** Told the bytes read from disk. */
  readonly onBytes: (bytes: number) => void;
  /** Whether hashes of the inputs are wanted: they cost a second for each gigabyte or two. */
  readonly hash: boolean;
  /** What an earlier export has had. */
  readonly consumed: readonly ConsumedInput[];
  readonly take: TakeBatch;
}

export interface BatchOrigin {
  readonly file: number;
  /** Number of its first line, from 1. */
  readonly firstLine: number;
}

/** A part of the log in its turn: a batch in the making, or what is wrong there. */
interface Turn {
  readonly file: number;
  readonly batch?: Promise<RangeBatch>;
  readonly wrong?: 'too_long' | 'damaged_file';
}

/** @returns what was seen of each input; @throws InputError; the signal's reason when it aborts */
export async function gather(job: Job, take: TakeBatch): Promise<InputSeen[]> {
  const { inputs, converters, tally, onBytes, options, hooks } = job;
  const { consumed, sink } = options;
  const { signal } = hooks;
  const gathering = { inputs, converters, tally, signal, onBytes, hash: sink.hash, consumed, take };
  const queue = new TurnQueue(gathering);
  const seen: InputSeen[] = [];
  for (const [file, input] of gathering.inputs.entries()) {
    const watch = new InputWatch(input, gathering);
    const more = await readInput(file, input, { gathering, watch, queue });
    if (!more) return seen;
    seen.push(watch.done());
  }
  await queue.settle(0);
  return seen;
}

interface Reading {
  readonly gathering: Gathering;
  readonly watch: InputWatch;
  readonly queue: TurnQueue;
}

async function readInput(
  file: number,
  input: LogInput,
  { gathering, watch, queue }: Reading,
): Promise<boolean> {
  const { converters, signal, onBytes } = gathering;
  const options = { signal, onBytes, memory: (bytes: number) => converters.memory.take(bytes) };
  gathering.tally.files += 1;
  const ranged = watch.idle && converters.convertRange ? rangedFile(input) : undefined;
  if (ranged) return readRanges(file, ranged, { gathering, watch, queue });
  for await (const chunk of readChunks(input, options)) {
    if (chunk.tooLong) queue.push({ file, wrong: 'too_long' });
    else if (chunk.damaged) queue.push({ file, wrong: 'damaged_file' });
    else {
      // Whoever converts it takes the memory behind it.
      watch.see(chunk.bytes);
      queue.push({ file, batch: whole(converters.convert(chunk.bytes)) });
    }
    if (!(await queue.settle(converters.window))) return false;
  }
  return true;
}

/** Hands out parts of a file, each read where it is converted. */
async function readRanges(
  file: number,
  ranged: RangedFile,
  { gathering, watch, queue }: Reading,
): Promise<boolean> {
  const { converters, signal, onBytes } = gathering;
  try {
    for (const range of ranged.ranges) {
      signal?.throwIfAborted();
      queue.push({ file, batch: converters.convertRange!(range) });
      onBytes(range.to - range.from);
      if (!(await queue.settle(converters.window))) return false;
    }
    watch.pass(ranged.wholeBytes);
    // The file is open until the last of its parts was read.
    return await queue.settle(0);
  } finally {
    ranged.close();
  }
}

async function whole(batch: Promise<Batch>): Promise<RangeBatch> {
  return { batch: await batch, tooLong: false };
}

/** What was handed out, taken back in order. */
class TurnQueue {
  readonly #gathering: Gathering;
  readonly #turns: Turn[] = [];
  #file = -1;
  #nextLine = 1;

  constructor(gathering: Gathering) {
    this.#gathering = gathering;
  }

  push(turn: Turn): void {
    // Nobody waits for it yet; what fails is thrown in its turn.
    turn.batch?.catch(() => {});
    this.#turns.push(turn);
  }

  /** Takes turns back until so many are left. @returns false when no more is wanted */
  async settle(left: number): Promise<boolean> {
    while (this.#turns.length > left) if (!(await this.#take(this.#turns.shift()!))) return false;
    return true;
  }

  async #take({ file, batch: converting, wrong }: Turn): Promise<boolean> {
    const { inputs, tally, take, signal } = this.#gathering;
    if (file !== this.#file) this.#nextLine = 1;
    this.#file = file;
    const { name } = inputs[file]!;
    if (wrong !== undefined) {
      if (wrong === 'too_long') this.#tooLong(name);
      else tally.spoil(wrong, `${name}:${this.#nextLine++}`);
      return true;
    }
    const { batch, tooLong } = await converting!;
    signal?.throwIfAborted();
    const firstLine = this.#nextLine;
    this.#nextLine += batch.lines;
    tally.add(batch, (line) => `${name}:${firstLine + line}`);
    if (tooLong) this.#tooLong(name);
    return take(batch, { file, firstLine });
  }

  #tooLong(name: string): void {
    const { tally } = this.#gathering;
    tally.lines += 1;
    tally.spoil('too_long', `${name}:${this.#nextLine++}`);
  }
}
