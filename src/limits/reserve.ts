import type { Charge, Counter, Refusal, Reservation, Standing } from './ledger.ts';

/**
 * The rules of every ledger: what is reserved, what is refused, and what is released. Requests count from their start,
 * since windows are defined by it; tokens and money are held until the actual usage is known.
 */

/** Reserves all charges, or none. @param meters in the same order as the charges */
export function reserve(
  charges: readonly Charge[],
  meters: readonly Counter[],
  nowMs: number,
): Reservation | Refusal {
  const refusal = refusalOf(charges, meters, nowMs);
  if (refusal) return refusal;
  const held: number[] = [];
  const standings: Standing[] = [];
  for (let index = 0; index < charges.length; index += 1) {
    const charge = charges[index]!;
    const meter = meters[index]!;
    const amount = taken(charge, meter, nowMs);
    if (charge.limit.kind === 'requests') meter.use(amount, nowMs, nowMs);
    else meter.hold(amount);
    held.push(amount);
    standings.push(standingOf(charge, meter, nowMs));
  }
  return { kind: 'taken', standings, held, atMs: nowMs };
}

/** Reserves more of one charge. @param at.used whether it is used already: it is then taken regardless of room */
export function extend(
  reservation: Reservation,
  index: number,
  amount: number,
  {
    meter,
    nowMs,
    used,
  }: { readonly meter: Counter; readonly nowMs: number; readonly used?: boolean | undefined },
): boolean {
  const { charge } = reservation.standings[index]!;
  if (!used && !charge.lenient && meter.room(charge.most, nowMs) < amount) return false;
  meter.hold(amount);
  reservation.held[index]! += amount;
  return true;
}

/** Settles a reservation. @param amounts the amount used of each charge */
export function settle(
  { standings, held, atMs }: Reservation,
  amounts: readonly number[],
  meters: readonly Counter[],
  nowMs: number,
): void {
  for (let index = 0; index < standings.length; index += 1) {
    const meter = meters[index]!;
    const used = amounts[index]!;
    const { kind } = standings[index]!.charge.limit;
    if (kind === 'requests') {
      meter.use(used - held[index]!, atMs, nowMs);
      continue;
    }
    meter.release(held[index]!);
    if (kind !== 'concurrent') meter.use(used, nowMs, nowMs);
  }
}

/** The limit that refuses; if there are several, the one that is without room for the longest time. */
function refusalOf(
  charges: readonly Charge[],
  meters: readonly Counter[],
  nowMs: number,
): Refusal | undefined {
  let refusal: Refusal | undefined;
  for (let index = 0; index < charges.length; index += 1) {
    const charge = charges[index]!;
    const meter = meters[index]!;
    if (charge.lenient || fits(charge, meter.room(charge.most, nowMs))) continue;
    const wanted = Math.max(1, charge.known);
    const held = charge.limit.kind === 'concurrent' || wanted <= charge.most - meter.used(nowMs);
    const freeMs = held ? undefined : meter.freeAt(wanted, charge.most, nowMs);
    if (refusal && (freeMs ?? 0) <= (refusal.freeMs ?? 0)) continue;
    refusal = { kind: 'refused', standing: standingOf(charge, meter, nowMs), freeMs };
  }
  return refusal;
}

/**
 * An estimate may exceed the room; what is known must fit, and something must be left. A request that uses nothing of a
 * limit is not refused by it, even if others have exceeded it.
 */
export function fits({ known, amount }: Charge, room: number): boolean {
  return amount === 0 || (room >= known && room > 0);
}

/**
 * Clients choose how much they ask for: limits that refuse nothing hold at most their amount, so that sums stay exact.
 */
function taken({ amount, known, lenient, most }: Charge, meter: Counter, nowMs: number): number {
  if (lenient) return Math.min(amount, Math.max(1, most));
  return known >= amount ? known : Math.max(known, Math.min(amount, meter.room(most, nowMs)));
}

function standingOf(charge: Charge, meter: Counter, nowMs: number): Standing {
  return { charge, taken: meter.used(nowMs) + meter.reserved, resetMs: meter.emptyAt(nowMs) };
}
