/** Limits that several processes enforce together. */
import type { ConfigInput } from '../../src/config/schema.ts';
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { Database } from 'bun:sqlite';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { built, cleared, run, serveConfig, serveFolder } from '../helpers/binary.ts';
import { recordsIn } from '../helpers/logged.ts';
import { childrenOf } from '../helpers/processes.ts';
import { until } from '../helpers/until.ts';
import { completion, upstream } from '../helpers/upstream.ts';

beforeAll(built, 60_000);
afterAll(cleared);

const WORKERS = 3;
const KEY = 'sk-a-key-for-tests';

function configFor(url: string, limits: object[]): ConfigInput {
  return {
    server: { workers: WORKERS },
    providers: [
      {
        name: 'up',
        type: 'openai-compatible',
        base_url: `${url}/v1`,
        models: [{ name: 'm', price: { input: 10, output: 10 } }],
      },
    ],
    groups: { team: { limits: limits as never } },
    auth: { keys: [{ name: 'ann', key: KEY, group: 'team', ops: true }] },
  };
}

const ask = (url: string, path = '/v1/chat/completions') =>
  fetch(url + path, {
    method: 'POST',
    // Uses a new connection, which may reach any of the workers.
    keepalive: false,
    headers: { authorization: `Bearer ${KEY}` },
    body: JSON.stringify({ model: 'm', max_tokens: 5, messages: [{ role: 'user', content: 'hi' }] }),
  });

interface Own {
  limits: { kind: string; used: number; reserved: number }[];
  usage: { total: { requests: number; cost: number } };
}

async function own(url: string): Promise<Own> {
  const headers = { authorization: `Bearer ${KEY}` };
  return (await (await fetch(`${url}/v1/key`, { headers, keepalive: false })).json()) as Own;
}

test('50 clients of three workers get exactly what the limits allow', async () => {
  await using provider = upstream(() => completion('hello'));
  const limits = [
    { requests: 40, per: 'hour' },
    { budget: 1, per: 'month' },
  ];
  const { url, process: served } = await serveConfig(configFor(provider.url, limits));
  const statuses = await Promise.all(
    Array.from({ length: 50 }, async () => {
      const found: number[] = [];
      for (let n = 0; n < 4; n += 1) {
        const answer = await ask(url);
        found.push(answer.status);
        await answer.text();
      }
      return found;
    }),
  );
  const counts = statuses.flat();
  expect(counts.filter((status) => status === 200).length).toBe(40);
  expect(counts.filter((status) => status === 429).length).toBe(160);
  expect(provider.asked.length).toBe(40);
  const spent = await until('all workers wrote what the key used', async () => {
    const seen = await own(url);
    return seen.usage.total.requests === 40 && seen;
  });
  // Each request uses 10 input and 5 output tokens, at 10 USD per million.
  expect(spent.usage.total.cost).toBeCloseTo(40 * 15e-5, 9);
  expect(spent.limits).toMatchObject([
    { kind: 'requests', used: 40, reserved: 0 },
    { kind: 'budget', used: 0.006, reserved: 0 },
  ]);
  served.kill('SIGTERM');
  await served.exited;
});

test('concurrent requests are counted across workers, and those of a killed worker are released', async () => {
  const { promise: go, resolve } = Promise.withResolvers<void>();
  await using provider = upstream(async () => {
    await go;
    return completion('hello');
  });
  const { url, process: served } = await serveConfig(configFor(provider.url, [{ concurrent: 6 }]));
  const waiting = Array.from({ length: 30 }, () =>
    ask(url).then(
      ({ status }) => status,
      () => 0,
    ),
  );
  await until('six requests in flight', () => provider.asked.length, { is: 6 });
  await until('all others to be rejected', async () => {
    const settled = await Promise.all(waiting.map((each) => Promise.race([each, Bun.sleep(0)])));
    return settled.filter((status) => status === 429).length === 24;
  });
  for (const pid of childrenOf(served.pid)) process.kill(pid, 'SIGKILL');
  await until('all reservations to be released', async () => {
    const seen = await own(url).catch(() => undefined);
    return seen?.limits[0]?.reserved === 0;
  });
  resolve();
  expect((await ask(url)).status).toBe(200);
  served.kill('SIGKILL');
  await served.exited;
}, 60_000);

