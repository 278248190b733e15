import type { Database } from 'bun:sqlite';
import type { StoredMeter } from './meter.ts';
import type { StoredAccount } from './accounts.ts';
import type { StoredObject } from './object-owners.ts';
import { putObject, readObject, trimObjects } from './object-owners.ts';
import type { Mark } from './state-file.ts';
import {
  FILE,
  addToAccount,
  deleteMark,
  lockState,
  openState,
  putMark,
  readAccount,
  readMark,
  readState,
  unreadable,
} from './state-file.ts';

/** What was persisted when the process started. */
export interface Kept {
  readonly meters: Map<string, KeptMeter>;
  /** The state of the previous process; `undefined` when it was shut down properly, or there was none. */
  readonly crashed: Mark | undefined;
}

/** A meter to persist. */
export interface ChangedMeter {
  readonly name: string;
  readonly slices: StoredMeter;
  /** When nothing of it counts any more, epoch milliseconds; `Infinity` for never. */
  readonly untilMs: number;
}

/** A persisted meter. */
export type KeptMeter = Omit<ChangedMeter, 'name'>;

/** All changes. */
export interface Changes {
  readonly meters: readonly ChangedMeter[];
  /** What was added to the account of each key. */
  readonly accounts: ReadonlyMap<string, StoredAccount>;
  /** What providers have stored, by its id. */
  readonly objects: ReadonlyMap<string, StoredObject>;
  readonly mark: Mark;
  /** Whether to delete expired meters. */
  readonly sweeps: boolean;
}

/** The mark of a process that serves alone. */
const RUNNING = 'running';

/** How much is written before yielding to the event loop: about a millisecond of work. */
const ROWS_A_TURN = 200;

/**
 * The usage in a SQLite file in the state directory: one transaction for all changes, so that after a crash the last
 * one is complete. Only one process uses it at a time.
 */
export class UsageStore {
  readonly #db: Database;
  readonly #lock: Database;

  /**
   * Opens it, and creates the directory if necessary.
   * @throws StateInUse when another process uses it, and as the file system does
   */
  constructor(directory: string) {
    this.#lock = lockState(directory);
    try {
      this.#db = openState(directory);
      // No other process should write to it, and waiting would delay requests: a write that fails is repeated later.
      this.#db.run('PRAGMA busy_timeout = 10');
    } catch (thrown) {
      this.#lock.close();
      throw thrown;
    }
  }

  /**
   * Reads what was persisted, without what has expired.
   * @throws Error that names the file when it is damaged; the directory is released then
   */
  load(nowMs: number): Kept {
    try {
      return this.#load(nowMs);
    } catch (cause) {
      this.close(false);
      throw unreadable(FILE, cause);
    }
  }

  #load(nowMs: number): Kept {
    this.#sweep(nowMs);
    const meters = this.#db
      .query<{ name: string; slices: string; until: number }, []>('SELECT name, slices, until FROM meters')
      .all()
      .map(({ name, slices, until }): [string, KeptMeter] => [
        name,
        { slices: JSON.parse(slices) as StoredMeter, untilMs: until },
      ]);
    return {
      meters: new Map(meters),
      crashed: readMark(this.#db, RUNNING),
    };
  }

  /** Records up to where the persisted usage is complete; ends with `close`. */
  mark(mark: Mark): void {
    putMark(this.#db, RUNNING, mark);
  }

  accountOf(key: string): StoredAccount {
    return readAccount(this.#db, key);
  }

  objectOf(id: string): StoredObject | undefined {
    return readObject(this.#db, id);
  }

  /** Persists all changes or none, in several turns. @throws as SQLite does, above all when the disk is full */
  async save(changes: Changes, pause: () => Promise<void>): Promise<void> {
    this.#db.run('BEGIN IMMEDIATE');
    try {
      let written = 0;
      for (const write of this.#writes(changes)) {
        write();
        if (++written % ROWS_A_TURN === 0) await pause();
      }
      this.#db.run('COMMIT');
    } catch (thrown) {
      // SQLite has already rolled back if the disk is full.
      if (this.#db.inTransaction) this.#db.run('ROLLBACK');
      throw thrown;
    }
  }

  #sweep(nowMs: number): void {
    this.#db.run('DELETE FROM meters WHERE until < ?', [nowMs]);
  }

  *#writes({ meters, accounts, objects, mark, sweeps }: Changes): Generator<() => unknown> {
    const putMeter = this.#db.query('INSERT OR REPLACE INTO meters VALUES (?, ?, ?)');
    for (const { name, slices, untilMs } of meters)
      yield () => putMeter.run(name, JSON.stringify(slices), untilMs);
    for (const [key, more] of accounts) yield () => addToAccount(this.#db, key, more, mark.atMs);
    for (const [id, object] of objects) yield () => putObject(this.#db, id, object, mark.atMs);
    if (objects.size > 0) yield () => trimObjects(this.#db);
    if (sweeps) yield () => this.#sweep(mark.atMs);
    yield () => this.mark(mark);
  }

  /** @param well whether everything was persisted, so that the next process need not recover anything */
  close(well: boolean): void {
    if (well) deleteMark(this.#db, RUNNING);
    this.#db.close();
    this.#lock.close();
  }
}

/** The persisted usage of each key, read beside a running process; `undefined` if there is none. */
export function readAccounts(directory: string): Map<string, StoredAccount> | undefined {
  try {
    using db = readState(directory);
    const rows = db.query<{ key: string; account: string }, []>('SELECT key, account FROM accounts').all();
    return new Map(rows.map(({ key, account }) => [key, JSON.parse(account) as StoredAccount]));
  } catch {
    return undefined;
  }
}
