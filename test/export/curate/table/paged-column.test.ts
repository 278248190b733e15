import { describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { words } from '../../../../src/export/curate/table/column.ts';
import { PagedColumn } from '../../../../src/export/curate/table/paged-column.ts';
import { Spool } from '../../../../src/export/curate/table/spool.ts';
import { logDirectory } from '../../../helpers/log-directory.ts';

describe('PagedColumn', () => {
  test('returns any number in any order, for several columns in one file', async () => {
    await using dir = await logDirectory();
    const spool = new Spool(join(dir.path, 'out'));
    const columns = [3, 7].map((factor) => ({ factor, column: new PagedColumn(words, () => spool) }));
    const length = 300_001;
    // Pieces of odd sizes: none ends at a page boundary.
    for (let from = 0; from < length; from += 777)
      for (const { factor, column } of columns)
        column.append(words(Math.min(777, length - from)).map((_, at) => factor * (from + at)));
    const wrong: number[] = [];
    const look = (index: number) => {
      for (const { factor, column } of columns) if (column.at(index) !== factor * index) wrong.push(index);
    };
    for (let index = 0; index < length; index++) look(index);
    for (let step = 0; step < 2_000; step++) look((step * 7_919_111) % length);
    expect(wrong).toEqual([]);
    expect(columns.map(({ column }) => column.length)).toEqual([length, length]);
    expect(spool.length).toBeGreaterThan(length * 4);
    spool.close();
  });

  test('reads from several places in turn, each page once', () => {
    const file = new Uint8Array(16 * 65_536);
    let [length, reads] = [0, 0];
    const spool = {
      append(data: Uint8Array) {
        file.set(data, length);
        return (length += data.length) - data.length;
      },
      read(into: Uint8Array, at: number) {
        reads += 1;
        into.set(file.subarray(at, at + into.length));
      },
    } as unknown as Spool;
    const column = new PagedColumn(words, () => spool, 3);
    column.append(words(200_000).map((_, index) => index));
    const wrong: number[] = [];
    for (let step = 0; step < 60_000; step++)
      for (const index of [step, 60_000 + step, 130_000 + step])
        if (column.at(index) !== index) wrong.push(index);
    expect(wrong).toEqual([]);
    // 196,608 numbers are in the file, 4,096 to a page; two places begin within a page that another one ends with.
    expect(reads).toBeLessThanOrEqual(196_608 / 4_096 + 2);
  });

  test('needs no file for few numbers', () => {
    const column = new PagedColumn(words, () => {
      throw new Error('a file was asked for');
    });
    column.append(words(65_536).map((_, index) => index));
    expect([column.at(0), column.at(65_535), column.length]).toEqual([0, 65_535, 65_536]);
  });
});
