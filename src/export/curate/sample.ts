/** Fewer rows or pairs, drawn so that the same log and seed give the same ones. */
import type { Choice } from './row-set.ts';
import { shareOf } from './share.ts';

export type Sample = { readonly rows: number } | { readonly share: number };

/** Leaves out what is not drawn: all but a number, or but a share. */
export function sample(choice: Choice, wanted: Sample, seed: number): void {
  if ('share' in wanted) {
    choice.each((one) => {
      if (lot(choice, one, seed) >= wanted.share) choice.leave(one, 'sample');
    });
  } else keepLowest(choice, choice.all(), wanted.rows, { seed, reason: 'sample' });
}

/** Leaves out so many that each group has at most a number. */
export function balance(choice: Choice, perGroup: number, seed: number): void {
  const groups = new Map<string, number[]>();
  choice.each((one) => {
    const { group } = choice.candidates.facet(choice.rowOf(one));
    const members = groups.get(group);
    if (members) members.push(one);
    else groups.set(group, [one]);
  });
  for (const members of groups.values()) keepLowest(choice, members, perGroup, { seed, reason: 'balance' });
}

/** Leaves out all but the last of the log. */
export function keepLast(choice: Choice, wanted: number): void {
  let surplus = choice.count() - wanted;
  choice.each((one) => {
    if (surplus-- > 0) choice.leave(one, 'last');
  });
}

/** Leaves out all but the first of the log. */
export function keepFirst(choice: Choice, wanted: number): void {
  let kept = 0;
  choice.each((one) => {
    if (++kept > wanted) choice.leave(one, 'max_records');
  });
}

interface Draw {
  readonly seed: number;
  readonly reason: 'sample' | 'balance';
}

function keepLowest(
  choice: Choice,
  all: readonly number[] | Uint32Array,
  wanted: number,
  { seed, reason }: Draw,
): void {
  if (all.length <= wanted) return;
  const lots = Float64Array.from(all, (one) => lot(choice, one, seed));
  const drawn = new Uint32Array(all.length).map((_, index) => index);
  drawn.sort((a, b) => lots[a]! - lots[b]! || a - b);
  for (const index of drawn.subarray(wanted)) choice.leave(all[index]!, reason);
}

function lot(choice: Choice, one: number, seed: number): number {
  return shareOf(choice.hi('content', one), choice.lo('content', one), seed);
}
