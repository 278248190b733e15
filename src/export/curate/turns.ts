/** Conversations over several records: what continues what, and which answers in a prompt the log has seen. */
import { FLAG } from '../convert/batch.ts';
import { Hash64 } from '../conversation/hash64.ts';
import { HashMap64 } from './table/hash-map.ts';
import type { HashName } from './table/row-table.ts';
import type { Choice } from './row-set.ts';
import type { Part } from './hash-partitions.ts';
import { isBad } from './judgements.ts';
import { partsOf } from './hash-partitions.ts';

/** The links behind answers in the prompts of what is in: these conversations went on. @param part of them; all when left out */
export function continuedTurns(choice: Choice, part?: Part): HashMap64 {
  const { candidates } = choice;
  const turns = new HashMap64();
  eachTurn(choice, (turn) => {
    const lo = candidates.turnLo(turn);
    if (part?.has(lo) ?? true) turns.set(candidates.turnHi(turn), lo, 1);
  });
  return turns;
}

function eachTurn(choice: Choice, visit: (turn: number) => void): void {
  const { candidates } = choice;
  choice.each((one) => {
    const row = choice.rowOf(one);
    const first = candidates.firstTurn(row);
    const end = first + candidates.turnCount(row);
    for (let turn = first; turn < end; turn++) visit(turn);
  });
}

/** Which answers within prompts the log shows, by their numbers among all: a bit each. */
export class LoggedTurns {
  readonly #bits: Uint8Array;

  constructor(turns: number) {
    this.#bits = new Uint8Array(Math.ceil(turns / 8));
  }

  add(turn: number): void {
    this.#bits[turn >>> 3]! |= 1 << (turn & 7);
  }

  has(turn: number): boolean {
    return (this.#bits[turn >>> 3]! & (1 << (turn & 7))) !== 0;
  }
}

/**
 * The answers within prompts that a record of the log shows as the model's own, complete and not found bad: only these
 * are trained within a longer conversation.
 * @param minScore what feedback must give an answer; nobody asks when left out
 */
export function loggedTurns(choice: Choice, minScore: number | undefined): LoggedTurns {
  const { candidates } = choice;
  const logged = new LoggedTurns(candidates.turns);
  for (const part of partsOf(candidates.turns)) {
    const asked = continuedTurns(choice, part);
    const known = asked.size === 0 ? asked : answersKnown(choice, asked, minScore);
    if (known.size === 0) continue;
    eachTurn(choice, (turn) => {
      const lo = candidates.turnLo(turn);
      if (part.has(lo) && known.get(candidates.turnHi(turn), lo) === GOOD) logged.add(turn);
    });
  }
  return logged;
}

const BAD = 0;
const GOOD = 1;

/** Those of the links that a record ends with, and how: where one was given twice, what people call bad is bad. */
function answersKnown(choice: Choice, asked: HashMap64, minScore: number | undefined): HashMap64 {
  const { candidates, judgements } = choice;
  const known = new HashMap64();
  for (let row = 0; row < candidates.length; row++) {
    const hi = candidates.hi('terminal', row);
    const lo = candidates.lo('terminal', row);
    if (!asked.has(hi, lo) || !candidates.has(row, FLAG.success) || !choice.sees(row)) continue;
    const judgement = judgements.of(row);
    const good = !isBad(judgement, minScore) && judgement?.correction === undefined;
    if (good && !known.has(hi, lo)) known.set(hi, lo, GOOD);
    else if (!good && judgement) known.set(hi, lo, BAD);
  }
  return known;
}

/** Which answers in a row's prompt are not among the logged, by number. */
export function unloggedTurns({ candidates }: Choice, row: number, logged: LoggedTurns): number[] {
  const unlogged: number[] = [];
  const first = candidates.firstTurn(row);
  for (let index = 0; index < candidates.turnCount(row); index++)
    if (!logged.has(first + index)) unlogged.push(index);
  return unlogged;
}

/** Leaves out conversations with answers that the log does not show, for formats that would train them. */
export function leaveUnlogged(choice: Choice, logged: LoggedTurns): void {
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
  // Left out together at the end: what goes on from one may itself be gone on from.
  const beginnings = new Uint8Array(choice.length);
  for (const part of partsOf(candidates.turns)) {
    const continued = continuedTurns(choice, part);
    if (continued.size === 0) continue;
    choice.each((one) => {
      const row = choice.rowOf(one);
      const lo = candidates.lo('terminal', row);
      if (part.has(lo) && continued.has(candidates.hi('terminal', row), lo)) beginnings[one] = 1;
    });
  }
  choice.each((one) => {
    if (beginnings[one] === 1 && judgements.of(choice.rowOf(one))?.correction === undefined)
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
    } else link('opening', row);
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
