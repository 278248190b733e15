import { describe, expect, test } from 'bun:test';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { RangeReader, rangedFile } from '../../src/logs/ranges.ts';
import { MAX_LINE_BYTES } from '../../src/logs/reader.ts';
import { logDirectory } from '../helpers/log-directory.ts';

const MIB = 1024 ** 2;

/** The pieces of each part of a file that is cut at these places. */
function piecesOf(path: string, size: number, cuts: readonly number[]): string[][] {
  const reader = new RangeReader();
  const fd = openSync(path, 'r');
  try {
    const ends = [...cuts, size];
    return ends.map((to, index) => {
      const from = index === 0 ? 0 : ends[index - 1]!;
      return Array.from(reader.pieces({ fd, from, to, size }), (piece) =>
        Buffer.from(piece).toString('latin1'),
      );
    });
  } finally {
    closeSync(fd);
  }
}

const line = fc.oneof(
  { weight: 4, arbitrary: fc.string({ maxLength: 30, unit: fc.constantFrom('a', 'b', ' ') }) },
  { weight: 1, arbitrary: fc.integer({ min: 60_000, max: 70_000 }).map((length) => 'x'.repeat(length)) },
  { weight: 1, arbitrary: fc.integer({ min: MIB - 9, max: 3 * MIB }).map((length) => 'y'.repeat(length)) },
);

describe('RangeReader', () => {
  test('returns each line once, in the part in which it begins, wherever a file is cut', async () => {
    await using dir = await logDirectory();
    const path = join(dir.path, 'log');
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(
        fc.array(line, { minLength: 1, maxLength: 12 }),
        fc.boolean(),
        fc.array(share, { maxLength: 6 }),
        (lines, ended, shares) => {
          const text = lines.join('\n') + (ended ? '\n' : '');
          writeFileSync(path, text);
          const cuts = shares.map((part) => Math.floor(part * text.length)).toSorted((a, b) => a - b);
          const parts = piecesOf(path, text.length, cuts);
          expect(parts.flat().join('') === text).toBe(true);
          let at = 0;
          for (const [index, pieces] of parts.entries()) {
            for (const piece of pieces) {
              const last = piece.slice(0, -1).lastIndexOf('\n') + 1;
              if (index < cuts.length) expect(at + last).toBeLessThan(cuts[index]!);
              if (index > 0) expect(at).toBeGreaterThanOrEqual(cuts[index - 1]!);
              at += piece.length;
              expect(piece.endsWith('\n') || at === text.length).toBe(true);
            }
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  test('returns pieces of bounded size, whatever the part', async () => {
    await using dir = await logDirectory();
    const path = join(dir.path, 'log');
    const text = `${'w'.repeat(99)}\n`.repeat(50_000);
    writeFileSync(path, text);
    const [pieces] = piecesOf(path, text.length, []);
    expect(Math.max(...pieces!.map((piece) => piece.length))).toBeLessThanOrEqual(MIB);
    expect(pieces!.join('') === text).toBe(true);
  });

  test('reports a line that is too long, and returns the lines before and after it', async () => {
    await using dir = await logDirectory();
    const path = join(dir.path, 'log');
    const text = `before\n${'x'.repeat(MAX_LINE_BYTES + MIB)}\nbehind\n`;
    writeFileSync(path, text);
    const fd = openSync(path, 'r');
    const reader = new RangeReader();
    const read = (from: number, to: number) =>
      Array.from(reader.pieces({ fd, from, to, size: text.length }), (piece) =>
        Buffer.from(piece).toString(),
      );
    try {
      expect(read(0, 4 * MIB)).toEqual(['before\n']);
      expect(reader.tooLong).toBe(true);
      expect(read(4 * MIB, 8 * MIB)).toEqual([]);
      expect(reader.tooLong).toBe(false);
      expect(read(text.length - 9, text.length)).toEqual(['behind\n']);
    } finally {
      closeSync(fd);
    }
  });

  test('stops at the end of a file that was truncated in the meantime', async () => {
    await using dir = await logDirectory();
    const path = join(dir.path, 'log');
    writeFileSync(path, 'one\ntwo');
    expect(piecesOf(path, 4_000, [2, 2_000])).toEqual([['one\n'], ['two'], []]);
  });
});

describe('rangedFile()', () => {
  test('splits a file of plain lines, and no compressed or empty file', async () => {
    await using dir = await logDirectory();
    const path = join(dir.path, 'log');
    const input = (bytes: number | undefined) => ({ name: 'log', path, bytes });
    writeFileSync(path, 'x\n'.repeat(5 * MIB));
    const ranged = rangedFile(input(10 * MIB))!;
    const ranges = [...ranged.ranges];
    ranged.close();
    expect(ranged.wholeBytes).toBe(10 * MIB);
    expect(ranges[0]!.from).toBe(0);
    expect(ranges.at(-1)!.to).toBe(10 * MIB);
    for (const [index, { from }] of ranges.entries()) expect(from).toBe(ranges[index - 1]?.to ?? 0);
    writeFileSync(path, `one\ntwo\n${'x'.repeat(MIB)}`);
    const torn = rangedFile(input(MIB + 8))!;
    torn.close();
    expect(torn.wholeBytes).toBe(8);
    expect(rangedFile(input(undefined))).toBeUndefined();
    writeFileSync(path, Bun.gzipSync('x\n'));
    expect(rangedFile(input(20))).toBeUndefined();
    writeFileSync(path, '');
    expect(rangedFile(input(0))).toBeUndefined();
  });
});
