/** Limits that two machines share through a Redis-compatible server: the binary with a real one. */
import type { ConfigInput } from '../../src/config/schema.ts';
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Serving } from '../helpers/binary.ts';
import { built, cleared, folder, run, serveConfig } from '../helpers/binary.ts';
import { Authority, canMake, SERVER_NAMES } from '../helpers/certificates.ts';
import { REDIS_SERVER, TestRedis } from '../helpers/redis-server.ts';
import { until } from '../helpers/until.ts';
import { completion, upstream } from '../helpers/upstream.ts';

beforeAll(built, 60_000);
afterAll(cleared);

const KEY = 'sk-a-key-for-tests';
const PASSWORD = 'plum-tree-in-bloom';
const headers = { authorization: `Bearer ${KEY}` };

function configFor(
  url: string,
  redis: string,
  more: Partial<ConfigInput['state'] & object> = {},
): ConfigInput {
  return {
    providers: [
      {
        name: 'up',
        type: 'openai-compatible',
        base_url: `${url}/v1`,
        models: [{ name: 'm', price: { input: 10, output: 10 } }],
      },
    ],
    groups: {
      team: {
        limits: [
          { requests: 30, per: 'hour' },
          { budget: 1, per: 'month' },
        ],
      },
    },
    auth: { keys: [{ name: 'ann', key: KEY, group: 'team', ops: true }] },
    state: { redis, redis_timeout: '1s', replicas: 2, ...more },
  };
}

async function ask(url: string): Promise<number> {
  const body = JSON.stringify({ model: 'm', max_tokens: 5, messages: [{ role: 'user', content: 'hi' }] });
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers,
    body,
    keepalive: false,
  });
  await answer.text();
  return answer.status;
}

async function get<T>(url: string, path: string): Promise<T> {
  return (await (
    await fetch(url + path, { headers: { ...headers, accept: 'application/json' } })
  ).json()) as T;
}

/** Everything that a server writes to stderr until it ends. */
function stderrOf({ process: { stderr } }: Serving): () => string {
  let said = '';
  void (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of stderr) said += decoder.decode(chunk, { stream: true });
  })();
  return () => said;
}

interface Health {
  limits: { shared: boolean; replicas: number };
}
interface Own {
  limits: { kind: string; used: number }[];
}
type Families = { name: string; values: { value: number }[] }[];

const valueOf = (families: Families, name: string) =>
  families.find((each) => each.name === `llmproxy_${name}`)?.values[0]?.value;

