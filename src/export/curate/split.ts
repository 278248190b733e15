/** Assigns each row to a split: train, validation, test. */
import type { Split } from '../../config/export/values.ts';
import type { NearIndex } from './near/index.ts';
import type { RowSet } from './row-set.ts';
import { HashMap64 } from './table/hash-map.ts';
import { collectGarbageEvery, MANY_ROWS } from './table/collect-garbage.ts';
import { shareOf } from './share.ts';

export interface SplitOptions {
  readonly splits: readonly Split[];
  readonly splitBy: 'conversation' | 'prompt';
  readonly seed: number;
  /** Finds near duplicates, which go to the same split; `undefined` when that is not checked. */
  readonly near: NearIndex | undefined;
  readonly signature: (row: number) => Uint8Array;
}

/**
 * The split of each row by index. A row goes to the split of earlier rows with the same beginning or prompt, of the
 * same conversation, or that are near duplicates; if there are none, the split is random, derived from the seed and the
 * beginning of the conversation. All rows are processed in the order of the log, including those left out, so that no
 * row changes its split when the log grows. A row that belongs to several splits is left out.
 */
export function assignSplits(set: RowSet, options: SplitOptions): Uint8Array {
  const { table } = set;
  const root = options.splitBy === 'prompt' ? 'prompt' : 'firstPrompt';
  const splits = new Uint8Array(table.length);
  const known = new HashMap64();
  let met: number | undefined;
  let several = false;
  // No objects are created per row: for a million rows they would take most of the memory.
  const meet = (split: number | undefined) => {
    several ||= met !== undefined && split !== undefined && met !== split;
    met ??= split;
  };
  const learn = (hi: number, lo: number, split: number) => {
    if (!known.has(hi, lo)) known.set(hi, lo, split);
  };
  const collectGarbage = collectGarbageEvery(MANY_ROWS);
  for (let row = 0; row < table.length; row++) {
    collectGarbage(row);
    const rootHi = table.hi(root, row);
    const rootLo = table.lo(root, row);
    const sessionHi = table.hi('session', row);
    const sessionLo = table.lo('session', row);
    const named = sessionHi !== 0 || sessionLo !== 0;
    met = undefined;
    several = false;
    meet(known.get(rootHi, rootLo));
    if (named) meet(known.get(sessionHi, sessionLo));
    for (const other of options.near?.add(options.signature(row)) ?? NO_ROWS) meet(splits[other]!);
    const split = met ?? drawn(rootHi, rootLo, options);
    if (several) set.drop(row, 'cross_split');
    splits[row] = split;
    learn(rootHi, rootLo, split);
    if (named) learn(sessionHi, sessionLo, split);
  }
  return splits;
}

const NO_ROWS: readonly number[] = [];

function drawn(hi: number, lo: number, { splits, seed }: SplitOptions): number {
  let left = shareOf(hi, lo, seed);
  const split = splits.findIndex(({ share }) => (left -= share) < 0);
  // Shares may add up to slightly less than 1.
  return split < 0 ? splits.length - 1 : split;
}
