/** Conversations over several records: what continues what, and which answers in a prompt the log has seen. */
import { FLAG } from '../convert/batch.ts';
import { HashMap64 } from './table/hash-map.ts';
import type { RowSet } from './row-set.ts';
import type { Part } from './hash-partitions.ts';
import { isBad } from './judgements.ts';
import { partsOf } from './hash-partitions.ts';

/** The links behind answers in the prompts of what is in: these conversations went on. @param part of them; all when left out */
export function continuedTurns(set: RowSet, part?: Part): HashMap64 {
  const { table } = set;
  const turns = new HashMap64();
  eachTurn(set, (turn) => {
    const lo = table.turnLo(turn);
    if (part?.has(lo) ?? true) turns.set(table.turnHi(turn), lo, 1);
  });
  return turns;
}

function eachTurn(set: RowSet, visit: (turn: number) => void): void {
  const { table } = set;
  set.each((one) => {
    const row = set.rowOf(one);
    const first = table.firstTurn(row);
    const end = first + table.turnCount(row);
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
export function loggedTurns(set: RowSet, minScore: number | undefined): LoggedTurns {
  const { table } = set;
  const logged = new LoggedTurns(table.turns);
  for (const part of partsOf(table.turns)) {
    const asked = continuedTurns(set, part);
    const known = asked.size === 0 ? asked : answersKnown(set, asked, minScore);
    if (known.size === 0) continue;
    eachTurn(set, (turn) => {
      const lo = table.turnLo(turn);
      if (part.has(lo) && known.get(table.turnHi(turn), lo) === GOOD) logged.add(turn);
    });
  }
  return logged;
}

const BAD = 0;
const GOOD = 1;

/** Those of the links that a record ends with, and how: where one was given twice, what people call bad is bad. */
function answersKnown(set: RowSet, asked: HashMap64, minScore: number | undefined): HashMap64 {
  const { table, judgements } = set;
  const known = new HashMap64();
  for (let row = 0; row < table.length; row++) {
    const hi = table.hi('conversation', row);
    const lo = table.lo('conversation', row);
    if (!asked.has(hi, lo) || !table.has(row, FLAG.success)) continue;
    const judgement = judgements.of(row);
    const good = !isBad(judgement, minScore) && judgement?.correction === undefined;
    if (good && !known.has(hi, lo)) known.set(hi, lo, GOOD);
    else if (!good && judgement) known.set(hi, lo, BAD);
  }
  return known;
}

/** Which answers in a row's prompt are not among the logged, by number. */
export function unloggedTurns({ table }: RowSet, row: number, logged: LoggedTurns): number[] {
  const unlogged: number[] = [];
  const first = table.firstTurn(row);
  for (let index = 0; index < table.turnCount(row); index++)
    if (!logged.has(first + index)) unlogged.push(index);
  return unlogged;
}

/** Leaves out conversations with answers that the log does not show, for formats that would train them. */
export function dropUnlogged(set: RowSet, logged: LoggedTurns): void {
  set.each((one) => {
    const row = set.rowOf(one);
    if (set.table.turnCount(row) > 0 && unloggedTurns(set, row, logged).length > 0)
      set.drop(one, 'unlogged_turn');
  });
}

/**
 * Leaves out what another one, which is in, goes on from: it holds all that they do. A corrected answer is in no other
 * row.
 */
export function dropBeginnings(set: RowSet): void {
  const { table, judgements } = set;
  // Left out together at the end: what goes on from one may itself be gone on from.
  const beginnings = new Uint8Array(set.length);
  for (const part of partsOf(table.turns)) {
    const continued = continuedTurns(set, part);
    if (continued.size === 0) continue;
    set.each((one) => {
      const row = set.rowOf(one);
      const lo = table.lo('conversation', row);
      if (part.has(lo) && continued.has(table.hi('conversation', row), lo)) beginnings[one] = 1;
    });
  }
  set.each((one) => {
    if (beginnings[one] === 1 && judgements.of(set.rowOf(one))?.correction === undefined)
      set.drop(one, 'continued');
  });
}
