/** Which of all candidates become rows: decisions that need to know the whole log, in their order. */
import type { Sample } from './sample.ts';
import type { Side } from './sides.ts';
import type { Candidates } from './candidates.ts';
import type { PairSource, Task } from './pairs.ts';
import { FLAG } from '../convert/batch.ts';
import type { HashMap64 } from '../hash-map.ts';
import { NearIndex } from '../near/index.ts';
import { Choice } from './choice.ts';
import { leaveDuplicates, leaveNearDuplicates } from './duplicates.ts';
import type { Judgements } from './judgements.ts';
import { valueOf } from './judgements.ts';
import { labelsOf, pairsOf } from './pairs.ts';
import { balance, keepFirst, keepLast, sample } from './sample.ts';
import { sidesOf } from './sides.ts';
import {
  continuedTurns,
  leaveAllButLast,
  leaveBeginnings,
  leaveUnlogged,
  loggedTurns,
  unloggedTurns,
} from './turns.ts';

export interface Choosing {
  /** `collapse`: a conversation once, at its longest. `turns`: every answer. `last`: the newest record of each. */
  readonly conversations: 'collapse' | 'turns' | 'last';
  /** Answers within a prompt that the log does not show. `pass`: the format never trains a prompt. */
  readonly unlogged: 'mask' | 'drop' | 'keep' | 'pass';
  readonly makes: 'answer' | 'pair' | 'label' | 'prompt';
  readonly pairs: PairSource;
  readonly corrections: boolean;
  readonly minScore?: number;
  readonly dedup: 'exact' | 'prompt' | 'none';
  /** Least similarity at which rows count as nearly the same. */
  readonly near?: number;
  readonly seed: number;
  readonly sample?: Sample;
  readonly perGroup?: number;
  readonly last?: number;
  readonly maxRecords?: number;
  /** One side when nothing is split. */
  readonly sides: readonly Side[];
  /** Rows on different sides are not nearly the same, by this similarity; `undefined` when nobody cares. */
  readonly sideNear?: number;
}

/** What was chosen. */
export interface Chosen {
  readonly choice: Choice;
  /** The side of each row by number; `undefined` when there is one. */
  readonly sides: Uint8Array | undefined;
  /** Rows are what was converted, nothing is made of them. */
  readonly plain: boolean;
  /** The rows to be written, in the order of the log. */
  tasks(): Iterable<Task>;
}

/**
 * Decides on all candidates.
 * @param signature of a row, for nearly the same ones
 */
export function choose(
  candidates: Candidates,
  judgements: Judgements,
  options: Choosing,
  signature: (row: number) => Uint8Array,
): Chosen {
  const choice = new Choice(candidates, judgements);
  const sides = split(choice, options, signature);
  judge(choice, options);
  const logged = conversations(choice, options);
  if (options.dedup !== 'none') leaveDuplicates(choice, options.dedup === 'exact' ? 'content' : 'prompt');
  if (options.near !== undefined) {
    const index = new NearIndex({ threshold: options.near, seed: options.seed });
    leaveNearDuplicates(choice, index, signature);
  }
  const made = madeOf(choice, options);
  leaveConsumed(choice);
  draw(choice, options);
  const plain = made === undefined && !options.corrections;
  return { choice, sides, plain, tasks: () => tasksOf(choice, options, made, logged) };
}

function split(
  choice: Choice,
  { sides, seed, sideNear }: Choosing,
  signature: (row: number) => Uint8Array,
): Uint8Array | undefined {
  if (sides.length < 2) return undefined;
  const near = sideNear === undefined ? undefined : new NearIndex({ threshold: sideNear, seed });
  return sidesOf(choice, { sides, seed, near, signature });
}

/** What people said of answers leaves rows out, where rows are answers. */
function judge(choice: Choice, { makes, corrections, minScore }: Choosing): void {
  if (makes === 'pair' || makes === 'label') return;
  if (!choice.judgements.any && minScore === undefined) return;
  choice.each((row) => {
    const judgement = choice.judgements.of(row);
    const corrected = judgement?.correction !== undefined;
    if (corrected && corrections) return;
    if (minScore !== undefined && (valueOf(judgement) ?? -Infinity) < minScore) choice.leave(row, 'score');
    else if (corrected) choice.leave(row, 'corrected');
  });
}

/** @returns the answers that the log shows, as links; `undefined` when nobody asks */
function conversations(choice: Choice, { conversations: mode, unlogged }: Choosing): HashMap64 | undefined {
  const logged =
    unlogged === 'mask' || unlogged === 'drop' ? loggedTurns(choice, continuedTurns(choice)) : undefined;
  if (logged && unlogged === 'drop') leaveUnlogged(choice, logged);
  if (mode === 'collapse') leaveBeginnings(choice);
  if (mode === 'last') leaveAllButLast(choice);
  return logged;
}

/** Rows made of judgements; `undefined` when rows are answers. */
function madeOf(choice: Choice, { makes, pairs }: Choosing): Task[] | undefined {
  if (makes === 'pair') return pairsOf(choice, pairs);
  return makes === 'label' ? labelsOf(choice, pairs) : undefined;
}

/** What an earlier export has had was known here, but is not written again. */
function leaveConsumed(choice: Choice): void {
  choice.each((row) => {
    if (choice.candidates.consumed(row)) choice.leave(row, 'exported_before');
  });
}

function draw(choice: Choice, { sample: wanted, perGroup, last, maxRecords, seed }: Choosing): void {
  if (wanted) sample(choice, wanted, seed);
  if (perGroup !== undefined) balance(choice, perGroup, seed);
  if (last !== undefined) keepLast(choice, last);
  if (maxRecords !== undefined) keepFirst(choice, maxRecords);
}

function* tasksOf(
  choice: Choice,
  { corrections, maxRecords = Infinity }: Choosing,
  made: Task[] | undefined,
  logged: HashMap64 | undefined,
): Generator<Task> {
  if (made) {
    yield* made.filter(({ row }) => choice.has(row)).slice(0, maxRecords);
    return;
  }
  for (const row of choice.rows()) {
    const untrained =
      logged && choice.candidates.has(row, FLAG.draft) ? unloggedTurns(choice, row, logged) : [];
    const correction = corrections ? choice.judgements.of(row)?.correction : undefined;
    yield {
      row,
      ...(untrained.length > 0 ? { untrained } : {}),
      ...(correction === undefined ? {} : { correction }),
    };
  }
}
