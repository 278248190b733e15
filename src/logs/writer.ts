/** Writes the request log: collects lines in memory and appends them in batches, off the request path. */
import type { Clock } from '../clock.ts';
import type { Config } from '../config/schema.ts';
import { LogFile } from './files.ts';
import type { LineMaker } from './large.ts';
import { largeSize } from './large.ts';
import { fileReason } from './names.ts';
import type { LogRecord } from './record.ts';
import { encodeRecord } from './record.ts';
import { Retention } from './retention.ts';

export type LogSettings = Config['logging']['requests'];

export interface LogWriterDeps {
  readonly clock: Clock;
  /** Takes the secrets out of a line; see `redactor()`. */
  readonly redact: (line: string) => string;
  /** Does the same for large records, off the event loop. */
  readonly makeLine: LineMaker;
  /** Told once when something goes wrong, and once when it is well again. */
  readonly onProblem: (message: string) => void;
}

export interface LogStats {
  /** Records in the files. */
  readonly written: number;
  /** Bytes in the files. */
  readonly bytes: number;
  /** Records lost: the queue or the disk was full, or they could not be encoded. */
  readonly dropped: number;
  /** Failed attempts to encode a record or to write a batch. */
  readonly errors: number;
  /** Bytes that wait in memory or are being written. */
  readonly pending: number;
}

/** A batch is written when it reaches this size, without waiting for `flush_interval`. */
const BATCH_BYTES = 256 * 1024;
const SYNC_MS = 1_000;
/** Least time between two reports of records that could not be encoded. */
const ENCODE_REPORT_MS = 60_000;

export class LogWriter {
  readonly #settings: LogSettings;
  readonly #deps: LogWriterDeps;
  readonly #file: LogFile;
  readonly #retention: Retention;
  readonly #stats = { written: 0, bytes: 0, dropped: 0, errors: 0, pending: 0 };
  /** Lines that wait, and how many. Concatenating strings costs less than any list or stream. */
  #batch = '';
  #records = 0;
  #batchBytes = 0;
  /** Large lines that wait, and those that are still being made. */
  #large: Uint8Array[] = [];
  readonly #making = new Set<Promise<void>>();
  /** The batch being written; the next one collects meanwhile. */
  #writing: Promise<void> | undefined;
  #cancelFlush: (() => void) | undefined;
  #cancelSync: (() => void) | undefined;
  #flushDue = false;
  #syncedMs = -Infinity;
  #closing: Promise<void> | undefined;
  /** Records lost since writing began to fail. */
  #failing: { lost: number } | undefined;
  /** Records dropped since the queue filled up. */
  #full: { dropped: number } | undefined;
  #encodeReportedMs = -Infinity;

