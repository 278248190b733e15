/** Uploads complete request log files to S3 in the background, one at a time. */
import { open } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { Abort } from '../../abort.ts';
import type { Clock } from '../../clock.ts';
import { sleep } from '../../clock.ts';
import type { Upload } from '../../config/schema/upload.ts';
import { MAX_OBJECT_BYTES } from '../../config/schema/upload.ts';
import type { FoundLog } from '../closed-files.ts';
import { findLogs } from '../closed-files.ts';
import { fileReason, isMissing } from '../names.ts';
import { dueFiles } from './due-files.ts';
import { objectKey, placeOf, plainHost } from './object-key.ts';
import type { PutDeps, PutTarget, S3Credentials } from './put.ts';
import { checkBucket, putFile } from './put.ts';
import { UploadError } from './refusal.ts';
import type { UploadServer } from './server.ts';
import type { UploadState } from './state.ts';
import { UploadTally } from './tally.ts';
import { UploadedFiles } from './uploaded-files.ts';

export interface UploaderSettings {
  readonly directory: string;
  readonly compress: 'none' | 'zstd';
  readonly upload: Upload;
}

/** The dependencies of uploads outside the log. */
export interface UploadAccess {
  readonly server: UploadServer;
  /** Called for each file, so that renewed credentials are used; `undefined` if there are none. */
  readonly credentials: () => Promise<S3Credentials | undefined>;
  /** The number of workers that serve; 0 where a single process does. */
  readonly workers: number;
}

export interface UploaderDeps extends UploadAccess {
  readonly clock: Clock;
  readonly random: () => number;
  /** The number of this worker, from 1; 0 where a single process serves. */
  readonly worker: number;
  /** Cleans up the directory: compresses and deletes old files. */
  readonly sweep: () => Promise<void>;
  /** Files that are no longer written, oldest first. */
  readonly closed: () => Promise<readonly FoundLog[]>;
  readonly onProblem: (message: string) => void;
}

const FIRST_LOOK_MS = 1_000;
const LOOK_MS = 60_000;
const STALL_MS = 60_000;

/**
 * Checks once a minute for complete files, and uploads those whose present state was not uploaded. A failed upload is
 * retried after a second, then after twice the delay each time, 5 minutes at most.
 */
export class Uploader {
  readonly #settings: UploaderSettings;
  readonly #deps: UploaderDeps;
  readonly #directory: string;
  readonly #host: string;
  readonly #bucket: string;
  readonly #prefix: string;
  readonly #files: UploadedFiles;
  readonly #tally: UploadTally;
  readonly #abort = new AbortController();
  #running: Promise<void> | undefined;
  #checked = false;
  /** Whether no file is written any more. */
  #ending = false;
  #cancelTimer: () => void;

