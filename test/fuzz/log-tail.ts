/** The records of a log by id, read while the log is written. */
import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { ReadRecord } from '../../src/logs/record.ts';
import { recordSchema } from '../../src/logs/record-schema.ts';

/** The interval between two checks of the files, in milliseconds. */
const EVERY_MS = 10;

export class LogTail {
  readonly #directory: string;
  readonly #read = new Map<string, { at: number; rest: Buffer }>();
  readonly #records = new Map<string, ReadRecord[]>();
  readonly #buffer = Buffer.alloc(1024 ** 2);
  #lookedMs = 0;
  /** Lines that are not records. */
  readonly broken: string[] = [];

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Takes the records of a request, which are forgotten then. */
  take(id: string): readonly ReadRecord[] {
    const found = this.#records.get(id) ?? [];
    this.#records.delete(id);
    return found;
  }

  has(id: string): boolean {
    return this.#records.has(id);
  }

  /** The ids that were never taken. */
  rest(): string[] {
    return [...this.#records.keys()];
  }

  /** Reads new lines, unless it has just done so: many callers wait at once. */
  look(): void {
    const nowMs = performance.now();
    if (nowMs - this.#lookedMs < EVERY_MS) return;
    this.#lookedMs = nowMs;
    for (const name of readdirSync(this.#directory).filter((each) => each.endsWith('.ndjson')))
      this.#lookInto(name);
  }

  #lookInto(name: string): void {
    const known = this.#read.get(name) ?? { at: 0, rest: Buffer.alloc(0) };
    this.#read.set(name, known);
    const file = openSync(join(this.#directory, name), 'r');
    try {
      for (;;) {
        const size = readSync(file, this.#buffer, 0, this.#buffer.length, known.at);
        if (size === 0) break;
        known.at += size;
        known.rest = Buffer.concat([known.rest, this.#buffer.subarray(0, size)]);
      }
    } finally {
      closeSync(file);
    }
    const end = known.rest.lastIndexOf(10) + 1;
    if (end === 0) return;
    const lines = known.rest.toString('utf8', 0, end).split('\n');
    known.rest = Buffer.from(known.rest.subarray(end));
    for (const line of lines) if (line !== '') this.#line(line);
  }

  #line(line: string): void {
    try {
      const record = recordSchema.parse(JSON.parse(line));
      const all = this.#records.get(record.id);
      if (all) all.push(record);
      else this.#records.set(record.id, [record]);
    } catch (thrown) {
      this.broken.push(`${String(thrown).slice(0, 300)}: ${line.slice(0, 300)}`);
    }
  }
}
