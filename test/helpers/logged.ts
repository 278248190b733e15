import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ReadRecord } from '../../src/logs/record.ts';
import { until } from './until.ts';

/** The records that a proxy serving from this folder has written. */
export function recordsIn(folder: string): ReadRecord[] {
  const directory = join(folder, 'logs');
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter((file) => file.endsWith('.ndjson'))
    .flatMap((file) => readFileSync(join(directory, file), 'utf8').split('\n').slice(0, -1))
    .map((line) => JSON.parse(line) as ReadRecord);
}

/** The record of a request, as soon as it is written. */
export async function loggedIn(folder: string, id: string): Promise<ReadRecord> {
  return await until(`the record of ${id}`, () => recordsIn(folder).find((record) => record.id === id), {
    everyMs: 10,
  });
}
