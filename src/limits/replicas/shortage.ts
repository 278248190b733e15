/** What a request lacks on this replica, and whether waiting for it is worthwhile. */
import type { Clock } from '../../clock.ts';
import type { Charge } from '../ledger.ts';
import type { Place } from './place.ts';
import type { Places } from './places.ts';
import type { Share } from './share.ts';

/** A charge for which there is too little here. */
export interface Short {
  readonly place: Place;
  readonly charge: Charge;
}

/** When the server may have room, the soonest first: some of it may be held by other replicas. */
const CHANCES = ['now', 'when others return it', 'when others end', 'none'] as const;
export type Chance = (typeof CHANCES)[number];

/**
 * The charges for which there is too little here.
 * @param atLeast whether only that counts without which the request is refused
 */
export function shortOf(
  places: Places,
  charges: readonly Charge[],
  nowMs: number,
  atLeast: boolean,
): Short[] {
  const short: Short[] = [];
  for (const charge of charges) {
    if (charge.lenient || charge.amount === 0) continue;
    const place = places.of(charge.limit, charge.meter, nowMs);
    const wanted = atLeast ? leastOf(charge) : charge.amount;
    if (place.share.room(charge.most, nowMs) < wanted) short.push({ place, charge });
  }
  return short;
}

/** When there may be room for everything without which a request is refused. */
export function chanceOf(short: readonly Short[], nowMs: number): Chance {
  let worst: Chance = 'now';
  for (const { place, charge } of short) {
    const chance = chanceOfOne(place.share, charge, nowMs);
    if (CHANCES.indexOf(chance) > CHANCES.indexOf(worst)) worst = chance;
  }
  return worst;
}

/** Asks for one after another, in the same order on all replicas, as long as each is obtained. */
export async function askInTurn(short: readonly Short[], clock: Clock): Promise<void> {
  const inOrder = short.toSorted((one, other) => (one.place.key < other.place.key ? -1 : 1));
  for (const { place, charge } of inOrder) {
    await place.ask();
    if (place.share.room(charge.most, clock.now()) < leastOf(charge)) return;
  }
}

function chanceOfOne(share: Share, charge: Charge, nowMs: number): Chance {
  const missing = leastOf(charge) - share.room(charge.most, nowMs) - Math.max(0, share.left(nowMs));
  if (missing <= 0) return 'now';
  if (missing <= share.othersLeaveUnused) return 'when others return it';
  return missing <= share.othersHold ? 'when others end' : 'none';
}

/** What a request must at least obtain. */
function leastOf({ known }: Charge): number {
  return Math.max(1, known);
}
