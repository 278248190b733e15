import { describe, expect, test } from 'bun:test';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { checkPages } from '../../../src/export/check/pages.ts';

/** Texts from a dictionary, with nulls, and runs of booleans, in data pages of version 2. */
function second(): Buffer {
  const texts = Array.from({ length: 40 }, (_, row) => (row % 5 === 0 ? null : `text ${row % 3}`));
  const columnData = [
    { name: 'text', data: texts, encoding: 'RLE_DICTIONARY' as const },
    { name: 'flag', data: texts.map((_, row) => row % 3 === 0), encoding: 'RLE' as const },
  ];
  return Buffer.from(parquetWriteBuffer({ columnData, codec: 'UNCOMPRESSED', rowGroupSize: 40 }));
}

/** Texts from a dictionary, with nulls, and lists, in data pages of version 1, as pyarrow 26.0.1 writes them. */
const FIRST = Buffer.from(
  [
    'UEFSMRUEFSQVJEwVBhUAEgAAAgAAAHQxAgAAAHQyAgAAAHQwFQAVKBUoLBVQFRAVBhUGHAAAAAYAAAAL3nvvvfcCCSSSSSSSSSSS',
    'FQQV8AEV8AFMFTwVABIAAAEAAAACAAAAAwAAAAUAAAAGAAAABwAAAAkAAAAKAAAACwAAAA0AAAAOAAAADwAAABEAAAASAAAAEwAA',
    'ABUAAAAWAAAAFwAAABkAAAAaAAAAGwAAAB0AAAAeAAAAHwAAACEAAAAiAAAAIwAAACUAAAAmAAAAJwAAABUAFZ4BFZ4BLBWMARUQ',
    'FQYVBhwAAAAKAAAAE2g0Go1Go9FoNBMAAAAT/X//3//3//1//9//9//9f/8PBREgBCHEIKSUYs5BCCWl1lqsNefcgzDGKOeklFZr',
    '7704Z6315rz3DgAAFQQZXDUAGAZzY2hlbWEVBAAVDCUCGAR0ZXh0JQBMHAAAADUCGARsaXN0FQIVBkw8AAAANQQYBGxpc3QVAgAV',
    'AiUCGAdlbGVtZW50ABZQGRwZLCYAHBUMGTUABhAZGAR0ZXh0FQAWUBaOARaOASZIJggpLBUEFQAVAgAVABUQFQIAPBaAARkGGSYQ',
    'QAAAACYAHBUCGTUABhAZOARsaXN0BGxpc3QHZWxlbWVudBUAFowBFtoDFtoDJqYDJpYBKSwVBBUAFQIAFQAVEBUCADwpJlA8GUYA',
    'FAB4AAAAFugEFlAmCBboBAAoIHBhcnF1ZXQtY3BwLWFycm93IHZlcnNpb24gMjYuMC4xGSwcAAAcAAAAEQEAAFBBUjE=',
  ].join(''),
  'base64',
);

function open(bytes: Buffer) {
  const metadata = parquetMetadata(bytes);
  const slice = (start: number, end?: number) => Uint8Array.from(bytes.subarray(start, end)).buffer;
  return { file: { byteLength: bytes.length, slice }, metadata, compressors: {} };
}

async function check(bytes: Buffer): Promise<void> {
  const opened = open(bytes);
  for (const group of opened.metadata.row_groups) await checkPages(group, opened);
}

describe.each([
  ['first', FIRST],
  ['second', second()],
])('checkPages() of the %s version of data pages', (_, whole) => {
  test('accepts a complete file', async () => {
    await check(whole);
    expect(await parquetReadObjects(open(whole))).toHaveLength(40);
  });

  test('fails with an error, or accepts a file that can be read, whatever byte is changed', async () => {
    const said = new Set<string>();
    const end = whole.length - 8 - whole.readUInt32LE(whole.length - 8);
    for (let at = 4; at < end; at++)
      for (const value of [0, 0x7f, 0x80, 0xfe, 0xff]) {
        const bytes = Buffer.from(whole);
        bytes[at] = value;
        const wrong = await check(bytes).catch((error: Error) => error);
        if (wrong) said.add(wrong.message);
        // hyparquet may reject it too; what counts is that it returns at all.
        else await parquetReadObjects(open(bytes)).catch(() => undefined);
      }
    expect(said).toContain('a page has more values than its column');
    expect(said).toContain('a page has a run of more values than the page');
  });

  test('rejects a group with more rows than values', async () => {
    const opened = open(whole);
    const group = { ...opened.metadata.row_groups[0]!, num_rows: 2n ** 50n };
    await expect(checkPages(group, opened)).rejects.toThrow('a group has more rows than values');
  });
});
