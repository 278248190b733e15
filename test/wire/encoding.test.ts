import { describe, expect, test } from 'bun:test';
import * as zlib from 'node:zlib';
import type { Encoding } from '../../src/wire/encoding.ts';
import {
  encodingOf,
  inflate,
  inflateBeginning,
  Inflater,
  InflatedTooLarge,
} from '../../src/wire/encoding.ts';
import { ZstdFrames } from '../../src/wire/zstd-frames.ts';

const PACK: readonly (readonly [
  name: string,
  encoding: Encoding,
  pack: (text: string | Buffer) => Buffer,
])[] = [
  ['gzip', 'gzip', zlib.gzipSync],
  ['x-gzip', 'x-gzip', zlib.gzipSync],
  ['deflate', 'deflate', zlib.deflateSync],
  ['bare deflate', 'deflate', zlib.deflateRawSync],
  ['bare deflate, stored', 'deflate', (text) => zlib.deflateRawSync(text, { level: 0 })],
  [
    'br',
    'br',
    (text) => zlib.brotliCompressSync(text, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 3 } }),
  ],
  ['zstd', 'zstd', zlib.zstdCompressSync],
];

const WORDS = Array.from({ length: 40_000 }, (_, at) => `word ${at} `).join('');

const lengthOf = (parts: readonly Uint8Array[]) => parts.reduce((length, part) => length + part.length, 0);

async function all(inflater: Inflater): Promise<Uint8Array[]> {
  const pieces: Uint8Array[] = [];
  for (let piece = await inflater.read(); piece; piece = await inflater.read()) pieces.push(piece);
  return pieces;
}

/** Each write takes a turn of a thread. */
const MOST_WRITES = 1_500;

describe.each(PACK)('%s:', (_, encoding, pack) => {
  test.each(['', 'a', WORDS])('inflate() returns the original text', async (text) => {
    expect(Buffer.concat(await inflate(pack(text), encoding, 1_000_000)).toString()).toBe(text);
  });

  test('an Inflater returns the same for chunks of any size, in small pieces', async () => {
    const packed = pack(WORDS);
    for (const size of [1, 7, 1_000, packed.length]) {
      const some = packed.subarray(0, MOST_WRITES * size);
      const inflater = new Inflater(encoding);
      const pieces: Uint8Array[] = [];
      for (let at = 0; at < some.length; at += size) {
        inflater.write(some.subarray(at, at + size));
        pieces.push(...(await all(inflater)));
      }
      if (some.length === packed.length) {
        inflater.end();
        pieces.push(...(await all(inflater)));
        expect(Buffer.concat(pieces).toString()).toBe(WORDS);
      } else expect(WORDS).toStartWith(Buffer.concat(pieces).toString());
      for (const { length } of pieces) expect(length).toBeLessThanOrEqual(128 * 1024);
      inflater.close();
    }
  });

  test('inflate() stops at its limit, and counts each piece before it returns', async () => {
    const bomb = pack(Buffer.alloc(8 * 1024 * 1024));
    let counted = 0;
    const over = inflate(bomb, encoding, 1_000_000, (bytes) => void (counted += bytes));
    expect(over).rejects.toThrow(InflatedTooLarge);
    await over.catch(() => undefined);
    expect([counted > 800_000, counted <= 1_000_000]).toEqual([true, true]);
    expect(await inflate(pack('12345'), encoding, 5)).toHaveLength(1);
    expect(inflate(pack('123456'), encoding, 5)).rejects.toThrow(InflatedTooLarge);
    const full = inflate(pack('123456'), encoding, 1_000, () => {
      throw new RangeError('no room');
    });
    expect(full).rejects.toThrow('no room');
  });

  test('an Inflater produces no more data than is read', async () => {
    const inflater = new Inflater(encoding);
    inflater.write(pack(Buffer.alloc(96 * 1024 * 1024)));
    const before = process.memoryUsage.rss();
    expect((await inflater.read())!.length).toBeLessThanOrEqual(128 * 1024);
    for (let turn = 0; turn < 20; turn += 1) await Bun.sleep(5);
    expect(process.memoryUsage.rss() - before).toBeLessThan(48 * 1024 * 1024);
    inflater.close();
    expect(await inflater.read()).toBeUndefined();
  });

  test('a pending read ends when the inflater is closed', async () => {
    const inflater = new Inflater(encoding);
    inflater.write(pack(WORDS).subarray(0, 4));
    const pieces = all(inflater);
    inflater.close();
    expect(await pieces).toEqual([]);
  });

  test('inflate() refuses truncated data', async () => {
    const packed = pack(WORDS);
    for (const length of [0, 1, 2, 5, packed.length >> 1, packed.length - 1])
      expect(inflate(packed.subarray(0, length), encoding, 1_000_000)).rejects.toThrow();
  });

  test('inflateBeginning() returns what it can of truncated, broken and endless data', async () => {
    const packed = pack(WORDS);
    const begin = async (bytes: Uint8Array, max: number) =>
      Buffer.from(await inflateBeginning(bytes, encoding, max)).toString();
    expect(await begin(packed, 100)).toBe(WORDS.slice(0, 100));
    expect(WORDS).toStartWith(await begin(packed.subarray(0, packed.length >> 1), 1_000_000));
    expect((await begin(pack(Buffer.alloc(8 * 1024 * 1024)), 65_536)).length).toBe(65_536);
    expect((await begin(Buffer.from('this is not compressed'), 100)).length).toBeLessThan(100);
    expect(await begin(new Uint8Array(), 100)).toBe('');
  });
});

