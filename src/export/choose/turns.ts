/** Conversations over several records: what continues what, and which answers in a prompt the log has seen. */
import { FLAG } from '../convert/batch.ts';
import { Hash64 } from '../convert/hash64.ts';
import { HashMap64 } from '../hash-map.ts';
import type { HashName } from './candidates.ts';
import type { Choice } from './choice.ts';
import { valueOf } from './judgements.ts';

/** The links behind answers in the prompts of what is in: these conversations went on. */
export function continuedTurns(choice: Choice): HashMap64 {
  const { candidates } = choice;
  const turns = new HashMap64();
  choice.each((one) => {
    const row = choice.rowOf(one);
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
 * @param minScore what feedback must give an answer; nobody asks when left out
 */
export function loggedTurns(
  { candidates, judgements }: Choice,
  continued: HashMap64,
  minScore: number | undefined,
): HashMap64 {
  const logged = new HashMap64();
  if (continued.size === 0) return logged;
  for (let row = 0; row < candidates.length; row++) {
    const hi = candidates.hi('terminal', row);
    const lo = candidates.lo('terminal', row);
    if (!continued.has(hi, lo) || !candidates.has(row, FLAG.success)) continue;
    const judgement = judgements.of(row);
    const value = valueOf(judgement);
    const bad = minScore === undefined ? (value ?? 0) < 0 : (value ?? -Infinity) < minScore;
    if (!bad && judgement?.correction === undefined) logged.set(hi, lo, 1);
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
  choice.each((one) => {
    const row = choice.rowOf(one);
    if (choice.candidates.turnCount(row) > 0 && unloggedTurns(choice, row, logged).length > 0)
      choice.leave(one, 'unlogged_turn');
  });
}

/**
 * Leaves out what another one, which is in, goes on from: it holds all that they do. A corrected answer is in no other
 * row.
 */
export function leaveBeginnings(choice: Choice): void {
  const { candidates, judgements } = choice;
  const continued = continuedTurns(choice);
  if (continued.size === 0) return;
  choice.each((one) => {
    const row = choice.rowOf(one);
    if (judgements.of(row)?.correction !== undefined) return;
    if (continued.has(candidates.hi('terminal', row), candidates.lo('terminal', row)))
      choice.leave(one, 'continued');
  });
}

/**
 * Leaves out all but the newest of each conversation. It is known by its id, else by the user and how it begins; where the
 * log names neither, by its first question and answer together: many begin with "Hi".
 */
export function leaveAllButLast(choice: Choice): void {
  const { candidates } = choice;
  const newest = new HashMap64();
  const key = new Hash64();
  const link = (name: HashName, row: number) =>
    key.link({ hi: candidates.hi(name, row), lo: candidates.lo(name, row) });
  const fill = (row: number) => {
    key.start(6);
    if (candidates.has(row, FLAG.owned)) {
      link('owner', row);
      // The owner includes the id, where the client gave one.
      if (!isNamed(choice, row)) link('root', row);
    } else if (candidates.turnCount(row) > 0) key.link(candidates.turn(row, 0));
    else link('terminal', row);
  };
  choice.each((one) => {
    const row = choice.rowOf(one);
    fill(row);
    newest.set(key.hi, key.lo, row);
  });
  choice.each((one) => {
    const row = choice.rowOf(one);
    fill(row);
    if (newest.get(key.hi, key.lo) !== row) choice.leave(one, 'continued');
  });
}

/** Whether the client gave its conversation an id. */
function isNamed({ candidates }: Choice, row: number): boolean {
  return candidates.hi('session', row) !== 0 || candidates.lo('session', row) !== 0;
}
