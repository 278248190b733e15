/** Uploads of the request log by the binary, over TLS: their memory, and the effects of kill and SIGTERM. */
import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import { mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { built, cleared, folder, serveWith } from '../helpers/binary.ts';
import { Authority, canMake, SERVER_NAMES } from '../helpers/certificates.ts';
import { encodeRecord, logRecord } from '../helpers/log-record.ts';
import { peakBytes, residentBytes } from '../helpers/memory.ts';
import { until } from '../helpers/until.ts';

const MIB = 1024 ** 2;

beforeAll(built, 60_000);
afterAll(cleared);

describe.skipIf(!canMake)('the binary uploads a log', () => {
  const ca = canMake ? new Authority() : undefined;
  afterAll(() => ca?.remove());
  const servers: Bun.Server<undefined>[] = [];
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.stop(true);
  });

  /**
   * An S3 server that reads bodies as streams.
   * @param reads called with the bytes read so far of an upload; false stops reading it
   */
  function s3(reads: (bytes: number) => boolean = () => true) {
    const objects = new Map<string, { bytes: number; checksum: string }>();
    const server = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      idleTimeout: 0,
      maxRequestBodySize: 1024 * MIB,
      tls: ca!.issue('/CN=s3', SERVER_NAMES),
      async fetch(request) {
        const { pathname } = new URL(request.url);
        if (request.method === 'GET') return new Response('<ListBucketResult/>');
        if (request.method === 'HEAD') {
          const { bytes, checksum } = objects.get(pathname) ?? { bytes: 0, checksum: '' };
          const headers = { 'content-length': String(bytes), 'x-amz-checksum-sha256': checksum };
          return new Response(null, { headers });
        }
        const hash = createHash('sha256');
        let bytes = 0;
        for await (const chunk of request.body!) {
          hash.update(chunk);
          bytes += chunk.length;
          if (!reads(bytes)) await new Promise(() => {});
        }
        const checksum = hash.digest('base64');
        if (checksum !== request.headers.get('x-amz-checksum-sha256'))
          return new Response(null, { status: 400 });
        objects.set(pathname, { bytes, checksum });
        return new Response(null, { headers: { 'x-amz-checksum-sha256': checksum } });
      },
    });
    servers.push(server);
    return { objects, url: `https://127.0.0.1:${server.port}` };
  }

  /** A folder with a configuration, and yesterday's log. */
  function prepared(text: string, upload: Readonly<Record<string, unknown>>) {
    const cwd = folder();
    const day = new Date(Date.now() - 86_400_000);
    const name = `llmproxy-${day.toISOString().slice(0, 10)}.ndjson`;
    mkdirSync(join(cwd, 'logs'));
    if (text !== '') {
      writeFileSync(join(cwd, 'logs', name), text);
      utimesSync(join(cwd, 'logs', name), day, day);
    }
    writeFileSync(join(cwd, 'ca.pem'), ca!.cert);
    const requests = { upload: { url: 's3://logs/here', host: 'pod-1', ...upload } };
    const providers = [{ name: 'local', type: 'mock' }];
    writeFileSync(join(cwd, 'config.yaml'), JSON.stringify({ providers, logging: { requests } }));
    const more = {
      NODE_EXTRA_CA_CERTS: join(cwd, 'ca.pem'),
      AWS_ACCESS_KEY_ID: 'AKID',
      AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY',
    };
    return { cwd, serve: (...args: string[]) => serveWith(cwd, more, ...args) };
  }

  test('with memory use that does not grow with the file', async () => {
    const server = s3();
    const line = encodeRecord(logRecord({ id: 'req-1', response: JSON.stringify('x'.repeat(MIB)) }));
    const text = line.repeat(160);
    const proxy = await prepared(text, { endpoint: server.url, rate: 0 }).serve();
    const before = residentBytes(proxy);
    await until('the object', () => server.objects.size, { is: 1 });
    expect([...server.objects.values()][0]!.bytes).toBe(text.length);
    if (before > 0) expect(peakBytes(proxy) - before).toBeLessThan(96 * MIB);
  });

  test('again after it was killed in the middle, to the same key', async () => {
    const text = encodeRecord(logRecord({ id: 'req-1', response: JSON.stringify('x'.repeat(MIB)) })).repeat(
      8,
    );
    const halfway = Promise.withResolvers<void>();
    let killed = false;
    const server = s3((bytes) => {
      if (killed || bytes < 2 * MIB) return true;
      halfway.resolve();
      return false;
    });
    const { cwd, serve } = prepared(text, { endpoint: server.url });
    const first = await serve();
    await halfway.promise;
    first.process.kill('SIGKILL');
    await first.process.exited;
    killed = true;
    expect(readdirSync(join(cwd, 'logs'))).toHaveLength(1);
    expect(server.objects.size).toBe(0);
    await serve();
    await until('the object', () => server.objects.size, { is: 1 });
    expect([...server.objects.values()][0]!.bytes).toBe(text.length);
    await until('the marker', () =>
      readdirSync(join(cwd, 'logs')).some((name) => name.endsWith('.uploaded')),
    );
  });

  test('and can end while the server does not answer', async () => {
    const asked = Promise.withResolvers<void>();
    const server = s3(() => {
      asked.resolve();
      return false;
    });
    const proxy = await prepared(encodeRecord(logRecord()), { endpoint: server.url }).serve();
    await asked.promise;
    proxy.process.kill('SIGTERM');
    expect(await proxy.process.exited).toBe(0);
  });

  test('by several workers, each its own files, and reports one total', async () => {
    const server = s3();
    const { cwd, serve } = prepared('', { endpoint: server.url });
    const day = new Date(Date.now() - 86_400_000);
    for (const worker of ['', '.w1', '.w2', '.w5']) {
      const path = join(cwd, 'logs', `llmproxy-${day.toISOString().slice(0, 10)}${worker}.ndjson`);
      writeFileSync(path, encodeRecord(logRecord({ id: `req${worker}` })));
      utimesSync(path, day, day);
    }
    const proxy = await serve('--workers', '2');
    const metrics = async () => (await fetch(`${proxy.url}/metrics`)).text();
    await until('the metric', async () => (await metrics()).includes('llmproxy_uploaded_files_total 4\n'));
    const health = (await (await fetch(`${proxy.url}/health`)).json()) as { log: { upload: object } };
    expect(health.log.upload).toMatchObject({ state: 'ok', files: 0, uploaded: 4, failures: 0 });
    expect(server.objects.size).toBe(4);
  });

  test('up to its last record if stop_timeout allows the time', async () => {
    const server = s3();
    const proxy = await prepared('', { endpoint: server.url, stop_timeout: '15s' }).serve();
    const body = JSON.stringify({ model: 'mock', messages: [{ role: 'user', content: 'Hi' }] });
    const answer = await fetch(`${proxy.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
    await answer.text();
    proxy.process.kill('SIGTERM');
    expect(await proxy.process.exited).toBe(0);
    expect(server.objects.size).toBe(1);
  });
});
