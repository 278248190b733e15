/** deploy/vector, checked against this program, and by Vector itself if that is installed. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'bun:test';
import { Glob, YAML } from 'bun';
import { logName } from '../../src/logs/names.ts';
import { encodeRecord, logRecord } from '../helpers/log-record.ts';

const PATH = join(import.meta.dir, '../../deploy/vector/vector.yaml');

interface Component {
  readonly type: string;
  readonly inputs?: readonly string[];
  readonly [key: string]: unknown;
}

const configuration = YAML.parse(readFileSync(PATH, 'utf8')) as {
  readonly sources: { readonly request_log: Component & { readonly include: readonly [string] } };
  readonly transforms: { readonly dated: Component & { readonly source: string } };
  readonly sinks: { readonly s3: Component };
};
const { sources, transforms, sinks } = configuration;

describe('deploy/vector', () => {
  test('each part reads from one that exists', () => {
    const names = [...Object.keys(sources), ...Object.keys(transforms)];
    for (const { inputs = [] } of [...Object.values(transforms), ...Object.values(sinks)])
      for (const input of inputs) expect(names).toContain(input);
  });

  test('reads the files that the log writes, and not compressed or temporary ones', () => {
    const [pattern] = sources.request_log.include;
    const glob = new Glob(pattern.replace(/^.*\//, ''));
    const plain = [logName('2026-03-10', 0), logName('2026-03-10', 12, 3)];
    expect(plain.filter((name) => !glob.match(name))).toEqual([]);
    const others = plain.flatMap((name) => [`${name}.zst`, `${name}.zst.tmp`, `${name}.uploaded`]);
    expect(others.filter((name) => glob.match(name))).toEqual([]);
  });

  test('accepts the longest lines that the log writes', () => {
    // Two texts of `max_content` in which every character is escaped.
    expect(Number(sources.request_log.max_line_bytes)).toBeGreaterThan(2 * 2 * 16 * 1024 ** 2);
  });

  test('finds the time of a request where a line has it', () => {
    const [, pattern = ''] = /r'(.*)'/.exec(transforms.dated.source) ?? [];
    const line = encodeRecord(logRecord({ ts: '2026-03-04T05:06:07.000Z' }));
    expect(new RegExp(pattern.replace('?P<', '?<')).exec(line)?.groups).toEqual({
      ts: '2026-03-04T05:06:07.000Z',
    });
  });

  test('ships lines unchanged, under names that an export accepts as logs, and counts them once S3 has them', () => {
    expect(sinks.s3).toMatchObject({
      type: 'aws_s3',
      compression: 'zstd',
      filename_extension: 'ndjson.zst',
      filename_append_uuid: true,
      content_encoding: 'identity',
      encoding: { codec: 'text' },
      framing: { method: 'newline_delimited' },
      retry_strategy: { type: 'all' },
      acknowledgements: { enabled: true },
    });
  });

  test.skipIf(Bun.which('vector') === null)('is valid for Vector itself', () => {
    const { exitCode, stdout, stderr } = Bun.spawnSync(['vector', 'validate', '--no-environment', PATH], {
      env: { ...process.env, VECTOR_BUCKET: 'logs' },
    });
    if (exitCode !== 0) throw new Error(`${stdout.toString()}${stderr.toString()}`);
  });
});