  constructor(settings: UploaderSettings, deps: UploaderDeps) {
    const { upload } = settings;
    const { clock, onProblem } = deps;
    this.#settings = settings;
    this.#deps = deps;
    this.#directory = resolve(settings.directory);
    this.#host = plainHost(upload.host ?? hostname());
    const { bucket, prefix } = placeOf(upload.url);
    this.#bucket = bucket;
    this.#prefix = prefix;
    this.#files = new UploadedFiles({
      directory: this.#directory,
      base: `s3://${bucket}/${prefix === '' ? '' : `${prefix}/`}date=`,
      signal: this.#abort.signal,
      onProblem,
    });
    this.#tally = new UploadTally(upload.url, clock, onProblem);
    this.#cancelTimer = clock.after(FIRST_LOOK_MS, () => void this.look());
  }

  get state(): UploadState {
    return this.#tally.state;
  }

  /** Whether a file was uploaded in its present state, so that it may be deleted. */
  async isUploaded(file: FoundLog): Promise<boolean> {
    return file.size === 0 || (await this.#files.uploadOf(file)) !== undefined;
  }

  /** Whether a file was uploaded in its present state and has since been kept here long enough. */
  async hasServed(file: FoundLog): Promise<boolean> {
    const { keep_local: keep } = this.#settings.upload;
    if (keep === true) return false;
    const marker = await this.#files.uploadOf(file);
    return marker !== undefined && this.#deps.clock.now() - Date.parse(marker.at) >= Number(keep);
  }

  /** Called when a file is deleted that was not uploaded. */
  lost(): void {
    this.#tally.lost();
  }

  /** Runs one check and uploads what is due. Never rejects. */
  look(): Promise<void> {
    if (this.#abort.signal.aborted) return Promise.resolve();
    this.#running ??= this.#look().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /**
   * Uploads the remaining files of this process within `stop_timeout`, and stops. The last file must be closed. If the
   * next process continues that file, it is uploaded again, to the same object.
   */
  async finish(): Promise<void> {
    const { clock, onProblem } = this.#deps;
    const { stop_timeout: limitMs } = this.#settings.upload;
    if (limitMs > 0) {
      this.#ending = true;
      const late = clock.after(limitMs, () => this.#abort.abort(new Error('the program ends')));
      // A check in progress may not have seen the last file.
      await this.#running;
      do await this.look();
      while (this.#tally.failing && (await this.#mayTryAgain()));
      late();
      const { files } = this.state;
      if (files > 0)
        onProblem(
          `Stopped before ${files} files of the request log were uploaded to ${this.#settings.upload.url}`,
        );
    }
    await this.close();
  }

  /** Waits before the next attempt at shutdown. @returns whether there is time for it */
  async #mayTryAgain(): Promise<boolean> {
    return sleep(this.#deps.clock, FIRST_LOOK_MS, Abort.following(this.#abort.signal)).then(
      () => true,
      () => false,
    );
  }

  /** Abandons the current upload: an interrupted one leaves no object, and the next process repeats it. */
  async close(): Promise<void> {
    this.#abort.abort(new Error('the program ends'));
    this.#cancelTimer();
    await this.#running;
  }

  async #look(): Promise<void> {
    const { clock, random, sweep } = this.#deps;
    this.#cancelTimer();
    try {
      await sweep();
      await this.#files.tidy();
      await this.#uploadAll();
    } catch (error) {
      if (!this.#abort.signal.aborted) this.#tally.failed(this.#directory, error);
    }
    if (this.#abort.signal.aborted || this.#ending) return;
    const waitMs = this.#tally.failing ? this.#tally.waitMs(random()) : LOOK_MS;
    this.#cancelTimer = clock.after(waitMs, () => void this.look());
  }

  async #uploadAll(): Promise<void> {
    const due = await this.#due();
    this.#tally.waiting(due);
    if (due.length === 0) await this.#check();
    let failed = false;
    for (const file of due) {
      if (this.#abort.signal.aborted) return;
      try {
        this.#tally.settled(file, await this.#upload(file));
      } catch (error) {
        if (this.#abort.signal.aborted) return;
        failed = true;
        this.#tally.failed(join(this.#directory, file.name), error);
        if (!(error instanceof UploadError && error.ofFile)) return;
      }
    }
    if (!failed) this.#tally.succeeded();
  }

  async #due(): Promise<FoundLog[]> {
    const { clock, closed, worker, workers } = this.#deps;
    const files = await (this.#ending ? findLogs(this.#directory) : closed());
    const { compress } = this.#settings;
    const options = { nowMs: clock.now(), compress, worker, workers, ending: this.#ending };
    const due: FoundLog[] = [];
    for (const file of dueFiles(files, options)) if (!(await this.#files.uploadOf(file))) due.push(file);
    return due;
  }

  /** Checks once whether the server can be used with these settings, as long as no upload has shown it. */
  async #check(): Promise<void> {
    if (this.#checked) return;
    await checkBucket(await this.#target(), this.#putDeps);
    this.#checked = true;
  }

  /** @param key of an object; without it, the bucket itself @throws UploadError */
  async #target(key?: string): Promise<PutTarget> {
    const { server } = this.#deps;
    const credentials = await this.#deps.credentials();
    if (!credentials)
      throw new UploadError(
        'there are no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile',
      );
    const path = key === undefined ? '' : `/${key.split('/').map(encodeURIComponent).join('/')}`;
    const address = `${server.bucketUrl}${path}`;
    const url = URL.parse(address);
    if (!url) throw new UploadError(`the address of the server is not a URL: ${address}`);
    return { url, region: server.region, credentials };
  }

  get #putDeps(): PutDeps {
    const { rate } = this.#settings.upload;
    return { clock: this.#deps.clock, signal: this.#abort.signal, rate, stallMs: STALL_MS };
  }

  async #upload(file: FoundLog): Promise<'uploaded' | 'changed'> {
    const found = await this.#files.identify(file);
    if (!found) return 'changed';
    if (file.size > MAX_OBJECT_BYTES)
      throw new UploadError('it is larger than 5 GiB, the most that S3 accepts in one request', {
        ofFile: true,
      });
    const before = await this.#files.before(file);
    // An earlier upload of the same file is replaced, even if the file was not compressed then.
    const key =
      before?.identity === found.identity
        ? before.object.slice(`s3://${this.#bucket}/`.length)
        : objectKey(file, { prefix: this.#prefix, host: this.#host, identity: found.identity });
    const handle = await openFile(join(this.#directory, file.name));
    if (!handle) return 'changed';
    try {
      const { size, mtimeMs } = await handle.stat();
      // The next check will find the file in its new state.
      if (size !== file.size || mtimeMs !== file.mtimeMs) return 'changed';
      const sha256 = await putFile(handle, size, await this.#target(key), this.#putDeps);
      await this.#files.remember(file, {
        object: `s3://${this.#bucket}/${key}`,
        at: new Date(this.#deps.clock.now()).toISOString(),
        sha256,
        name: file.name,
        bytes: size,
        mtime_ms: mtimeMs,
        ...found,
      });
      return 'uploaded';
    } finally {
      await handle.close();
    }
  }
}

async function openFile(path: string) {
  return open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    // It was compressed or deleted meanwhile.
    if (isMissing(error)) return undefined;
    throw new UploadError(fileReason(error), { ofFile: true, cause: error });
  });
}
