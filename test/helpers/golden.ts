/** Files with expected output. `UPDATE_GOLDEN=1` rewrites them, to be reviewed before they are committed. */
import { expect } from 'bun:test';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Expects a text to equal the content of a file. */
export function expectGolden(path: string, text: string): void {
  if (process.env.UPDATE_GOLDEN === '1') {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  if (!existsSync(path)) throw new Error(`There is no ${path}: UPDATE_GOLDEN=1 writes it`);
  expect(text).toBe(readFileSync(path, 'utf8'));
}
