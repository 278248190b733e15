/** Writes the request log: collects records in memory and appends them as batches of lines, off the request path. */
import type { Clock } from '../clock.ts';
import type { Config } from '../config/schema.ts';
import { Appender } from './appender.ts';
import type { Batch, Waiting } from './backlog.ts';
import { BATCH_BYTES, Backlog } from './backlog.ts';
import { DayEnd } from './day-end.ts';
import { LogFile } from './files.ts';
import type { LineMaker } from './large.ts';
import { largeSize } from './large.ts';
import type { LogStats } from './losses.ts';
import { Losses, newStats } from './losses.ts';
import type { LogRecord } from './record.ts';
import { estimatedSize } from './record.ts';
import type { Redaction } from './redaction.ts';
import { Retention } from './retention.ts';
import { Syncs } from './syncs.ts';
import type { LogState, Trouble } from './trouble.ts';
import { lostText } from './trouble.ts';
import { withheld } from './withheld.ts';
import type { UploadAccess } from './upload/uploader.ts';
import { Uploader } from './upload/uploader.ts';

export type LogSettings = Config['logging']['requests'];

export interface LogWriterDeps {
  readonly clock: Clock;
  /** The number of this worker, from 1; omitted where a single process serves. */
  readonly worker?: number;
  /** Redacts lines at the moment they are made. */
  readonly redaction: () => Redaction;
  /** Turns large records into lines, off the event loop. */
  readonly makeLine: LineMaker;
  /** Called once when something goes wrong, and once when it works again. */
  readonly onProblem: (message: string) => void;
  /** Uploads closed files; they stay here if omitted. */
  readonly upload?: (UploadAccess & { readonly random: () => number }) | undefined;
}

export class LogWriter {
  readonly #settings: LogSettings;
  readonly #deps: LogWriterDeps;
  readonly #file: LogFile;
  readonly #appender: Appender;
  readonly #uploader: Uploader | undefined;
  readonly #retention: Retention;
  readonly #stats = newStats();
  readonly #losses: Losses;
  readonly #syncs: Syncs;
  readonly #dayEnd: DayEnd;
  readonly #backlog: Backlog;
  /** Large records whose lines are being made. */
  readonly #making = new Set<Promise<void>>();
  /** The batch that is being written, or that was not written completely. */
  #batch: Batch | undefined;
  /** Pending while batches are written; further records are collected meanwhile. */
  #writing: Promise<void> | undefined;
  #cancelFlush: (() => void) | undefined;
  #flushDue = false;
  /** Whether it was reported that the content of a record was left out. */
  #withheld = false;
  #closing: Promise<void> | undefined;

