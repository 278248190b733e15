/** Realtime sessions under limits that two machines share: the binary with a real Redis-compatible server. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConfigInput } from '../../src/config/schema.ts';
import { built, cleared, serveConfig } from '../helpers/binary.ts';
import { call, OPENAI, sessionUpstream } from '../helpers/realtime.ts';
import { REDIS_SERVER, TestRedis } from '../helpers/redis-server.ts';
import { until } from '../helpers/until.ts';

beforeAll(built, 60_000);
afterAll(cleared);

const DEAR = { type: 'session.update', session: { model: 'dear' } };

test.skipIf(REDIS_SERVER === null)(
  'models that sessions name count once for both, and places are free again after the end',
  async () => {
    await using redis = await TestRedis.start();
    await using one = sessionUpstream(OPENAI);
    const config: ConfigInput = {
      providers: [
        { name: 'one', type: 'openai', base_url: `${one.url}/v1`, api_key: 'sk-0000000000', models: ['*'] },
      ],
      auth: {
        keys: [
          {
            name: 'me',
            key: 'key-00000000',
            limits: [
              { concurrent: 2, models: ['dear'] },
              { requests: 3, per: 'day', models: ['dear'] },
            ],
          },
        ],
      },
      state: { redis: redis.url, redis_timeout: '1s', replicas: 2 },
    };
    const urls = [(await serveConfig(config)).url, (await serveConfig(config)).url];
    const talk = async (index: number) => {
      const client = await call(`${urls[index % 2]}/v1/realtime?model=gpt-realtime`, {
        headers: { authorization: 'Bearer key-00000000' },
      });
      await client.heard('session.created');
      return client;
    };
    const outcome = async (client: Awaited<ReturnType<typeof talk>>) => {
      const before = client.told.length;
      client.send(DEAR);
      client.send({ type: 'response.create' });
      await until('an answer', () => client.told.slice(before).some(({ type }) => type === 'response.done'));
      return client.told.slice(before).some(({ type }) => type === 'error') ? 'refused' : 'taken';
    };
    const clients = await Promise.all([0, 1, 2, 3, 4, 5].map(talk));
    const outcomes = await Promise.all(clients.map(outcome));
    expect(outcomes.toSorted()).toEqual(['refused', 'refused', 'refused', 'refused', 'taken', 'taken']);
    const named = () =>
      one.sessions.filter(({ messages }) => messages.map(String).join().includes('dear')).length;
    expect(named()).toBe(2);
    for (const client of clients) client.socket.close();
    await until('free places', async () => {
      const client = await talk(1);
      const taken = (await outcome(client)) === 'taken';
      client.socket.close();
      return taken;
    });
    // Three requests a day are used up now.
    const last = await talk(0);
    expect(await outcome(last)).toBe('refused');
    last.socket.close();
    expect(named()).toBe(3);
  },
  60_000,
);

test.skipIf(REDIS_SERVER === null)(
  'sessions beyond a lowered limit stay open on both, and continue as places become free',
  async () => {
    await using redis = await TestRedis.start();
    await using one = sessionUpstream(OPENAI);
    const config = (concurrent: number): ConfigInput => ({
      providers: [
        { name: 'one', type: 'openai', base_url: `${one.url}/v1`, api_key: 'sk-0000000000', models: ['*'] },
      ],
      auth: { keys: [{ name: 'me', key: 'key-00000000', limits: [{ concurrent }] }] },
      state: { redis: redis.url, redis_timeout: '1s', replicas: 2 },
    });
    const replicas = [await serveConfig(config(4)), await serveConfig(config(4))];
    const sessions = await Promise.all(
      [0, 1, 2, 3].map(async (index) => {
        const client = await call(`${replicas[index % 2]!.url}/v1/realtime?model=gpt-realtime`, {
          headers: { authorization: 'Bearer key-00000000' },
        });
        await client.heard('session.created');
        return client;
      }),
    );
    /** Asks each session for a response. @returns those that got one */
    const answered = async () => {
      const outcomes = await Promise.all(
        sessions.map(async (client) => {
          const before = client.told.length;
          client.send({ type: 'response.create' });
          return await until('an answer', () =>
            client.told.slice(before).find(({ type }) => type === 'response.done' || type === 'error'),
          );
        }),
      );
      return sessions.filter((_, index) => outcomes[index]!.type === 'response.done');
    };
    expect((await answered()).length).toBe(4);
    for (const { cwd, process } of replicas) {
      writeFileSync(join(cwd, 'config.yaml'), JSON.stringify(config(2)));
      process.kill('SIGHUP');
    }
    await until('the lowered limit to apply', async () => (await answered()).length < 4);
    const two = await until('two sessions with a place', async () => {
      const those = await answered();
      return those.length === 2 && those;
    });
    expect(await answered()).toEqual(two);
    for (const client of two) {
      sessions.splice(sessions.indexOf(client), 1);
      client.socket.close();
    }
    await until('the others to have their places', async () => (await answered()).length, { is: 2 });
    for (const client of sessions) client.socket.close();
  },
  60_000,
);
