import type { Charge, Counter, Refusal, Reservation, Standing } from './ledger.ts';

/**
 * The rules of every ledger: what is taken, what is refused, and what is given back. Requests count from when they begin, since
 * a window looks at beginnings; tokens and money are held until it is known how much was used.
 */

/** Takes the charges, or none of them. @param meters theirs, in the same order */
export function reserve(
  charges: readonly Charge[],
  meters: readonly Counter[],
  nowMs: number,
): Reservation | Refusal {
  const refusal = refusalOf(charges, meters, nowMs);
  if (refusal) return refusal;
  const held: number[] = [];
  const standings: Standing[] = [];
  for (const [index, charge] of charges.entries()) {
    const meter = meters[index]!;
    const amount = taken(charge, meter.room(charge.most, nowMs));
    if (charge.limit.kind === 'requests') meter.use(amount, nowMs, nowMs);
    else meter.hold(amount);
    held.push(amount);
    standings.push(standingOf(charge, meter, nowMs));
  }
  return { kind: 'taken', standings, held, atMs: nowMs };
}

/** Takes more of one charge. @param at.used whether it is used already: then it is taken whatever the room */
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

/** Ends a reservation. @param amounts what was used of each charge */
export function settle(
  { standings, held, atMs }: Reservation,
  amounts: readonly number[],
  meters: readonly Counter[],
  nowMs: number,
): void {
  for (const [index, { charge }] of standings.entries()) {
    const meter = meters[index]!;
    const used = amounts[index]!;
    const { kind } = charge.limit;
    if (kind === 'requests') {
      meter.use(used - held[index]!, atMs, nowMs);
      continue;
    }
    meter.release(held[index]!);
    if (kind !== 'concurrent') meter.use(used, nowMs, nowMs);
  }
}

/** The limit that refuses, the one that is the longest without room where there are several. */
function refusalOf(
  charges: readonly Charge[],
  meters: readonly Counter[],
  nowMs: number,
): Refusal | undefined {
  let refusal: Refusal | undefined;
  for (const [index, charge] of charges.entries()) {
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
 * What is guessed may be more than there is; what is known must fit, and something must be left. What uses nothing of a limit
 * is not refused by it, also where others used more than there was.
 */
export function fits({ known, amount }: Charge, room: number): boolean {
  return amount === 0 || (room >= known && room > 0);
}

/** Clients choose how much they ask for: what refuses nothing is held up to the limit, so that sums stay exact. */
function taken({ amount, known, lenient, most }: Charge, room: number): number {
  return lenient ? Math.min(amount, Math.max(1, most)) : Math.max(known, Math.min(amount, room));
}

function standingOf(charge: Charge, meter: Counter, nowMs: number): Standing {
  return { charge, taken: meter.used(nowMs) + meter.reserved, resetMs: meter.emptyAt(nowMs) };
}
