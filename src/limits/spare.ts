import type { Statement } from 'bun:sqlite';
import { Database } from 'bun:sqlite';
import {
  closeSync,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import type { StoredMeter } from './meter.ts';
import { MeterTables } from './meter-tables.ts';
import { BUSY_MS, FAILING_BUSY_MS, openState } from './state-file.ts';
import { sumOf } from './stored-slices.ts';

/**
 * What must be added to the state file: the usage of meters, and the amounts that each worker holds. Both may be
 * negative, since what is written may be taken back.
 */
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS spare.batch (id TEXT NOT NULL, step INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS spare.late (name TEXT PRIMARY KEY, slices TEXT NOT NULL, until REAL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS spare.late_holds (
    name TEXT NOT NULL, worker INTEGER NOT NULL, amount REAL NOT NULL, PRIMARY KEY (name, worker)
  ) WITHOUT ROWID;
  INSERT INTO spare.batch SELECT hex(randomblob(8)), 0 WHERE NOT EXISTS (SELECT * FROM spare.batch);
`;

/** The name of the mark in the state file. */
const MARK = 'spare';

/** What was written to the state file last. */
interface Mark {
  /** Identifies what was counted here until then. */
  readonly batch: string;
  /** Identifies the transaction. */
  readonly step: string;
}

/** Where Linux keeps files in memory. */
const MEMORY = '/dev/shm';

/** The file with the number that says whether there is anything. */
const FLAG = 'used';
const FLAG_BYTES = 4;

interface LateRow {
  readonly name: string;
  readonly slices: string;
  readonly until: number;
}

interface HoldRow {
  readonly name: string;
  readonly worker: number;
  readonly amount: number;
}

/**
 * Where workers count together while the state file cannot be written: a second file, which is in memory. It is empty
 * otherwise, which a number in shared memory says, so that it costs nothing then.
 */
export class Spare {
  readonly #db: Database;
  readonly #worker: number;
  /** Not zero while anything is counted here. */
  readonly #flag: Int32Array;
  readonly #read: Statement<LateRow, [string]>;
  readonly #held: Statement<{ held: number | null }, [string]>;
  readonly #put: Statement;
  readonly #hold: Statement;
  /** Whether all workers count there; otherwise each does for itself. */
  readonly isShared: boolean;
  /** The state file, through a connection that locks both files. */
  readonly written: MeterTables;

  /** @param directory of the state file @throws as SQLite does */
  constructor(directory: string, worker: number) {
    this.#worker = worker;
    const db = openState(directory);
    this.#db = db;
    const folder = spareFolder(directory);
    const flag = folder === undefined ? undefined : attached(db, folder);
    this.isShared = flag !== undefined;
    if (!flag) attach(db, ':memory:');
    this.#flag = flag ?? new Int32Array(1);
    this.written = new MeterTables(db);
    this.#read = db.query('SELECT * FROM spare.late WHERE name = ?');
    this.#held = db.query('SELECT SUM(amount) AS held FROM spare.late_holds WHERE name = ?');
    this.#put = db.query('INSERT OR REPLACE INTO spare.late VALUES (?, ?, ?)');
    this.#hold = db.query(
      'INSERT INTO spare.late_holds VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET amount = amount + ?3',
    );
    // What the previous worker of this number held.
    db.run('DELETE FROM spare.late_holds WHERE worker = ?', [worker]);
  }

  /** Whether anything is counted here. A transaction of the state file asks for it while that is locked. */
  get isUsed(): boolean {
    return Atomics.load(this.#flag, 0) !== 0;
  }

  /** The number of meters. */
  get size(): number {
    return this.#db.query<{ count: number }, []>('SELECT COUNT(*) AS count FROM spare.late').get()!.count;
  }

  has(name: string): boolean {
    return this.#read.get(name) !== null;
  }

  slicesOf(name: string): StoredMeter {
    const row = this.#read.get(name);
    return row ? (JSON.parse(row.slices) as StoredMeter) : [];
  }

  heldOf(name: string): number {
    return this.#held.get(name)?.held ?? 0;
  }

  put(name: string, slices: StoredMeter, until: number): void {
    this.#put.run(name, JSON.stringify(slices), until);
  }

  hold(name: string, amount: number): void {
    this.#hold.run(name, this.#worker, amount);
  }

  /** Works while no other worker counts here, or in the state file after having seen that this is used. */
  exclusively<T>(work: () => T): T {
    this.#waits(BUSY_MS);
    this.#db.run('BEGIN');
    try {
      // Writing at once takes the lock of this file alone.
      this.#db.run('UPDATE spare.batch SET step = step');
      this.#dropWritten();
      this.#db.run('UPDATE spare.batch SET step = step + 1');
      Atomics.add(this.#flag, 0, 1);
      const answer = work();
      this.#db.run('COMMIT');
      return answer;
    } catch (thrown) {
      if (this.#db.inTransaction) this.#db.run('ROLLBACK');
      throw thrown;
    }
  }

  /**
   * Writes everything to the state file, and works on that, in one transaction.
   * @param busyMs how long it waits for another program
   * @throws as SQLite does
   */
  intoFile<T>(work: (written: MeterTables) => T, busyMs: number): T {
    this.#waits(busyMs);
    let seen = 0;
    let done: { readonly answer: T } | undefined;
    const step = crypto.randomUUID();
    try {
      this.written.atOnce(() => {
        seen = Atomics.load(this.#flag, 0);
        this.#write(step);
        done = { answer: work(this.written) };
      });
    } catch (thrown) {
      // The files are committed one after the other: if the state file was, the step is done.
      if (!done || this.#mark()?.step !== step) throw thrown;
      return done.answer;
    }
    // Another worker may use it again by now.
    Atomics.compareExchange(this.#flag, 0, seen, 0);
    return done!.answer;
  }

  close(): void {
    this.#db.close();
  }

  #waits(ms: number): void {
    this.#db.run(`PRAGMA busy_timeout = ${ms}`);
  }

  /** Identifies what is counted here now. */
  get #batch(): string {
    return this.#db.query<{ batch: string }, []>("SELECT id || ' ' || step AS batch FROM spare.batch").get()!
      .batch;
  }

  /**
   * Deletes what the state file already includes: a process that ended between the commits of both files has written it
   * there, and not deleted it here.
   */
  #dropWritten(): void {
    if (this.#mark()?.batch !== this.#batch) return;
    this.#db.run('DELETE FROM spare.late');
    this.#db.run('DELETE FROM spare.late_holds');
  }

  /** The last step that wrote to the state file; `undefined` if there was none, or the file cannot be read. */
  #mark(): Mark | undefined {
    this.#waits(FAILING_BUSY_MS);
    try {
      const row = this.#db
        .query<{ mark: string }, [string]>('SELECT mark FROM marks WHERE name = ?')
        .get(MARK);
      return row ? (JSON.parse(row.mark) as Mark) : undefined;
    } catch {
      // Usage that it may include is counted again: rather too much than too little.
      return undefined;
    } finally {
      this.#waits(BUSY_MS);
    }
  }

  #write(step: string): void {
    const { written } = this;
    this.#dropWritten();
    const mark: Mark = { batch: this.#batch, step };
    this.#db.query('INSERT OR REPLACE INTO marks VALUES (?, ?)').run(MARK, JSON.stringify(mark));
    for (const { name, slices, until } of this.#db.query<LateRow, []>('SELECT * FROM spare.late').all()) {
      const sum = sumOf(written.slicesOf(name), JSON.parse(slices) as StoredMeter);
      written.put(name, sum, Math.max(written.untilOf(name), until));
    }
    const holds = this.#db.query<HoldRow, []>('SELECT * FROM spare.late_holds');
    for (const { name, worker, amount } of holds.all()) written.hold(name, worker, amount);
    this.#db.run('DELETE FROM spare.late');
    this.#db.run('DELETE FROM spare.late_holds');
    this.#db.run('UPDATE spare.batch SET step = step + 1');
  }
}

/**
 * Prepares the file for workers that are about to start: nothing is held any more for the previous ones.
 * @param isNew whether the state file is: what is left of another one in the same place does not belong to it
 * @returns a function that removes the file once they have ended, unless it is still needed
 */
export function claimSpare(directory: string, isNew: boolean): () => void {
  const folder = spareFolder(directory);
  if (folder === undefined) return () => undefined;
  const db = new Database(':memory:');
  const flag = isNew ? undefined : attached(db, folder);
  // What is in a damaged file is lost, and not worth more than the start.
  const remove = () => rmSync(folder, { recursive: true, force: true });
  if (flag) db.run('DELETE FROM spare.late_holds');
  else remove();
  db.close();
  return () => {
    if (!isInUse(folder)) remove();
  };
}

function isInUse(folder: string): boolean {
  try {
    return readFileSync(join(folder, FLAG)).some((byte) => byte !== 0);
  } catch {
    // No worker has begun.
    return false;
  }
}

/**
 * The folder of the file, which belongs to the program whose state directory this is; `undefined` if there is no safe
 * place for it.
 */
function spareFolder(directory: string): string | undefined {
  try {
    const { dev, ino } = statSync(directory);
    const folder = join(MEMORY, `llmproxy-${process.getuid!()}-${dev}-${ino}`);
    statSync(MEMORY);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const found = lstatSync(folder);
    // Anybody may create a file there.
    const isOwn = found.isDirectory() && found.uid === process.getuid!() && (found.mode & 0o077) === 0;
    return isOwn ? folder : undefined;
  } catch {
    // Another system, or a container without it.
    return undefined;
  }
}

/** Attaches the file. @returns the number that says whether it is used; `undefined` if the file cannot be used */
function attached(db: Database, folder: string): Int32Array | undefined {
  try {
    attach(db, join(folder, 'late.sqlite'));
    const path = join(folder, FLAG);
    const fd = openSync(path, 'a+', 0o600);
    ftruncateSync(fd, FLAG_BYTES);
    closeSync(fd);
    const { buffer, byteOffset } = Bun.mmap(path, { shared: true });
    return new Int32Array(buffer, byteOffset, 1);
  } catch {
    if (isAttached(db)) db.run('DETACH spare');
    return undefined;
  }
}

function isAttached(db: Database): boolean {
  return db
    .query<{ name: string }, []>('PRAGMA database_list')
    .all()
    .some(({ name }) => name === 'spare');
}

function attach(db: Database, path: string): void {
  db.run('ATTACH ? AS spare', [path]);
  // It ends with the machine, but must survive a process that is killed while it writes.
  db.run('PRAGMA spare.journal_mode = TRUNCATE');
  db.run('PRAGMA spare.synchronous = OFF');
  db.run(SCHEMA);
}
