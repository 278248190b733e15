import type { Database } from 'bun:sqlite';
import type { StoredMeter } from './meter.ts';
import type { StoredAccount } from './accounts.ts';
import {
  FILE,
  addToAccount,
  lockState,
  openState,
  readAccount,
  readState,
  unreadable,
} from './state-file.ts';

/** What had been kept when a process began. */
export interface Kept {
  readonly meters: Map<string, KeptMeter>;
  /** What the process before was about to do; `undefined` when it ended well, or there was none. */
  readonly crashed: Mark | undefined;
}

/** How far what is kept goes. */
export interface Mark {
  /** Epoch milliseconds. */
  readonly atMs: number;
  /** The last requests that are counted in it, in their order. */
  readonly lastIds: readonly string[];
}

/** A meter to keep. */
export interface ChangedMeter {
  readonly name: string;
  readonly slices: StoredMeter;
  /** When nothing of it counts any more, epoch milliseconds; `Infinity` for never. */
  readonly untilMs: number;
}

/** A meter that was kept. */
export type KeptMeter = Omit<ChangedMeter, 'name'>;

/** Everything that changed. */
export interface Changes {
  readonly meters: readonly ChangedMeter[];
  /** What came to the account of each key. */
  readonly accounts: ReadonlyMap<string, StoredAccount>;
  readonly mark: Mark;
  /** Whether meters are removed that no longer count. */
  readonly sweeps: boolean;
}

/** What is written before others have their turn: about a millisecond. */
const ROWS_A_TURN = 200;

/**
 * What was used, in a SQLite file of the state directory: a transaction for all that changed, so that a crash leaves what
 * was kept last as a whole. One process has it at a time.
 */
export class UsageStore {
  readonly #db: Database;
  readonly #lock: Database;

  /**
   * Opens it, and makes the directory where there is none.
   * @throws StateInUse when another process has it, and what the file system throws
   */
  constructor(directory: string) {
    this.#lock = lockState(directory);
    try {
      this.#db = openState(directory);
      // Nobody else is to write it, and requests would wait meanwhile: what cannot be written now is written later.
      this.#db.run('PRAGMA busy_timeout = 10');
    } catch (thrown) {
      this.#lock.close();
      throw thrown;
    }
  }

  /**
   * Reads what was kept, without what is over by now.
   * @throws Error that names the file, when it is damaged; then others may have the directory
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
    const mark = this.#db.query<{ mark: string }, []>("SELECT mark FROM marks WHERE name = 'running'").get();
    return {
      meters: new Map(meters),
      crashed: mark ? (JSON.parse(mark.mark) as Mark) : undefined,
    };
  }

  /** Says how far what is kept goes, until it is closed. */
  mark(mark: Mark): void {
    this.#db.run("INSERT OR REPLACE INTO marks VALUES ('running', ?)", [JSON.stringify(mark)]);
  }

  accountOf(key: string): StoredAccount {
    return readAccount(this.#db, key);
  }

  /** Keeps all of it or none, a part in each turn. @throws what SQLite throws, when the disk is full above all */
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
      // SQLite has rolled it back itself where the disk is full.
      if (this.#db.inTransaction) this.#db.run('ROLLBACK');
      throw thrown;
    }
  }

  #sweep(nowMs: number): void {
    this.#db.run('DELETE FROM meters WHERE until < ?', [nowMs]);
  }

  *#writes({ meters, accounts, mark, sweeps }: Changes): Generator<() => unknown> {
    const putMeter = this.#db.query('INSERT OR REPLACE INTO meters VALUES (?, ?, ?)');
    for (const { name, slices, untilMs } of meters)
      yield () => putMeter.run(name, JSON.stringify(slices), untilMs);
    for (const [key, more] of accounts) yield () => addToAccount(this.#db, key, more, mark.atMs);
    if (sweeps) yield () => this.#sweep(mark.atMs);
    yield () => this.mark(mark);
  }

  /** @param well whether all is kept, so that the next process need not look for more */
  close(well: boolean): void {
    if (well) this.#db.run("DELETE FROM marks WHERE name = 'running'");
    this.#db.close();
    this.#lock.close();
  }
}

/** What was kept of each key, read beside whoever has the store; `undefined` where there is none. */
export function readAccounts(directory: string): Map<string, StoredAccount> | undefined {
  try {
    using db = readState(directory);
    const rows = db.query<{ key: string; account: string }, []>('SELECT key, account FROM accounts').all();
    return new Map(rows.map(({ key, account }) => [key, JSON.parse(account) as StoredAccount]));
  } catch {
    return undefined;
  }
}
