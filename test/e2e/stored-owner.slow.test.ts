/**
 * The compiled binary knows which key had a provider store what: after it was killed, with one worker and with two, and
 * on all replicas.
 */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { built, cleared, folder, serve } from '../helpers/binary.ts';
import { REDIS_SERVER, TestRedis } from '../helpers/redis-server.ts';
import { until } from '../helpers/until.ts';

beforeAll(built, 60_000);
afterAll(cleared);

const by = (name: string) => ({
  authorization: `Bearer ${name}-key-0000000000`,
  'content-type': 'application/json',
});

function storing() {
  let made = 0;
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: ({ method }) =>
      method === 'POST'
        ? Response.json({
            id: `resp_${(made += 1)}`,
            object: 'response',
            status: 'completed',
            model: 'm',
            store: true,
            output: [],
          })
        : Response.json({ object: 'response', secret: 'what Alice was told' }),
  });
  return { url: `http://127.0.0.1:${server.port}`, [Symbol.asyncDispose]: () => server.stop(true) };
}

test.each([1, 2])(
  'with %d workers',
  async (workers) => {
    await using provider = storing();
    const cwd = folder();
    const config = {
      server: { workers },
      providers: [
        {
          name: 'p',
          type: 'openai',
          base_url: `${provider.url}/v1`,
          api_key: 'sk-0000000000',
          models: ['m'],
        },
      ],
      responses: { store: 'never' },
      auth: { keys: ['alice', 'bob'].map((name) => ({ name, key: `${name}-key-0000000000` })) },
    };
    writeFileSync(join(cwd, 'config.yaml'), JSON.stringify(config));
    const first = await serve(cwd);
    const create = async (url: string, name: string, previous?: string) => {
      const body = JSON.stringify({
        model: 'm',
        input: 'hi',
        ...(previous && { previous_response_id: previous }),
      });
      return await fetch(`${url}/v1/responses`, { method: 'POST', headers: by(name), body });
    };
    const { id } = (await (await create(first.url, 'alice')).json()) as { id: string };
    // Longer than state.flush_interval.
    await Bun.sleep(1_500);
    first.process.kill('SIGKILL');
    await first.process.exited;
    const { url } = await serve(cwd);
    // Each connection may reach another worker.
    for (let time = 0; time < 8; time += 1) {
      const shown = await fetch(`${url}/v1/responses/${id}`, {
        headers: { ...by('bob'), connection: 'close' },
      });
      expect([shown.status, await shown.text()]).toEqual([404, expect.not.stringContaining('Alice')]);
      expect((await create(url, 'bob', id)).status).toBe(400);
    }
    expect((await fetch(`${url}/v1/responses/${id}`, { headers: by('alice') })).status).toBe(200);
    expect((await create(url, 'alice', id)).status).toBe(200);
  },
  60_000,
);

test.skipIf(REDIS_SERVER === null)(
  'on all replicas that share it, and at which provider',
  async () => {
    await using redis = await TestRedis.start();
    await using first = storing();
    await using second = storing();
    const providerOf = (name: string, url: string) => ({
      name,
      type: 'openai',
      base_url: `${url}/v1`,
      api_key: 'sk-0000000000',
      models: [`model-of-${name}`],
    });
    const config = {
      providers: [providerOf('one', first.url), providerOf('two', second.url)],
      responses: { store: 'never' },
      state: { redis: redis.url, redis_timeout: '1s' },
      auth: { keys: ['alice', 'bob'].map((name) => ({ name, key: `${name}-key-0000000000` })) },
    };
    const replica = async () => {
      const cwd = folder();
      writeFileSync(join(cwd, 'config.yaml'), JSON.stringify(config));
      return await serve(cwd);
    };
    const [here, there] = [await replica(), await replica()];
    const create = async (url: string, name: string, previous?: string) => {
      const body = JSON.stringify({
        model: 'model-of-two',
        input: 'hi',
        ...(previous && { previous_response_id: previous }),
      });
      return await fetch(`${url}/v1/responses`, { method: 'POST', headers: by(name), body });
    };
    const { id } = (await (await create(here.url, 'alice')).json()) as { id: string };
    // Without knowing who has it, a replica would have to choose between two providers.
    const shown = await until('the other replica to know it', async () => {
      const answer = await fetch(`${there.url}/v1/responses/${id}`, { headers: by('alice') });
      return answer.status === 200 && answer;
    });
    expect(shown.headers.get('x-llmproxy-provider')).toBe('two');
    expect((await create(there.url, 'alice', id)).status).toBe(200);
    const stolen = await create(there.url, 'bob', id);
    expect([stolen.status, await stolen.text()]).toEqual([400, expect.stringContaining('not found')]);
    for (const method of ['GET', 'DELETE']) {
      const answer = await fetch(`${there.url}/v1/responses/${id}`, { method, headers: by('bob') });
      expect([answer.status, await answer.text()]).toEqual([404, expect.not.stringContaining('Alice')]);
    }
  },
  60_000,
);