test('inflate() treats concatenated gzip members and zstd frames as one body', async () => {
  const two = (pack: (text: string) => Buffer) => Buffer.concat([pack('hello '), pack('world')]);
  expect(Buffer.concat(await inflate(two(zlib.gzipSync), 'gzip', 100)).toString()).toBe('hello world');
  expect(Buffer.concat(await inflate(two(zlib.zstdCompressSync), 'zstd', 100)).toString()).toBe(
    'hello world',
  );
  expect(inflate(two(zlib.gzipSync), 'gzip', 10)).rejects.toThrow(InflatedTooLarge);
  expect(inflate(two(zlib.zstdCompressSync), 'zstd', 10)).rejects.toThrow(InflatedTooLarge);
});

test.each(PACK)('inflate() never returns garbage after the end of %s', async (_, encoding, pack) => {
  const body = Buffer.concat([pack('hello'), Buffer.from('garbage')]);
  const given = await inflate(body, encoding, 100).then(
    (pieces) => Buffer.concat(pieces).toString(),
    () => '',
  );
  expect(['', 'hello']).toContain(given);
});

test('ZstdFrames is complete at the end of each frame, and nowhere else', async () => {
  const sized = zlib.zstdCompressSync(WORDS);
  const checked = zlib.zstdCompressSync(WORDS.slice(0, 500), {
    params: { [zlib.constants.ZSTD_c_checksumFlag]: 1, [zlib.constants.ZSTD_c_contentSizeFlag]: 0 },
  });
  const skippable = Buffer.from([0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
  const repeated = zlib.zstdCompressSync('a'.repeat(300_000));
  const frames = [sized, checked, skippable, repeated];
  const ends = new Set(frames.map((_, at) => lengthOf(frames.slice(0, at + 1))));
  const followed = new ZstdFrames();
  const wholes: number[] = [];
  Buffer.concat(frames).forEach((byte, at) => {
    followed.add(Uint8Array.of(byte));
    if (followed.complete) wholes.push(at + 1);
  });
  expect(wholes).toEqual([...ends]);
  const atOnce = new ZstdFrames();
  atOnce.add(Buffer.concat(frames));
  expect(atOnce.complete).toBe(true);
  for (const cut of [sized.length - 1, sized.length + checked.length - 1, sized.length + checked.length + 9])
    expect(inflate(Buffer.concat(frames).subarray(0, cut), 'zstd', 1_000_000)).rejects.toThrow();
});

test('inflate() accepts zstd windows of up to 8 MiB', async () => {
  const frame = (log: number) =>
    Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, (log - 10) << 3, 1 | (5 << 3), 0, 0, ...Buffer.from('hello')]);
  expect(Buffer.concat(await inflate(frame(23), 'zstd', 100)).toString()).toBe('hello');
  for (const log of [24, 27, 31, 41]) expect(inflate(frame(log), 'zstd', 100)).rejects.toThrow();
});

test('encodingOf() recognizes single encodings only', () => {
  expect(['GZIP', ' br ', 'zstd', 'x-gzip', 'deflate'].map(encodingOf)).toEqual([
    'gzip',
    'br',
    'zstd',
    'x-gzip',
    'deflate',
  ]);
  expect([null, '', 'identity'].map(encodingOf)).toEqual(['identity', 'identity', 'identity']);
  for (const many of ['gzip, gzip', 'gzip,br', 'identity, gzip', 'constructor', 'compress', 'gzip;q=1'])
    expect([many, encodingOf(many)]).toEqual([many, undefined]);
});
