/** Records that the log loses, and who is told of it. */
import type { Clock } from '../clock.ts';
import type { LogRecord } from './record.ts';

export interface LogStats {
  /** Records in the files. */
  readonly written: number;
  /** Bytes in the files. */
  readonly bytes: number;
  /** Records lost: there was no room for them while they waited, or they could not be encoded. */
  readonly dropped: number;
  /** Failed attempts to encode a record or to write a batch. */
  readonly errors: number;
  /** Bytes that wait in memory or are being written; of a record that is no line yet, see `estimatedSize()`. */
  readonly pending: number;
}

export type Counters = { -readonly [name in keyof LogStats]: number };

export function newStats(): Counters {
  return { written: 0, bytes: 0, dropped: 0, errors: 0, pending: 0 };
}

/** Least time between two reports of records that could not be encoded. */
const ENCODE_REPORT_MS = 60_000;

interface LossesDeps {
  readonly clock: Clock;
  readonly onProblem: (message: string) => void;
}

/** Counts what is lost, and tells it now and then. */
export class Losses {
  readonly #stats: Counters;
  readonly #queue: number;
  readonly #deps: LossesDeps;
  /** Records dropped since the queue filled up. */
  #full: { dropped: number } | undefined;
  #encodeReportedMs = -Infinity;

  /** @param queue bytes that may wait */
  constructor(stats: Counters, queue: number, deps: LossesDeps) {
    this.#stats = stats;
    this.#queue = queue;
    this.#deps = deps;
  }

  /** A record that could not be encoded is lost. */
  lose(record: LogRecord, size: number, error: unknown): void {
    this.#stats.errors++;
    this.#stats.dropped++;
    this.#stats.pending -= size;
    const nowMs = this.#deps.clock.monotonic();
    if (nowMs - this.#encodeReportedMs < ENCODE_REPORT_MS) return;
    this.#encodeReportedMs = nowMs;
    // The parser's message quotes the text it stumbled over, which may be anything: only its name is told.
    const kind = error instanceof Error ? error.name : typeof error;
    this.#deps.onProblem(
      `Cannot encode the log record of request ${record.id}: ${kind}; it is dropped and counted`,
    );
  }

  /** There is no room for a record. @param known whether it is told already that nothing can be written */
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

  /** Something was written. */
  written(): void {
    // Half empty, so that a queue at its brim is not reported over and over.
    if (!this.#full || this.#stats.pending > this.#queue / 2) return;
    const { dropped } = this.#full;
    this.#full = undefined;
    this.#deps.onProblem(`The queue of the request log has room again, ${dropped} records were dropped`);
  }
}