test('limits hold exactly while another program has locked the file, even if workers are killed meanwhile', async () => {
  const { promise: go, resolve } = Promise.withResolvers<void>();
  await using provider = upstream(async () => {
    await go;
    return completion('hello');
  });
  const limits = [{ concurrent: 4 }, { requests: 9, per: 'hour' }, { budget: 1, per: 'month' }];
  const { cwd, url, process: served } = await serveConfig(configFor(provider.url, limits));
  const under = Array.from({ length: 4 }, () => ask(url));
  await until('four requests in flight', () => provider.asked.length, { is: 4 });
  const other = new Database(join(cwd, 'state/usage.sqlite'));
  other.run('BEGIN IMMEDIATE');
  const full = await Promise.all(Array.from({ length: 12 }, () => ask(url)));
  expect(full.map(({ status }) => status)).toEqual(Array(12).fill(429));
  resolve();
  for (const each of under) expect((await each).status).toBe(200);
  // These begin and end meanwhile, at most four of them at once.
  let given = 4;
  for (let n = 0; n < 10; n += 1) {
    const answers = await Promise.all(Array.from({ length: 6 }, () => ask(url)));
    given += answers.filter(({ status }) => status === 200).length;
  }
  expect(given).toBe(9);
  for (const pid of childrenOf(served.pid)) process.kill(pid, 'SIGKILL');
  const again = await until('the workers are back', () => ask(url).catch(() => undefined));
  expect(again.status).toBe(429);
  other.run('COMMIT');
  other.close();
  const [concurrent, requests, budget] = await until('all of it is written', async () => {
    const all = await Promise.all(Array.from({ length: 20 }, () => own(url)));
    const [first] = all;
    const agree = all.every(({ limits: each }) => JSON.stringify(each) === JSON.stringify(first!.limits));
    return agree && first!.limits[0]!.reserved === 0 && first!.limits;
  });
  expect([concurrent!.reserved, requests!.used, budget!.reserved]).toEqual([0, 9, 0]);
  expect(budget!.used).toBeCloseTo(9 * 15e-5, 9);
  expect(provider.asked.length).toBe(9);
  served.kill('SIGTERM');
  await served.exited;
}, 60_000);

test('the usage of a key is recovered from the request log when workers are killed before they wrote it', async () => {
  await using provider = upstream(() => completion('hello'));
  const config = configFor(provider.url, [{ requests: 100, per: 'day' }]);
  const {
    cwd,
    url,
    process: served,
  } = await serveConfig({
    ...config,
    state: { flush_interval: '1h' },
    logging: { requests: { flush_interval: '10ms' } },
  });
  for (let n = 0; n < 6; n += 1) await (await ask(url)).text();
  await until('all records', () => recordsIn(cwd).length, { is: 6 });
  for (const pid of childrenOf(served.pid)) process.kill(pid, 'SIGKILL');
  const after = await until('the workers to be restarted', async () => {
    const seen = await own(url).catch(() => undefined);
    return seen?.usage.total.requests === 6 && seen;
  });
  expect(after.usage.total.cost).toBeCloseTo(6 * 15e-5, 9);
  expect(after.limits[0]).toMatchObject({ used: 6, reserved: 0 });
  served.kill('SIGTERM');
  expect(await served.exited).toBe(0);
  // Requests that ended properly are not counted again.
  const again = await serveFolder(cwd);
  expect((await own(again.url)).usage.total.requests).toBe(6);
  again.process.kill('SIGTERM');
  await again.process.exited;
}, 60_000);

test('a second llmproxy in the same directory refuses to count there', async () => {
  await using provider = upstream(() => completion('hello'));
  const limits = [{ requests: 2, per: 'day' }];
  const { cwd, process: served } = await serveConfig(configFor(provider.url, limits));
  expect(existsSync(join(cwd, 'state/usage.sqlite'))).toBe(true);
  for (const workers of ['1', '2']) {
    const second = run(cwd, 'serve', '--port', '0', '--workers', workers);
    expect(second.code).toBe(1);
    expect(second.err).toContain('state.directory');
    expect(second.err).toContain('another llmproxy uses it');
  }
  served.kill('SIGTERM');
  await served.exited;
});
