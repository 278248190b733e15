import { describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import fc from 'fast-check';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import type { Column } from '../../../src/export/render/format.ts';
import type { SinkOptions } from '../../../src/export/write/sink.ts';
import { logDirectory } from '../../helpers/log-directory.ts';
import { COLUMNS, exportTo, put, rowsFrom, sinkAt } from './sinks.ts';

const NOTHING = () => [];
const UNPACK = { gz: gunzipSync, zst: zstdDecompressSync } as const;
const ROWS = rowsFrom(0, 30_000);

/** Writes rows to a file in pieces that end with a line, and returns its bytes. */
async function written(
  path: string,
  pieces: readonly string[],
  options: Partial<SinkOptions>,
): Promise<Buffer> {
  const sink = sinkAt(path, { force: true, hash: false, ...options });
  for (const piece of pieces) await put(sink, piece);
  await sink.finish(NOTHING);
  return readFileSync(path);
}

describe.each(['gz', 'zst'] as const)('rows compressed with %s', (compress) => {
  test('are unchanged after decompression', async () => {
    await using dir = await logDirectory();
    const packed = await written(join(dir.path, 'rows'), [ROWS, '', rowsFrom(7, 1)], { compress });
    expect(packed.length).toBeLessThan(ROWS.length / 4);
    expect(UNPACK[compress](packed).toString() === ROWS + rowsFrom(7, 1)).toBe(true);
  });

  test('are the same bytes however they are divided', async () => {
    await using dir = await logDirectory();
    const lines = ROWS.match(/.+\n/g)!;
    const whole = await written(join(dir.path, 'rows'), [ROWS], { compress });
    const cuts = fc.uniqueArray(fc.integer({ min: 1, max: lines.length - 1 }), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(cuts, async (places) => {
        const ends = [0, ...places.toSorted((a, b) => a - b), lines.length];
        const pieces = ends.slice(1).map((end, index) => lines.slice(ends[index], end).join(''));
        expect((await written(join(dir.path, 'rows'), pieces, { compress })).equals(whole)).toBe(true);
      }),
      { numRuns: 8 },
    );
  });

  test('are also requested by the name of the file', async () => {
    await using dir = await logDirectory();
    const packed = await written(join(dir.path, `rows.jsonl.${compress}`), [ROWS], {});
    expect(UNPACK[compress](packed).toString() === ROWS).toBe(true);
  });

  test('are hashed and counted in compressed form', async () => {
    await using dir = await logDirectory();
    const [file] = await exportTo(`${dir.path}/out/`, { train: ROWS }, { compress });
    const packed = readFileSync(join(dir.path, 'out', `train.jsonl.${compress}`));
    const sha256 = new Bun.CryptoHasher('sha256').update(packed).digest('hex');
    expect(file).toEqual({
      path: `train.jsonl.${compress}`,
      split: 'train',
      rows: 30_000,
      bytes: packed.length,
      sha256,
    });
  });

  test('are one frame without a time, in which a cut is detected', async () => {
    await using dir = await logDirectory();
    const packed = await written(join(dir.path, 'rows'), [ROWS, ROWS], { compress });
    if (compress === 'gz') expect(packed.readUInt32LE(4)).toBe(0);
    // The third bit of the frame's descriptor announces a checksum at the end.
    else expect(packed[4]! & 4).toBe(4);
    packed[packed.length - 10]! ^= 1;
    expect(() => UNPACK[compress](packed)).toThrow();
  });
});

/** A column of each type. */
const TABLE: readonly Column[] = [
  { name: 'messages', type: 'jsons' },
  { name: 'tools', type: 'jsons', optional: true },
  { name: 'metadata', type: 'json', optional: true },
  { name: 'text', type: 'string' },
  { name: 'system', type: 'string', optional: true },
  { name: 'label', type: 'bool', optional: true },
  { name: 'score', type: 'number', optional: true },
];
const DECOMPRESS = {
  GZIP: (bytes: Uint8Array) => gunzipSync(bytes),
  ZSTD: (bytes: Uint8Array) => zstdDecompressSync(bytes),
};

async function parquet(bytes: Uint8Array): Promise<object[]> {
  return parquetReadObjects({ file: new Uint8Array(bytes).buffer, compressors: DECOMPRESS });
}

/** Values that survive a round trip through JSON text, without the one name that hyparquet-writer omits. */
function plain<T>(values: fc.Arbitrary<T>): fc.Arbitrary<T> {
  return values.map((value) => JSON.parse(JSON.stringify(value).replaceAll('__proto__', 'proto')) as T);
}
const json = plain(fc.jsonValue());
const object = plain(fc.dictionary(fc.string(), json) as fc.Arbitrary<object>);
const row = fc.record(
  {
    messages: fc.array(object, { maxLength: 4 }),
    tools: fc.array(object, { minLength: 1, maxLength: 3 }),
    metadata: object,
    text: fc.string({ unit: 'grapheme' }),
    system: fc.string(),
    label: fc.boolean(),
    score: fc.double({ noNaN: true, noDefaultInfinity: true }).map((score) => (score === 0 ? 0 : score)),
  },
  { requiredKeys: ['messages', 'text'] },
);

/** The row without empty columns. */
function present(read: object): object {
  return Object.fromEntries(
    Object.entries(read).filter(([, value]) => value !== null && value !== undefined),
  );
}

describe('rows in Parquet', () => {
  test.each([undefined, 'gz', 'zst'] as const)(
    'are unchanged after reading, compressed with %p',
    async (compress) => {
      await using dir = await logDirectory();
      const path = join(dir.path, 'rows.parquet');
      await fc.assert(
        fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 12 }), async (rows) => {
          const lines = rows.map((each) => `${JSON.stringify(each)}\n`);
          const options = { parquet: true, columns: TABLE, ...(compress ? { compress } : {}) };
          const bytes = await written(path, lines, options);
          expect((await parquet(bytes)).map(present)).toEqual(rows);
        }),
        { numRuns: 25 },
      );
    },
  );

  test('are in groups that fit into memory, without copies of texts as statistics', async () => {
    await using dir = await logDirectory();
    const bytes = await written(join(dir.path, 'rows.parquet'), [ROWS], { parquet: true });
    const { row_groups: groups, num_rows: rows } = parquetMetadata(new Uint8Array(bytes).buffer);
    expect([groups.length, Number(rows)]).toEqual([3, 30_000]);
    const chunks = groups.flatMap(({ columns }) => columns);
    expect(chunks.map(({ meta_data: data }) => data?.statistics)).toEqual(chunks.map(() => undefined));
    const large = `{"messages":[{"content":"${'x'.repeat(6 * 1024 ** 2)}"}]}\n`;
    const few = await written(join(dir.path, 'few.parquet'), [large.repeat(4)], { parquet: true });
    expect(
      parquetMetadata(new Uint8Array(few).buffer).row_groups.map((group) => Number(group.num_rows)),
    ).toEqual([3, 1]);
  });

  test('have the types that datasets gives the columns', async () => {
    await using dir = await logDirectory();
    const line = '{"messages":[],"text":""}\n';
    const bytes = await written(join(dir.path, 'rows.parquet'), [line], { parquet: true, columns: TABLE });
    const { key_value_metadata: pairs } = parquetMetadata(new Uint8Array(bytes).buffer);
    expect(pairs?.map(({ key }) => key)).toEqual(['huggingface']);
    expect(JSON.parse(pairs![0]!.value!)).toEqual({
      info: {
        features: {
          messages: { feature: { _type: 'Json' }, _type: 'List' },
          tools: { feature: { _type: 'Json' }, _type: 'List' },
          metadata: { _type: 'Json' },
          text: { dtype: 'string', _type: 'Value' },
          system: { dtype: 'string', _type: 'Value' },
          label: { dtype: 'bool', _type: 'Value' },
          score: { dtype: 'float64', _type: 'Value' },
        },
      },
    });
  });

  test('may be an empty list', async () => {
    await using dir = await logDirectory();
    const bytes = await written(join(dir.path, 'rows.parquet'), [], { parquet: true });
    expect(await parquet(bytes)).toEqual([]);
  });

  test.each([
    ['{"messages":[],"extra":1}\n', 'a row has "extra", which is not a column'],
    ['{"tools":[]}\n', 'Cannot write'],
  ])('are rejected if they do not fit: %s', async (line, message) => {
    await using dir = await logDirectory();
    const sink = sinkAt(join(dir.path, 'rows.parquet'), { parquet: true });
    const writing = put(sink, line).then(() => sink.finish(NOTHING));
    await expect(writing).rejects.toThrow(message);
    sink.discard();
    expect(await dir.names()).toEqual([]);
  });
});

