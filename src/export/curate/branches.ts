/** Branches: several continuations after the same answer, each of which is a row that contains the common beginning. */
import { HashMap64 } from './table/hash-map.ts';
import type { RowSet } from './row-set.ts';
import type { RowTable } from './table/row-table.ts';
import type { TurnSet } from './turns.ts';
import { eachTurn, turnSet } from './turns.ts';

/**
 * The answers within prompts that an earlier row trains as well.
 * @param trained the answers that are trained; all by default
 */
export function repeatedTurns(set: RowSet, trained?: TurnSet): TurnSet {
  const { table } = set;
  const repeated = turnSet(table.turns);
  const turns = table.hashParts(table.turns);
  eachTurn(set, (turn) => {
    if (trained?.has(turn) ?? true) turns.add(table.turnHi(turn), table.turnLo(turn), turn);
  });
  for (const part of turns.parts) {
    const seen = new HashMap64();
    part.each((hi, lo, turn) => {
      if (seen.has(hi, lo)) repeated.add(turn);
      else seen.set(hi, lo, 1);
    });
  }
  turns.close();
  return repeated;
}

/**
 * Leaves out all branches of a conversation except the one with the most answers, the last one among equals.
 * @param logged the answers that the log contains; all by default
 */
export function dropShorterBranches(set: RowSet, logged?: TurnSet): void {
  const { table } = set;
  const branches = table.hashParts(set.length);
  set.each((one) => {
    const row = set.rowOf(one);
    const [hi, lo] = firstAnswer(table, row, logged);
    branches.add(hi, lo, one, table.turnCount(row));
  });
  for (const part of branches.parts) {
    const longest = new HashMap64();
    const answers = new HashMap64();
    part.each((hi, lo, one, count) => {
      if (count < (answers.get(hi, lo) ?? 0)) return;
      answers.set(hi, lo, count);
      longest.set(hi, lo, one);
    });
    part.each((hi, lo, one) => {
      if (longest.get(hi, lo) !== one) set.drop(one, 'branch');
    });
  }
  branches.close();
}

/**
 * The hash after the first answer of a row, which all branches with that answer share. Answers that are not in the log do
 * not count: a program may begin all its conversations with the same ones.
 */
function firstAnswer(
  table: RowTable,
  row: number,
  logged: TurnSet | undefined,
): readonly [hi: number, lo: number] {
  const first = table.firstTurn(row);
  for (let turn = first; turn < first + table.turnCount(row); turn++)
    if (logged?.has(turn) ?? true) return [table.turnHi(turn), table.turnLo(turn)];
  return [table.hi('conversation', row), table.lo('conversation', row)];
}
