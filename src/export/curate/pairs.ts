/** Better and worse answers to the same prompt, and good and bad ones. */
import type { HashName } from './table/row-table.ts';
import type { RowSet } from './row-set.ts';
import type { Task } from './task.ts';
import { FLAG } from '../convert/batch.ts';
import { HashMap64 } from './table/hash-map.ts';
import { valueOf } from './judgements.ts';
import { continuedTurns } from './turns.ts';

/** The sources that tell which answer is better. */
export type PairSource = 'feedback' | 'regenerations' | 'both';

/** Pairs in the order of their better answers in the log. Rows without a pair are left out. */
export function pairsOf(rows: RowSet, source: PairSource): Task[] {
  const tasks: Task[] = [];
  if (source !== 'regenerations') tasks.push(...corrections(rows), ...ratings(rows));
  if (source !== 'feedback') {
    const existing = new Set(
      tasks.flatMap(({ row, rejected }) => [`${row} ${rejected}`, `${rejected} ${row}`]),
    );
    const found = regenerations(rows, source);
    tasks.push(...found.filter(({ row, rejected }) => !existing.has(`${row} ${rejected}`)));
  }
  const used = new Set(tasks.flatMap(({ row, rejected }) => [row, rejected]));
  rows.each((row) => {
    if (!used.has(row)) rows.drop(row, 'no_pair');
  });
  return tasks.toSorted((a, b) => a.row - b.row || a.rejected! - b.rejected!);
}

/** The correction is the better answer, the corrected one the worse. */
function corrections(set: RowSet): Task[] {
  const tasks: Task[] = [];
  if (!set.judgements.any) return tasks;
  for (const row of set.all()) {
    const correction = set.judgements.of(row)?.correction;
    if (correction !== undefined) tasks.push({ row, rejected: row, correction });
  }
  return tasks;
}

/** Pairs the best rated answer to each prompt with every lower rated answer. */
function ratings(set: RowSet): Task[] {
  if (!set.judgements.any) return [];
  return samePrompt(set).flatMap((rows) => {
    const rated = rows
      .map((row) => ({ row, value: valueOf(set.judgements.of(row)) }))
      .filter((rating): rating is { row: number; value: number } => rating.value !== undefined);
    if (rated.length < 2) return [];
    const best = rated.reduce((a, b) => (b.value > a.value ? b : a));
    return rated
      .filter(({ row, value }) => value < best.value && !sameAnswer(set, row, best.row))
      .map(({ row }) => ({ row: best.row, rejected: row }));
  });
}

/**
 * Regenerated answers: the user continued from one of them. Only if it is known that the same user regenerated it in
 * the same conversation, since two users may have the same beginning. Feedback takes precedence over behaviour.
 */
function regenerations(set: RowSet, source: PairSource): Task[] {
  const { table, judgements } = set;
  const valued = (row: number) => (source === 'both' ? (valueOf(judgements.of(row)) ?? 0) : 0);
  const continued = continuedTurns(set);
  if (continued.size === 0) return [];
  const wentOn = (row: number) => continued.has(table.hi('conversation', row), table.lo('conversation', row));
  return samePrompt(set).flatMap((all) =>
    byOwner(set, all).flatMap((rows) => {
      const chosen = rows.findLast(wentOn);
      if (chosen === undefined || !table.has(chosen, FLAG.success) || valued(chosen) < 0) return [];
      // An answer that was truncated or failed was regenerated for that reason.
      return rows
        .filter(
          (row) =>
            !wentOn(row) && !sameAnswer(set, row, chosen) && table.has(row, FLAG.success) && valued(row) <= 0,
        )
        .map((row) => ({ row: chosen, rejected: row }));
    }),
  );
}

/** Labels answers as good or bad, by feedback and by what users continued from; other rows are left out. */
export function labelsOf(set: RowSet, source: PairSource): Task[] {
  const labels = new Map<number, boolean>();
  if (source !== 'feedback') {
    for (const { row, rejected } of regenerations(set, source)) {
      labels.set(row, true);
      labels.set(rejected!, false);
    }
  }
  const tasks: Task[] = [];
  for (const row of set.all()) {
    const judgement = source === 'regenerations' ? undefined : set.judgements.of(row);
    const correction = judgement?.correction;
    const value = correction === undefined ? valueOf(judgement) : -1;
    // A neutral score gives no label.
    const label = value === undefined || value === 0 ? labels.get(row) : value > 0;
    if (label === undefined) set.drop(row, 'no_judgement');
    else tasks.push({ row, label, ...(correction === undefined ? {} : { unlike: correction }) });
    if (correction !== undefined) tasks.push({ row, correction, label: true });
  }
  return tasks;
}

/** Rows with the same prompt, if there are several. */
function samePrompt(set: RowSet): number[][] {
  const { table } = set;
  const first = new HashMap64();
  const groups = new Map<number, number[]>();
  for (const row of set.all()) {
    const [hi, lo] = [table.hi('prompt', row), table.lo('prompt', row)];
    const one = first.get(hi, lo);
    if (one === undefined) first.set(hi, lo, row);
    else if (groups.has(one)) groups.get(one)!.push(row);
    else groups.set(one, [one, row]);
  }
  return [...groups.values()];
}

function byOwner(set: RowSet, rows: readonly number[]): number[][] {
  const { table } = set;
  const groups = new Map<string, number[]>();
  for (const row of rows) {
    if (!table.has(row, FLAG.owned) && table.turnCount(row) === 0) continue;
    const owner = `${table.hi('owner', row)} ${table.lo('owner', row)}`;
    if (groups.has(owner)) groups.get(owner)!.push(row);
    else groups.set(owner, [row]);
  }
  return [...groups.values()];
}

/** Whether two answers to one prompt are equal; in two conversations their hashes differ nevertheless. */
function sameAnswer({ table }: RowSet, a: number, b: number): boolean {
  const same = (name: HashName) =>
    table.hi(name, a) === table.hi(name, b) && table.lo(name, a) === table.lo(name, b);
  return same('conversation') || same('content');
}