describe.skipIf(REDIS_SERVER === null)('two replicas', () => {
  test('admit together what a limit allows, report a server that is gone, and continue', async () => {
    await using redis = await TestRedis.start('--requirepass', PASSWORD);
    await using provider = upstream(() => completion('hello'));
    const address = redis.url.replace('//', `//:${PASSWORD}@`);
    const config = configFor(provider.url, address);
    const [one, other] = [await serveConfig(config), await serveConfig(config)];
    const said = stderrOf(one);
    const both = [one.url, other.url];

    const first = await Promise.all(Array.from({ length: 20 }, (_, n) => ask(both[n % 2]!)));
    expect(first).toEqual(first.map(() => 200));
    // Replicas learn of each other's usage with a delay.
    for (const url of both)
      await until('all is counted', async () => {
        const { limits } = await get<Own>(url, '/v1/key');
        return limits[0]!.used === 20 && Math.round(limits[1]!.used * 1e5) === 20 * 15;
      });
    await until('the replicas to find each other', async () => {
      const { limits } = await get<Health>(one.url, '/health');
      return limits.shared && limits.replicas === 2;
    });

    await redis.kill();
    await until(
      'the outage to be reported',
      async () => !(await get<Health>(one.url, '/health')).limits.shared,
    );
    expect(valueOf(await get<Families>(one.url, '/metrics'), 'shared_limits_down')).toBe(1);
    // A moment later, each has half of the ten that were left.
    await until('its share of the limit', () => ask(one.url), { is: 200 });
    const alone = await Promise.all(Array.from({ length: 8 }, () => ask(one.url)));
    expect(alone.filter((status) => status === 200).length).toBe(4);
    const line = `Cannot share limits through 127.0.0.1:${redis.port} (state.redis)`;
    await until('the message on stderr', () => said().includes(line));

    await redis.start();
    for (const url of both)
      await until(
        'the limits to be shared again',
        async () => (await get<Health>(url, '/health')).limits.shared,
      );
    await until('all is counted again', async () => {
      const { limits } = await get<Own>(other.url, '/v1/key');
      return limits[0]!.used === 25;
    });
    const last = await Promise.all(Array.from({ length: 20 }, (_, n) => ask(both[n % 2]!)));
    expect(last.filter((status) => status === 200).length).toBe(5);
    expect(provider.asked.length).toBe(30);
    const metrics = await get<Families>(one.url, '/metrics');
    expect(valueOf(metrics, 'shared_limits_down')).toBe(0);
    expect(valueOf(metrics, 'shared_limits_failures_total')).toBeGreaterThan(0);
    await until('the message on stderr', () => said().includes('(state.redis) again'));
    expect(said()).not.toContain(PASSWORD);
  });

  test('with two workers each admit together what a limit allows, from the first request', async () => {
    await using redis = await TestRedis.start();
    await using provider = upstream(() => completion('hello'));
    const config = { ...configFor(provider.url, redis.url, { replicas: 4 }), server: { workers: 2 } };
    const both = await Promise.all([serveConfig(config), serveConfig(config)]);
    const statuses = await Promise.all(Array.from({ length: 80 }, (_, n) => ask(both[n % 2]!.url)));
    expect(statuses.filter((status) => status === 200).length).toBe(30);
    for (const { process: served } of both) {
      served.kill('SIGTERM');
      await served.exited;
    }
  });

  test('that start while the server is unavailable divide limits by the configured number of replicas', async () => {
    await using redis = await TestRedis.start();
    await redis.kill();
    await using provider = upstream(() => completion('hello'));
    const { url } = await serveConfig(configFor(provider.url, redis.url));
    const statuses = await Promise.all(Array.from({ length: 20 }, () => ask(url)));
    expect(statuses.filter((status) => status === 200).length).toBe(15);
    await redis.start();
    await until(
      'the limits to be shared again',
      async () => (await get<Health>(url, '/health')).limits.shared,
    );
    await until('it is counted', async () => (await get<Own>(url, '/v1/key')).limits[0]!.used, { is: 15 });
  });

  test.skipIf(!canMake)('connect to the server by TLS, and verify its certificate', async () => {
    const authority = new Authority();
    const cwd = folder();
    const { cert, key } = authority.issue('/CN=redis', SERVER_NAMES);
    const path = (name: string) => join(cwd, name);
    for (const [name, text] of [
      ['c.pem', cert],
      ['k.pem', key],
      ['ca.pem', authority.cert],
    ] as const)
      writeFileSync(path(name), text);
    authority.remove();
    const tls = ['--tls-cert-file', path('c.pem'), '--tls-key-file', path('k.pem')];
    const ca = ['--tls-ca-cert-file', path('ca.pem'), '--tls-auth-clients', 'no'];
    await using redis = await TestRedis.start(...tls, ...ca);
    const port = await redis.tlsPort();
    await using provider = upstream(() => completion('hello'));
    const config = configFor(provider.url, `rediss://localhost:${port}/2`);
    const trusting = await serveConfig(config, { NODE_EXTRA_CA_CERTS: path('ca.pem') });
    expect(await ask(trusting.url)).toBe(200);
    expect((await get<Health>(trusting.url, '/health')).limits.shared).toBe(true);
    const stranger = await serveConfig(config);
    expect((await get<Health>(stranger.url, '/health')).limits.shared).toBe(false);
  });
});

test('the address of the server is validated, and shown without its password', () => {
  const cwd = folder();
  const write = (redis: string) =>
    writeFileSync(join(cwd, 'config.yaml'), JSON.stringify(configFor('http://127.0.0.1:9', redis)));
  write(`rediss://ann:${PASSWORD}@redis.example:6380/3`);
  const shown = run(cwd, 'config', 'validate', '--show');
  expect(shown.out + shown.err).toContain('redis.example:6380/3');
  expect(shown.out + shown.err).not.toContain(PASSWORD);
  write(`http://ann:${PASSWORD}@redis.example`);
  const refused = run(cwd, 'config', 'validate');
  expect(refused.code).not.toBe(0);
  expect(refused.err + refused.out).toContain('expected a redis:// or rediss:// URL');
  expect(refused.err + refused.out).not.toContain(PASSWORD);
  write('redis://redis.example/three');
  expect(run(cwd, 'config', 'validate').err).toContain('expected a database number as the path');
});
