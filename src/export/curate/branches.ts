/** Branches: several ways on from one answer, each of which is a row that holds what came before. */
import { HashMap64 } from './table/hash-map.ts';
import type { RowSet } from './row-set.ts';
import type { RowTable } from './table/row-table.ts';
import type { TurnSet } from './turns.ts';
import { partsOf } from './hash-partitions.ts';
import { eachTurn, turnSet } from './turns.ts';

/**
 * The answers within prompts that an earlier row trains too.
 * @param trained the answers that are trained; all are when left out
 */
export function repeatedTurns(set: RowSet, trained?: TurnSet): TurnSet {
  const { table } = set;
  const repeated = turnSet(table.turns);
  for (const part of partsOf(table.turns)) {
    const seen = new HashMap64();
    eachTurn(set, (turn) => {
      const lo = table.turnLo(turn);
      if (!part.has(lo) || !(trained?.has(turn) ?? true)) return;
      const hi = table.turnHi(turn);
      if (seen.has(hi, lo)) repeated.add(turn);
      else seen.set(hi, lo, 1);
    });
  }
  return repeated;
}

/** Leaves out all branches of a conversation but the one with the most answers, of equals the last. */
export function dropShorterBranches(set: RowSet): void {
  const { table } = set;
  for (const part of partsOf(set.length)) {
    const longest = new HashMap64();
    const eachBranch = (visit: (one: number, hi: number, lo: number) => void) =>
      set.each((one) => {
        const [hi, lo] = firstAnswer(table, set.rowOf(one));
        if (part.has(lo)) visit(one, hi, lo);
      });
    eachBranch((one, hi, lo) => {
      const best = longest.get(hi, lo);
      if (best === undefined || answersOf(set, one) >= answersOf(set, best)) longest.set(hi, lo, one);
    });
    eachBranch((one, hi, lo) => {
      if (longest.get(hi, lo) !== one) set.drop(one, 'branch');
    });
  }
}

/** The link behind the first answer of a row, which all branches that share an answer share. */
function firstAnswer(table: RowTable, row: number): readonly [hi: number, lo: number] {
  if (table.turnCount(row) === 0) return [table.hi('conversation', row), table.lo('conversation', row)];
  const turn = table.firstTurn(row);
  return [table.turnHi(turn), table.turnLo(turn)];
}

function answersOf(set: RowSet, one: number): number {
  return set.table.turnCount(set.rowOf(one));
}
