import type { Charge, Ledger, Reading, Refusal, Reservation } from './ledger.ts';
import type { Limit } from './limit.ts';
import type { ChangedMeter, KeptMeter } from './store.ts';
import { Meter } from './meter.ts';
import { extend, reserve, settle } from './reserve.ts';

/** A reservation, and where it was made. */
interface Taken extends Reservation {
  readonly meters: readonly Meter[];
}

/** How often it is looked for meters with nothing in them, milliseconds: it takes a while where there are many. */
const SWEEP_MS = 1_000;

/** The meters of a process that serves alone. What changes in them is told to whoever keeps it. */
export class MemoryLedger implements Ledger {
  readonly #meters = new Map<string, Meter>();
  /** As they were kept, until somebody asks for them. */
  readonly #stored: Map<string, KeptMeter>;
  /** Meters that changed since they were last kept, of limits whose use outlives a request. */
  #changed = new Map<string, Meter>();
  #sweptMs = -Infinity;
  /** How many meters are remembered: beyond it those with nothing in them are forgotten. */
  maxMeters: number;

  /** @param stored meters that were kept, by their names */
  constructor(stored: Map<string, KeptMeter>, maxMeters: number) {
    this.#stored = stored;
    this.maxMeters = maxMeters;
  }

  reserve(charges: readonly Charge[], nowMs: number): Taken | Refusal {
    const meters = charges.map((charge) => this.#meter(charge, nowMs));
    const answer = reserve(charges, meters, nowMs);
    return answer.kind === 'taken' ? Object.assign(answer, { meters }) : answer;
  }

  extend(reservation: Taken, index: number, amount: number, nowMs: number, used?: boolean): boolean {
    return extend(reservation, index, amount, { meter: reservation.meters[index]!, nowMs, used });
  }

  settle(reservation: Taken, amounts: readonly number[], nowMs: number): void {
    settle(reservation, amounts, reservation.meters, nowMs);
  }

  add(charges: readonly Charge[], nowMs: number): void {
    for (const charge of charges)
      if (charge.limit.window) this.#meter(charge, nowMs).use(charge.amount, nowMs, nowMs);
  }

  read(limit: Limit, name: string, nowMs: number): Reading {
    const meter = this.#meters.get(name) ?? new Meter(limit.window, this.#stored.get(name)?.slices);
    return { used: meter.used(nowMs), reserved: meter.reserved, resetMs: meter.emptyAt(nowMs) };
  }

  /** What changed since this was last asked. */
  changes(): ChangedMeter[] {
    const changed = Array.from(this.#changed, ([name, meter]) => ({
      name,
      slices: meter.stored(),
      untilMs: meter.until,
    }));
    this.#changed.clear();
    return changed;
  }

  #meter({ limit, meter: name }: Charge, nowMs: number): Meter {
    const known = this.#meters.get(name);
    if (known) return known;
    // Of limits that are counted for all together there are no more than the configuration has.
    const isOwn = limit.owner.apart.length === 0 || this.#stored.has(name) || this.#hasRoom(nowMs);
    const own = isOwn ? name : `${limit.id} | all others`;
    return this.#meters.get(own) ?? this.#make(limit, own);
  }

  #make(limit: Limit, name: string): Meter {
    const changed = (meter: Meter) => void this.#changed.set(name, meter);
    const meter = new Meter(limit.window, this.#stored.get(name)?.slices, limit.window && changed);
    this.#stored.delete(name);
    this.#meters.set(name, meter);
    return meter;
  }

  /** Whether one more may be remembered; forgets those with nothing in them where it must be. */
  #hasRoom(nowMs: number): boolean {
    if (this.#size < this.maxMeters) return true;
    if (nowMs - this.#sweptMs < SWEEP_MS) return false;
    this.#sweptMs = nowMs;
    for (const [name, meter] of this.#meters) if (meter.idle(nowMs)) this.#meters.delete(name);
    for (const [name, { untilMs }] of this.#stored) if (untilMs <= nowMs) this.#stored.delete(name);
    return this.#size < this.maxMeters;
  }

  get #size(): number {
    return this.#meters.size + this.#stored.size;
  }
}
