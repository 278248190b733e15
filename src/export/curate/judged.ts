/** Applies feedback: drops bad answers, uses corrections, and makes pairs and labels. */
import type { JsonObject } from '../../wire/json.ts';
import type { AssistantMessage } from '../conversation/conversation.ts';
import type { CurationOptions } from './options.ts';
import type { RowSet, DropReason } from './row-set.ts';
import type { Task } from './task.ts';
import { answeredHash } from '../conversation/conversation-hash.ts';
import { answerOf } from '../conversation/messages.ts';
import { RejectError } from '../errors.ts';
import { isBad } from './judgements.ts';
import { labelsOf, pairsOf } from './pairs.ts';

type Judging = Pick<CurationOptions, 'sampleKind' | 'pairs' | 'corrections' | 'minScore'>;

/** The rows, or the pairs or labels made from them; rows with bad answers are left out. */
export function judged(rows: RowSet, options: Judging): RowSet {
  const tasks = tasksOf(rows, options);
  const set = tasks ? rows.of(tasks) : rows;
  if (rows.judgements.any || options.minScore !== undefined)
    set.each((one) => {
      const reason = tasks ? taskReason(set, tasks[one]!, options) : rowReason(set, one, options);
      if (reason !== undefined) set.drop(one, reason);
    });
  if (!tasks && options.corrections && rows.judgements.any) correct(set);
  return set;
}

/** Returns the replacements of corrected answers. */
function correct(set: RowSet): void {
  const { table, judgements } = set;
  set.each((row) => {
    const correction = judgements.of(row)?.correction;
    const answer = correction === undefined ? undefined : correctionOf(correction);
    const prompt = { hi: table.hi('prompt', row), lo: table.lo('prompt', row) };
    if (answer) set.correct(row, answeredHash(prompt, answer));
  });
}

/** `undefined` for what will not be a row. */
function correctionOf(correction: string | JsonObject): AssistantMessage | undefined {
  try {
    return answerOf(typeof correction === 'string' ? { content: correction } : correction, {
      refusals: 'keep',
    });
  } catch (error) {
    if (error instanceof RejectError) return undefined;
    throw error;
  }
}

function tasksOf(rows: RowSet, { sampleKind, pairs }: Judging): Task[] | undefined {
  if (sampleKind === 'preference') return pairsOf(rows, pairs);
  return sampleKind === 'label' ? labelsOf(rows, pairs) : undefined;
}

function rowReason(set: RowSet, row: number, { corrections, minScore }: Judging): DropReason | undefined {
  const judgement = set.judgements.of(row);
  const corrected = judgement?.correction !== undefined;
  if (corrected && corrections) return undefined;
  if (isBad(judgement, minScore)) return 'score';
  return corrected ? 'corrected' : undefined;
}

/** The score applies to what a model should learn: the better answers, and the good ones. */
function taskReason(
  { judgements }: RowSet,
  { row, correction, label }: Task,
  { minScore }: Judging,
): DropReason | undefined {
  if (minScore === undefined || correction !== undefined || label === false) return undefined;
  return isBad(judgements.of(row), minScore) ? 'score' : undefined;
}
