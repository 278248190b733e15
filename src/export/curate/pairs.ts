/** Better and worse answers to the same prompt, and good and bad ones. */
import type { RenderTask } from '../convert/render-rows.ts';
import type { HashName } from './table/row-table.ts';
import type { Choice } from './row-set.ts';
import { FLAG } from '../convert/batch.ts';
import { HashMap64 } from './table/hash-map.ts';
import { valueOf } from './judgements.ts';
import { continuedTurns } from './turns.ts';

/** Where it is known from which answer is better. */
export type PairSource = 'feedback' | 'regenerations' | 'both';

/** A row to be made of drafts: `row` and `rejected` are rows of the candidates. */
export interface Task extends Pick<RenderTask, 'untrained' | 'correction' | 'unlike' | 'label'> {
  readonly row: number;
  readonly rejected?: number;
}

/** Pairs in the order of their better answers in the log. Rows of no pair are left out. */
export function pairsOf(rows: Choice, source: PairSource): Task[] {
  const tasks: Task[] = [];
  if (source !== 'regenerations') tasks.push(...corrections(rows), ...ratings(rows));
  if (source !== 'feedback') {
    const told = new Set(tasks.flatMap(({ row, rejected }) => [`${row} ${rejected}`, `${rejected} ${row}`]));
    const found = regenerations(rows, source);
    tasks.push(...found.filter(({ row, rejected }) => !told.has(`${row} ${rejected}`)));
  }
  const used = new Set(tasks.flatMap(({ row, rejected }) => [row, rejected]));
  rows.each((row) => {
    if (!used.has(row)) rows.leave(row, 'no_pair');
  });
  return tasks.toSorted((a, b) => a.row - b.row || a.rejected! - b.rejected!);
}

/** The correction is the better answer, what was corrected the worse. */
function corrections(choice: Choice): Task[] {
  const tasks: Task[] = [];
  if (!choice.judgements.any) return tasks;
  for (const row of choice.all()) {
    const correction = choice.judgements.of(row)?.correction;
    if (correction !== undefined) tasks.push({ row, rejected: row, correction });
  }
  return tasks;
}

/** Of the answers to one prompt that were rated, the best with each that is worse. */
function ratings(choice: Choice): Task[] {
  if (!choice.judgements.any) return [];
  return samePrompt(choice).flatMap((rows) => {
    const rated = rows
      .map((row) => ({ row, value: valueOf(choice.judgements.of(row)) }))
      .filter((rating): rating is { row: number; value: number } => rating.value !== undefined);
    if (rated.length < 2) return [];
    const best = rated.reduce((a, b) => (b.value > a.value ? b : a));
    return rated
      .filter(({ row, value }) => value < best.value && !sameAnswer(choice, row, best.row))
      .map(({ row }) => ({ row: best.row, rejected: row }));
  });
}

/**
 * Answers that were asked for again: the user went on from one of them. Only where it is known that the same user asked in
 * the same conversation, for two users may well begin alike. What people say goes before what they did.
 */
function regenerations(choice: Choice, source: PairSource): Task[] {
  const { candidates, judgements } = choice;
  const valued = (row: number) => (source === 'both' ? (valueOf(judgements.of(row)) ?? 0) : 0);
  const continued = continuedTurns(choice);
  if (continued.size === 0) return [];
  const wentOn = (row: number) =>
    continued.has(candidates.hi('terminal', row), candidates.lo('terminal', row));
  return samePrompt(choice).flatMap((all) =>
    byOwner(choice, all).flatMap((rows) => {
      const chosen = rows.findLast(wentOn);
      if (chosen === undefined || !candidates.has(chosen, FLAG.success) || valued(chosen) < 0) return [];
      // An answer that was cut or failed was asked for again whatever it said.
      return rows
        .filter(
          (row) =>
            !wentOn(row) &&
            !sameAnswer(choice, row, chosen) &&
            candidates.has(row, FLAG.success) &&
            valued(row) <= 0,
        )
        .map((row) => ({ row: chosen, rejected: row }));
    }),
  );
}

/** Answers as good or bad, by feedback and by what users went on from; rows of which nothing is known are left out. */
export function labelsOf(choice: Choice, source: PairSource): Task[] {
  const labels = new Map<number, boolean>();
  if (source !== 'feedback') {
    for (const { row, rejected } of regenerations(choice, source)) {
      labels.set(row, true);
      labels.set(rejected!, false);
    }
  }
  const tasks: Task[] = [];
  for (const row of choice.all()) {
    const judgement = source === 'regenerations' ? undefined : choice.judgements.of(row);
    const correction = judgement?.correction;
    const value = correction === undefined ? valueOf(judgement) : -1;
    // Neither good nor bad says nothing.
    const label = value === undefined || value === 0 ? labels.get(row) : value > 0;
    if (label === undefined) choice.leave(row, 'no_judgement');
    else tasks.push({ row, label, ...(correction === undefined ? {} : { unlike: correction }) });
    if (correction !== undefined) tasks.push({ row, correction, label: true });
  }
  return tasks;
}

/** Rows with one prompt, where there are several. */
function samePrompt(choice: Choice): number[][] {
  const { candidates } = choice;
  const first = new HashMap64();
  const groups = new Map<number, number[]>();
  for (const row of choice.all()) {
    const [hi, lo] = [candidates.hi('prompt', row), candidates.lo('prompt', row)];
    const one = first.get(hi, lo);
    if (one === undefined) first.set(hi, lo, row);
    else if (groups.has(one)) groups.get(one)!.push(row);
    else groups.set(one, [one, row]);
  }
  return [...groups.values()];
}

function byOwner(choice: Choice, rows: readonly number[]): number[][] {
  const { candidates } = choice;
  const groups = new Map<string, number[]>();
  for (const row of rows) {
    if (!candidates.has(row, FLAG.owned) && candidates.turnCount(row) === 0) continue;
    const owner = `${candidates.hi('owner', row)} ${candidates.lo('owner', row)}`;
    if (groups.has(owner)) groups.get(owner)!.push(row);
    else groups.set(owner, [row]);
  }
  return [...groups.values()];
}

/** Whether two answers to one prompt are the same; in two conversations their chains differ all the same. */
function sameAnswer({ candidates }: Choice, a: number, b: number): boolean {
  const same = (name: HashName) =>
    candidates.hi(name, a) === candidates.hi(name, b) && candidates.lo(name, a) === candidates.lo(name, b);
  return same('terminal') || same('content');
}
