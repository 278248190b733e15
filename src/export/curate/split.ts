/** Which side of a split a row is on: train, validation, test. */
import type { NearIndex } from './near/index.ts';
import type { Choice } from './row-set.ts';
import { HashMap64 } from './table/hash-map.ts';
import { Sweeper } from './table/collect-garbage.ts';
import { shareOf } from './share.ts';

export interface Side {
  readonly name: string;
  /** Of all rows, in (0, 1]. */
  readonly share: number;
}

export interface SideOptions {
  readonly sides: readonly Side[];
  readonly sideOf: 'conversation' | 'prompt';
  readonly seed: number;
  /** Rows that are nearly the same go to one side; `undefined` when nobody cares. */
  readonly near: NearIndex | undefined;
  readonly signature: (row: number) => Uint8Array;
}

/**
 * The side of each row by number. A row goes where rows went that begin alike, or ask the same, are of the same conversation, or nearly
 * the same; where there is none, chance decides, from the seed and how the conversation begins. All rows are asked in
 * the order of the log, those that are out too, so that no row ever changes its side when the log grows. A row that
 * belongs to several sides is left out.
 */
export function sidesOf(choice: Choice, options: SideOptions): Uint8Array {
  const { candidates } = choice;
  const root = options.sideOf === 'prompt' ? 'prompt' : 'root';
  const sides = new Uint8Array(candidates.length);
  const known = new HashMap64();
  let met: number | undefined;
  let several = false;
  // Nothing is made for each row, for garbage of a million rows would be most of the memory.
  const meet = (side: number | undefined) => {
    several ||= met !== undefined && side !== undefined && met !== side;
    met ??= side;
  };
  const learn = (hi: number, lo: number, side: number) => {
    if (!known.has(hi, lo)) known.set(hi, lo, side);
  };
  const sweeper = new Sweeper();
  for (let row = 0; row < candidates.length; row++) {
    sweeper.at(row);
    const rootHi = candidates.hi(root, row);
    const rootLo = candidates.lo(root, row);
    const sessionHi = candidates.hi('session', row);
    const sessionLo = candidates.lo('session', row);
    const named = sessionHi !== 0 || sessionLo !== 0;
    met = undefined;
    several = false;
    meet(known.get(rootHi, rootLo));
    if (named) meet(known.get(sessionHi, sessionLo));
    for (const other of options.near?.add(options.signature(row)) ?? NOBODY) meet(sides[other]!);
    const side = met ?? drawn(rootHi, rootLo, options);
    if (several) choice.leave(row, 'straddles');
    sides[row] = side;
    learn(rootHi, rootLo, side);
    if (named) learn(sessionHi, sessionLo, side);
  }
  return sides;
}

const NOBODY: readonly number[] = [];

function drawn(hi: number, lo: number, { sides, seed }: SideOptions): number {
  let left = shareOf(hi, lo, seed);
  const side = sides.findIndex(({ share }) => (left -= share) < 0);
  // Shares that add up to a hair less than 1.
  return side < 0 ? sides.length - 1 : side;
}
