/** Remembers uploaded files: beside each of them is a small file that ends in `.uploaded`. */
import { open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isObject, parseJson } from '../../wire/json.ts';
import type { FoundLog } from '../closed-files.ts';
import { syncDirectory } from '../files.ts';
import { isMissing, parseLogName } from '../names.ts';

const ENDING = '.uploaded';

/** A complete and verified upload. */
export interface Marker {
  /** s3://BUCKET/KEY. */
  readonly object: string;
  /** When it was completed, ISO 8601. */
  readonly at: string;
  readonly sha256: string;
  /** The name of the file as it was uploaded, its size and its modification time. */
  readonly name: string;
  readonly bytes: number;
  readonly mtime_ms: number;
  /** A hash of the first record, which identifies the file even after its content was removed. */
  readonly identity: string;
  /** Whether the content had been removed. */
  readonly expired: boolean;
}

/** The name of a file's marker, which stays the same when the file is compressed. */
function markerName(log: string): string {
  return `${log.replace(/\.zst$/, '')}${ENDING}`;
}

/** Removes the marker of a file that is deleted. */
export async function deleteMarker(directory: string, log: string): Promise<void> {
  await rm(join(directory, markerName(log)), { force: true });
}

/** The markers in one directory. */
export class Markers {
  readonly #directory: string;
  readonly #known = new Map<string, Marker>();
  /** Names of logs whose markers could not be saved because the disk was full. */
  readonly #unsaved = new Set<string>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** The marker of a file, whichever process wrote it; `undefined` if it was not uploaded. */
  async of({ name }: FoundLog): Promise<Marker | undefined> {
    const marker = markerName(name);
    const known = this.#known.get(marker);
    if (known) return known;
    const read = await readMarker(join(this.#directory, marker));
    if (read) this.#known.set(marker, read);
    return read;
  }

  /** Keeps a marker in memory until it is saved. */
  set(name: string, marker: Marker): void {
    this.#known.set(markerName(name), marker);
    this.#unsaved.add(markerName(name));
  }

  /** Saves the markers that are not on disk. @throws as the file system does */
  async save(): Promise<void> {
    for (const name of this.#unsaved) {
      const marker = this.#known.get(name);
      if (marker) await this.#write(name, marker);
      this.#unsaved.delete(name);
    }
  }

  async #write(name: string, marker: Marker): Promise<void> {
    const path = join(this.#directory, name);
    const copy = `${path}.tmp`;
    const handle = await open(copy, 'w', 0o600);
    try {
      await handle.writeFile(`${JSON.stringify(marker)}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(copy, path);
    await syncDirectory(this.#directory);
  }

  /** Deletes the markers of files that no longer exist. */
  async tidy(): Promise<void> {
    const names = await readdir(this.#directory).catch((error: unknown) => {
      if (isMissing(error)) return [];
      throw error;
    });
    const logs = new Set(names.filter((name) => parseLogName(name)?.kind !== 'tmp').map(markerName));
    const gone = (name: string) => parseLogName(name.slice(0, -ENDING.length)) && !logs.has(name);
    for (const name of this.#known.keys()) if (gone(name)) this.#known.delete(name);
    for (const name of names.filter((each) => each.endsWith(ENDING) && gone(each)))
      await rm(join(this.#directory, name), { force: true });
  }
}

async function readMarker(path: string): Promise<Marker | undefined> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (isMissing(error)) return '';
    throw error;
  });
  const value = text === '' ? undefined : parseJson(text);
  const whole =
    isObject(value) &&
    ['object', 'at', 'sha256', 'name', 'identity'].every((key) => typeof value[key] === 'string') &&
    typeof value.bytes === 'number' &&
    typeof value.mtime_ms === 'number' &&
    typeof value.expired === 'boolean';
  // A damaged marker costs one more upload, to the same name.
  return whole ? (value as unknown as Marker) : undefined;
}
