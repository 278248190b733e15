/** Selects fewer rows or pairs, so that the same log and seed give the same ones. */
import type { Sample } from '../../config/export/values.ts';
import type { RowSet } from './row-set.ts';
import { shareOf } from './share.ts';

/** Leaves out all but a random number, or share, of items. */
export function sample(set: RowSet, wanted: Sample, seed: number): void {
  if ('share' in wanted) {
    set.each((one) => {
      if (lot(set, one, seed) >= wanted.share) set.drop(one, 'sample');
    });
  } else keepLowest(set, set.all(), wanted.rows, { seed, reason: 'sample' });
}

/** Leaves out items so that each group has at most a given number. */
export function balance(set: RowSet, perGroup: number, seed: number): void {
  const groups = new Map<string, number[]>();
  set.each((one) => {
    const { balanceBy } = set.table.group(set.rowOf(one));
    const members = groups.get(balanceBy);
    if (members) members.push(one);
    else groups.set(balanceBy, [one]);
  });
  for (const members of groups.values()) keepLowest(set, members, perGroup, { seed, reason: 'balance' });
}

/** Leaves out all but the last items of the log. */
export function keepLast(set: RowSet, wanted: number): void {
  let surplus = set.count() - wanted;
  set.each((one) => {
    if (surplus-- > 0) set.drop(one, 'last');
  });
}

/** Leaves out all but the first items of the log. */
export function keepFirst(set: RowSet, wanted: number): void {
  let kept = 0;
  set.each((one) => {
    if (++kept > wanted) set.drop(one, 'max_records');
  });
}

interface Draw {
  readonly seed: number;
  readonly reason: 'sample' | 'balance';
}

function keepLowest(
  set: RowSet,
  all: readonly number[] | Uint32Array,
  wanted: number,
  { seed, reason }: Draw,
): void {
  if (all.length <= wanted) return;
  const lots = Float64Array.from(all, (one) => lot(set, one, seed));
  const drawn = new Uint32Array(all.length).map((_, index) => index);
  drawn.sort((a, b) => lots[a]! - lots[b]! || a - b);
  for (const index of drawn.subarray(wanted)) set.drop(all[index]!, reason);
}

function lot(set: RowSet, one: number, seed: number): number {
  return shareOf(set.hi('content', one), set.lo('content', one), seed);
}
