import type { Charge, Ledger, Reading, Refusal, Reservation } from './ledger.ts';
import type { Limit } from './limit.ts';
import type { ChangedMeter, KeptMeter } from './store.ts';
import { CrowdCount, hasOwnMeter } from './crowd.ts';
import { Meter } from './meter.ts';
import { extend, reserve, settle } from './reserve.ts';

/** A reservation, and its meters. */
interface Taken extends Reservation {
  readonly meters: readonly Meter[];
}

/** The interval at which empty meters are searched for, milliseconds: it takes a while if there are many. */
const SWEEP_MS = 1_000;

/** The meters of a process that serves alone. Changes are reported so that they can be persisted. */
export class MemoryLedger implements Ledger {
  readonly #meters = new Map<string, Meter>();
  readonly #crowds = new CrowdCount();
  /** Persisted meters that have not been used yet. */
  readonly #stored: Map<string, KeptMeter>;
  /** Meters changed since the last write, of limits whose usage outlives a request. */
  #changed = new Map<string, Meter>();
  #sweptMs = -Infinity;
  /** The number of meters above which empty ones are deleted. */
  maxMeters: number;

  /** @param stored the persisted meters, by name */
  constructor(stored: Map<string, KeptMeter>, maxMeters: number) {
    this.#stored = stored;
    this.maxMeters = maxMeters;
  }

  reserve(charges: readonly Charge[], nowMs: number): Taken | Refusal {
    const meters: Meter[] = [];
    for (const charge of charges) meters.push(this.#meter(charge, nowMs));
    const answer = reserve(charges, meters, nowMs);
    if (answer.kind === 'refused') return answer;
    const { kind, standings, held, atMs } = answer;
    return { kind, standings, held, atMs, meters };
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

  /** What changed since the last call. */
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
    // Limits that are not counted separately are bounded by the configuration.
    const isOwn =
      limit.owner.apart.length === 0 || this.#stored.has(name) || this.#hasRoom(limit, name, nowMs);
    const own = isOwn ? name : `${limit.id} | all others`;
    return this.#meters.get(own) ?? this.#make(limit, own);
  }

  #make(limit: Limit, name: string): Meter {
    const changed = (meter: Meter) => void this.#changed.set(name, meter);
    const meter = new Meter(limit.window, this.#stored.get(name)?.slices, limit.window && changed);
    this.#stored.delete(name);
    this.#meters.set(name, meter);
    this.#crowds.add(limit, name);
    return meter;
  }

  /** Whether one more meter may be added; deletes empty ones if necessary. */
  #hasRoom(limit: Limit, name: string, nowMs: number): boolean {
    if (this.#isFree(limit, name)) return true;
    if (nowMs - this.#sweptMs < SWEEP_MS) return false;
    this.#sweptMs = nowMs;
    for (const [each, meter] of this.#meters) if (meter.idle(nowMs)) this.#forget(each);
    for (const [each, { untilMs }] of this.#stored) if (untilMs <= nowMs) this.#stored.delete(each);
    return this.#isFree(limit, name);
  }

  #isFree(limit: Limit, name: string): boolean {
    const all = this.#meters.size + this.#stored.size;
    return hasOwnMeter(limit, name, { all, ofCrowd: (crowd) => this.#crowds.of(crowd) }, this.maxMeters);
  }

  #forget(name: string): void {
    this.#meters.delete(name);
    this.#crowds.delete(name);
  }
}
