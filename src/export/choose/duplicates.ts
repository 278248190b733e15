import type { NearIndex } from '../near/index.ts';
import type { Choice } from './choice.ts';
import { HashMap64 } from '../hash-map.ts';
import { Sweeper } from '../sweep.ts';

/** Leaves out rows that say the same as an earlier one: all of it, or the prompt alone. */
export function leaveDuplicates(choice: Choice, by: 'content' | 'prompt'): void {
  const { candidates } = choice;
  const seen = new HashMap64(candidates.length);
  choice.each((row) => {
    const hi = candidates.hi(by, row);
    const lo = candidates.lo(by, row);
    if (seen.has(hi, lo)) choice.leave(row, 'duplicate');
    else seen.set(hi, lo, row);
  });
}

/** Leaves out rows that are nearly the same as an earlier one. */
export function leaveNearDuplicates(
  choice: Choice,
  index: NearIndex,
  signature: (row: number) => Uint8Array,
): void {
  const sweeper = new Sweeper();
  choice.each((row) => {
    sweeper.at(row);
    const mine = signature(row);
    if (index.find(mine).length > 0) choice.leave(row, 'near_duplicate');
    else index.add(mine);
  });
}
