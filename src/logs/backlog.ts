/** Log records waiting to be written, and the batches of lines they are turned into. */
import { LineBlock } from './line-block.ts';
import type { LogRecord } from './record.ts';
import type { Redaction } from './redaction.ts';

/** A waiting entry: a record, or the finished line of a large one. */
export type Waiting = {
  /** The size it is counted with in the queue, bytes. */
  readonly size: number;
} & ({ readonly record: LogRecord; readonly line?: undefined } | { readonly line: Buffer });

/** Lines to be written, and how much of them has been written. */
export interface Batch {
  readonly lines: Buffer;
  readonly records: number;
  /** The size its records were counted with in the queue, bytes. */
  readonly size: number;
  /** How far the lines have been written to the file, in bytes and in records. */
  bytes: number;
  written: number;
}

export interface BacklogDeps {
  /** Redacts lines at the moment they are made. */
  readonly redaction: () => Redaction;
  /** Called with the error when a record cannot be turned into a line. */
  readonly onLost: (record: LogRecord, size: number, error: unknown) => void;
}

/** A batch is closed by the line that reaches this size, bytes. Building one takes about a millisecond. */
export const BATCH_BYTES = 256 * 1024;
/** Holds a batch plus one record just below the size of a large one, with three bytes for each character. */
const BLOCK_BYTES = 2 * 1024 ** 2;

export class Backlog {
  readonly #deps: BacklogDeps;
  /** In order of arrival; entries before `#first` have been taken. */
  #waiting: (Waiting | undefined)[] = [];
  #first = 0;
  #size = 0;
  #added = 0;
  #block: LineBlock | undefined;

  constructor(deps: BacklogDeps) {
    this.#deps = deps;
  }

  /** The number of records added since the start. */
  get added(): number {
    return this.#added;
  }

  /** The number of records waiting. */
  get records(): number {
    return this.#waiting.length - this.#first;
  }

  /** The size of the waiting records as counted in the queue, bytes. */
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

  /** The first waiting entries as lines, or `undefined` when none wait. The lines are valid until the next call. */
  next(): Batch | undefined {
    this.#block ??= new LineBlock(BLOCK_BYTES);
    const block = this.#block;
    block.clear();
    const taken: { record: LogRecord; size: number }[] = [];
    while (this.records > 0 && block.bytes < BATCH_BYTES) {
      const waiting = this.#waiting[this.#first]!;
      if (waiting.line) {
        // Copying a large line costs more than writing it on its own.
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
