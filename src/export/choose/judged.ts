/** What people said of answers decides what is made of them. */
import type { Choosing } from './choosing.ts';
import type { Choice, Leave } from './choice.ts';
import type { Task } from './pairs.ts';
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
  return choice;
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
