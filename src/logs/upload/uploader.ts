/** Uploads complete files of the request log to S3, in the background, one at a time. */
import { open } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { Abort } from '../../abort.ts';
import type { Clock } from '../../clock.ts';
import { sleep } from '../../clock.ts';
import type { Upload } from '../../config/upload-schema.ts';
import { MAX_OBJECT_BYTES } from '../../config/upload-schema.ts';
import type { FoundLog } from '../closed-files.ts';
import { findLogs } from '../closed-files.ts';
import { fileReason, isMissing } from '../names.ts';
import type { Identity } from './identity.ts';
import { identityOf } from './identity.ts';
import type { Marker } from './marker.ts';
import { Markers } from './marker.ts';
import { objectKey, placeOf, plainHost } from './object-key.ts';
import type { PutDeps, S3Credentials } from './put.ts';
import { checkBucket, putFile } from './put.ts';
import { UploadError } from './refusal.ts';
import type { UploadServer } from './server.ts';
import type { UploadState } from './state.ts';

export interface UploaderSettings {
  readonly directory: string;
  readonly compress: 'none' | 'zstd';
  readonly upload: Upload;
}

/** What uploads need from outside the log. */
export interface UploadAccess {
  readonly server: UploadServer;
  /** Asked for at each file, so that renewed ones count; `undefined` when there are none. */
  readonly credentials: () => Promise<S3Credentials | undefined>;
  /** How many workers serve; 0 where one process does. */
  readonly workers: number;
}

export interface UploaderDeps extends UploadAccess {
  readonly clock: Clock;
  readonly random: () => number;
  /** From 1; 0 where one process serves. */
  readonly worker: number;
  /** Tidies the directory up: what is old is compressed and goes. */
  readonly sweep: () => Promise<void>;
  /** Files that nobody writes, oldest first. */
  readonly closed: () => Promise<readonly FoundLog[]>;
  readonly onProblem: (message: string) => void;
}

const FIRST_LOOK_MS = 1_000;
const LOOK_MS = 60_000;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 5 * 60_000;
/** How long a file must have been silent: another process may still append. */
const SETTLE_MS = 60_000;
/** One that is to be compressed first is not waited for any longer. */
const COMPRESS_WAIT_MS = 10 * 60_000;
const STALL_MS = 60_000;

/** Times that tests shorten, milliseconds. */
export interface UploadTimes {
  readonly settleMs?: number;
  readonly stallMs?: number;
}

/**
 * Looks for complete files once a minute, and uploads those that were not uploaded as they are now. A failed upload is
 * tried again after a second, then after twice as long each time, 5 minutes at most.
 */
export class Uploader {
  readonly #settings: UploaderSettings;
  readonly #deps: UploaderDeps;
  readonly #directory: string;
  readonly #host: string;
  readonly #settleMs: number;
  readonly #stallMs: number;
  readonly #markers: Markers;
  readonly #abort = new AbortController();
  #pending = { files: 0, bytes: 0 };
  #counts = { uploaded: 0, uploaded_bytes: 0, failures: 0, lost: 0 };
  #trouble: { readonly since: string; reason: string; attempts: number } | undefined;
  #running: Promise<void> | undefined;
  #checked = false;
  /** Whether no file is written any more, and none need be waited for. */
  #ending = false;
  /** Whether the disk did not take a marker. */
  #unsaved = false;
  #cancelTimer: () => void;

  constructor(settings: UploaderSettings, deps: UploaderDeps, times: UploadTimes = {}) {
    this.#settings = settings;
    this.#deps = deps;
    this.#directory = resolve(settings.directory);
    this.#host = plainHost(settings.upload.host ?? hostname());
    this.#settleMs = times.settleMs ?? SETTLE_MS;
    this.#stallMs = times.stallMs ?? STALL_MS;
    this.#markers = new Markers(this.#directory);
    this.#cancelTimer = deps.clock.after(FIRST_LOOK_MS, () => void this.look());
  }

