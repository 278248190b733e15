/** Deletes and compresses old files of the request log, in the background. */
import { stat, unlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Clock } from '../clock.ts';
import type { Config } from '../config/schema.ts';
import { STALE_MS, compressFile } from './compress.ts';
import type { LogName } from './names.ts';
import { endOfDay, fileReason, isMissing, listLogs, utcDay } from './names.ts';

export type RetentionSettings = Pick<
  Config['logging']['requests'],
  'directory' | 'retention' | 'max_total' | 'compress'
>;

const HOUR_MS = 3_600_000;
/** How long a file must have been silent before it is compressed: another process may still append. */
const SETTLE_MS = 60_000;
/** How long after the end of a day each worker has closed its file of that day for certain. */
const LEAVE_MS = 60_000;

export interface RetentionDeps {
  readonly clock: Clock;
  /** Which of several workers writes, from 1; 0 where one process serves. */
  readonly worker: number;
  readonly onProblem: (message: string) => void;
}

interface Found extends LogName {
  readonly size: number;
  readonly mtimeMs: number;
}

/**
 * Keeps the directory within `retention` and `max_total` and compresses what is closed. It looks after each
 * opening of a file and, where a file can become too old without that, once an hour. Only files with our names
 * are touched, and never the newest of today of any worker nor the one being written.
 */
export class Retention {
  readonly #settings: RetentionSettings;
  readonly #deps: RetentionDeps;
  readonly #directory: string;
  readonly #settleMs: number;
  readonly #abort = new AbortController();
  #current: string | undefined;
  #sweeping: Promise<void> | undefined;
  #again = false;
  #cancelTimer: (() => void) | undefined;

  /** @param settleMs silence after which a file counts as closed for compression, milliseconds */
  constructor(settings: RetentionSettings, deps: RetentionDeps, settleMs = SETTLE_MS) {
    this.#settings = settings;
    this.#deps = deps;
    this.#directory = resolve(settings.directory);
    this.#settleMs = settleMs;
    this.#arm(Infinity);
  }

  /** Says which file is written from now on, and begins a sweep in the background. */
  opened(name: string): void {
    this.#current = name;
    void this.sweep();
  }

  /** Says that no file is open any more: it may be compressed and deleted. */
  left(): void {
    this.#current = undefined;
    void this.sweep();
  }

