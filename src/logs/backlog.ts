/** Records of the log that wait to be written, and the batches of lines they become. */
import { LineBlock } from './line-block.ts';
import type { LogRecord } from './record.ts';
import type { Redaction } from './redaction.ts';

/** What waits: a record, or the line of a large one. */
export type Waiting = {
  /** What it counts for in the queue, bytes. */
  readonly size: number;
} & ({ readonly record: LogRecord; readonly line?: undefined } | { readonly line: Buffer });

/** Lines to be written, and how far they are. */
export interface Batch {
  readonly lines: Buffer;
  readonly records: number;
  /** What its records counted for in the queue. */
  readonly size: number;
  /** Up to where the lines are in the file, and how many records that makes. */
  bytes: number;
  written: number;
}

export interface BacklogDeps {
  /** What is taken out of lines at the moment they are made. */
  readonly redaction: () => Redaction;
  /** Told of a record that cannot be made a line. */
  readonly onLost: (record: LogRecord, size: number, error: unknown) => void;
}

/** A batch ends with the line that reaches this. Making one takes about a millisecond. */
export const BATCH_BYTES = 256 * 1024;
/** Enough for a batch and behind it a record that is just not large, in letters of three bytes. */
const BLOCK_BYTES = 2 * 1024 ** 2;

export class Backlog {
  readonly #deps: BacklogDeps;
  /** In the order they came; those before `#first` are taken. */
  #waiting: (Waiting | undefined)[] = [];
  #first = 0;
  #size = 0;
  #added = 0;
  #block: LineBlock | undefined;

  constructor(deps: BacklogDeps) {
    this.#deps = deps;
  }

  /** How many have come since the start. */
  get added(): number {
    return this.#added;
  }

  /** How many wait. */
  get records(): number {
    return this.#waiting.length - this.#first;
  }

  /** What they count for in the queue, bytes. */
  get size(): number {
    return this.#size;
  }

  add(waiting: Waiting): void {
    this.#waiting.push(waiting);
    this.#size += waiting.size;
    this.#added += 1;
  }

  clear(): void {
    this.#waiting = [];
    this.#first = 0;
    this.#size = 0;
  }

  /** The first of what waits as lines, or `undefined` when there are none. They are valid until the next call. */
  next(): Batch | undefined {
    this.#block ??= new LineBlock(BLOCK_BYTES);
    const block = this.#block;
    block.clear();
    const taken: { record: LogRecord; size: number }[] = [];
    while (this.records > 0 && block.bytes < BATCH_BYTES) {
      const waiting = this.#waiting[this.#first]!;
      if (waiting.line) {
        // Copying a large line costs more than writing it alone.
        if (taken.length > 0) break;
        this.#take();
        return { lines: waiting.line, records: 1, size: waiting.size, bytes: 0, written: 0 };
      }
      const { record, size } = waiting;
      try {
        if (!block.add(record)) break;
        taken.push({ record, size });
      } catch (error) {
        this.#deps.onLost(record, size, error);
      }
      this.#take();
    }
    return this.#redacted(block, taken);
  }

  #redacted(block: LineBlock, taken: { record: LogRecord; size: number }[]): Batch | undefined {
    let records = taken.length;
    let size = taken.reduce((sum, each) => sum + each.size, 0);
    const lines = block.redacted(this.#deps.redaction(), (line, error) => {
      const lost = taken[line]!;
      records -= 1;
      size -= lost.size;
      this.#deps.onLost(lost.record, lost.size, error);
    });
    return records === 0 ? undefined : { lines, records, size, bytes: 0, written: 0 };
  }

  #take(): void {
    this.#size -= this.#waiting[this.#first]!.size;
    this.#waiting[this.#first] = undefined;
    this.#first += 1;
    if (this.#first === this.#waiting.length) this.clear();
  }
}
