/** Deletes and compresses old request log files, and removes content from them, in the background. */
import { unlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Clock } from '../clock.ts';
import type { Config } from '../config/schema.ts';
import type { FoundLog } from './closed-files.ts';
import { closedAmong, findLogs, newestMs } from './closed-files.ts';
import { compressFile } from './compress.ts';
import { STALE_MS } from './copy.ts';
import { expireFile, isExpired } from './expire.ts';
import { fileReason, isMissing } from './names.ts';
import { deleteMarker } from './upload/marker.ts';

export type RetentionSettings = Pick<
  Config['logging']['requests'],
  'directory' | 'retention' | 'max_total' | 'compress'
>;

const HOUR_MS = 3_600_000;
/** How long a file must be unchanged before it is replaced: another process may still append to it. */
const SETTLE_MS = 60_000;

/** The state of uploads, where closed files are to be uploaded. */
export interface Uploads {
  /** Whether a file was uploaded in its present state, so that it may be deleted. */
  isUploaded(file: FoundLog): Promise<boolean>;
  /** Whether it was, and need no longer be kept here. */
  hasServed(file: FoundLog): Promise<boolean>;
  /** Called when a file is deleted before it was uploaded. */
  lost(): void;
}

export interface RetentionDeps {
  readonly clock: Clock;
  /** The number of the worker that writes, from 1; 0 where a single process serves. */
  readonly worker: number;
  readonly onProblem: (message: string) => void;
  readonly uploads?: Uploads | undefined;
}

