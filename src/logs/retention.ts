/** Deletes and compresses old files of the request log, and takes the content out of them, in the background. */
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
/** How long a file must have been silent before it is replaced: another process may still append. */
const SETTLE_MS = 60_000;

/** What is known of uploads, where closed files are to be uploaded. */
export interface Uploads {
  /** Whether a file was uploaded as it is: it may be deleted. */
  isUploaded(file: FoundLog): Promise<boolean>;
  /** Whether it was, and need not be kept here any longer. */
  hasServed(file: FoundLog): Promise<boolean>;
  /** Told of a file that is deleted before it was uploaded. */
  lost(): void;
}

export interface RetentionDeps {
  readonly clock: Clock;
  /** Which of several workers writes, from 1; 0 where one process serves. */
  readonly worker: number;
  readonly onProblem: (message: string) => void;
  readonly uploads?: Uploads | undefined;
}

/**
 * Keeps the directory within `retention` and `max_total`, compresses what is closed, and takes the content out of what is
 * old. It looks after each opening of a file and, where a file can become too old without that, once an hour. Only files
 * with our names are touched, and never the newest of today of any worker nor the one being written.
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
  /** Files known to hold heads alone, with their sizes. */
  #expired = new Map<string, number>();
  /** Problems that were told within the last hour, and when. */
  readonly #told = new Map<string, number>();
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
    const rules = agesIn(retention) || max_total > 0 || compress !== 'none' || this.#deps.uploads;
    const idle = !rules;
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
    const waitMs = Math.min(settleInMs, agesIn(this.#settings.retention) ? HOUR_MS : Infinity);
    if (waitMs === Infinity || this.#abort.signal.aborted) return;
    this.#cancelTimer = this.#deps.clock.after(waitMs, () => void this.sweep());
  }

  /** @returns milliseconds until a file that was too young may be compressed */
  async #applyRules(): Promise<number> {
    const { retention, compress } = this.#settings;
    const nowMs = this.#deps.clock.now();
    await this.#deleteLeftovers(nowMs);
    if (retention.head > 0) {
      for (const file of await this.closed()) {
        // One that is to be uploaded is kept until it is.
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

  /** Deletes what was uploaded and is not to be kept here. */
  async #deleteServed(): Promise<void> {
    const { uploads } = this.#deps;
    for (const file of uploads ? await this.closed() : [])
      if (await uploads?.hasServed(file)) await this.#delete(file);
  }

  /** What a dead process left: half-made copies, and originals beside a finished one. */
  async #deleteLeftovers(nowMs: number): Promise<void> {
    const files = await findLogs(this.#directory);
    const named = new Map(files.map((file) => [file.name, file]));
    for (const file of files) {
      if (file.kind === 'tmp' && nowMs - file.mtimeMs >= STALE_MS) await this.#unlink(file);
      const copy = named.get(`${file.name}.zst`);
      // The copy has its original's mtime; an original that changed after it holds more than it.
      if (copy) await this.#unlink(file.mtimeMs - copy.mtimeMs < 1 ? file : copy);
    }
  }

  /** Leaves the heads alone in files that are older than that. */
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

  /** @returns whether the file holds heads alone already */
  async #expireFile(name: string, nowMs: number): Promise<boolean> {
    const path = join(this.#directory, name);
    const { signal } = this.#abort;
    try {
      if (await isExpired(path, signal)) return true;
      const expired = await expireFile(path, { nowMs, signal });
      if (expired?.damaged) this.#tell(path, 'it was damaged, and what came behind the damage is gone');
      if (expired && expired.lost > 0)
        this.#tell(path, `lines that were no records are gone (${expired.lost})`);
    } catch (error) {
      if (!signal.aborted && !isMissing(error)) this.#problem('take the content out of', path, error);
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

  /** Deletes the oldest closed files until all together fit `max_total`. */
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
    // The disk comes first: without room on it nothing more is logged.
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

  /** Files that nobody writes, oldest first. @see closedAmong */
  async closed(): Promise<FoundLog[]> {
    const writer = { worker: this.#deps.worker, current: this.#current };
    return closedAmong(await findLogs(this.#directory), this.#deps.clock.now(), writer);
  }

  #tell(path: string, what: string): void {
    this.#deps.onProblem(`Took the content out of the request log ${path}: ${what}`);
  }

  #problem(action: string, object: string, error: unknown): void {
    const message = `Cannot ${action} ${object}: ${fileReason(error)}`;
    const nowMs = this.#deps.clock.monotonic();
    // A sweep may come each minute, and find the same.
    for (const [told, atMs] of this.#told) if (nowMs - atMs >= HOUR_MS) this.#told.delete(told);
    if (this.#told.has(message)) return;
    this.#told.set(message, nowMs);
    this.#deps.onProblem(message);
  }
}

function agesIn({ content, head }: RetentionSettings['retention']): boolean {
  return content > 0 || head > 0;
}
