/** The SQLite file of the stored responses. */
import { Database, SQLiteError } from 'bun:sqlite';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';

export const STORED_FILE = 'responses.sqlite';

/** The total size of each owner's entries is maintained by triggers, so that no writer can forget it. */
function counted(table: string): string {
  return `
  CREATE TRIGGER IF NOT EXISTS ${table}_added AFTER INSERT ON ${table} BEGIN
    INSERT INTO owners VALUES (NEW.owner, NEW.bytes) ON CONFLICT (owner) DO UPDATE SET bytes = bytes + NEW.bytes;
  END;
  CREATE TRIGGER IF NOT EXISTS ${table}_changed AFTER UPDATE OF bytes ON ${table} BEGIN
    UPDATE owners SET bytes = bytes + NEW.bytes - OLD.bytes WHERE owner = NEW.owner;
  END;
  CREATE TRIGGER IF NOT EXISTS ${table}_removed AFTER DELETE ON ${table} BEGIN
    UPDATE owners SET bytes = bytes - OLD.bytes WHERE owner = OLD.owner;
    DELETE FROM owners WHERE owner = OLD.owner AND bytes <= 0;
  END;`;
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS owners (owner TEXT PRIMARY KEY, bytes INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS responses (
    owner TEXT NOT NULL, id TEXT NOT NULL, created REAL NOT NULL, until REAL NOT NULL, status TEXT NOT NULL,
    previous TEXT, conversation TEXT, issuer TEXT, issued TEXT,
    background INTEGER NOT NULL, streams INTEGER NOT NULL, beat REAL NOT NULL, cancelled INTEGER NOT NULL,
    bytes INTEGER NOT NULL, input TEXT NOT NULL, body TEXT NOT NULL, runner TEXT, PRIMARY KEY (owner, id)
  );
  CREATE INDEX IF NOT EXISTS responses_by_id ON responses (id);
  CREATE INDEX IF NOT EXISTS responses_by_age ON responses (owner, created);
  CREATE INDEX IF NOT EXISTS responses_by_end ON responses (until);
  CREATE TABLE IF NOT EXISTS events (
    owner TEXT NOT NULL, response TEXT NOT NULL, number INTEGER NOT NULL, bytes INTEGER NOT NULL, event TEXT NOT NULL,
    PRIMARY KEY (owner, response, number)
  );
  CREATE TABLE IF NOT EXISTS conversations (
    owner TEXT NOT NULL, id TEXT NOT NULL, created REAL NOT NULL, used REAL NOT NULL, until REAL NOT NULL,
    bytes INTEGER NOT NULL, metadata TEXT NOT NULL, PRIMARY KEY (owner, id)
  );
  CREATE INDEX IF NOT EXISTS conversations_by_id ON conversations (id);
  CREATE INDEX IF NOT EXISTS conversations_by_age ON conversations (owner, used);
  CREATE INDEX IF NOT EXISTS conversations_by_end ON conversations (until);
  CREATE TABLE IF NOT EXISTS items (
    owner TEXT NOT NULL, conversation TEXT NOT NULL, number INTEGER NOT NULL, id TEXT NOT NULL,
    bytes INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (owner, conversation, number)
  );
  CREATE INDEX IF NOT EXISTS items_by_id ON items (owner, conversation, id);
  ${['responses', 'events', 'conversations', 'items'].map(counted).join('\n')}
`;

/**
 * Opens the store, and creates it if necessary.
 * @param directory of its file; in memory if omitted
 * @throws as SQLite and the file system do
 */
export function openStored(directory: string | undefined): Database {
  const db = new Database(directory === undefined ? ':memory:' : made(directory), {
    create: true,
    strict: true,
  });
  try {
    db.run('PRAGMA busy_timeout = 2000');
    db.run('PRAGMA auto_vacuum = INCREMENTAL');
    db.run('PRAGMA journal_mode = WAL');
    db.run('PRAGMA synchronous = NORMAL');
    // Deleted data must be erased.
    db.run('PRAGMA secure_delete = FAST');
    // A replaced row counts as deleted.
    db.run('PRAGMA recursive_triggers = ON');
    db.run(SCHEMA);
    const columns = db.query<{ name: string }, []>("SELECT name FROM pragma_table_info('responses')").all();
    // A file from an earlier version does not have this column.
    if (!columns.some(({ name }) => name === 'runner'))
      db.run('ALTER TABLE responses ADD COLUMN runner TEXT');
    return db;
  } catch (thrown) {
    db.close();
    throw thrown;
  }
}

/**
 * Identifies the processes that run the background responses of this file: the same for all of them, and after a
 * restart.
 */
export function runnerOf(db: Database): string {
  db.query("INSERT OR IGNORE INTO about VALUES ('runner', ?)").run(crypto.randomUUID());
  return db.query<{ value: string }, []>("SELECT value FROM about WHERE name = 'runner'").get()!.value;
}

/**
 * Claims the file for this process, or for the workers of this one: the lock is released when the process ends in any
 * way.
 * @returns what to close in order to release it; `undefined` if another process has it
 * @throws as SQLite and the file system do
 */
export function lockStored(directory: string): Database | undefined {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const lock = new Database(join(directory, 'responses-lock.sqlite'), { create: true });
  try {
    lock.run('PRAGMA busy_timeout = 0');
    lock.run('BEGIN EXCLUSIVE');
    return lock;
  } catch (thrown) {
    lock.close();
    if (thrown instanceof SQLiteError && (thrown.code ?? '').startsWith('SQLITE_BUSY')) return undefined;
    throw thrown;
  }
}

/** Creates the file readable by its owner only: SQLite gives the files beside it the same permissions. */
function made(directory: string): string {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, STORED_FILE);
  closeSync(openSync(path, 'a', 0o600));
  return path;
}
