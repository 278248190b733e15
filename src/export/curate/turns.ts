/** Conversations over several records: what continues what, and which answers in a prompt the log has seen. */
import { FLAG } from '../convert/batch.ts';
import { HashMap64 } from './table/hash-map.ts';
import type { RowSet } from './row-set.ts';
import type { HashPart, HashParts } from './table/hash-parts.ts';
import { isBad } from './judgements.ts';

/** The links behind answers in the prompts of what is in: these conversations went on. */
export function continuedTurns(set: RowSet): HashMap64 {
  const { table } = set;
  const turns = new HashMap64();
  eachTurn(set, (turn) => turns.set(table.turnHi(turn), table.turnLo(turn), 1));
  return turns;
}

/** Goes through the answers within the prompts of what is in, by their numbers among all. */
export function eachTurn(set: RowSet, visit: (turn: number) => void): void {
  const { table } = set;
  set.each((one) => {
    const row = set.rowOf(one);
    const first = table.firstTurn(row);
    const end = first + table.turnCount(row);
    for (let turn = first; turn < end; turn++) visit(turn);
  });
}

/** Some of the answers within prompts, by their numbers among all. */
export interface TurnSet {
  readonly size: number;
  add(turn: number): void;
  has(turn: number): boolean;
}

/** A set that takes a bit for each answer. @param turns answers within all prompts */
export function turnSet(turns: number): TurnSet {
  const bits = new Uint8Array(Math.ceil(turns / 8));
  let size = 0;
  const has = (turn: number) => (bits[turn >>> 3]! & (1 << (turn & 7))) !== 0;
  return {
    get size() {
      return size;
    },
    has,
    add: (turn) => {
      if (!has(turn)) size += 1;
      bits[turn >>> 3]! |= 1 << (turn & 7);
    },
  };
}

/**
 * The answers within prompts that a record of the log shows as the model's own, complete and not found bad: only these
 * are trained within a longer conversation.
 * @param minScore the score that feedback must give an answer; not required when left out
 */
export function loggedTurns(set: RowSet, minScore: number | undefined): TurnSet {
  const { table } = set;
  const logged = turnSet(table.turns);
  if (table.turns === 0) return logged;
  const turns = turnsByHash(set);
  const answers = answersOf(set, minScore);
  for (const [number, part] of turns.parts.entries()) {
    const known = answersKnown(answers.parts[number]!);
    part.each((hi, lo, turn) => {
      if (known.get(hi, lo) === GOOD) logged.add(turn);
    });
  }
  turns.close();
  answers.close();
  return logged;
}

/** The links behind answers in the prompts of what is in, with their numbers among all. */
function turnsByHash(set: RowSet): HashParts {
  const { table } = set;
  const turns = table.hashParts(hashesIn(set));
  eachTurn(set, (turn) => turns.add(table.turnHi(turn), table.turnLo(turn), turn));
  return turns;
}

/** By how many links of rows and of turns are divided, so that what is compared lies in parts of one number. */
function hashesIn({ table }: RowSet): number {
  return Math.max(table.length, table.turns);
}

const BAD = 0;
const GOOD = 1;

/** The complete answers of all records and whether they are good, divided as the turns are. */
function answersOf(set: RowSet, minScore: number | undefined): HashParts {
  const { table, judgements } = set;
  const answers = table.hashParts(hashesIn(set));
  for (let row = 0; row < table.length; row++) {
    if (!table.has(row, FLAG.success)) continue;
    const judgement = judgements.of(row);
    const good = !isBad(judgement, minScore) && judgement?.correction === undefined;
    if (good || judgement)
      answers.add(table.hi('conversation', row), table.lo('conversation', row), row, good ? GOOD : BAD);
  }
  return answers;
}

/** How answers were: where one was given twice, what people call bad is bad. */
function answersKnown(answers: HashPart): HashMap64 {
  const known = new HashMap64(answers.size);
  answers.each((hi, lo, _row, how) => {
    if (how === BAD || !known.has(hi, lo)) known.set(hi, lo, how);
  });
  return known;
}

/** The answers in a row's prompt for which something holds, by their numbers in the row. */
export function turnsWhere({ table }: RowSet, row: number, holds: (turn: number) => boolean): number[] {
  const numbers: number[] = [];
  const first = table.firstTurn(row);
  for (let index = 0; index < table.turnCount(row); index++) if (holds(first + index)) numbers.push(index);
  return numbers;
}

/** Leaves out conversations with answers that the log does not show, for formats that would train them. */
export function dropUnlogged(set: RowSet, logged: TurnSet): void {
  set.each((one) => {
    const row = set.rowOf(one);
    if (turnsWhere(set, row, (turn) => !logged.has(turn)).length > 0) set.drop(one, 'unlogged_turn');
  });
}

/**
 * Leaves out what another one, which is in, goes on from: it holds all that they do. A corrected answer is in no other
 * row.
 */
export function dropBeginnings(set: RowSet): void {
  if (set.table.trimmed) return dropCovered(set);
  const { table } = set;
  // Left out together at the end: what goes on from one may itself be gone on from.
  const beginnings = new Uint8Array(set.length);
  if (table.turns === 0) return;
  const turns = turnsByHash(set);
  const ends = table.hashParts(hashesIn(set));
  set.each((one) => {
    const row = set.rowOf(one);
    ends.add(table.hi('conversation', row), table.lo('conversation', row), one);
  });
  for (const [number, part] of turns.parts.entries()) {
    if (part.size === 0) continue;
    const continued = new HashMap64();
    part.each((hi, lo) => continued.set(hi, lo, 1));
    ends.parts[number]!.each((hi, lo, one) => {
      if (continued.has(hi, lo)) beginnings[one] = 1;
    });
  }
  turns.close();
  ends.close();
  set.each((one) => {
    if (beginnings[one] === 1 && !isCorrected(set, one)) set.drop(one, 'continued');
  });
}

/**
 * The same where oldest turns were cut off: a conversation is then several windows, which hold all its answers together. One
 * row goes on from another, and no longer holds the first answers of a third. So each is asked, the last ones first, whether
 * a row that stays holds its answer.
 */
function dropCovered(set: RowSet): void {
  const { table } = set;
  const held = new HashMap64();
  for (const one of set.all().toReversed()) {
    const row = set.rowOf(one);
    if (held.has(table.hi('conversation', row), table.lo('conversation', row)) && !isCorrected(set, one)) {
      set.drop(one, 'continued');
      continue;
    }
    const first = table.firstTurn(row);
    for (let turn = first; turn < first + table.turnCount(row); turn++)
      held.set(table.turnHi(turn), table.turnLo(turn), 1);
  }
}

function isCorrected(set: RowSet, one: number): boolean {
  return set.judgements.of(set.rowOf(one))?.correction !== undefined;
}
