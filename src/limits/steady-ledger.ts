import type { Charge, Ledger, Reading, Refusal, Reservation } from './ledger.ts';
import type { Limit } from './limit.ts';
import { MemoryLedger } from './memory-ledger.ts';

export interface SteadyLedgerOptions {
  readonly directory: string;
  readonly maxMeters: number;
  readonly onProblem: (message: string) => void;
}

/** A ledger that may fail, with one in memory as its fallback: limits apply to this process alone then. */
export class SteadyLedger implements Ledger {
  readonly #shared: Ledger & { maxMeters: number };
  readonly #own: MemoryLedger;
  readonly #options: SteadyLedgerOptions;
  readonly #madeHere = new WeakSet<Reservation>();
  #failed = false;

  constructor(shared: Ledger & { maxMeters: number }, options: SteadyLedgerOptions) {
    this.#shared = shared;
    this.#own = new MemoryLedger(new Map(), options.maxMeters);
    this.#options = options;
  }

  set maxMeters(most: number) {
    this.#shared.maxMeters = most;
    this.#own.maxMeters = most;
  }

  reserve(charges: readonly Charge[], nowMs: number): Reservation | Refusal {
    return this.#try(
      () => this.#shared.reserve(charges, nowMs),
      () => {
        const answer = this.#own.reserve(charges, nowMs);
        if (answer.kind === 'taken') this.#madeHere.add(answer);
        return answer;
      },
    );
  }

  extend(reservation: Reservation, index: number, amount: number, nowMs: number, used?: boolean): boolean {
    const own = () =>
      this.#madeHere.has(reservation) && this.#own.extend(reservation as never, index, amount, nowMs, used);
    return this.#madeHere.has(reservation)
      ? own()
      : this.#try(() => this.#shared.extend(reservation, index, amount, nowMs, used), own);
  }

  settle(reservation: Reservation, amounts: readonly number[], nowMs: number): void {
    if (this.#madeHere.has(reservation)) return this.#own.settle(reservation as never, amounts, nowMs);
    this.#try(
      () => this.#shared.settle(reservation, amounts, nowMs),
      () => undefined,
    );
  }

  add(charges: readonly Charge[], nowMs: number): void {
    this.#try(
      () => this.#shared.add(charges, nowMs),
      () => this.#own.add(charges, nowMs),
    );
  }

  read(limit: Limit, meter: string, nowMs: number): Reading {
    return this.#try(
      () => this.#shared.read(limit, meter, nowMs),
      () => this.#own.read(limit, meter, nowMs),
    );
  }

  #try<T>(shared: () => T, own: () => T): T {
    const { directory, onProblem } = this.#options;
    try {
      const answer = shared();
      if (this.#failed) onProblem(`What is used is counted in ${directory} again`);
      this.#failed = false;
      return answer;
    } catch (thrown) {
      const state = thrown instanceof Error ? thrown.message : String(thrown);
      if (!this.#failed)
        onProblem(
          `Cannot count what is used in ${directory}: ${state}; limits hold for this worker alone until that works again`,
        );
      this.#failed = true;
      return own();
    }
  }
}
