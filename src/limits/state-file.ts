import { Database, SQLiteError } from 'bun:sqlite';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { StoredAccount } from './accounts.ts';
import { joined, NO_ACCOUNT } from './accounts.ts';
import { OBJECTS_SCHEMA } from './object-owners.ts';

/** The SQLite file in the state directory, and the lock on it. */

export const FILE = 'usage.sqlite';

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS meters (name TEXT PRIMARY KEY, slices TEXT NOT NULL, until REAL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS accounts (key TEXT PRIMARY KEY, account TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS marks (name TEXT PRIMARY KEY, mark TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS holds (
    name TEXT NOT NULL, worker INTEGER NOT NULL, amount REAL NOT NULL, PRIMARY KEY (name, worker)
  ) WITHOUT ROWID;
  ${OBJECTS_SCHEMA}
`;

/** How long a step waits for another process that writes, milliseconds: it only writes a few rows. */
export const BUSY_MS = 1_000;

/** How long a step waits for a file that could not be written the last time, milliseconds. */
export const FAILING_BUSY_MS = 10;

/** Thrown when another process uses the state directory. */
export class StateInUse extends Error {}

/** Opens the file, for one process or for the workers of one. @throws as SQLite does */
export function openState(directory: string): Database {
  const db = new Database(join(directory, FILE), { create: true, strict: true });
  try {
    // Waiting blocks the event loop.
    db.run(`PRAGMA busy_timeout = ${BUSY_MS}`);
    db.run('PRAGMA journal_mode = WAL');
    db.run('PRAGMA synchronous = NORMAL');
    db.run(SCHEMA);
    return db;
  } catch (thrown) {
    db.close();
    throw thrown instanceof SQLiteError && DAMAGED.test(thrown.code ?? '')
      ? unreadable(FILE, thrown)
      : thrown;
  }
}

/** The content of the file cannot be used. */
export function unreadable(file: string, cause: unknown): Error {
  const state = cause instanceof Error ? cause.message : String(cause);
  return new Error(
    `${file} in it cannot be read (${state}); put back a copy of it, or move it away to count from zero`,
    { cause },
  );
}

function isBusy(thrown: unknown): boolean {
  return thrown instanceof SQLiteError && (thrown.code ?? '').startsWith('SQLITE_BUSY');
}

/** SQLite's messages for a file that is not a database, or is damaged. */
const DAMAGED = /^SQLITE_(?:NOTADB|CORRUPT)/;

/** Opens it for reading while another process writes. @throws as SQLite does, above all if the file does not exist */
export function readState(directory: string): Database {
  return new Database(join(directory, FILE), { readonly: true, strict: true });
}

/** Up to where the persisted usage is complete. */
export interface Mark {
  /** Epoch milliseconds. */
  readonly atMs: number;
  /** The last requests that it includes, in order. */
  readonly lastIds: readonly string[];
}

/** The mark that a process left when it ended without warning. */
export function readMark(db: Database, name: string): Mark | undefined {
  const row = db.query<{ mark: string }, [string]>('SELECT mark FROM marks WHERE name = ?').get(name);
  return row ? (JSON.parse(row.mark) as Mark) : undefined;
}

export function putMark(db: Database, name: string, mark: Mark): void {
  db.query('INSERT OR REPLACE INTO marks VALUES (?, ?)').run(name, JSON.stringify(mark));
}

export function deleteMark(db: Database, name: string): void {
  db.query('DELETE FROM marks WHERE name = ?').run(name);
}

/** The persisted usage of a key. */
export function readAccount(db: Database, key: string): StoredAccount {
  const row = db.query<{ account: string }, [string]>('SELECT account FROM accounts WHERE key = ?').get(key);
  return row ? (JSON.parse(row.account) as StoredAccount) : NO_ACCOUNT;
}

/** Adds to the persisted usage of a key. Within a transaction. */
export function addToAccount(db: Database, key: string, more: StoredAccount, nowMs: number): void {
  const account = JSON.stringify(joined(readAccount(db, key), more, nowMs));
  db.query('INSERT OR REPLACE INTO accounts VALUES (?, ?)').run(key, account);
}

/**
 * Creates the directory, and claims it for this process: the lock is released when the process ends in any way.
 * @returns what to close in order to release it
 * @throws StateInUse when another process uses it, and as the file system does
 */
export function lockState(directory: string): Database {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const file = new Database(join(directory, 'lock.sqlite'), { create: true });
  try {
    file.run('PRAGMA busy_timeout = 0');
    file.run('BEGIN EXCLUSIVE');
    return file;
  } catch (cause) {
    file.close();
    if (!isBusy(cause)) throw unreadable('lock.sqlite', cause);
    throw new StateInUse(
      'another llmproxy uses it; give each its own state.directory, or let one serve with server.workers',
      { cause },
    );
  }
}
