import { describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import type { Chunk, ChunkOptions } from '../../src/logs/chunks.ts';
import { readChunks } from '../../src/logs/chunks.ts';

const MIB = 1024 ** 2;

async function chunksOf(data: Uint8Array | string, options: ChunkOptions = {}): Promise<Chunk[]> {
  const directory = mkdtempSync(join(tmpdir(), 'llmproxy-chunks-'));
  try {
    const path = join(directory, 'log.ndjson');
    writeFileSync(path, data);
    return await Array.fromAsync(readChunks({ name: path, path, bytes: data.length }, options));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const textOf = (chunks: readonly Chunk[]) =>
  Buffer.concat(chunks.map(({ bytes }) => bytes)).toString('latin1');

describe('readChunks()', () => {
  test.each([
    ['short lines', 'a line\n'.repeat(900_000)],
    ['lines around the size of a block', `${'x'.repeat(MIB - 1)}\n`.repeat(5)],
    ['a line longer than a chunk', `a\n${'y'.repeat(5 * MIB)}\nb\n`],
    ['a last line without a line end', `${'z\n'.repeat(1_200_000)}rest`],
    ['a single line', 'alone'],
    ['blank lines', '\n\n\n'],
  ])('returns all bytes in order, cut after line ends: %s', async (_, text) => {
    const chunks = await chunksOf(text);
    expect(textOf(chunks) === text).toBe(true);
    expect(chunks.slice(0, -1).every(({ bytes }) => bytes.at(-1) === 10)).toBe(true);
    let offset = 0;
    for (const chunk of chunks) {
      expect(chunk.offset).toBe(offset);
      offset += chunk.bytes.length;
    }
  });

  test('returns nothing for an empty file', async () => {
    expect(await chunksOf('')).toEqual([]);
  });

  test.each([
    ['in the middle', `before\n${'x'.repeat(4 * MIB)}\nafter\n`, ['before\n', 'too long', 'after\n']],
    ['at the end', `before\n${'x'.repeat(4 * MIB)}`, ['before\n', 'too long']],
  ])('skips a line that is too long, %s', async (_, text, expected) => {
    const chunks = await chunksOf(text, { maxLineBytes: 3 * MIB });
    expect(chunks.map((chunk) => (chunk.tooLong ? 'too long' : textOf([chunk])))).toEqual(expected);
  });

  test('returns the complete lines before damage, and the place where it begins', async () => {
    const packed = zstdCompressSync(
      Buffer.from(Array.from({ length: 400_000 }, (_, n) => `line ${n}\n`).join('')),
    );
    const chunks = await chunksOf(packed.subarray(0, packed.length - 9));
    expect(chunks.at(-1)!.damaged).toBe(true);
    expect(textOf(chunks.slice(0, -1))).toStartWith('line 0\nline 1\n');
    expect(textOf(chunks)).toEndWith('\n');
  });

  test('uses the memory that it is given, which is at least as much as it requested', async () => {
    const asked: number[] = [];
    const memory = (bytes: number) => {
      asked.push(bytes);
      return new ArrayBuffer(bytes + 100);
    };
    const text = 'some words\n'.repeat(400_000);
    expect(textOf(await chunksOf(text, { memory })) === text).toBe(true);
    expect(asked.length).toBeGreaterThan(1);
  });
});
