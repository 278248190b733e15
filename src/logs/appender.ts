import type { Clock } from '../clock.ts';
import type { Batch } from './backlog.ts';
import type { LogFile } from './files.ts';
import type { Counters, Losses } from './losses.ts';
import { lostText, Trouble } from './trouble.ts';

interface AppenderDeps {
  readonly clock: Clock;
  readonly onProblem: (message: string) => void;
}

/**
 * Appends batches to the file, counts what it holds, and reports when writing starts to fail and when it works again.
 */
export class Appender {
  readonly #file: LogFile;
  readonly #stats: Counters;
  readonly #losses: Losses;
  readonly #deps: AppenderDeps;
  /** The time at which writing started to fail. */
  trouble: Trouble | undefined;

  constructor(file: LogFile, stats: Counters, losses: Losses, deps: AppenderDeps) {
    this.#file = file;
    this.#stats = stats;
    this.#losses = losses;
    this.#deps = deps;
  }

  /** Writes a batch, or continues one that was interrupted. @returns whether all of it is in the file */
  async append(batch: Batch): Promise<boolean> {
    const { bytes, error } = await this.#file.append(batch.lines, batch.bytes);
    const failed = error !== undefined;
    // A line that lacks only its newline holds its record.
    const written = failed ? countLines(batch.lines.subarray(0, bytes + 1)) : batch.records;
    this.#stats.written += written - batch.written;
    this.#stats.bytes += bytes - batch.bytes;
    batch.written = written;
    batch.bytes = bytes;
    if (failed) {
      this.#fail(error);
      return false;
    }
    this.#stats.pending -= batch.size;
    this.#succeed();
    return true;
  }

  #succeed(): void {
    const { trouble } = this;
    this.trouble = undefined;
    if (trouble) {
      const { path } = this.#file;
      this.#deps.onProblem(`Request log ${path} is written again, ${lostText(trouble.lost)}`);
    }
    this.#losses.written();
  }

  #fail(error: unknown): void {
    this.#stats.errors++;
    if (this.trouble) {
      this.trouble.again(error);
      return;
    }
    const trouble = new Trouble(this.#deps.clock, this.#file.path, error);
    this.trouble = trouble;
    const waits = 'Records wait in memory meanwhile, up to logging.requests.queue; further ones are lost';
    this.#deps.onProblem(
      `Cannot write the request log ${trouble.path}: ${trouble.reason}; ${trouble.advice}. ${waits}`,
    );
  }
}

function countLines(lines: Buffer): number {
  let count = 0;
  for (let at = lines.indexOf(10); at >= 0; at = lines.indexOf(10, at + 1)) count++;
  return count;
}
