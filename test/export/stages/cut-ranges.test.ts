import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import type { PlannedInput } from '../../../src/export/stages/stage-plan.ts';
import { cutRanges } from '../../../src/export/stages/cut-ranges.ts';

let directory: string;
beforeAll(() => void (directory = mkdtempSync(join(tmpdir(), 'ranges-'))));
afterAll(() => rmSync(directory, { recursive: true }));

function plainInput(number: number, bytes: number): PlannedInput {
  const path = join(directory, `${number}.ndjson`);
  writeFileSync(path, '');
  truncateSync(path, bytes);
  return { name: path, path, bytes };
}

test('ranges cover every byte of the logs once, in order, and have approximately the requested size', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(100_000), { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 1_000, max: 30_000 }),
      (sizes, rangeBytes) => {
        const ranges = cutRanges(
          sizes.map((bytes, number) => plainInput(number, bytes)),
          rangeBytes,
        );
        const parts = ranges.flatMap((range) => range.parts);
        const held = sizes.map(() => 0);
        for (const { input, from, to } of parts) {
          expect(from).toBe(held[input]!);
          held[input] = to!;
        }
        expect(held).toEqual(sizes);
        expect(parts.map(({ input }) => input)).toEqual(
          parts.map(({ input }) => input).toSorted((a, b) => a - b),
        );
        for (const range of ranges) {
          expect(range.bytes).toBe(range.parts.reduce((sum, { from, to }) => sum + to! - from, 0));
          expect(range.bytes).toBeLessThanOrEqual(1.5 * rangeBytes);
        }
      },
    ),
    { numRuns: 200 },
  );
});

test('a log that is slightly larger than several ranges is not cut into these and a small rest', () => {
  const [gigabytes, range] = [2_147_484_255, 512_000_000];
  const ranges = cutRanges([plainInput(0, gigabytes)], range);
  expect(ranges).toHaveLength(4);
  const sizes = ranges.map(({ bytes }) => bytes);
  expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
});
