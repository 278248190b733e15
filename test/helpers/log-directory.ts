import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../../src/config/schema.ts';
import { schema } from '../../src/config/schema.ts';

export type RequestLog = Config['logging']['requests'];

/** A directory that is removed at the end of the scope: `await using dir = await logDirectory()`. */
export async function logDirectory() {
  const path = await mkdtemp(join(tmpdir(), 'llmproxy-log-'));
  return {
    path,
    /** Names of the files in it, sorted. */
    names: async () => (await readdir(path)).sort(),
    text: (name: string) => readFile(join(path, name), 'utf8'),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}

/** The defaults of `logging.requests`, with `changes` applied. */
export function logSettings(directory: string, changes: Partial<RequestLog> = {}): RequestLog {
  const config = schema.parse({ providers: [{ name: 'local', type: 'mock' }] });
  return { ...config.logging.requests, directory, ...changes };
}

/** The lines of a log that are not blank; a truncated line is returned as `undefined`. */
export function parseLines(text: string): (Record<string, unknown> | undefined)[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      try {
        return JSON.parse(line) as Record<string, unknown>;
      } catch {
        return undefined;
      }
    });
}
