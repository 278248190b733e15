/** Stages read objects from S3, each of which is one part, and detect when one has changed. */
import { expect, test } from 'bun:test';
import { gzipSync } from 'node:zlib';
import { extract } from '../../../src/export/stages/extract.ts';
import { readPlan } from '../../../src/export/stages/stage-plan.ts';
import { logDirectory } from '../../helpers/log-directory.ts';
import { comparable, inOneProcess, inStages } from './engine.ts';
import { logLines, random } from './logs.ts';

/** A bucket with these objects. */
function bucket(objects: Readonly<Record<string, Buffer>>) {
  const versions = new Map<string, string>();
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch(request) {
      const url = new URL(request.url);
      const key = decodeURIComponent(url.pathname).split('/').slice(2).join('/');
      const etag = (name: string) => versions.get(name) ?? '"v1"';
      if (url.searchParams.has('list-type')) {
        const contents = Object.entries(objects).map(
          ([name, { length }]) =>
            `<Contents><Key>${name}</Key><Size>${length}</Size><ETag>${etag(name)}</ETag></Contents>`,
        );
        return new Response(`<ListBucketResult>${contents.join('')}</ListBucketResult>`);
      }
      const data = objects[key]!;
      const headers = { 'content-length': String(data.length), etag: etag(key) };
      if (request.method === 'HEAD') return new Response(null, { headers });
      const [, from, to] = /bytes=(\d+)-(\d+)/.exec(request.headers.get('range') ?? '') ?? [];
      return new Response(new Uint8Array(data.subarray(Number(from), Number(to) + 1)), { status: 206 });
    },
  });
  return { server, versions };
}

test('logs in S3 are exported in stages as in one process', async () => {
  await using dir = await logDirectory();
  const text = (day: number) => Buffer.from(logLines(day, 150).join('\n'));
  const { server, versions } = bucket({
    'logs/llmproxy-2026-11-20.ndjson': text(20),
    'logs/llmproxy-2026-11-21.ndjson.gz': gzipSync(text(21)),
  });
  const before = { ...process.env };
  Object.assign(process.env, {
    AWS_ACCESS_KEY_ID: 'key',
    AWS_SECRET_ACCESS_KEY: 'secret',
    AWS_ENDPOINT_URL: `http://127.0.0.1:${server.port}`,
  });
  try {
    const argv = ['s3://bucket/logs/', '-f', 'trl-pc', '--metadata', 'min'];
    const division = { rangeSize: '20KB', partitions: 3, random: random(1) };
    const one = await inOneProcess(argv, `${dir.path}/one`);
    const many = await inStages(argv, `${dir.path}/many`, division);
    expect(one.report.kept).toBeGreaterThan(50);
    expect({ ...many, report: comparable(many.report) }).toEqual({ ...one, report: comparable(one.report) });
    // The plan contains the earlier version.
    versions.set('logs/llmproxy-2026-11-20.ndjson', '"v2"');
    const again = extract(readPlan(`${dir.path}/many/plan.json`), 0, { write: async () => {} });
    await expect(again).rejects.toThrow('it has changed since the plan was made');
  } finally {
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_ENDPOINT_URL'] as const) {
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    }
    await server.stop(true);
  }
}, 60_000);
