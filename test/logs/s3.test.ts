import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { gzipSync } from 'node:zlib';
import { readBlocks } from '../../src/logs/blocks.ts';
import { findInputs } from '../../src/logs/input.ts';

const MIB = 1024 ** 2;

/** Objects of a bucket; some behave badly. */
const objects: Record<string, Buffer> = {
  'logs/llmproxy-2026-11-22.ndjson': Buffer.from('{"day":22}\n'),
  'logs/llmproxy-2026-11-23.1.ndjson': Buffer.from('{"day":23,"n":1}\n'),
  'logs/llmproxy-2026-11-23.ndjson': Buffer.from('{"day":23}\n'),
  'logs/old.log.gz': gzipSync('{"old":true}\n'),
  'logs/picture.png': Buffer.from('no'),
  'large/a.ndjson': Buffer.from(`${'x'.repeat(1_000)}\n`.repeat(20_000)),
  'moody/a.ndjson': Buffer.from('{"in":"the end"}\n'),
  'changed/a.ndjson': Buffer.from('{"a":1}\n'),
  'cut/a.ndjson': Buffer.from('{"a":1}\n'),
};
const refusals: Record<string, [code: string, status: number]> = {
  'denied/a.ndjson': ['AccessDenied', 403],
};
const asked: string[] = [];
let moods = 0;

function listing(prefix: string, token: string | null): Response {
  const keys = [...Object.keys(objects), ...Object.keys(refusals)]
    .filter((key) => key.startsWith(prefix))
    .toSorted();
  const from = token === null ? 0 : Number(token);
  const page = keys.slice(from, from + 2);
  const more = from + 2 < keys.length;
  const contents = page
    .map(
      (key) =>
        `<Contents><Key>${key}</Key><Size>${objects[key]?.length ?? 5}</Size><ETag>"v1"</ETag></Contents>`,
    )
    .join('');
  return new Response(
    `<?xml version="1.0"?><ListBucketResult><IsTruncated>${more}</IsTruncated>${more ? `<NextContinuationToken>${from + 2}</NextContinuationToken>` : ''}${contents}</ListBucketResult>`,
    { headers: { 'content-type': 'application/xml' } },
  );
}

function failure(code: string, status: number): Response {
  return new Response(`<Error><Code>${code}</Code><Message>no</Message></Error>`, { status });
}

const server = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  fetch(request) {
    const url = new URL(request.url);
    const [, bucket, ...rest] = decodeURIComponent(url.pathname).split('/');
    asked.push(`${request.method} ${url.pathname} ${request.headers.get('range') ?? ''}`.trim());
    if (bucket !== 'bucket') return failure('NoSuchBucket', 404);
    if (url.searchParams.has('list-type'))
      return listing(url.searchParams.get('prefix') ?? '', url.searchParams.get('continuation-token'));
    const key = rest.join('/');
    if (refusals[key]) return failure(...refusals[key]);
    const data = objects[key];
    if (!data) return failure('NoSuchKey', 404);
    const etag = key.startsWith('changed/') ? '"v2"' : '"v1"';
    if (request.method === 'HEAD')
      return new Response(null, { headers: { 'content-length': String(data.length), etag } });
    if (key.startsWith('moody/') && (moods += 1) < 3) return failure('SlowDown', 503);
    const [, from, to] = /bytes=(\d+)-(\d+)/.exec(request.headers.get('range') ?? '') ?? [];
    const part = data.subarray(Number(from ?? 0), to === undefined ? undefined : Number(to) + 1);
    if (key.startsWith('cut/')) return new Response(part.subarray(1), { status: 206 });
    return new Response(part, { status: from === undefined ? 200 : 206, headers: { etag } });
  },
});

const NAMES = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_ENDPOINT_URL'] as const;
const before = NAMES.map((name) => process.env[name]);

beforeAll(() => {
  process.env.AWS_ACCESS_KEY_ID = 'key';
  process.env.AWS_SECRET_ACCESS_KEY = 'very-secret-word';
  process.env.AWS_ENDPOINT_URL = `http://127.0.0.1:${server.port}`;
});

afterAll(async () => {
  for (const [index, name] of NAMES.entries()) {
    if (before[index] === undefined) delete process.env[name];
    else process.env[name] = before[index];
  }
  await server.stop(true);
});

async function textOf(name: string): Promise<string> {
  let text = '';
  for (const input of await findInputs([name]))
    for await (const block of readBlocks(input)) text += block.toString('latin1');
  return text;
}

describe('s3:// inputs', () => {
  test('are the logs below a prefix, oldest first, from all pages of the list', async () => {
    const inputs = await findInputs(['s3://bucket/logs/']);
    expect(inputs.map(({ name, bytes }) => [name, bytes])).toEqual([
      ['s3://bucket/logs/llmproxy-2026-11-22.ndjson', 11],
      ['s3://bucket/logs/llmproxy-2026-11-23.ndjson', 11],
      ['s3://bucket/logs/llmproxy-2026-11-23.1.ndjson', 17],
      ['s3://bucket/logs/old.log.gz', objects['logs/old.log.gz']!.length],
    ]);
    expect(await textOf('s3://bucket/logs/')).toBe(
      '{"day":22}\n{"day":23}\n{"day":23,"n":1}\n{"old":true}\n',
    );
  });

  test('may name one object or a glob, and are read once', async () => {
    expect(await textOf('s3://bucket/logs/picture.png')).toBe('no');
    expect(await textOf('s3://bucket/logs/*-23*.ndjson')).toBe('{"day":23}\n{"day":23,"n":1}\n');
    const twice = await findInputs(['s3://bucket/logs/old.log.gz', 's3://bucket/logs/old*']);
    expect(twice).toHaveLength(1);
  });

  test('are read in parts', async () => {
    asked.length = 0;
    expect((await textOf('s3://bucket/large/a.ndjson')) === objects['large/a.ndjson']!.toString()).toBe(true);
    const ranges = asked.filter((line) => line.includes('bytes='));
    expect(ranges).toEqual([
      `GET /bucket/large/a.ndjson bytes=0-${8 * MIB - 1}`,
      `GET /bucket/large/a.ndjson bytes=${8 * MIB}-${16 * MIB - 1}`,
      `GET /bucket/large/a.ndjson bytes=${16 * MIB}-${20_020_000 - 1}`,
    ]);
  });

  test('are requested again when the server is busy', async () => {
    expect(await textOf('s3://bucket/moody/')).toBe('{"in":"the end"}\n');
    expect(moods).toBe(3);
  });

  test.each([
    ['s3://bucket/none/', 'no object with the name of a log matches it'],
    ['s3://other/logs/', 'there is no such bucket'],
    ['s3://bucket/denied/', 'access is denied: check the rights of the key'],
    ['s3://bucket/changed/', 'it was changed while it was read'],
    ['s3:///x', 'expected s3://BUCKET/PREFIX'],
  ])('%s fails with an error message', async (name, words) => {
    const error = await textOf(name).catch((thrown: unknown) => thrown);
    expect(String(error)).toContain(words);
    expect(String(error)).not.toContain('very-secret-word');
  });

  test('require a key', async () => {
    delete process.env.AWS_SECRET_ACCESS_KEY;
    await expect(textOf('s3://bucket/logs/')).rejects.toThrow(
      'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
    );
    process.env.AWS_SECRET_ACCESS_KEY = 'very-secret-word';
  });
});
