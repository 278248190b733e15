import type { Database, Statement } from 'bun:sqlite';
import type { Charge, Counter, Ledger, Reading, Refusal, Reservation } from './ledger.ts';
import type { Limit } from './limit.ts';
import type { StoredMeter } from './meter.ts';
import { Meter } from './meter.ts';
import { extend, reserve, settle } from './reserve.ts';
import { BUSY_MS } from './state-file.ts';
import { Unwritten } from './unwritten.ts';

export interface SharedLedgerOptions {
  /** The number of this worker, from 1. */
  readonly worker: number;
  readonly maxMeters: number;
  /** Its name in messages. */
  readonly directory: string;
  readonly onProblem: (message: string) => void;
}

/** Where a charge is counted. */
interface Place {
  readonly limit: Limit;
  readonly name: string;
}

/** A reservation, and its meters. */
interface Taken extends Reservation {
  readonly places: readonly Place[];
}

/** The interval at which a file that cannot be written is tried again, milliseconds. */
const RETRY_MS = 1_000;

/** How long a step waits for a file that could not be written the last time, milliseconds. */
const FAILING_BUSY_MS = 10;

/**
 * The meters of several workers in their common SQLite file: each step is a transaction, and therefore atomic. The
 * amounts that a worker holds have rows of their own, which are deleted when it is gone. While the file cannot be
 * written, because the disk is full or another program has locked it, a worker counts on in memory from what the file
 * says, and writes it later.
 */
export class SharedLedger implements Ledger {
  readonly #db: Database;
  readonly #options: SharedLedgerOptions;
  readonly #readMeter: Statement<{ slices: string }, [string]>;
  readonly #readHeld: Statement<{ held: number | null }, [string]>;
  readonly #putMeter: Statement;
  readonly #addHold: Statement;
  readonly #atOnce: <T>(work: () => T) => T;
  /** What this worker has counted and could not write. */
  #unwritten = new Unwritten();
  /** When the file is tried again; `undefined` if it can be written. */
  #retryMs: number | undefined;

  /** The number of meters above which new ones of a limit are counted together. */
  maxMeters: number;
  /** The number of meters at the last sweep. */
  #meters = 0;