  get state(): UploadState {
    const { since = null, reason = null } = this.#trouble ?? {};
    return { state: this.#trouble ? 'failing' : 'ok', since, reason, ...this.#pending, ...this.#counts };
  }

  /** Whether a file was uploaded as it is: it may be deleted. */
  async isUploaded(file: FoundLog): Promise<boolean> {
    return file.size === 0 || (await this.#uploadOf(file)) !== undefined;
  }

  /** Whether a file was uploaded as it is, and has been kept here for long enough since. */
  async hasServed(file: FoundLog): Promise<boolean> {
    const { keep_local: keep } = this.#settings.upload;
    if (keep === true) return false;
    const marker = await this.#uploadOf(file);
    return marker !== undefined && this.#deps.clock.now() - Date.parse(marker.at) >= Number(keep);
  }

  /** A file is deleted that was not uploaded. */
  lost(): void {
    this.#counts.lost += 1;
  }

  /** Looks once, and uploads what is due. Never rejects. */
  look(): Promise<void> {
    if (this.#abort.signal.aborted) return Promise.resolve();
    this.#running ??= this.#look().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /**
   * Uploads what is left of this process's files, for as long as `stop_timeout` says, and ends the work. The last file must be
   * closed. When the next process goes on with that, it is uploaded again, to the same object.
   */
  async finish(): Promise<void> {
    const { stop_timeout: limitMs } = this.#settings.upload;
    if (limitMs > 0) {
      this.#ending = true;
      const late = this.#deps.clock.after(limitMs, () => this.#abort.abort(new Error('the program ends')));
      do await this.look();
      while (this.#trouble && (await this.#mayTryAgain()));
      late();
      if (this.#pending.files > 0)
        this.#deps.onProblem(
          `Stopped before ${this.#pending.files} files of the request log were uploaded; they are uploaded after the next start`,
        );
    }
    await this.close();
  }

  /** Waits before the next attempt of the end. @returns whether there is time for it */
  async #mayTryAgain(): Promise<boolean> {
    const abort = Abort.following(this.#abort.signal);
    return sleep(this.#deps.clock, FIRST_WAIT_MS, abort).then(
      () => true,
      () => false,
    );
  }

  /** Leaves the work at hand: an upload that is cut leaves no object, and is made again by the next process. */
  async close(): Promise<void> {
    this.#abort.abort(new Error('the program ends'));
    this.#cancelTimer();
    await this.#running;
  }

  async #look(): Promise<void> {
    this.#cancelTimer();
    try {
      await this.#deps.sweep();
      await this.#save();
      await this.#markers.tidy();
      await this.#uploadAll();
    } catch (error) {
      if (!this.#abort.signal.aborted) this.#fails(`Cannot upload the request log ${this.#directory}`, error);
    }
    if (this.#abort.signal.aborted || this.#ending) return;
    this.#cancelTimer = this.#deps.clock.after(this.#waitMs, () => void this.look());
  }

  get #waitMs(): number {
    if (!this.#trouble) return LOOK_MS;
    const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (this.#trouble.attempts - 1));
    return longest * (0.5 + this.#deps.random() / 2);
  }

  /** Whether the server can be reached with these settings, once: later uploads tell. */
  async #check(): Promise<void> {
    if (this.#checked) return;
    const { server } = this.#deps;
    const target = {
      url: new URL(server.bucketUrl),
      region: server.region,
      credentials: await this.#credentials(),
    };
    await checkBucket(target, this.#putDeps);
    this.#checked = true;
  }

  async #credentials(): Promise<S3Credentials> {
    const found = await this.#deps.credentials();
    if (found) return found;
    throw new UploadError(
      'there are no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile',
    );
  }

  get #putDeps(): PutDeps {
    const { rate } = this.#settings.upload;
    return { clock: this.#deps.clock, signal: this.#abort.signal, rate, stallMs: this.#stallMs };
  }

  async #uploadAll(): Promise<void> {
    const due = await this.#due();
    const left = { files: due.length, bytes: due.reduce((sum, { size }) => sum + size, 0) };
    this.#pending = left;
    await this.#check();
    let failed = false;
    for (const file of due) {
      if (this.#abort.signal.aborted) return;
      try {
        await this.#upload(file);
        left.files -= 1;
        left.bytes -= file.size;
      } catch (error) {
        if (this.#abort.signal.aborted) return;
        failed = true;
        this.#fails(`Cannot upload the request log ${join(this.#directory, file.name)}`, error);
        if (!(error instanceof UploadError && error.ofFile)) return;
      }
    }
    if (!failed) this.#succeeds();
  }

  /** Files that this process is to upload now. */
  async #due(): Promise<FoundLog[]> {
    const all = () => findLogs(this.#directory).then((found) => found.filter(({ kind }) => kind !== 'tmp'));
    const files = await (this.#ending ? all() : this.#deps.closed());
    const nowMs = this.#deps.clock.now();
    const names = new Set(files.map(({ name }) => name));
    const due: FoundLog[] = [];
    for (const file of files) {
      const packs = this.#settings.compress === 'zstd' && file.kind === 'plain';
      const settled =
        nowMs - file.mtimeMs >= (packs ? Math.max(this.#settleMs, COMPRESS_WAIT_MS) : this.#settleMs);
      if (!(settled || this.#ending) || file.size === 0 || !this.#isOurs(file)) continue;
      // While both are there, one of them is about to be deleted.
      if (file.kind === 'plain' && names.has(`${file.name}.zst`)) continue;
      if (!(await this.#uploadOf(file))) due.push(file);
    }
    return due;
  }

  /** Those of workers that there are no more are the first one's. */
  #isOurs({ worker }: FoundLog): boolean {
    const { worker: own, workers } = this.#deps;
    if (worker === own) return true;
    const served = worker >= 1 && worker <= workers;
    return !served && own <= 1;
  }

  /** The upload that holds what is in the file now. */
  async #uploadOf(file: FoundLog): Promise<Marker | undefined> {
    const marker = await this.#markers.of(file);
    if (!marker || Math.abs(marker.mtime_ms - file.mtimeMs) >= 2) return undefined;
    if (!marker.object.startsWith(this.#base)) return undefined;
    if (marker.name === file.name && marker.bytes === file.size) return marker;
    // It was compressed, or its content was taken out. Both keep the time of change.
    const found = await this.#identify(file);
    if (found?.identity !== marker.identity || found.expired !== marker.expired) return undefined;
    const same = { ...marker, name: file.name, bytes: file.size };
    await this.#remember(file.name, same);
    return same;
  }

  async #upload(file: FoundLog): Promise<void> {
    const path = join(this.#directory, file.name);
    const { upload } = this.#settings;
    const { clock, server } = this.#deps;
    const found = await this.#identify(file);
    if (!found) return;
    if (file.size > MAX_OBJECT_BYTES)
      throw new UploadError('it is larger than 5 GiB, the most that S3 accepts in one request', {
        ofFile: true,
      });
    const credentials = await this.#credentials();
    const before = await this.#markers.of(file);
    // What was uploaded of the same file before is replaced, also where it was not compressed then.
    const replaced = before?.identity === found.identity && before.object.startsWith(this.#base);
    const key = replaced
      ? before.object.slice(`s3://${this.#bucket}/`.length)
      : objectKey(file, { prefix: placeOf(upload.url).prefix, host: this.#host, identity: found.identity });
    const url = new URL(`${server.bucketUrl}/${key.split('/').map(encodeURIComponent).join('/')}`);
    const handle = await openFile(path);
    if (!handle) return;
    try {
      const { size, mtimeMs } = await handle.stat();
      if (size !== file.size || mtimeMs !== file.mtimeMs) return;
      const sha256 = await putFile(handle, size, { url, region: server.region, credentials }, this.#putDeps);
      this.#counts.uploaded += 1;
      this.#counts.uploaded_bytes += size;
      await this.#remember(file.name, {
        object: `s3://${this.#bucket}/${key}`,
        at: new Date(clock.now()).toISOString(),
        sha256,
        name: file.name,
        bytes: size,
        mtime_ms: mtimeMs,
        ...found,
      });
    } finally {
      await handle.close();
    }
  }

  /** @returns `undefined` when there is no such file any more */
  async #identify({ name }: FoundLog): Promise<Identity | undefined> {
    try {
      return await identityOf(join(this.#directory, name), this.#abort.signal);
    } catch (error) {
      if (isMissing(error) || isMissing((error as Error).cause)) return undefined;
      throw new UploadError(fileReason((error as Error).cause ?? error), { ofFile: true, cause: error });
    }
  }

  async #remember(name: string, marker: Marker): Promise<void> {
    this.#markers.set(name, marker);
    await this.#save();
  }

  /** A full disk keeps nothing from being uploaded: this process knows what was. */
  async #save(): Promise<void> {
    try {
      await this.#markers.save();
      this.#unsaved = false;
    } catch (error) {
      if (!this.#unsaved)
        this.#deps.onProblem(
          `Cannot write in ${this.#directory} which files were uploaded: ${fileReason(error)}; after a restart, they are uploaded again`,
        );
      this.#unsaved = true;
    }
  }

  get #bucket(): string {
    return placeOf(this.#settings.upload.url).bucket;
  }

  /** How objects of this configuration begin. */
  get #base(): string {
    const { bucket, prefix } = placeOf(this.#settings.upload.url);
    return `s3://${bucket}/${prefix === '' ? '' : `${prefix}/`}date=`;
  }

  #fails(what: string, error: unknown): void {
    const reason = error instanceof UploadError ? error.message : fileReason(error);
    this.#counts.failures += 1;
    if (this.#trouble) {
      this.#trouble.attempts += 1;
      this.#trouble.reason = reason;
      return;
    }
    this.#trouble = { since: new Date(this.#deps.clock.now()).toISOString(), reason, attempts: 1 };
    const kept = 'the upload is retried';
    this.#deps.onProblem(`${what} to ${this.#settings.upload.url}: ${reason}; ${kept}`);
  }

  #succeeds(): void {
    if (!this.#trouble) return;
    this.#trouble = undefined;
    this.#deps.onProblem(`Uploads of the request log to ${this.#settings.upload.url} work again`);
  }
}

async function openFile(path: string) {
  return open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    // It was compressed or deleted meanwhile.
    if (isMissing(error)) return undefined;
    throw new UploadError(fileReason(error), { ofFile: true, cause: error });
  });
}
