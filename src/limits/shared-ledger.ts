import type { Database } from 'bun:sqlite';
import type { Charge, Ledger, Reading, Refusal, Reservation } from './ledger.ts';
import type { Limit } from './limit.ts';
import type { StoredMeter } from './meter.ts';
import { hasOwnMeter } from './crowd.ts';
import { Meter } from './meter.ts';
import { MeterTables } from './meter-tables.ts';
import { extend, reserve, settle } from './reserve.ts';
import { Spare } from './spare.ts';
import { BUSY_MS, FAILING_BUSY_MS } from './state-file.ts';
import { differenceOf, sumOf } from './stored-slices.ts';

export interface SharedLedgerOptions {
  /** The number of this worker, from 1. */
  readonly worker: number;
  readonly maxMeters: number;
  /** Where the file is. */
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

/**
 * The meters of several workers in their common SQLite file: each step is a transaction, and therefore atomic. The
 * amounts that a worker holds have rows of their own, which are deleted when it is gone. While the file cannot be
 * written, because the disk is full or another program has locked it, they count on from what it says in a second file,
 * which is in memory, and write it later.
 */
export class SharedLedger implements Ledger {
  readonly #db: Database;
  readonly #options: SharedLedgerOptions;
  readonly #written: MeterTables;
  /** Where the workers count what they cannot write. */
  readonly #spare: Spare;
  /** When the file is tried again; `undefined` if it can be written. */
  #retryMs: number | undefined;

  /** The number of meters above which new ones of a limit are counted together. */
  maxMeters: number;
  /** The number of meters at the last sweep. */
  #meters = 0;
  /** The number of meters of crowds that were asked for since then. */
  readonly #crowds = new Map<string, number>();

  constructor(db: Database, options: SharedLedgerOptions) {
    this.maxMeters = options.maxMeters;
    this.#db = db;
    this.#options = options;
    this.#written = new MeterTables(db);
    this.#spare = new Spare(options.directory, options.worker);
    this.#releaseAll();
  }

