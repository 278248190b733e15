/** Selects the rows to write: decisions that need the whole log, in order. */
import type { RowTable } from './table/row-table.ts';
import type { CurationOptions } from './options.ts';
import type { PlacedFeedback } from './judgements.ts';
import type { Task } from './task.ts';
import type { TurnSet } from './turns.ts';
import { FLAG } from '../convert/batch.ts';
import { NearIndex } from './near/index.ts';
import type { RowSignatures } from './near/row-signer.ts';
import { RowSet } from './row-set.ts';
import { dropDuplicates, dropNearDuplicates } from './duplicates.ts';
import { judged } from './judged.ts';
import { Judgements, valueOf } from './judgements.ts';
import { balance, keepFirst, keepLast, sample } from './sample.ts';
import { assignSplits } from './split.ts';
import { answersBehind, dropBeginnings, dropUnlogged, loggedTurns, turnsWhere } from './turns.ts';
import { dropShorterBranches, repeatedTurns } from './branches.ts';

/** The result of all decisions. */
export interface Chosen {
  /** The decisions on rows, and on the pairs or labels made from them. */
  readonly sets: readonly RowSet[];
  /** The split of each row by index; `undefined` when there is only one. */
  readonly splits: Uint8Array | undefined;
  /** The number of answers that are trained more than once, in formats that train all answers of a row. */
  readonly repeatedAnswers: number;
  /** The number of rows that quote answers of their prompts, because the format would train them otherwise. */
  readonly quotedRows: number;
  /** Whether all rows are written as they were converted. */
  readonly whole: boolean;
  /** The rows to write, in the order of the log. */
  tasks(): Iterable<Task>;
}

/**
 * Makes all decisions on the rows of the table.
 * @param signatures of the rows, for near duplicates
 */
export function choose(
  table: RowTable,
  feedback: readonly PlacedFeedback[],
  options: CurationOptions,
  signatures: RowSignatures,
): Chosen {
  const rows = new RowSet(table, new Judgements(table, feedback));
  const splits = splitRows(rows, options, signatures);
  const { set, trained } = decided(rows, options, signatures);
  draw(set, options);
  const repeated = repeatedIn(set, options, trained);
  return {
    sets: set === rows ? [rows] : [rows, set],
    splits,
    whole: set === rows && !options.corrections && set.count() === table.length,
    repeatedAnswers: options.loss === 'all' ? (repeated?.size ?? 0) : 0,
    quotedRows: options.loss === 'all' && trained ? rowsWithOthers(set, trained) : 0,
    tasks: () => tasksOf(set, options, { trained, repeated }),
  };
}

interface Decided {
  /** The rows, or what is made from them. */
  readonly set: RowSet;
  /** The answers within prompts that may be trained; `undefined` when no decision needs them. */
  readonly trained: TurnSet | undefined;
}

/** Makes all decisions except sampling, balancing and limits. */
function decided(rows: RowSet, options: CurationOptions, signatures: RowSignatures): Decided {
  const set = judged(rows, options);
  const trained = conversations(set, options);
  const { dedup, near, seed } = options;
  if (dedup !== 'none') dropDuplicates(set, dedup === 'exact' ? 'content' : 'prompt');
  if (near !== undefined)
    dropNearDuplicates(set, { threshold: near, seed, pairs: true }, signatures.duplicates);
  return { set, trained };
}

function splitRows(
  set: RowSet,
  { splits, splitBy, seed, leakThreshold }: CurationOptions,
  signatures: RowSignatures,
): Uint8Array | undefined {
  if (splits.length < 2) return undefined;
  const near = leakThreshold === undefined ? undefined : new NearIndex({ threshold: leakThreshold, seed });
  return assignSplits(set, { splits, splitBy, seed, near, signature: signatures.leaks });
}

/** @returns the answers within prompts that may be trained; `undefined` when no decision needs them */
function conversations(
  set: RowSet,
  { conversations: mode, unlogged, minScore, branches, loss }: CurationOptions,
): TurnSet | undefined {
  const needsLogged = unlogged === 'mask' || unlogged === 'drop';
  const logged = needsLogged ? loggedTurns(set, minScore) : undefined;
  if (logged && unlogged === 'drop') dropUnlogged(set, logged);
  const behind = logged && loss === 'all' ? answersBehind(set, logged) : undefined;
  // What a row masks is bad or unknown, and in no other row; what it quotes may be good.
  if (mode === 'collapse') dropBeginnings(set, behind);
  if (branches === 'longest') dropShorterBranches(set, logged);
  return behind ?? logged;
}

/** The number of selected rows whose prompts contain answers that are not among these. */
function rowsWithOthers(set: RowSet, turns: TurnSet): number {
  let rows = 0;
  set.each((one) => {
    const row = set.rowOf(one);
    const first = set.table.firstTurn(row);
    // If any is not, the first one is not.
    if (set.table.turnCount(row) > 0 && !turns.has(first)) rows += 1;
  });
  return rows;
}

function draw(set: RowSet, { sample: wanted, perGroup, last, maxRecords, seed }: CurationOptions): void {
  if (wanted) sample(set, wanted, seed);
  if (perGroup !== undefined) balance(set, perGroup, seed);
  if (last !== undefined) keepLast(set, last);
  if (maxRecords !== undefined) keepFirst(set, maxRecords);
}

/** The answers within prompts that more than one row would train; `undefined` if no prompt is trained. */
function repeatedIn(
  set: RowSet,
  { loss, conversations: mode, sampleKind }: CurationOptions,
  trained: TurnSet | undefined,
): TurnSet | undefined {
  if (sampleKind !== 'sft' || loss === 'completion') return undefined;
  // Each answer has a row of its own then, and is masked in all others.
  if (loss === 'per_turn' && mode === 'turns') return undefined;
  return repeatedTurns(set, trained);
}

/** Facts about the answers within prompts; `undefined` if no decision needs them. */
interface TurnFacts {
  /** Those that may be trained. */
  readonly trained: TurnSet | undefined;
  /** Those that an earlier row trains. */
  readonly repeated: TurnSet | undefined;
}

function* tasksOf(
  set: RowSet,
  { corrections, scores, loss }: CurationOptions,
  { trained, repeated }: TurnFacts,
): Generator<Task> {
  const masked = loss === 'per_turn' ? repeated : undefined;
  const isUntrained = (turn: number) => !(trained?.has(turn) ?? true) || (masked?.has(turn) ?? false);
  // A correction has no score.
  const scoreOf = ({ row, correction }: Task) =>
    scores && correction === undefined ? valueOf(set.judgements.of(row)) : undefined;
  const scored = (task: Task) => {
    const score = scoreOf(task);
    return score === undefined ? task : { ...task, score };
  };
  for (let one = 0; one < set.length; one++) {
    if (!set.has(one)) continue;
    if (set.tasks) {
      yield scored(set.tasks[one]!);
      continue;
    }
    const unrendered = set.table.has(one, FLAG.unrendered);
    const untrained = unrendered ? turnsWhere(set, one, isUntrained) : [];
    const correction = corrections ? set.judgements.of(one)?.correction : undefined;
    yield scored({
      row: one,
      ...(untrained.length > 0 ? { untrained } : {}),
      ...(correction === undefined ? {} : { correction }),
    });
  }
}
