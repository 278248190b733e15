/** Which files of a directory were uploaded in their present state. */
import { join } from 'node:path';
import type { FoundLog } from '../closed-files.ts';
import { fileReason, isMissing } from '../names.ts';
import type { Identity } from './identity.ts';
import { identityOf } from './identity.ts';
import type { Marker } from './marker.ts';
import { Markers } from './marker.ts';
import { UploadError } from './refusal.ts';

export interface UploadedFilesOptions {
  readonly directory: string;
  /** The prefix of object names, with the bucket: uploads to another destination do not count. */
  readonly base: string;
  readonly signal: AbortSignal;
  readonly onProblem: (message: string) => void;
}

export class UploadedFiles {
  readonly #options: UploadedFilesOptions;
  readonly #markers: Markers;
  /** Whether a marker could not be written because the disk was full. */
  #unsaved = false;

  constructor(options: UploadedFilesOptions) {
    this.#options = options;
    this.#markers = new Markers(options.directory);
  }

  /** The upload that holds the present content of the file. */
  async uploadOf(file: FoundLog): Promise<Marker | undefined> {
    const marker = await this.before(file);
    if (!marker || Math.abs(marker.mtime_ms - file.mtimeMs) >= 2) return undefined;
    if (marker.name === file.name && marker.bytes === file.size) return marker;
    // It was compressed or its content was removed. Both preserve the modification time.
    const found = await this.identify(file);
    if (found?.identity !== marker.identity || found.expired !== marker.expired) return undefined;
    const same = { ...marker, name: file.name, bytes: file.size };
    await this.remember(file, same);
    return same;
  }

  /** The last upload of a file, even if the file has changed since. */
  async before(file: FoundLog): Promise<Marker | undefined> {
    const marker = await this.#markers.of(file);
    return marker?.object.startsWith(this.#options.base) ? marker : undefined;
  }

  /** @returns `undefined` if the file no longer exists @throws UploadError if it cannot be read */
  async identify({ name }: FoundLog): Promise<Identity | undefined> {
    const { directory, signal } = this.#options;
    try {
      return await identityOf(join(directory, name), signal);
    } catch (error) {
      if (isMissing(error) || isMissing((error as Error).cause)) return undefined;
      throw new UploadError(fileReason((error as Error).cause ?? error), { ofFile: true, cause: error });
    }
  }

  async remember({ name }: FoundLog, marker: Marker): Promise<void> {
    this.#markers.set(name, marker);
    await this.#save();
  }

  /** Saves markers that could not be written before, and forgets files that no longer exist. */
  async tidy(): Promise<void> {
    await this.#save();
    await this.#markers.tidy();
  }

  /** A full disk does not prevent uploads: this process remembers what it uploaded. */
  async #save(): Promise<void> {
    try {
      await this.#markers.save();
      this.#unsaved = false;
    } catch (error) {
      const { directory, onProblem } = this.#options;
      const what = `Cannot write in ${directory} which files were uploaded: ${fileReason(error)}`;
      if (!this.#unsaved) onProblem(`${what}; after a restart, they are uploaded again`);
      this.#unsaved = true;
    }
  }
}