describe('openSink() of standard output', () => {
  const script = (options: Partial<SinkOptions>) => {
    const given = {
      path: '-',
      shape: 'stdout',
      force: false,
      splits: ['train'],
      parquet: false,
      hash: false,
    };
    return `
      import { openSink } from ${JSON.stringify(join(import.meta.dir, '../../../src/export/write/open.ts'))};
      const sink = openSink(${JSON.stringify({ ...given, columns: COLUMNS, ...options })});
      await sink.write('train', Buffer.from(${JSON.stringify(rowsFrom(0, 3))}), 3);
      await sink.finish(() => []);`;
  };

  test.each<Partial<SinkOptions>>([{}, { compress: 'gz' }, { parquet: true }])(
    'writes rows with %j',
    async (options) => {
      const child = Bun.spawn([process.execPath, '-e', script(options)], { stdout: 'pipe' });
      const bytes = Buffer.from(await new Response(child.stdout).arrayBuffer());
      const rows = options.parquet
        ? await parquet(bytes)
        : (options.compress ? gunzipSync(bytes) : bytes)
            .toString()
            .split('\n')
            .filter(Boolean)
            .map((line) => JSON.parse(line) as object);
      expect(rows.map((each) => (each as { messages: unknown }).messages)).toEqual([
        [{ row: 0 }],
        [{ row: 1 }],
        [{ row: 2 }],
      ]);
    },
  );

  test.skipIf(process.platform === 'win32')('writes no compressed rows to a terminal', async () => {
    const said: string[] = [];
    const terminal = { data: (_: unknown, data: Uint8Array) => void said.push(Buffer.from(data).toString()) };
    for (const options of [{ compress: 'zst' }, { parquet: true }] as const) {
      const child = Bun.spawn([process.execPath, '-e', script(options)], { terminal });
      expect(await child.exited).toBe(1);
    }
    const text = Bun.stripANSI(said.join(''));
    expect(
      text.split('ExportError: Cannot write compressed rows to a terminal: give --output PATH'),
    ).toHaveLength(3);
    expect(text).not.toContain('PAR1');
  });
});
