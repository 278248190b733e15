import { closeSync, existsSync, fstatSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { ReadRecord } from '../../src/logs/record.ts';
import { until } from './until.ts';

/** The records that a proxy serving from this folder has written. */
export function recordsIn(folder: string): ReadRecord[] {
  return filesIn(folder)
    .flatMap((path) => readFileSync(path, 'utf8').split('\n').slice(0, -1))
    .map((line) => JSON.parse(line) as ReadRecord);
}

/** The record of a request, as soon as it is written. */
export async function loggedIn(folder: string, id: string): Promise<ReadRecord> {
  const log = followed.getOrInsertComputed(folder, () => new FollowedLog(folder));
  return await until(`the record of ${id}`, () => log.records().find((record) => record.id === id));
}

const followed = new Map<string, FollowedLog>();

/** The log of a proxy, whose files are appended to and nothing else: each look reads only what is new. */
export class FollowedLog {
  readonly #folder: string;
  readonly #read = new Map<string, number>();
  readonly #records: ReadRecord[] = [];

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** All records so far. */
  records(): readonly ReadRecord[] {
    for (const path of filesIn(this.#folder)) {
      const from = this.#read.get(path) ?? 0;
      const added = textFrom(path, from);
      const lines = added.subarray(0, added.lastIndexOf('\n') + 1);
      if (lines.length === 0) continue;
      this.#read.set(path, from + lines.length);
      for (const line of lines.toString().trimEnd().split('\n'))
        this.#records.push(JSON.parse(line) as ReadRecord);
    }
    return this.#records;
  }
}

function filesIn(folder: string): string[] {
  const directory = join(folder, 'logs');
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter((file) => file.endsWith('.ndjson'))
    .map((file) => join(directory, file));
}

function textFrom(path: string, from: number): Buffer {
  const file = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(fstatSync(file).size - from);
    return bytes.subarray(0, readSync(file, bytes, 0, bytes.length, from));
  } finally {
    closeSync(file);
  }
}
