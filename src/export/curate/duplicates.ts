import type { NearOptions } from './near/index.ts';
import type { RowSet } from './row-set.ts';
import { HashMap64 } from './table/hash-map.ts';
import { NearIndex } from './near/index.ts';
import { Templates } from './near/templates.ts';
import { collectGarbageEvery, MANY_ROWS } from './table/collect-garbage.ts';

/** Leaves out rows that equal an earlier one: completely, or in their prompt. */
export function dropDuplicates(set: RowSet, by: 'content' | 'prompt'): void {
  const hashes = set.table.hashParts(set.length);
  set.each((one) => hashes.add(set.hi(by, one), set.lo(by, one), one));
  for (const part of hashes.parts) {
    const seen = new HashMap64(part.size);
    part.each((hi, lo, one) => {
      if (seen.has(hi, lo)) set.drop(one, 'duplicate');
      else seen.set(hi, lo, 1);
    });
  }
  hashes.close();
}

/** Leaves out near duplicates of earlier rows. Good and bad answers are not duplicates of each other. */
export function dropNearDuplicates(
  set: RowSet,
  options: Omit<NearOptions, 'templates'>,
  signature: (row: number) => Uint8Array,
): void {
  const collectGarbage = collectGarbageEvery(MANY_ROWS);
  const templates = new Templates();
  set.each((one) => templates.count(signature(set.rowOf(one))));
  const near: NearOptions = { ...options, templates };
  const indexes = new Map<boolean | undefined, NearIndex>();
  let [before, repeats] = [-1, false];
  set.each((one) => {
    const row = set.rowOf(one);
    collectGarbage(one);
    const label = set.tasks?.[one]!.label;
    const index = indexes.getOrInsertComputed(label, () => new NearIndex(near));
    // Several pairs with the same better answer are treated alike.
    if (row !== before || label !== undefined) {
      const mine = signature(row);
      repeats = index.find(mine).length > 0;
      if (!repeats) index.add(mine);
    }
    if (repeats) set.drop(one, 'near_duplicate');
    before = row;
  });
}