  /** Releases what the previous worker of this number held. */
  #releaseAll(): void {
    const { worker } = this.#options;
    try {
      this.#db.run('DELETE FROM holds WHERE worker = ?', [worker]);
    } catch {
      // Also while the file cannot be written: the worker is needed.
      const held = this.#db
        .query<{ name: string; amount: number }, [number]>('SELECT name, amount FROM holds WHERE worker = ?')
        .all(worker);
      this.#spare.exclusively(() => {
        for (const { name, amount } of held) this.#spare.hold(name, -amount);
      });
    }
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
    const { meter } = this.#partsOf({ limit, name });
    return { used: meter.used(nowMs), reserved: meter.reserved, resetMs: meter.emptyAt(nowMs) };
  }

  /** Writes what could not be written before. @returns whether everything is written now */
  catchUp(nowMs: number): boolean {
    if (this.#retryMs === undefined && !this.#spare.isUsed) return true;
    if (this.#retryMs !== undefined) this.#retryMs = nowMs;
    this.#step(
      () => [],
      () => undefined,
      nowMs,
    );
    return this.#retryMs === undefined;
  }

  /** Closes what it has opened. */
  close(): void {
    this.#spare.close();
  }

  /** Deletes expired meters. */
  sweep(nowMs: number): void {
    this.#db.run('DELETE FROM meters WHERE until < ?', [nowMs]);
    this.#db.run('DELETE FROM holds WHERE amount = 0');
    this.#crowds.clear();
    this.#meters = this.#db.query<{ count: number }, []>('SELECT COUNT(*) AS count FROM meters').get()!.count;
  }

  /** Works on meters, in the file or, if that fails, in memory: the work may run twice, and the second run counts. */
  #step<T>(
    placesOf: () => readonly Place[],
    work: (meters: readonly Meter[], places: readonly Place[]) => T,
    nowMs: number,
  ): T {
    if (!this.#isResting(nowMs)) {
      try {
        const inFile = (tables: MeterTables): { readonly answer: T } => {
          const places = placesOf();
          return { answer: this.#change(tables, places, (meters) => work(meters, places)) };
        };
        const plain = this.#spare.isUsed ? undefined : this.#alone(inFile);
        const busyMs = this.#retryMs === undefined ? BUSY_MS : FAILING_BUSY_MS;
        const { answer } = plain ?? this.#spare.intoFile(inFile, busyMs);
        if (this.#retryMs !== undefined) this.#works();
        return answer;
      } catch (thrown) {
        this.#fails(thrown, nowMs);
      }
    }
    return this.#spare.exclusively(() => this.#stepInSpare(placesOf(), work, nowMs));
  }

  /** Works on the file alone. @returns `undefined` if other workers could not write it meanwhile */
  #alone<T>(work: (tables: MeterTables) => T): T | undefined {
    const tables = this.#written;
    return tables.atOnce(() => (this.#spare.isUsed ? undefined : work(tables)));
  }

  #stepInSpare<T>(
    places: readonly Place[],
    work: (meters: readonly Meter[], places: readonly Place[]) => T,
    nowMs: number,
  ): T {
    const parts = places.map((place) => this.#partsOf(place));
    const meters = parts.map(({ meter }) => meter);
    const before = meters.map(({ reserved }) => reserved);
    const answer = work(meters, places);
    for (const [index, { meter, written }] of parts.entries()) {
      const { name, limit } = places[index]!;
      const held = meter.reserved - before[index]!;
      if (held !== 0) this.#spare.hold(name, held);
      const slices = differenceOf(meter.stored(), written, limit.window, nowMs);
      if (slices.length > 0 || this.#spare.has(name)) this.#spare.put(name, slices, meter.until);
    }
    return answer;
  }

  #isResting(nowMs: number): boolean {
    const retryMs = this.#retryMs;
    // A clock that was set back does not prolong it.
    return retryMs !== undefined && nowMs < retryMs && nowMs >= retryMs - RETRY_MS;
  }

  #works(): void {
    this.#retryMs = undefined;
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
        `Cannot count usage in ${directory}: ${state}; it is counted in memory and written later${this.#spare.isShared ? '' : ', and until then each worker knows only its own'}`,
      );
    }
    this.#retryMs = nowMs + RETRY_MS;
  }

  /** A meter with what could not be written, and what is. */
  #partsOf({ name, limit }: Place): { readonly meter: Meter; readonly written: StoredMeter } {
    let written: StoredMeter = [];
    let held = 0;
    try {
      written = this.#written.slicesOf(name);
      held = this.#written.heldOf(name);
    } catch (thrown) {
      // The operator has been told that the file cannot be used.
      if (this.#retryMs === undefined) throw thrown;
    }
    if (!this.#spare.isUsed) return { meter: meterOf(limit, written, held), written };
    const all = sumOf(written, this.#spare.slicesOf(name));
    return { meter: meterOf(limit, all, held + this.#spare.heldOf(name)), written };
  }

  /** Where charges are counted: new meters share one if there are too many. */
  #places(charges: readonly Charge[]): Place[] {
    return charges.map(({ limit, meter: name }) => {
      const isOwn = limit.owner.apart.length === 0 || this.#isFree(limit, name) || this.#isKnown(name);
      return { limit, name: isOwn ? name : `${limit.id} | all others` };
    });
  }

  #isFree(limit: Limit, name: string): boolean {
    const all = this.#meters + this.#late;
    return hasOwnMeter(limit, name, { all, ofCrowd: (crowd) => this.#crowd(crowd) }, this.maxMeters);
  }

  /** The number of written meters whose names begin with this. */
  #crowd(prefix: string): number {
    const known = this.#crowds.get(prefix);
    if (known !== undefined) return known;
    let count = 0;
    try {
      count = this.#written.countOf(prefix);
    } catch (thrown) {
      if (this.#retryMs === undefined) throw thrown;
    }
    this.#crowds.set(prefix, count);
    return count;
  }

  #isKnown(name: string): boolean {
    if (this.#late > 0 && this.#spare.has(name)) return true;
    try {
      return this.#written.has(name);
    } catch (thrown) {
      if (this.#retryMs === undefined) throw thrown;
      return false;
    }
  }

  /** The number of meters that could not be written. */
  get #late(): number {
    return this.#spare.isUsed ? this.#spare.size : 0;
  }

  /** Reads meters, works on them, and writes the changes. Within one transaction. */
  #change<T>(tables: MeterTables, places: readonly Place[], work: (meters: readonly Meter[]) => T): T {
    const changed = new Set<Meter>();
    const meters = places.map(({ limit, name }) =>
      meterOf(limit, tables.slicesOf(name), tables.heldOf(name), (each) => changed.add(each)),
    );
    const before = meters.map(({ reserved }) => reserved);
    const answer = work(meters);
    for (const [index, meter] of meters.entries()) {
      const { name } = places[index]!;
      const held = meter.reserved - before[index]!;
      if (held !== 0) tables.hold(name, this.#options.worker, held);
      if (changed.has(meter)) tables.put(name, meter.stored(), meter.until);
    }
    return answer;
  }
}

function meterOf(limit: Limit, slices: StoredMeter, held: number, changed?: (meter: Meter) => void): Meter {
  const meter = new Meter(limit.window, slices, changed);
  meter.hold(held);
  return meter;
}