/**
 * Keeps the directory within `retention` and `max_total`, compresses closed files, and removes content that is too old.
 * It runs each time a file is opened and, if files can expire in between, once an hour. Only files with the names of a
 * log are touched, and never a worker's newest file of today or the file being written.
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
  /** Files known to hold only heads, with their sizes. */
  #expired = new Map<string, number>();
  /** Problems reported within the last hour, and when. */
  readonly #warned = new Map<string, number>();
  #cancelTimer: (() => void) | undefined;

  /** @param settleMs how long a file must be unchanged to count as closed for compression, milliseconds */
  constructor(settings: RetentionSettings, deps: RetentionDeps, settleMs = SETTLE_MS) {
    this.#settings = settings;
    this.#deps = deps;
    this.#directory = resolve(settings.directory);
    this.#settleMs = settleMs;
    this.#arm(Infinity);
  }

  /** Sets the file that is written from now on, and starts a sweep in the background. */
  opened(name: string): void {
    this.#current = name;
    void this.sweep();
  }

  /** Declares that no file is open any more: all may be compressed and deleted. */
  left(): void {
    this.#current = undefined;
    void this.sweep();
  }

  /** Applies the rules once; when a sweep is under way, once more after it. Never rejects. */
  sweep(): Promise<void> {
    const { retention, max_total, compress } = this.#settings;
    const rules = agesIn(retention) || max_total > 0 || compress !== 'none' || this.#deps.uploads;
    const idle = !rules;
    if (idle || this.#abort.signal.aborted) return Promise.resolve();
    this.#again = this.#sweeping !== undefined;
    this.#sweeping ??= this.#sweep().finally(() => {
      this.#sweeping = undefined;
    });
    return this.#sweeping;
  }

  /** Stops the current work as soon as it can be interrupted. */
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

  /**
   * Schedules the next sweep: when a file has settled, or in an hour if age matters. Otherwise the next opening
   * triggers it.
   */
  #arm(settleInMs: number): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const waitMs = Math.min(settleInMs, agesIn(this.#settings.retention) ? HOUR_MS : Infinity);
    if (waitMs === Infinity || this.#abort.signal.aborted) return;
    this.#cancelTimer = this.#deps.clock.after(waitMs, () => void this.sweep());
  }

  /** @returns milliseconds until a file that is too recent may be compressed */
  async #applyRules(): Promise<number> {
    const { retention, compress } = this.#settings;
    const nowMs = this.#deps.clock.now();
    await this.#deleteLeftovers(nowMs);
    if (retention.head > 0) {
      for (const file of await this.closed()) {
        // A file that is to be uploaded is kept until it has been.
        if (nowMs - newestMs(file) >= retention.head && (await this.#mayGo(file))) await this.#delete(file);
      }
    }
    if (retention.content > 0) await this.#expire(nowMs, retention.content);
    const settleInMs = compress === 'zstd' ? await this.#compress(nowMs) : Infinity;
    await this.#deleteServed();
    await this.#shrink();
    return settleInMs;
  }

  async #mayGo(file: FoundLog): Promise<boolean> {
    return !this.#deps.uploads || (await this.#deps.uploads.isUploaded(file));
  }

  /** Deletes files that were uploaded and need not be kept here. */
  async #deleteServed(): Promise<void> {
    const { uploads } = this.#deps;
    for (const file of uploads ? await this.closed() : [])
      if (await uploads?.hasServed(file)) await this.#delete(file);
  }

  /** Removes what a dead process left: unfinished copies, and originals beside a finished copy. */
  async #deleteLeftovers(nowMs: number): Promise<void> {
    const files = await findLogs(this.#directory);
    const named = new Map(files.map((file) => [file.name, file]));
    for (const file of files) {
      if (file.kind === 'tmp' && nowMs - file.mtimeMs >= STALE_MS) await this.#unlink(file);
      const copy = named.get(`${file.name}.zst`);
      // The copy has the mtime of its original; an original that changed later holds more than the copy.
      if (copy) await this.#unlink(file.mtimeMs - copy.mtimeMs < 1 ? file : copy);
    }
  }

  /** Reduces files older than that to their heads. */
  async #expire(nowMs: number, contentMs: number): Promise<void> {
    const known = this.#expired;
    this.#expired = new Map();
    for (const file of await this.closed()) {
      const { name, size, mtimeMs } = file;
      const old = nowMs - newestMs(file) >= contentMs && nowMs - mtimeMs >= this.#settleMs;
      if (!old || this.#abort.signal.aborted) continue;
      if (known.get(name) === size || (await this.#expireFile(name, nowMs))) this.#expired.set(name, size);
    }
  }

  /** @returns whether the file now holds only heads */
  async #expireFile(name: string, nowMs: number): Promise<boolean> {
    const path = join(this.#directory, name);
    const { signal } = this.#abort;
    try {
      if (await isExpired(path, signal)) return true;
      const expired = await expireFile(path, { nowMs, signal });
      if (expired?.damaged) this.#tell(path, 'it was damaged, and everything after the damage is gone');
      if (expired && expired.lost > 0)
        this.#tell(path, `lines that were not records are gone (${expired.lost})`);
    } catch (error) {
      if (!signal.aborted && !isMissing(error)) this.#problem('remove the content from', path, error);
    }
    return false;
  }

  async #compress(nowMs: number): Promise<number> {
    let settleInMs = Infinity;
    for (const file of await this.closed()) {
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

  /** Deletes the oldest closed files until the total fits `max_total`. */
  async #shrink(): Promise<void> {
    const { max_total: maxTotal } = this.#settings;
    if (maxTotal === 0) return;
    let total = (await findLogs(this.#directory)).reduce((sum, file) => sum + file.size, 0);
    const needed: FoundLog[] = [];
    for (const file of await this.closed()) {
      if (total <= maxTotal) return;
      if (await this.#mayGo(file)) {
        await this.#delete(file);
        total -= file.size;
      } else needed.push(file);
    }
    // Disk space comes first: without it, nothing more can be logged.
    for (const file of needed) {
      if (total <= maxTotal) return;
      await this.#delete(file);
      total -= file.size;
      this.#deps.uploads?.lost();
      this.#deps.onProblem(
        `Deleted the request log ${join(this.#directory, file.name)} before it was uploaded: the log exceeds logging.requests.max_total`,
      );
    }
  }

  async #delete(file: FoundLog): Promise<void> {
    await this.#unlink(file);
    await deleteMarker(this.#directory, file.name);
  }

  async #unlink(file: FoundLog): Promise<void> {
    const path = join(this.#directory, file.name);
    await unlink(path).catch((error: unknown) => {
      if (!isMissing(error)) this.#problem('delete the old request log', path, error);
    });
  }

  /** Files that are no longer written, oldest first. @see closedAmong */
  async closed(): Promise<FoundLog[]> {
    const writer = { worker: this.#deps.worker, current: this.#current };
    return closedAmong(await findLogs(this.#directory), this.#deps.clock.now(), writer);
  }

  #tell(path: string, what: string): void {
    this.#deps.onProblem(`Removed the content from the request log ${path}: ${what}`);
  }

  #problem(action: string, object: string, error: unknown): void {
    const message = `Cannot ${action} ${object}: ${fileReason(error)}`;
    const nowMs = this.#deps.clock.monotonic();
    // Sweeps may run every minute and find the same problem again.
    for (const [warned, atMs] of this.#warned) if (nowMs - atMs >= HOUR_MS) this.#warned.delete(warned);
    if (this.#warned.has(message)) return;
    this.#warned.set(message, nowMs);
    this.#deps.onProblem(message);
  }
}

function agesIn({ content, head }: RetentionSettings['retention']): boolean {
  return content > 0 || head > 0;
}
