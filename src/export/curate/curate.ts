/** Which of all candidates become rows: decisions that need to know the whole log, in their order. */
import type { Candidates } from './table/row-table.ts';
import type { Choosing } from './options.ts';
import type { PlacedFeedback } from './judgements.ts';
import type { Task } from './pairs.ts';
import type { LoggedTurns } from './turns.ts';
import { FLAG } from '../convert/batch.ts';
import { NearIndex } from './near/index.ts';
import { Choice } from './row-set.ts';
import { leaveDuplicates, leaveNearDuplicates } from './duplicates.ts';
import { hadBefore, leaveExported } from './exported.ts';
import { judged } from './judged.ts';
import { Judgements } from './judgements.ts';
import { balance, keepFirst, keepLast, sample } from './sample.ts';
import { sidesOf } from './split.ts';
import { leaveAllButLast, leaveBeginnings, leaveUnlogged, loggedTurns, unloggedTurns } from './turns.ts';

/** What was chosen. */
export interface Chosen {
  /** What was decided on rows, and on what is made of them. */
  readonly choices: readonly Choice[];
  /** The side of each row by number; `undefined` when there is one. */
  readonly sides: Uint8Array | undefined;
  /** All rows are written, each as it was converted. */
  readonly whole: boolean;
  /** What is written, in the order of the log. */
  tasks(): Iterable<Task>;
}

/**
 * Decides on all candidates.
 * @param signature of a row, for nearly the same ones
 */
export function choose(
  candidates: Candidates,
  feedback: readonly PlacedFeedback[],
  options: Choosing,
  signature: (row: number) => Uint8Array,
): Chosen {
  const rows = new Choice(candidates, new Judgements(candidates, feedback));
  const sides = split(rows, options, signature);
  const { choice, logged } = decided(rows, options, signature);
  if (candidates.anyHad) {
    const before = decided(hadBefore(candidates, feedback), options, signature);
    leaveExported(choice, before.choice, options);
  }
  draw(choice, options);
  return {
    choices: choice === rows ? [rows] : [rows, choice],
    sides,
    whole: choice === rows && !options.corrections && choice.count() === candidates.length,
    tasks: () => tasksOf(choice, options, logged),
  };
}

interface Decided {
  /** The rows, or what is made of them. */
  readonly choice: Choice;
  /** The answers within prompts that the log shows; `undefined` when nobody asks. */
  readonly logged: LoggedTurns | undefined;
}

/** All decisions but those of chance and number. */
function decided(rows: Choice, options: Choosing, signature: (row: number) => Uint8Array): Decided {
  const choice = judged(rows, options);
  const logged = conversations(choice, options);
  const { dedup, near, seed } = options;
  if (dedup !== 'none') leaveDuplicates(choice, dedup === 'exact' ? 'content' : 'prompt');
  if (near !== undefined) leaveNearDuplicates(choice, { threshold: near, seed }, signature);
  return { choice, logged };
}

function split(
  choice: Choice,
  { sides, sideOf, seed, sideNear }: Choosing,
  signature: (row: number) => Uint8Array,
): Uint8Array | undefined {
  if (sides.length < 2) return undefined;
  const near = sideNear === undefined ? undefined : new NearIndex({ threshold: sideNear, seed });
  return sidesOf(choice, { sides, sideOf, seed, near, signature });
}

/** @returns the answers that the log shows; `undefined` when nobody asks */
function conversations(
  choice: Choice,
  { conversations: mode, unlogged, minScore }: Choosing,
): LoggedTurns | undefined {
  const asked = unlogged === 'mask' || unlogged === 'drop';
  const logged = asked ? loggedTurns(choice, minScore) : undefined;
  if (logged && unlogged === 'drop') leaveUnlogged(choice, logged);
  if (mode === 'collapse') leaveBeginnings(choice);
  if (mode === 'last') leaveAllButLast(choice);
  return logged;
}

function draw(choice: Choice, { sample: wanted, perGroup, last, maxRecords, seed }: Choosing): void {
  if (wanted) sample(choice, wanted, seed);
  if (perGroup !== undefined) balance(choice, perGroup, seed);
  if (last !== undefined) keepLast(choice, last);
  if (maxRecords !== undefined) keepFirst(choice, maxRecords);
}

function* tasksOf(
  choice: Choice,
  { corrections }: Choosing,
  logged: LoggedTurns | undefined,
): Generator<Task> {
  for (let one = 0; one < choice.length; one++) {
    if (!choice.has(one)) continue;
    if (choice.tasks) {
      yield choice.tasks[one]!;
      continue;
    }
    const untrained =
      logged && choice.candidates.has(one, FLAG.draft) ? unloggedTurns(choice, one, logged) : [];
    const correction = corrections ? choice.judgements.of(one)?.correction : undefined;
    yield {
      row: one,
      ...(untrained.length > 0 ? { untrained } : {}),
      ...(correction === undefined ? {} : { correction }),
    };
  }
}