  /** Applies the rules once; when a sweep is under way, once more after it. Never rejects. */
  sweep(): Promise<void> {
    const { retention, max_total, compress } = this.#settings;
    const idle = retention === 0 && max_total === 0 && compress === 'none';
    if (idle || this.#abort.signal.aborted) return Promise.resolve();
    this.#again = this.#sweeping !== undefined;
    this.#sweeping ??= this.#sweep().finally(() => {
      this.#sweeping = undefined;
    });
    return this.#sweeping;
  }

  /** Ends the work at hand as soon as it can be left. */
  async close(): Promise<void> {
    this.#abort.abort();
    this.#cancelTimer?.();
    await this.#sweeping;
  }

  async #sweep(): Promise<void> {
    let settleInMs = Infinity;
    do {
      this.#again = false;
      try {
        settleInMs = await this.#applyRules();
      } catch (error) {
        this.#problem('tidy the request log', this.#directory, error);
      }
    } while (this.#again && !this.#abort.signal.aborted);
    this.#arm(settleInMs);
  }

  /** The next sweep: when a file has settled, or in an hour if age is a rule. Otherwise the next opening will do. */
  #arm(settleInMs: number): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const waitMs = Math.min(settleInMs, this.#settings.retention > 0 ? HOUR_MS : Infinity);
    if (waitMs === Infinity || this.#abort.signal.aborted) return;
    this.#cancelTimer = this.#deps.clock.after(waitMs, () => void this.sweep());
  }

  /** @returns milliseconds until a file that was too young may be compressed */
  async #applyRules(): Promise<number> {
    const { retention, compress } = this.#settings;
    const nowMs = this.#deps.clock.now();
    await this.#deleteLeftovers(nowMs);
    if (retention > 0) {
      for (const file of await this.#closed()) {
        if (nowMs - newestMs(file) >= retention) await this.#delete(file);
      }
    }
    const settleInMs = compress === 'zstd' ? await this.#compress(nowMs) : Infinity;
    await this.#shrink();
    return settleInMs;
  }

  /** What a dead process left: half-made copies, and originals beside a finished one. */
  async #deleteLeftovers(nowMs: number): Promise<void> {
    const files = await this.#find();
    for (const file of files) {
      if (file.kind === 'tmp' && nowMs - file.mtimeMs >= STALE_MS) await this.#delete(file);
      const copy = files.find((other) => other.name === `${file.name}.zst`);
      // The copy has its original's mtime; an original that changed after it holds more than it.
      if (copy) await this.#delete(file.mtimeMs - copy.mtimeMs < 1 ? file : copy);
    }
  }

  async #compress(nowMs: number): Promise<number> {
    let settleInMs = Infinity;
    for (const file of await this.#closed()) {
      if (this.#abort.signal.aborted) break;
      if (file.kind !== 'plain') continue;
      const silentMs = nowMs - file.mtimeMs;
      if (silentMs < this.#settleMs) {
        settleInMs = Math.min(settleInMs, this.#settleMs - silentMs);
        continue;
      }
      const path = join(this.#directory, file.name);
      try {
        await compressFile(path, { nowMs, signal: this.#abort.signal });
      } catch (error) {
        if (!this.#abort.signal.aborted && !isMissing(error)) this.#problem('compress', path, error);
      }
    }
    return settleInMs;
  }

  /** Deletes the oldest closed files until all together fit `max_total`. */
  async #shrink(): Promise<void> {
    const { max_total: maxTotal } = this.#settings;
    if (maxTotal === 0) return;
    let total = (await this.#find()).reduce((sum, file) => sum + file.size, 0);
    for (const file of await this.#closed()) {
      if (total <= maxTotal) return;
      await this.#delete(file);
      total -= file.size;
    }
  }

  /**
   * Files that nobody has open by rights: the same worker has a newer one of the day, or the day is over. Another worker is
   * given a minute to notice that. Oldest first.
   */
  async #closed(): Promise<Found[]> {
    const files = (await this.#find()).filter((file) => file.kind !== 'tmp');
    const nowMs = this.#deps.clock.now();
    const today = utcDay(nowMs);
    return files.filter(({ name, day, worker, sequence }) => {
      if (name === this.#current) return false;
      if (files.some((other) => other.day === day && other.worker === worker && other.sequence > sequence))
        return true;
      return worker === this.#deps.worker ? day < today : nowMs - endOfDay(day) >= LEAVE_MS;
    });
  }

  async #find(): Promise<Found[]> {
    const found: Found[] = [];
    for (const log of await listLogs(this.#directory)) {
      const stats = await stat(join(this.#directory, log.name)).catch((error: unknown) => {
        // Another process was faster.
        if (isMissing(error)) return undefined;
        throw error;
      });
      if (stats?.isFile()) found.push({ ...log, size: stats.size, mtimeMs: stats.mtimeMs });
    }
    return found;
  }

  async #delete(file: Found): Promise<void> {
    const path = join(this.#directory, file.name);
    await unlink(path).catch((error: unknown) => {
      if (!isMissing(error)) this.#problem('delete the old request log', path, error);
    });
  }

  #problem(action: string, object: string, error: unknown): void {
    this.#deps.onProblem(`Cannot ${action} ${object}: ${fileReason(error)}`);
  }
}

/** When the newest record of a file was written, at the latest. A copied file has a later mtime than that. */
function newestMs(file: Found): number {
  return Math.min(file.mtimeMs, endOfDay(file.day));
}