  constructor(settings: LogSettings, deps: LogWriterDeps) {
    this.#settings = settings;
    this.#deps = deps;
    const onProblem = (message: string) => this.#report(message);
    const { clock, worker = 0 } = deps;
    this.#losses = new Losses(this.#stats, settings.queue, { clock, onProblem });
    this.#uploader = this.#makeUploader(settings, worker, onProblem);
    this.#retention = new Retention(settings, { clock, worker, onProblem, uploads: this.#uploader });
    this.#backlog = new Backlog({
      redaction: deps.redaction,
      onLost: (record, size, error) => this.#losses.lose(record, size, error),
    });
    this.#file = new LogFile({
      directory: settings.directory,
      worker,
      rotateSize: settings.rotate_size,
      durable: settings.fsync !== 'never',
      clock,
      onOpen: (name, day) => this.#opened(name, day),
      onProblem,
    });
    this.#appender = new Appender(this.#file, this.#stats, this.#losses, { clock, onProblem });
    this.#syncs = new Syncs(settings.fsync, this.#file, { clock, due: () => this.#due() });
    this.#dayEnd = new DayEnd(clock, () => this.#due());
  }

  /** Live counters. */
  get stats(): LogStats {
    return this.#stats;
  }

  get state(): LogState {
    const { pending, dropped: lost } = this.#stats;
    const { since = null, reason = null } = this.#appender.trouble ?? {};
    const upload = this.#uploader ? { upload: this.#uploader.state } : {};
    return { state: this.#appender.trouble ? 'failing' : 'ok', since, reason, pending, lost, ...upload };
  }

  #makeUploader(
    { directory, compress, upload }: LogSettings,
    worker: number,
    onProblem: (message: string) => void,
  ): Uploader | undefined {
    const { clock, upload: access } = this.#deps;
    if (!upload || !access) return undefined;
    const sweep = () => this.#retention.sweep();
    const closed = () => this.#retention.closed();
    return new Uploader(
      { directory, compress, upload },
      { ...access, clock, worker, sweep, closed, onProblem },
    );
  }

  /**
   * Accepts a record to be written soon; it must not be changed afterwards. Costs less than a microsecond, never
   * throws.
   * @returns false when the record is dropped because the queue is full
   */
  write(record: LogRecord): boolean {
    if (this.#closing) {
      this.#stats.dropped++;
      return false;
    }
    // Content, however short, is redacted by a thread: on the event loop it would delay other requests.
    const large = this.#settings.redact_content.length > 0 ? estimatedSize(record) : largeSize(record);
    const size = large ?? estimatedSize(record);
    if (this.#stats.pending + size > this.#settings.queue) {
      this.#drop();
      return false;
    }
    this.#stats.pending += size;
    if (large === undefined) this.#waits({ size, record });
    else {
      const made = this.#make(record, size).finally(() => this.#making.delete(made));
      this.#making.add(made);
    }
    return true;
  }

  /** The record keeps its place in the queue while its line is made. */
  async #make(record: LogRecord, size: number): Promise<void> {
    try {
      const line = await this.#deps.makeLine(record);
      this.#stats.pending += line.length;
      this.#waits({ size: line.length, line: Buffer.from(line.buffer, line.byteOffset, line.length) });
      this.#stats.pending -= size;
    } catch (error) {
      if (this.#settings.redact_content.length === 0) this.#losses.lose(record, size, error);
      else {
        this.#tellWithheld(error);
        this.#waits({ size, record: withheld(record) });
      }
    }
  }

  /** Reported once; the records themselves are marked. */
  #tellWithheld(error: unknown): void {
    if (this.#withheld) return;
    this.#withheld = true;
    const reason = error instanceof Error ? error.name : typeof error;
    this.#report(
      `Cannot redact the content of a record (${reason}): it is written without its content, like all other such records`,
    );
  }

  /** Called when one more record waits to be written. */
  #waits(waiting: Waiting): void {
    this.#backlog.add(waiting);
    // While writing fails, the next attempt is already scheduled; closing writes everything that waits.
    if (this.#appender.trouble || this.#closing) return;
    if (this.#backlog.size >= BATCH_BYTES && !this.#writing) this.#start();
    else this.#armFlush();
  }

  /**
   * Writes waiting records at once. Resolves when every record accepted so far is in the file or counted as lost, or
   * when writing has failed: the records then go on waiting.
   */
  async flush(): Promise<void> {
    await Promise.all(this.#making);
    await this.#writing;
    // The write that was started meanwhile includes everything that waited at the time of the call.
    if (!this.#writing && this.#left > 0) this.#start();
    await this.#writing;
  }

  /**
   * Writes waiting records and closes the file. Whatever cannot be written now is lost, like any record that comes
   * later.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#syncs.close();
    this.#dayEnd.close();
    const settled = this.#retention.close();
    if (this.#settings.upload?.stop_timeout === 0) await this.#uploader?.close();
    do await this.flush();
    while (this.#writing || this.#making.size > 0 || (this.#left > 0 && !this.#appender.trouble));
    this.#cancelFlush?.();
    this.#giveUp();
    await this.#file.close();
    await settled;
    await this.#uploader?.finish();
  }

  /** Counts records that still wait at the end as lost. */
  #giveUp(): void {
    const trouble = this.#appender.trouble;
    if (!trouble) return;
    const left = this.#left;
    this.#backlog.clear();
    this.#batch = undefined;
    this.#stats.dropped += left;
    this.#stats.pending = 0;
    this.#report(
      `Cannot write the request log ${trouble.path} before the end: ${trouble.reason}; ${lostText(trouble.lost + left)}`,
    );
  }

  /** The number of records waiting or being written. */
  get #left(): number {
    return this.#backlog.records + (this.#batch ? this.#batch.records - this.#batch.written : 0);
  }

  #drop(): void {
    const { trouble } = this.#appender;
    if (trouble) trouble.lost++;
    this.#losses.drop(trouble !== undefined);
  }

  #armFlush(): void {
    this.#cancelFlush ??= this.#deps.clock.after(this.#settings.flush_interval, () => this.#due());
  }

  /** Writes now, or directly after the current write. */
  #due(): void {
    this.#flushDue = true;
    if (!this.#writing) this.#start();
  }

  /** Starts to write waiting records. Only one write is in flight at a time. */
  #start(): void {
    this.#cancelFlush?.();
    this.#cancelFlush = undefined;
    this.#flushDue = false;
    this.#writing = this.#writeAll().finally(() => {
      this.#writing = undefined;
      if (this.#appender.trouble) this.#retryLater(this.#appender.trouble);
      else if (this.#backlog.size >= BATCH_BYTES || this.#flushDue) this.#start();
    });
  }

  #retryLater({ waitMs }: Trouble): void {
    this.#cancelFlush?.();
    this.#cancelFlush = this.#closing ? undefined : this.#deps.clock.after(waitMs, () => this.#due());
  }

  /** Writes the records that wait now, batch by batch, until one fails. */
  async #writeAll(): Promise<void> {
    const until = this.#backlog.added;
    while (this.#batch || this.#backlog.added - this.#backlog.records < until) {
      this.#batch ??= this.#backlog.next();
      if (this.#batch && !(await this.#appender.append(this.#batch))) break;
      this.#batch = undefined;
    }
    await this.#syncs.sync();
    if (await this.#file.leave()) this.#retention.left();
  }

  /** Cleans up an old file even if nothing more is written, by other workers or by this one. */
  #opened(name: string, day: string): void {
    this.#retention.opened(name);
    const { head, content } = this.#settings.retention;
    if (this.#deps.worker !== undefined || head > 0 || content > 0 || this.#uploader) this.#dayEnd.after(day);
  }

  #report(message: string): void {
    try {
      this.#deps.onProblem(message);
    } catch {
      // A reporter that fails must not fail the request; the counters show the problem anyway.
      this.#stats.errors++;
    }
  }
}
