import type { Database, Statement } from 'bun:sqlite';
import type { Charge, Ledger, Reading, Refusal, Reservation } from './ledger.ts';
import type { Limit } from './limit.ts';
import type { StoredMeter } from './meter.ts';
import { Meter } from './meter.ts';
import { extend, reserve, settle } from './reserve.ts';

/** Where a charge is counted. */
interface Place {
  readonly limit: Limit;
  readonly name: string;
}

/** A reservation, and its meters. */
interface Taken extends Reservation {
  readonly places: readonly Place[];
}

/**
 * The meters of several workers in their common SQLite file: each step is a transaction, and therefore atomic. The
 * amounts that a worker holds have rows of their own, which are deleted when it is gone.
 */
export class SharedLedger implements Ledger {
  readonly #db: Database;
  readonly #worker: number;
  readonly #readMeter: Statement<{ slices: string }, [string]>;
  readonly #readHeld: Statement<{ held: number | null }, [string]>;
  readonly #putMeter: Statement;
  readonly #addHold: Statement;
  readonly #atOnce: <T>(work: () => T) => T;

  /** The number of meters above which new ones of a limit are counted together. */
  maxMeters: number;
  /** The number of meters at the last sweep. */
  #meters = 0;

  /** @param worker from 1 */
  constructor(db: Database, { worker, maxMeters }: { readonly worker: number; readonly maxMeters: number }) {
    this.maxMeters = maxMeters;
    this.#db = db;
    this.#worker = worker;
    this.#readMeter = db.query('SELECT slices FROM meters WHERE name = ?');
    this.#readHeld = db.query('SELECT SUM(amount) AS held FROM holds WHERE name = ?');
    this.#putMeter = db.query('INSERT OR REPLACE INTO meters VALUES (?, ?, ?)');
    this.#addHold = db.query(
      'INSERT INTO holds VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET amount = amount + ?3',
    );
    const run = db.transaction((work: () => unknown) => work());
    this.#atOnce = <T>(work: () => T) => run.immediate(work) as T;
    db.run('DELETE FROM holds WHERE worker = ?', [worker]);
  }

  reserve(charges: readonly Charge[], nowMs: number): Taken | Refusal {
    return this.#atOnce(() => {
      const places = this.#places(charges);
      const answer = this.#change(places, (meters) => reserve(charges, meters, nowMs));
      return answer.kind === 'taken' ? Object.assign(answer, { places }) : answer;
    });
  }

  extend(reservation: Taken, index: number, amount: number, nowMs: number, used?: boolean): boolean {
    const places = [reservation.places[index]!];
    return this.#atOnce(() =>
      this.#change(places, ([meter]) => extend(reservation, index, amount, { meter: meter!, nowMs, used })),
    );
  }

  settle(reservation: Taken, amounts: readonly number[], nowMs: number): void {
    this.#atOnce(() =>
      this.#change(reservation.places, (meters) => settle(reservation, amounts, meters, nowMs)),
    );
  }

  add(charges: readonly Charge[], nowMs: number): void {
    this.#atOnce(() =>
      this.#change(this.#places(charges), (meters) => {
        for (const [index, { amount, limit }] of charges.entries())
          if (limit.window) meters[index]!.use(amount, nowMs, nowMs);
      }),
    );
  }

  read(limit: Limit, name: string, nowMs: number): Reading {
    const meter = this.#load(limit, name);
    return { used: meter.used(nowMs), reserved: meter.reserved, resetMs: meter.emptyAt(nowMs) };
  }

  /** Deletes expired meters. */
  sweep(nowMs: number): void {
    this.#db.run('DELETE FROM meters WHERE until < ?', [nowMs]);
    this.#db.run('DELETE FROM holds WHERE amount = 0');
    this.#meters = this.#db.query<{ count: number }, []>('SELECT COUNT(*) AS count FROM meters').get()!.count;
  }

  #load(limit: Limit, name: string, changed?: (meter: Meter) => void): Meter {
    const stored = this.#readMeter.get(name);
    const slices = stored ? (JSON.parse(stored.slices) as StoredMeter) : [];
    const meter = new Meter(limit.window, slices, changed);
    meter.hold(this.#readHeld.get(name)?.held ?? 0);
    return meter;
  }

  /** Where charges are counted: new meters share one if there are too many. */
  #places(charges: readonly Charge[]): Place[] {
    return charges.map(({ limit, meter: name }) => {
      const isFull = limit.owner.apart.length > 0 && this.#meters >= this.maxMeters;
      return { limit, name: isFull && !this.#readMeter.get(name) ? `${limit.id} | all others` : name };
    });
  }

  /** Reads meters, works on them, and writes the changes. Within one transaction. */
  #change<T>(places: readonly Place[], work: (meters: readonly Meter[]) => T): T {
    const changed = new Set<Meter>();
    const meters = places.map(({ limit, name }) => this.#load(limit, name, (each) => changed.add(each)));
    const before = meters.map(({ reserved }) => reserved);
    const answer = work(meters);
    for (const [index, meter] of meters.entries()) {
      const { name } = places[index]!;
      const held = meter.reserved - before[index]!;
      if (held !== 0) this.#addHold.run(name, this.#worker, held);
      if (changed.has(meter)) this.#putMeter.run(name, JSON.stringify(meter.stored()), meter.until);
    }
    return answer;
  }
}
