import { Database } from 'bun:sqlite';
import { basename, dirname, join } from 'node:path';
import { ExitError } from './exit.ts';

/** How long a command waits for another, milliseconds. */
const PATIENCE_MS = 10_000;

/**
 * Does work on a file while no other process does that asks here. The lock is the system's, on an empty file beside it: it ends
 * with its process, however that ends. The empty file stays, as taking it away would let two in.
 * @throws ExitError when it cannot be had
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
