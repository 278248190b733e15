/** Counts the records that the log loses, and reports them. */
import type { Clock } from '../clock.ts';
import type { LogRecord } from './record.ts';

export interface LogStats {
  /** The number of records in the files. */
  readonly written: number;
  /** The number of bytes in the files. */
  readonly bytes: number;
  /** Records lost because the queue was full or because they could not be encoded. */
  readonly dropped: number;
  /** Failed attempts to encode a record or to write a batch. */
  readonly errors: number;
  /** Bytes waiting in memory or being written; for a record that is not a line yet, see `estimatedSize()`. */
  readonly pending: number;
}

export type Counters = { -readonly [name in keyof LogStats]: number };

export function newStats(): Counters {
  return { written: 0, bytes: 0, dropped: 0, errors: 0, pending: 0 };
}

/** The shortest time between two reports of records that could not be encoded. */
const ENCODE_REPORT_MS = 60_000;

interface LossesDeps {
  readonly clock: Clock;
  readonly onProblem: (message: string) => void;
}

/** Counts losses and reports them at intervals. */
export class Losses {
  readonly #stats: Counters;
  readonly #queue: number;
  readonly #deps: LossesDeps;
  /** The number of records dropped since the queue filled up. */
  #full: { dropped: number } | undefined;
  #encodeReportedMs = -Infinity;

  /** @param queue the capacity of the queue, bytes */
  constructor(stats: Counters, queue: number, deps: LossesDeps) {
    this.#stats = stats;
    this.#queue = queue;
    this.#deps = deps;
  }

  /** Counts a record that is lost because it could not be encoded. */
  lose(record: LogRecord, size: number, error: unknown): void {
    this.#stats.errors++;
    this.#stats.dropped++;
    this.#stats.pending -= size;
    const nowMs = this.#deps.clock.monotonic();
    if (nowMs - this.#encodeReportedMs < ENCODE_REPORT_MS) return;
    this.#encodeReportedMs = nowMs;
    // The parser's message quotes the text it failed on, which may be confidential: only the error's name is reported.
    const kind = error instanceof Error ? error.name : typeof error;
    this.#deps.onProblem(
      `Cannot encode the log record of request ${record.id}: ${kind}; it is dropped and counted`,
    );
  }

  /** Counts a record that found no room. @param known whether it was already reported that nothing can be written */
  drop(known: boolean): void {
    this.#stats.dropped++;
    if (known) return;
    if (this.#full) {
      this.#full.dropped++;
      return;
    }
    this.#full = { dropped: 1 };
    this.#deps.onProblem('The queue of the request log is full: records are dropped and counted');
  }

  /** Called after a successful write. */
  written(): void {
    // Only at half the capacity, so that a queue near its limit is not reported again and again.
    if (!this.#full || this.#stats.pending > this.#queue / 2) return;
    const { dropped } = this.#full;
    this.#full = undefined;
    this.#deps.onProblem(`The queue of the request log has room again, ${dropped} records were dropped`);
  }
}
