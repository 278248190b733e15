import type { Database, Statement } from 'bun:sqlite';
import type { StoredMeter } from './meter.ts';

/** The meters in the state file, and the amounts that each worker holds of them, through one connection. */
export class MeterTables {
  readonly #read: Statement<{ slices: string; until: number }, [string]>;
  readonly #held: Statement<{ held: number | null }, [string]>;
  readonly #count: Statement<{ count: number }, [string, string]>;
  readonly #put: Statement;
  readonly #hold: Statement;
  /** Works in one transaction, which locks all files of the connection. */
  readonly atOnce: <T>(work: () => T) => T;

  /** @throws as SQLite does */
  constructor(db: Database) {
    this.#read = db.query('SELECT slices, until FROM meters WHERE name = ?');
    this.#held = db.query('SELECT SUM(amount) AS held FROM holds WHERE name = ?');
    this.#count = db.query('SELECT COUNT(*) AS count FROM meters WHERE name >= ? AND name < ?');
    this.#put = db.query('INSERT OR REPLACE INTO meters VALUES (?, ?, ?)');
    this.#hold = db.query(
      'INSERT INTO holds VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET amount = amount + ?3',
    );
    const run = db.transaction((work: () => unknown) => work());
    this.atOnce = <T>(work: () => T) => run.immediate(work) as T;
  }

  has(name: string): boolean {
    return this.#read.get(name) !== null;
  }

  /** The number of meters whose names begin with this. */
  countOf(prefix: string): number {
    return this.#count.get(prefix, `${prefix}\uffff`)!.count;
  }

  slicesOf(name: string): StoredMeter {
    const stored = this.#read.get(name);
    return stored ? (JSON.parse(stored.slices) as StoredMeter) : [];
  }

  untilOf(name: string): number {
    return this.#read.get(name)?.until ?? 0;
  }

  heldOf(name: string): number {
    return this.#held.get(name)?.held ?? 0;
  }

  /** @param until when nothing of it counts any more, epoch milliseconds */
  put(name: string, slices: StoredMeter, until: number): void {
    this.#put.run(name, JSON.stringify(slices), until);
  }

  hold(name: string, worker: number, amount: number): void {
    this.#hold.run(name, worker, amount);
  }
}