  constructor(db: Database, options: SharedLedgerOptions) {
    this.maxMeters = options.maxMeters;
    this.#db = db;
    this.#options = options;
    this.#readMeter = db.query('SELECT slices FROM meters WHERE name = ?');
    this.#readHeld = db.query('SELECT SUM(amount) AS held FROM holds WHERE name = ?');
    this.#putMeter = db.query('INSERT OR REPLACE INTO meters VALUES (?, ?, ?)');
    this.#addHold = db.query(
      'INSERT INTO holds VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET amount = amount + ?3',
    );
    const run = db.transaction((work: () => unknown) => work());
    this.#atOnce = <T>(work: () => T) => run.immediate(work) as T;
    db.run('DELETE FROM holds WHERE worker = ?', [options.worker]);
  }

  reserve(charges: readonly Charge[], nowMs: number): Taken | Refusal {
    return this.#step(
      () => this.#places(charges),
      (meters, places) => {
        const answer = reserve(charges, meters, nowMs);
        return answer.kind === 'taken' ? Object.assign(answer, { places }) : answer;
      },
      nowMs,
    );
  }

  extend(reservation: Taken, index: number, amount: number, nowMs: number, used?: boolean): boolean {
    const before = reservation.held[index]!;
    return this.#step(
      () => [reservation.places[index]!],
      ([meter]) => {
        // A step that could not be written is repeated.
        reservation.held[index] = before;
        return extend(reservation, index, amount, { meter: meter!, nowMs, used });
      },
      nowMs,
    );
  }

  settle(reservation: Taken, amounts: readonly number[], nowMs: number): void {
    this.#step(
      () => reservation.places,
      (meters) => settle(reservation, amounts, meters, nowMs),
      nowMs,
    );
  }

  add(charges: readonly Charge[], nowMs: number): void {
    this.#step(
      () => this.#places(charges),
      (meters) => {
        for (const [index, { amount, limit }] of charges.entries())
          if (limit.window) meters[index]!.use(amount, nowMs, nowMs);
      },
      nowMs,
    );
  }

  read(limit: Limit, name: string, nowMs: number): Reading {
    const meter = this.#readable({ limit, name }, nowMs);
    return { used: meter.used(nowMs), reserved: meter.reserved, resetMs: meter.emptyAt(nowMs) };
  }

  /** Writes what could not be written before. @returns whether everything is written now */
  catchUp(nowMs: number): boolean {
    if (this.#retryMs === undefined) return true;
    this.#retryMs = nowMs;
    this.#step(
      () => [],
      () => undefined,
      nowMs,
    );
    return this.#retryMs === undefined;
  }

  /** Deletes expired meters. */
  sweep(nowMs: number): void {
    this.#db.run('DELETE FROM meters WHERE until < ?', [nowMs]);
    this.#db.run('DELETE FROM holds WHERE amount = 0');
    this.#meters = this.#db.query<{ count: number }, []>('SELECT COUNT(*) AS count FROM meters').get()!.count;
  }

  /** Works on meters, in the file or, if that fails, in memory: the work may run twice, and the second run counts. */
  #step<T>(
    placesOf: () => readonly Place[],
    work: (meters: readonly Counter[], places: readonly Place[]) => T,
    nowMs: number,
  ): T {
    if (!this.#isResting(nowMs)) {
      try {
        const answer = this.#atOnce(() => {
          if (this.#retryMs !== undefined) this.#writeUnwritten(nowMs);
          const places = placesOf();
          return this.#change(places, (meters) => work(meters, places));
        });
        if (this.#retryMs !== undefined) this.#works();
        return answer;
      } catch (thrown) {
        this.#fails(thrown, nowMs);
      }
    }
    const places = placesOf();
    const meters = places.map((place) => this.#unwritten.noting(place, this.#readable(place, nowMs)));
    return work(meters, places);
  }

  #isResting(nowMs: number): boolean {
    const retryMs = this.#retryMs;
    // A clock that was set back does not prolong it.
    return retryMs !== undefined && nowMs < retryMs && nowMs >= retryMs - RETRY_MS;
  }

  #works(): void {
    this.#retryMs = undefined;
    this.#unwritten = new Unwritten();
    this.#db.run(`PRAGMA busy_timeout = ${BUSY_MS}`);
    this.#options.onProblem(`Usage is counted in ${this.#options.directory} again`);
  }

  #fails(thrown: unknown, nowMs: number): void {
    const { directory, onProblem } = this.#options;
    if (this.#retryMs === undefined) {
      const state = thrown instanceof Error ? thrown.message : String(thrown);
      // Waiting blocks the event loop, which should not happen again and again.
      this.#db.run(`PRAGMA busy_timeout = ${FAILING_BUSY_MS}`);
      onProblem(
        `Cannot count usage in ${directory}: ${state}; it is counted in memory and written later, and until then each worker knows only its own`,
      );
    }
    this.#retryMs = nowMs + RETRY_MS;
  }

  #load({ limit, name }: Place, changed?: (meter: Meter) => void): Meter {
    const stored = this.#readMeter.get(name);
    const slices = stored ? (JSON.parse(stored.slices) as StoredMeter) : [];
    const meter = new Meter(limit.window, slices, changed);
    meter.hold(this.#readHeld.get(name)?.held ?? 0);
    return meter;
  }

  /** A meter with what could not be written. */
  #readable(place: Place, nowMs: number): Meter {
    const meter = this.#loadIfPossible(place);
    this.#unwritten.addTo(meter, place.name, nowMs);
    return meter;
  }

  #loadIfPossible(place: Place): Meter {
    if (this.#retryMs === undefined) return this.#load(place);
    try {
      return this.#load(place);
    } catch {
      // It was reported that the file cannot be used.
      return new Meter(place.limit.window);
    }
  }

  /** Where charges are counted: new meters share one if there are too many. */
  #places(charges: readonly Charge[]): Place[] {
    return charges.map(({ limit, meter: name }) => {
      const isFull = limit.owner.apart.length > 0 && this.#meters + this.#unwritten.size >= this.maxMeters;
      return { limit, name: isFull && !this.#isKnown(name) ? `${limit.id} | all others` : name };
    });
  }

  #isKnown(name: string): boolean {
    if (this.#unwritten.has(name)) return true;
    try {
      return this.#readMeter.get(name) !== null;
    } catch (thrown) {
      if (this.#retryMs === undefined) throw thrown;
      return false;
    }
  }

  /** Reads meters, works on them, and writes the changes. Within one transaction. */
  #change<T>(places: readonly Place[], work: (meters: readonly Meter[]) => T): T {
    const changed = new Set<Meter>();
    const meters = places.map((place) => this.#load(place, (each) => changed.add(each)));
    const before = meters.map(({ reserved }) => reserved);
    const answer = work(meters);
    for (const [index, meter] of meters.entries()) {
      const { name } = places[index]!;
      const held = meter.reserved - before[index]!;
      if (held !== 0) this.#addHold.run(name, this.#options.worker, held);
      if (changed.has(meter)) this.#putMeter.run(name, JSON.stringify(meter.stored()), meter.until);
    }
    return answer;
  }

  /** Within one transaction. */
  #writeUnwritten(nowMs: number): void {
    for (const place of this.#unwritten.places)
      this.#change([place], ([meter]) => this.#unwritten.addTo(meter!, place.name, nowMs));
  }
}
