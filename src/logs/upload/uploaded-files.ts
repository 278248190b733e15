/** Which files of a directory were uploaded as they are now. */
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
  /** How the names of objects begin, with the bucket: what was uploaded elsewhere does not count. */
  readonly base: string;
  readonly signal: AbortSignal;
  readonly onProblem: (message: string) => void;
}

export class UploadedFiles {
  readonly #options: UploadedFilesOptions;
  readonly #markers: Markers;
  /** Whether the disk did not take a marker. */
  #unsaved = false;

  constructor(options: UploadedFilesOptions) {
    this.#options = options;
    this.#markers = new Markers(options.directory);
  }

  /** The upload that holds what is in the file now. */
  async uploadOf(file: FoundLog): Promise<Marker | undefined> {
    const marker = await this.before(file);
    if (!marker || Math.abs(marker.mtime_ms - file.mtimeMs) >= 2) return undefined;
    if (marker.name === file.name && marker.bytes === file.size) return marker;
    // It was compressed, or its content was taken out. Both keep the time of change.
    const found = await this.identify(file);
    if (found?.identity !== marker.identity || found.expired !== marker.expired) return undefined;
    const same = { ...marker, name: file.name, bytes: file.size };
    await this.remember(file, same);
    return same;
  }

  /** The last upload of a file, whatever has become of that since. */
  async before(file: FoundLog): Promise<Marker | undefined> {
    const marker = await this.#markers.of(file);
    return marker?.object.startsWith(this.#options.base) ? marker : undefined;
  }

  /** @returns `undefined` when there is no such file any more @throws UploadError when it cannot be read */
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

  /** Writes what the disk did not take before, and forgets files that are gone. */
  async tidy(): Promise<void> {
    await this.#save();
    await this.#markers.tidy();
  }

  /** A full disk keeps nothing from being uploaded: this process knows what was. */
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
