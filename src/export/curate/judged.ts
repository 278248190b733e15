/** What people said of answers decides what is made of them. */
import type { JsonObject } from '../../wire/json.ts';
import type { AssistantMessage } from '../conversation/conversation.ts';
import type { Choosing } from './options.ts';
import type { Choice, Leave } from './row-set.ts';
import type { Task } from './pairs.ts';
import { answeredHash } from '../conversation/conversation-hash.ts';
import { answerOf } from '../conversation/messages.ts';
import { Unfit } from '../errors.ts';
import { isBad } from './judgements.ts';
import { labelsOf, pairsOf } from './pairs.ts';

type Judging = Pick<Choosing, 'makes' | 'pairs' | 'corrections' | 'minScore'>;

/** The rows, or the pairs or labels that are made of them; what was judged too bad is left out. */
export function judged(rows: Choice, options: Judging): Choice {
  const tasks = tasksOf(rows, options);
  const choice = tasks ? rows.of(tasks) : rows;
  if (rows.judgements.any || options.minScore !== undefined)
    choice.each((one) => {
      const reason = tasks ? taskReason(choice, tasks[one]!, options) : rowReason(choice, one, options);
      if (reason !== undefined) choice.leave(one, reason);
    });
  if (!tasks && options.corrections && rows.judgements.any) correct(choice);
  return choice;
}

/** Tells what is written in the place of answers that were corrected. */
function correct(choice: Choice): void {
  const { candidates, judgements } = choice;
  choice.each((row) => {
    const correction = judgements.of(row)?.correction;
    const answer = correction === undefined ? undefined : correctionOf(correction);
    const prompt = { hi: candidates.hi('prompt', row), lo: candidates.lo('prompt', row) };
    if (answer) choice.correct(row, answeredHash(prompt, answer));
  });
}

/** `undefined` for what will be no row. */
function correctionOf(correction: string | JsonObject): AssistantMessage | undefined {
  try {
    return answerOf(typeof correction === 'string' ? { content: correction } : correction, {
      refusals: 'keep',
      images: 'keep',
    });
  } catch (error) {
    if (error instanceof Unfit) return undefined;
    throw error;
  }
}

function tasksOf(rows: Choice, { makes, pairs }: Judging): Task[] | undefined {
  if (makes === 'pair') return pairsOf(rows, pairs);
  return makes === 'label' ? labelsOf(rows, pairs) : undefined;
}

function rowReason(choice: Choice, row: number, { corrections, minScore }: Judging): Leave | undefined {
  const judgement = choice.judgements.of(row);
  const corrected = judgement?.correction !== undefined;
  if (corrected && corrections) return undefined;
  if (isBad(judgement, minScore)) return 'score';
  return corrected ? 'corrected' : undefined;
}

/** The score is asked of what a model should learn to say: the better answers, and the good ones. */
function taskReason(
  { judgements }: Choice,
  { row, correction, label }: Task,
  { minScore }: Judging,
): Leave | undefined {
  if (minScore === undefined || correction !== undefined || label === false) return undefined;
  return isBad(judgements.of(row), minScore) ? 'score' : undefined;
}
