import type { NearOptions } from './near/index.ts';
import type { Choice } from './row-set.ts';
import { HashMap64 } from './table/hash-map.ts';
import { NearIndex } from './near/index.ts';
import { partsOf } from './hash-partitions.ts';
import { Sweeper } from './table/collect-garbage.ts';

/** Leaves out what says the same as an earlier one: all of it, or the prompt alone. */
export function leaveDuplicates(choice: Choice, by: 'content' | 'prompt'): void {
  for (const part of partsOf(choice.length)) {
    const seen = new HashMap64(part.size);
    choice.each((one) => {
      const lo = choice.lo(by, one);
      if (!part.has(lo)) return;
      const hi = choice.hi(by, one);
      if (seen.has(hi, lo)) choice.leave(one, 'duplicate');
      else seen.set(hi, lo, 1);
    });
  }
}

/** Leaves out what is nearly the same as an earlier one. Good answers and bad ones are no duplicates of each other. */
export function leaveNearDuplicates(
  choice: Choice,
  near: NearOptions,
  signature: (row: number) => Uint8Array,
): void {
  const sweeper = new Sweeper();
  const indexes = new Map<boolean | undefined, NearIndex>();
  let [before, repeats] = [-1, false];
  choice.each((one) => {
    const row = choice.rowOf(one);
    sweeper.at(one);
    const label = choice.tasks?.[one]!.label;
    const index = indexes.getOrInsertComputed(label, () => new NearIndex(near));
    // Several pairs of one better answer have one fate.
    if (row !== before || label !== undefined) {
      const mine = signature(row);
      repeats = index.find(mine).length > 0;
      if (!repeats) index.add(mine);
    }
    if (repeats) choice.leave(one, 'near_duplicate');
    before = row;
  });
}
