/** GET /usage: the usage in the log, shown to those to whom it belongs. */
import { describe, expect, test } from 'bun:test';
import type { ConfigInput } from '../../src/config/schema.ts';
import type { UsageReport } from '../../src/usage/report.ts';
import { CHAT, provider, running } from '../helpers/proxy.ts';
import type { Running } from '../helpers/proxy.ts';
import { until } from '../helpers/until.ts';
import { completion, upstream } from '../helpers/upstream.ts';

const KEYS = {
  keys: [
    { name: 'boss', key: 'k-boss', ops: true },
    { name: 'ann', key: 'k-ann' },
    { name: 'ben', key: 'k-ben' },
  ],
};
const FAST: ConfigInput['logging'] = { requests: { flush_interval: '1ms' } };

const bearer = (key: string | undefined): Record<string, string> =>
  key === undefined ? {} : { authorization: `Bearer ${key}` };

async function ask(proxy: Running, query = '', key?: string) {
  const reply = await fetch(`${proxy.url}/v1/usage${query}`, { headers: bearer(key) });
  const body = (await reply.json()) as UsageReport & { error: { message: string; code: string } };
  return { status: reply.status, body };
}

/** A proxy whose log has an answered request for each of these keys. */
async function used(config: Partial<ConfigInput>, keys: readonly (string | undefined)[]) {
  const provided = upstream(() => completion('Hi'));
  const proxy = running({
    logging: FAST,
    ...config,
    providers: [provider('a', provided.url, { models: [{ name: 'gpt-*', price: { input: 1, output: 2 } }] })],
  });
  for (const key of keys)
    await (await proxy.post('/v1/chat/completions', CHAT, { headers: bearer(key) })).text();
  await proxy.recorded(keys.length);
  return {
    proxy,
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      await provided[Symbol.asyncDispose]();
    },
  };
}

/** Waits for the log, which is written a moment after the answer. */
async function written(proxy: Running, count: number, key?: string): Promise<UsageReport> {
  let asked = 0;
  return await until('the log to be written', async () => {
    const { body } = await ask(proxy, `?by=key&top=${++asked + 10}`, key);
    return body.total.requests === count && body;
  });
}

describe('GET /usage', () => {
  test('is open where the proxy is, at both paths, and sums the log', async () => {
    await using made = await used({}, [undefined, undefined]);
    const report = await written(made.proxy, 2);
    expect(report.total).toMatchObject({ requests: 2, input_tokens: 20, output_tokens: 10, cost: 4e-5 });
    const plain = await fetch(`${made.proxy.url}/usage?by=model,provider&since=today`);
    expect(((await plain.json()) as UsageReport).rows).toMatchObject([
      { group: { model: 'gpt-4o', provider: 'a' }, requests: 2 },
    ]);
  });

  test('shows everything to an ops key, and to any other key only its own usage', async () => {
    await using made = await used({ auth: KEYS }, ['k-ann', 'k-ann', 'k-ben']);
    const { proxy } = made;
    const { rows } = await written(proxy, 3, 'k-boss');
    expect(rows.map(({ group, requests }) => [group.key, requests])).toEqual([
      ['ann', 2],
      ['ben', 1],
    ]);
    expect((await ask(proxy, '?by=key&key=ben', 'k-boss')).body.total.requests).toBe(1);
    for (const query of ['?by=key', '?by=key&key=ann', '?by=user'])
      expect((await ask(proxy, query, 'k-ann')).body.total.requests).toBe(2);
    expect((await ask(proxy, '?by=key', 'k-ben')).body.rows.map(({ group }) => group.key)).toEqual(['ben']);
    const other = await ask(proxy, '?key=ann', 'k-ben');
    expect([other.status, other.body.error.message]).toEqual([403, expect.stringContaining('another key')]);
    expect((await ask(proxy, '')).status).toBe(401);
  });

  test('recalculates the cost with the current prices', async () => {
    await using made = await used({ auth: KEYS }, ['k-boss']);
    await written(made.proxy, 1, 'k-boss');
    const reply = await ask(made.proxy, '?reprice=true', 'k-boss');
    expect(reply.body).toMatchObject({ prices: 'now', total: { cost: 2e-5 } });
  });

  test.each([
    ['?by=colour', 'Cannot count by colour'],
    ['?since=soon', '"since": expected a day'],
    ['?since=2026-03-04&until=2026-03-03', '"since": it is after "until"'],
    ['?top=0', '"top"'],
    ['?time_zone=Mars', '"time_zone": expected a time zone'],
    ['?colour=red', '"colour"'],
  ])('refuses %s', async (query, message) => {
    await using proxy = running({ providers: [{ name: 'mock', type: 'mock' }] });
    const { status, body } = await ask(proxy, query);
    expect(status).toBe(400);
    expect(body.error.message).toContain(message);
  });

  test('reports nothing before the first request, and answers 503 where the log is off', async () => {
    const providers: ConfigInput['providers'] = [{ name: 'mock', type: 'mock' }];
    await using fresh = running({ providers });
    expect((await ask(fresh)).body).toMatchObject({ first: null, rows: [], total: { requests: 0 } });
    await using off = running({ providers, logging: { requests: { enabled: false } } });
    const { status, body } = await ask(off);
    expect([status, body.error.message]).toEqual([503, expect.stringContaining('logging.requests.enabled')]);
  });

  test('answers many concurrent requests, and equal ones with one answer', async () => {
    await using made = await used({}, [undefined]);
    await written(made.proxy, 1);
    const same = await Promise.all(Array.from({ length: 40 }, () => ask(made.proxy, '?by=day')));
    expect(same.every(({ status, body }) => status === 200 && body.total.requests === 1)).toBe(true);
    const different = await Promise.all(
      Array.from({ length: 40 }, (_, at) => ask(made.proxy, `?top=${at + 1}`)),
    );
    const statuses = new Set(different.map(({ status }) => status));
    expect(statuses).toEqual(new Set([200, 503]));
  });
});
