/** Conversations over several records: what continues what, and which answers in a prompt the log has seen. */
import { FLAG } from '../convert/batch.ts';
import { HashMap64 } from '../hash-map.ts';
import type { Choice } from './choice.ts';
import { valueOf } from './judgements.ts';

/** The links behind answers in the prompts of the rows that are in: these conversations went on. */
export function continuedTurns(choice: Choice): HashMap64 {
  const { candidates } = choice;
  const turns = new HashMap64();
  choice.each((row) => {
    for (let index = 0; index < candidates.turnCount(row); index++) {
      const { hi, lo } = candidates.turn(row, index);
      turns.set(hi, lo, 1);
    }
  });
  return turns;
}

/**
 * The links behind answers that a record of the log shows as the model's own, complete and not found bad: only these
 * are trained within a longer conversation.
 * @param continued the links that are asked about at all
 */
export function loggedTurns({ candidates, judgements }: Choice, continued: HashMap64): HashMap64 {
  const logged = new HashMap64();
  if (continued.size === 0) return logged;
  for (let row = 0; row < candidates.length; row++) {
    const hi = candidates.hi('terminal', row);
    const lo = candidates.lo('terminal', row);
    if (!continued.has(hi, lo) || !candidates.has(row, FLAG.success)) continue;
    const judgement = judgements.of(row);
    const bad = judgement?.correction !== undefined || (valueOf(judgement) ?? 0) < 0;
    if (!bad) logged.set(hi, lo, 1);
  }
  return logged;
}

/** Which answers in a row's prompt are not among the logged, by number. */
export function unloggedTurns({ candidates }: Choice, row: number, logged: HashMap64): number[] {
  const unlogged: number[] = [];
  for (let index = 0; index < candidates.turnCount(row); index++) {
    const { hi, lo } = candidates.turn(row, index);
    if (!logged.has(hi, lo)) unlogged.push(index);
  }
  return unlogged;
}

/** Leaves out conversations with answers that the log does not show, for formats that would train them. */
export function leaveUnlogged(choice: Choice, logged: HashMap64): void {
  choice.each((row) => {
    if (choice.candidates.turnCount(row) > 0 && unloggedTurns(choice, row, logged).length > 0)
      choice.leave(row, 'unlogged_turn');
  });
}

/**
 * Leaves out rows that another row, which is in, goes on from: it holds all that they do. A corrected answer is in no
 * other row.
 */
export function leaveBeginnings(choice: Choice): void {
  const { candidates, judgements } = choice;
  const continued = continuedTurns(choice);
  if (continued.size === 0) return;
  choice.each((row) => {
    if (judgements.of(row)?.correction !== undefined) return;
    if (continued.has(candidates.hi('terminal', row), candidates.lo('terminal', row)))
      choice.leave(row, 'continued');
  });
}

/** Leaves out all but the newest row of each conversation, by its id or else by how it begins. */
export function leaveAllButLast(choice: Choice): void {
  const { candidates } = choice;
  const newest = new HashMap64();
  const keyOf = (row: number): [number, number] => {
    const [hi, lo] = [candidates.hi('session', row), candidates.lo('session', row)];
    return hi || lo ? [hi, lo] : [candidates.hi('root', row), candidates.lo('root', row)];
  };
  choice.each((row) => newest.set(...keyOf(row), row));
  choice.each((row) => {
    if (newest.get(...keyOf(row)) !== row) choice.leave(row, 'continued');
  });
}
