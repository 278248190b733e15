/** Conversations across records: which ones continue others, and which answers in a prompt are in the log. */
import { FLAG } from '../convert/batch.ts';
import { HashMap64 } from './table/hash-map.ts';
import type { RowSet } from './row-set.ts';
import type { HashPart, HashParts } from './table/hash-parts.ts';
import { isBad } from './judgements.ts';

/** The hashes after answers in the prompts of selected items: these conversations were continued. */
export function continuedTurns(set: RowSet): HashMap64 {
  const { table } = set;
  const turns = new HashMap64();
  eachTurn(set, (turn) => turns.set(table.turnHi(turn), table.turnLo(turn), 1));
  return turns;
}

/** Visits the answers within the prompts of selected items, by their indexes among all. */
export function eachTurn(set: RowSet, visit: (turn: number) => void): void {
  const { table } = set;
  set.each((one) => {
    const row = set.rowOf(one);
    const first = table.firstTurn(row);
    const end = first + table.turnCount(row);
    for (let turn = first; turn < end; turn++) visit(turn);
  });
}

/** Some of the answers within prompts, by their indexes among all. */
export interface TurnSet {
  readonly size: number;
  add(turn: number): void;
  has(turn: number): boolean;
}

/** A set with one bit per answer. @param turns the number of answers within all prompts */
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
 * The answers within prompts for which the log has a record with a complete answer that feedback does not call bad:
 * only these are trained within a longer conversation.
 * @param minScore the required feedback score; not required if omitted
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

/** The hashes after answers in the prompts of selected items, with their indexes among all. @param of all by default */
function turnsByHash(set: RowSet, of?: TurnSet): HashParts {
  const { table } = set;
  const turns = table.hashParts(hashesIn(set));
  eachTurn(set, (turn) => {
    if (of?.has(turn) ?? true) turns.add(table.turnHi(turn), table.turnLo(turn), turn);
  });
  return turns;
}

/** The number by which rows and turns are divided, so that what is compared is in parts with the same number. */
function hashesIn({ table }: RowSet): number {
  return Math.max(table.length, table.turns);
}

const BAD = 0;
const GOOD = 1;

/** The complete answers of all records and whether they are good, divided like the turns. */
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

/** The quality of answers: if one was given twice, a bad judgement wins. */
function answersKnown(answers: HashPart): HashMap64 {
  const known = new HashMap64(answers.size);
  answers.each((hi, lo, _row, how) => {
    if (how === BAD || !known.has(hi, lo)) known.set(hi, lo, how);
  });
  return known;
}

/** The answers in a row's prompt that pass a test, by their indexes within the row. */
export function turnsWhere({ table }: RowSet, row: number, holds: (turn: number) => boolean): number[] {
  const numbers: number[] = [];
  const first = table.firstTurn(row);
  for (let index = 0; index < table.turnCount(row); index++) if (holds(first + index)) numbers.push(index);
  return numbers;
}

/**
 * The answers within prompts that are trained by a format that trains every answer of a row: those behind the last one
 * that is not in the log, up to which a row quotes its prompt.
 */
export function answersBehind(set: RowSet, logged: TurnSet): TurnSet {
  const { table } = set;
  const behind = turnSet(table.turns);
  set.each((one) => {
    const row = set.rowOf(one);
    const first = table.firstTurn(row);
    for (let turn = first + table.turnCount(row) - 1; turn >= first && logged.has(turn); turn--)
      behind.add(turn);
  });
  return behind;
}

/** Leaves out conversations with answers that are not in the log. */
export function dropUnlogged(set: RowSet, logged: TurnSet): void {
  set.each((one) => {
    const row = set.rowOf(one);
    if (turnsWhere(set, row, (turn) => !logged.has(turn)).length > 0) set.drop(one, 'unlogged_turn');
  });
}

/**
 * Leaves out items that another selected one continues: it contains everything they do. A corrected answer is in no
 * other row.
 * @param trained the answers within prompts for which a row stands; all by default
 */
export function dropBeginnings(set: RowSet, trained?: TurnSet): void {
  if (set.table.partial) return dropCovered(set, trained);
  const { table } = set;
  // Left out together at the end: an item that continues another may itself be continued.
  const beginnings = new Uint8Array(set.length);
  if (table.turns === 0) return;
  const turns = turnsByHash(set, trained);
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
 * The same if the oldest turns were removed, or if tools changed: a conversation then consists of several windows, which
 * together contain all its answers. A row that continues another may no longer contain the first answers of a third one.
 * Each is therefore checked, the last ones first, for whether a row that stays contains its answer.
 */
function dropCovered(set: RowSet, trained: TurnSet | undefined): void {
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
      if (trained?.has(turn) ?? true) held.set(table.turnHi(turn), table.turnLo(turn), 1);
  }
}

function isCorrected(set: RowSet, one: number): boolean {
  return set.judgements.of(set.rowOf(one))?.correction !== undefined;
}
