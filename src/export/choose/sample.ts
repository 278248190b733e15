/** Fewer rows, drawn so that the same log and seed give the same ones. */
import type { Choice } from './choice.ts';
import { shareOf } from './share.ts';

export type Sample = { readonly rows: number } | { readonly share: number };

/** Leaves out rows by chance: all but a number of them, or but a share. */
export function sample(choice: Choice, wanted: Sample, seed: number): void {
  if ('share' in wanted) {
    choice.each((row) => {
      if (lot(choice, row, seed) >= wanted.share) choice.leave(row, 'sample');
    });
  } else keepLowest(choice, choice.rows(), wanted.rows, { seed, reason: 'sample' });
}

/** Leaves out rows so that each group has at most so many. */
export function balance(choice: Choice, perGroup: number, seed: number): void {
  const groups = new Map<string, number[]>();
  choice.each((row) => {
    const { group } = choice.candidates.facet(row);
    const rows = groups.get(group);
    if (rows) rows.push(row);
    else groups.set(group, [row]);
  });
  for (const rows of groups.values()) keepLowest(choice, rows, perGroup, { seed, reason: 'balance' });
}

/** Leaves out all but the last rows of the log. */
export function keepLast(choice: Choice, wanted: number): void {
  let surplus = choice.count() - wanted;
  choice.each((row) => {
    if (surplus-- > 0) choice.leave(row, 'last');
  });
}

/** Leaves out all but the first rows of the log. */
export function keepFirst(choice: Choice, wanted: number): void {
  let kept = 0;
  choice.each((row) => {
    if (++kept > wanted) choice.leave(row, 'max_records');
  });
}

interface Draw {
  readonly seed: number;
  readonly reason: 'sample' | 'balance';
}

function keepLowest(
  choice: Choice,
  rows: readonly number[] | Uint32Array,
  wanted: number,
  { seed, reason }: Draw,
): void {
  if (rows.length <= wanted) return;
  const lots = Float64Array.from(rows, (row) => lot(choice, row, seed));
  const drawn = new Uint32Array(rows.length).map((_, index) => index);
  drawn.sort((a, b) => lots[a]! - lots[b]! || a - b);
  for (const index of drawn.subarray(wanted)) choice.leave(rows[index]!, reason);
}

function lot({ candidates }: Choice, row: number, seed: number): number {
  return shareOf(candidates.hi('content', row), candidates.lo('content', row), seed);
}
