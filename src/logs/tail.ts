/** Reads the most recent part of the request log. */
import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ReadRecord } from './record.ts';
import { isObject } from '../wire/json.ts';
import { LineSplitter } from './lines.ts';
import { listLogs } from './names.ts';
import { MAX_LINE_BYTES, parseLine } from './reader.ts';

/** The size of one read, starting from the end, bytes. */
const STEP = 4 * 1024 * 1024;

/**
 * The records whose answers ended at or after a time, in the order in which they were written.
 * @param sinceMs epoch milliseconds
 * @param by the number of the worker that wrote them; 0 where a single process serves
 */
export async function recordsSince(directory: string, sinceMs: number, by = 0): Promise<ReadRecord[]> {
  const logs = await listLogs(directory);
  const found: ReadRecord[] = [];
  for (const { name, kind, worker } of logs) {
    if (kind !== 'plain' || worker !== by) continue;
    const path = join(directory, name);
    const { mtimeMs, size } = await stat(path);
    // A file that was not modified since then has no such record.
    if (mtimeMs >= sinceMs) found.push(...(await endOf(path, size, sinceMs)));
  }
  return found;
}

/** When the answer of a record ended, epoch milliseconds. */
export function endMs({ ts, latency_ms: ms }: Pick<ReadRecord, 'ts' | 'latency_ms'>): number {
  return Date.parse(ts) + ms;
}

/** Reads increasing parts of a file from its end, until one contains a record that ended earlier. */
async function endOf(path: string, size: number, sinceMs: number): Promise<ReadRecord[]> {
  await using file = await open(path);
  for (let from = Math.max(0, size - STEP); ; from = Math.max(0, from - 2 * (size - from))) {
    const bytes = Buffer.alloc(size - from);
    await file.read(bytes, 0, bytes.length, from);
    const records = recordsIn(from === 0 ? bytes : bytes.subarray(bytes.indexOf('\n') + 1));
    const first = records[0];
    if (from > 0 && (!first || endMs(first) >= sinceMs)) continue;
    return records.filter((record) => endMs(record) >= sinceMs);
  }
}

function recordsIn(bytes: Buffer): ReadRecord[] {
  const splitter = new LineSplitter(MAX_LINE_BYTES);
  const lines = [...splitter.push(bytes), ...splitter.end()];
  return lines
    .map((line) => parseLine(line).value)
    .filter(
      (value) =>
        isObject(value) &&
        typeof value.ts === 'string' &&
        typeof value.latency_ms === 'number' &&
        Array.isArray(value.attempt_log),
    )
    .map((value) => value as unknown as ReadRecord);
}
