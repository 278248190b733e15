/** Which side of a split a row is on: train, validation, test. */
import type { NearIndex } from '../near/index.ts';
import type { Choice } from './choice.ts';
import { HashMap64 } from '../hash-map.ts';
import { shareOf } from './share.ts';

export interface Side {
  readonly name: string;
  /** Of all rows, in (0, 1]. */
  readonly share: number;
}

export interface SideOptions {
  readonly sides: readonly Side[];
  readonly seed: number;
  /** Rows that are nearly the same go to one side; `undefined` when nobody cares. */
  readonly near: NearIndex | undefined;
  readonly signature: (row: number) => Uint8Array;
}

/**
 * The side of each row by number. A row goes where rows went that begin alike, are of the same conversation, or nearly
 * the same; where there is none, chance decides, from the seed and how the conversation begins. All rows are asked in
 * the order of the log, those that are out too, so that no row ever changes its side when the log grows. A row that
 * belongs to several sides is left out.
 */
export function sidesOf(choice: Choice, options: SideOptions): Uint8Array {
  const { candidates } = choice;
  const sides = new Uint8Array(candidates.length);
  const known = new HashMap64();
  for (let row = 0; row < candidates.length; row++) {
    const keys = keysOf(choice, row);
    const found = new Set(keys.map(([hi, lo]) => known.get(hi, lo)).filter((side) => side !== undefined));
    for (const other of options.near?.add(options.signature(row)) ?? []) found.add(sides[other]!);
    const side = found.values().next().value ?? drawn(keys[0]!, options);
    if (found.size > 1) choice.leave(row, 'straddles');
    sides[row] = side;
    for (const [hi, lo] of keys) if (!known.has(hi, lo)) known.set(hi, lo, side);
  }
  return sides;
}

function keysOf({ candidates }: Choice, row: number): [number, number][] {
  const root: [number, number] = [candidates.hi('root', row), candidates.lo('root', row)];
  const session: [number, number] = [candidates.hi('session', row), candidates.lo('session', row)];
  return session[0] || session[1] ? [root, session] : [root];
}

function drawn([hi, lo]: [number, number], { sides, seed }: SideOptions): number {
  let left = shareOf(hi, lo, seed);
  const side = sides.findIndex(({ share }) => (left -= share) < 0);
  // Shares that add up to a hair less than 1.
  return side < 0 ? sides.length - 1 : side;
}