  constructor(settings: LogSettings, deps: LogWriterDeps) {
    this.#settings = settings;
    this.#deps = deps;
    const onProblem = (message: string) => this.#report(message);
    this.#retention = new Retention(settings, { clock: deps.clock, onProblem });
    this.#file = new LogFile({
      directory: settings.directory,
      rotateSize: settings.rotate_size,
      durable: settings.fsync !== 'never',
      clock: deps.clock,
      onOpen: (name) => this.#retention.opened(name),
      onProblem,
    });
  }

  /** Counters that go on counting. */
  get stats(): LogStats {
    return this.#stats;
  }

  /**
   * Takes a record to be written soon. Costs microseconds, never throws.
   * @returns false when the record is dropped: the queue is full
   */
  write(record: LogRecord): boolean {
    const size = largeSize(record);
    if (size !== undefined && !this.#closing) return this.#writeLarge(record, size);
    const line = this.#closing ? undefined : this.#encode(record);
    if (line === undefined) {
      this.#stats.dropped++;
      return false;
    }
    const bytes = Buffer.byteLength(line);
    if (!this.#hasRoom(bytes)) return false;
    this.#batch += line;
    this.#stats.pending += bytes;
    this.#waits(bytes);
    return true;
  }

  /** Its place in the queue is held while its line is made. */
  #writeLarge(record: LogRecord, size: number): boolean {
    if (!this.#hasRoom(size)) return false;
    this.#stats.pending += size;
    const made = this.#make(record, size).finally(() => this.#making.delete(made));
    this.#making.add(made);
    return true;
  }

  async #make(record: LogRecord, size: number): Promise<void> {
    try {
      const line = await this.#deps.makeLine(record);
      this.#large.push(line);
      this.#stats.pending += line.length;
      this.#waits(line.length);
    } catch (error) {
      this.#lose(record, error);
      this.#stats.dropped++;
    }
    this.#stats.pending -= size;
  }

  #hasRoom(bytes: number): boolean {
    if (this.#stats.pending + bytes <= this.#settings.queue) return true;
    this.#drop();
    return false;
  }

  /** One more line waits to be written. */
  #waits(bytes: number): void {
    this.#records++;
    this.#batchBytes += bytes;
    if (this.#batchBytes >= BATCH_BYTES && !this.#writing) this.#start();
    else this.#armFlush();
  }

  /** Resolves when every record taken so far is in the file, or counted as lost. */
  async flush(): Promise<void> {
    await Promise.all(this.#making);
    await this.#writing;
    // A batch begun meanwhile holds all that waited at the call.
    if (!this.#writing && this.#records > 0) this.#start();
    await this.#writing;
  }

  /** Writes what waits and closes the file; records that come later are dropped. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#cancelSync?.();
    const settled = this.#retention.close();
    while (this.#writing || this.#records > 0 || this.#making.size > 0) await this.flush();
    await this.#file.close();
    await settled;
  }

  #encode(record: LogRecord): string | undefined {
    try {
      return this.#deps.redact(encodeRecord(record));
    } catch (error) {
      this.#lose(record, error);
      return undefined;
    }
  }

  /** Tells of a record that could not be encoded, now and then. */
  #lose(record: LogRecord, error: unknown): void {
    this.#stats.errors++;
    const nowMs = this.#deps.clock.monotonic();
    if (nowMs - this.#encodeReportedMs < ENCODE_REPORT_MS) return;
    this.#encodeReportedMs = nowMs;
    // The parser's message quotes the text it stumbled over, which may be anything: only its name is told.
    const kind = error instanceof Error ? error.name : typeof error;
    this.#report(`Cannot encode the log record of request ${record.id}: ${kind}; it is dropped and counted`);
  }

  #drop(): void {
    this.#stats.dropped++;
    if (this.#full) {
      this.#full.dropped++;
      return;
    }
    this.#full = { dropped: 1 };
    this.#report('The queue of the request log is full: records are dropped and counted');
  }

  #armFlush(): void {
    this.#cancelFlush ??= this.#deps.clock.after(this.#settings.flush_interval, () => this.#due());
  }

  /** Writes now, or right after the write in flight. */
  #due(): void {
    this.#flushDue = true;
    if (!this.#writing) this.#start();
  }

  /** Begins to write what waits. Only one write is in flight at a time. */
  #start(): void {
    this.#cancelFlush?.();
    this.#cancelFlush = undefined;
    this.#flushDue = false;
    this.#writing = this.#writeBatch().finally(() => {
      this.#writing = undefined;
      if (this.#batchBytes >= BATCH_BYTES || this.#flushDue) this.#start();
    });
  }

  async #writeBatch(): Promise<void> {
    const records = this.#records;
    const batch = Buffer.from(this.#batch);
    const lines = this.#large.length > 0 ? Buffer.concat([batch, ...this.#large]) : batch;
    this.#batch = '';
    this.#large = [];
    this.#records = 0;
    this.#batchBytes = 0;
    if (records > 0) {
      const { bytes, error } = await this.#file.append(lines);
      this.#stats.pending -= lines.length;
      this.#stats.bytes += bytes;
      if (error === undefined) this.#succeed(records);
      else this.#fail(error, records, countLines(lines.subarray(0, bytes)));
    }
    await this.#sync();
  }

  #succeed(records: number): void {
    this.#stats.written += records;
    const failing = this.#failing;
    this.#failing = undefined;
    if (failing) {
      this.#report(`Request log ${this.#file.path} is written again, ${failing.lost} records were lost`);
    }
    // Half empty, so that a queue at its brim is not reported over and over.
    if (this.#full && this.#stats.pending <= this.#settings.queue / 2) {
      const { dropped } = this.#full;
      this.#full = undefined;
      this.#report(`The queue of the request log has room again, ${dropped} records were dropped`);
    }
  }

  #fail(error: unknown, records: number, written: number): void {
    const lost = records - written;
    this.#stats.errors++;
    this.#stats.written += written;
    this.#stats.dropped += lost;
    if (this.#failing) {
      this.#failing.lost += lost;
      return;
    }
    this.#failing = { lost };
    const what = `${this.#file.path}: ${fileReason(error)}`;
    this.#report(`Cannot write the request log ${what}; records are dropped and counted`);
  }

  /** Forces the batch to disk as often as the settings ask for. */
  async #sync(): Promise<void> {
    const { fsync } = this.#settings;
    if (fsync === 'never') return;
    const { clock } = this.#deps;
    const waitMs = fsync === 'always' ? 0 : this.#syncedMs + SYNC_MS - clock.monotonic();
    if (waitMs <= 0) {
      await this.#file.sync();
      this.#syncedMs = clock.monotonic();
      return;
    }
    if (this.#closing) return;
    this.#cancelSync ??= clock.after(waitMs, () => {
      this.#cancelSync = undefined;
      this.#due();
    });
  }

  #report(message: string): void {
    try {
      this.#deps.onProblem(message);
    } catch {
      // A reporter that fails must not fail the request; the counters tell the rest.
      this.#stats.errors++;
    }
  }
}

function countLines(lines: Buffer): number {
  let count = 0;
  for (let at = lines.indexOf(10); at >= 0; at = lines.indexOf(10, at + 1)) count++;
  return count;
}
