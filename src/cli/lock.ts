import { Database } from 'bun:sqlite';
import { basename, dirname, join } from 'node:path';
import { ExitError } from './exit.ts';

/** How long a command waits for another one, milliseconds. */
const PATIENCE_MS = 10_000;

/**
 * Works on a file while no other process that uses this lock does. It is a system lock on an empty file beside it,
 * which the system releases when the process ends in any way. The empty file stays, since deleting it could admit two
 * processes.
 * @throws ExitError when the lock cannot be acquired
 */
export function exclusively<Result>(path: string, work: () => Result): Result {
  const lock = join(dirname(path), `.${basename(path)}.lock`);
  let database: Database | undefined;
  try {
    database = new Database(lock, { create: true });
    database.run(`PRAGMA busy_timeout = ${PATIENCE_MS}`);
    database.run('BEGIN EXCLUSIVE');
  } catch (cause) {
    database?.close();
    const busy = (cause as { code?: string }).code?.startsWith('SQLITE_BUSY');
    const reason = busy ? 'another command has held it for too long' : (cause as Error).message;
    throw new ExitError(1, `Cannot lock ${path} with ${lock}: ${reason}`);
  }
  try {
    return work();
  } finally {
    database.close();
  }
}
