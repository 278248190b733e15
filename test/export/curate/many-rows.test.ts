/** More rows than one hash table holds: the decisions must equal those of plain sets and maps. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RowTable } from '../../../src/export/curate/table/row-table.ts';
import { RowSet } from '../../../src/export/curate/row-set.ts';
import { dropDuplicates } from '../../../src/export/curate/duplicates.ts';
import { Judgements } from '../../../src/export/curate/judgements.ts';
import { dropBeginnings, loggedTurns, turnsWhere } from '../../../src/export/curate/turns.ts';
import { bytes, words } from '../../../src/export/curate/table/column.ts';
import { FLAG, HASH, HASHES_PER_ROW } from '../../../src/export/convert/batch.ts';

const ROWS = 700_000;
const BATCH = 5_000;

/** A number whose bits look like those of a hash. */
const mixed = (value: number) => {
  const once = Math.imul(value ^ (value >>> 15), 0x2c1b3c6d);
  return (once ^ (once >>> 12)) >>> 0;
};

/** The content of a row: every fifth row repeats another. */
const contentOf = (row: number) => (row % 5 === 4 ? row - 4 : row);
/** The row that a row continues, in a conversation of three. */
const beforeOf = (row: number) => (row % 3 === 0 ? undefined : row - 1);
/** Whether the answer is rated as good. */
const isGood = (row: number) => row % 7 !== 0;

function tableOf(): RowTable {
  const table = new RowTable(['conversation', 'content', 'id'], join(tmpdir(), 'many-rows'));
  for (let from = 0; from < ROWS; from += BATCH) {
    const rows = Array.from({ length: BATCH }, (_, at) => from + at);
    const hashes = words(BATCH * HASHES_PER_ROW);
    const turns: number[] = [];
    const turnEnds = words(BATCH);
    for (const [at, row] of rows.entries()) {
      hashes[at * HASHES_PER_ROW + HASH.conversation] = row;
      hashes[at * HASHES_PER_ROW + HASH.conversation + 1] = mixed(row);
      hashes[at * HASHES_PER_ROW + HASH.content] = contentOf(row);
      hashes[at * HASHES_PER_ROW + HASH.content + 1] = mixed(contentOf(row));
      for (let past = beforeOf(row); past !== undefined; past = beforeOf(past)) turns.push(past, mixed(past));
      turnEnds[at] = turns.length;
    }
    const each = (value: number) => words(BATCH).fill(value);
    table.add(
      {
        lines: BATCH,
        filled: BATCH,
        furtherAnswers: 0,
        filtered: new Map(),
        dropped: new Map(),
        bad: new Map(),
        troubles: [],
        feedback: [],
        redacted: new Map(),
        text: bytes(0),
        ends: each(0),
        places: words(BATCH).map((_, at) => at),
        flags: bytes(BATCH).map((_, at) => (isGood(from + at) ? FLAG.success : 0)),
        hashes,
        turns: words(turns.length).map((_, at) => turns[at]!),
        turnEnds,
        inputTokens: each(1),
        outputTokens: each(1),
        groups: [{ model: 'm', provider: null, finish: null, key: null, balanceBy: '' }],
        groupOf: each(0),
        signatures: bytes(0),
        roots: words(0),
      },
      { file: 0, firstLine: from + 1, spooledAt: 0 },
    );
  }
  return table;
}

describe('with many rows', () => {
  let table: RowTable;
  beforeAll(() => {
    table = tableOf();
  });
  afterAll(() => table.close());
  const choiceOf = () => new RowSet(table, new Judgements(table, []));
  const rowsWhere = (is: (row: number) => boolean) => {
    let count = 0;
    for (let row = 0; row < ROWS; row++) if (is(row)) count += 1;
    return count;
  };

  test('each hash is in one part with all its values, in insertion order', () => {
    const hashes = table.hashParts(ROWS);
    for (let row = 0; row < ROWS; row++) hashes.add(contentOf(row), mixed(contentOf(row)), row, row + 1);
    expect(hashes.parts.length).toBeGreaterThan(1);
    const partOf = new Map<number, number>();
    let wrong = 0;
    for (const [number, part] of hashes.parts.entries()) {
      let [before, count] = [-1, 0];
      part.each((hi, lo, row, more) => {
        const other = partOf.getOrInsert(hi, number) !== number;
        if (other || lo !== mixed(hi) || hi !== contentOf(row) || more !== row + 1 || row <= before)
          wrong += 1;
        before = row;
        count += 1;
      });
      expect(count).toBe(part.size);
    }
    hashes.close();
    expect(wrong).toBe(0);
    expect(hashes.parts.reduce((sum, { size }) => sum + size, 0)).toBe(ROWS);
    expect(table.hashParts(10).parts).toHaveLength(1);
  });

  test('the first of several rows with the same content is kept', () => {
    const set = choiceOf();
    dropDuplicates(set, 'content');
    expect(rowsWhere((row) => set.has(row) !== (contentOf(row) === row))).toBe(0);
  });

  test('the longest row of a conversation is kept', () => {
    const set = choiceOf();
    dropBeginnings(set);
    const isLast = (row: number) => row === ROWS - 1 || beforeOf(row + 1) !== row;
    expect(rowsWhere((row) => set.has(row) !== isLast(row))).toBe(0);
  });

  test('answers within a conversation are recognized by their own rows', () => {
    const set = choiceOf();
    const logged = loggedTurns(set, undefined);
    const expected = (row: number) => {
      const past: number[] = [];
      for (let before = beforeOf(row); before !== undefined; before = beforeOf(before)) past.push(before);
      return past.flatMap((before, index) => (isGood(before) ? [] : [index]));
    };
    const differs = (row: number) =>
      turnsWhere(set, row, (turn) => !logged.has(turn)).join() !== expected(row).join() &&
      table.turnCount(row) > 0;
    expect(rowsWhere(differs)).toBe(0);
  });
});
