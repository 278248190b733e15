/** Stored responses that two machines share through a Redis-compatible server: the binary with a real one. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConfigInput } from '../../src/config/schema.ts';
import type { Serving } from '../helpers/binary.ts';
import { built, cleared, folder, serveFolder } from '../helpers/binary.ts';
import { Cable } from '../helpers/cable.ts';
import { REDIS_SERVER, TestRedis } from '../helpers/redis-server.ts';
import { at, counting, NOT_FOUND, PREVIOUS_NOT_FOUND, refusal, sdk } from '../helpers/stored.ts';
import { until } from '../helpers/until.ts';
import { chatStream, completion, sse, upstream } from '../helpers/upstream.ts';

beforeAll(built, 120_000);
afterAll(cleared);

const KEYS = ['ann', 'bob'].map((name) => ({ name, key: `sk-key-of-${name}`, ops: true }));
const [ANN, BOB] = KEYS.map(({ key }) => key) as [string, string];

async function replica(config: ConfigInput, cwd = folder()): Promise<Serving> {
  writeFileSync(join(cwd, 'config.yaml'), JSON.stringify(config));
  return await serveFolder(cwd);
}

const configOf = (provider: string, redis: string, more: Partial<ConfigInput> = {}): ConfigInput =>
  at(provider, { auth: { keys: KEYS }, state: { redis }, ...more });

const both = async (config: ConfigInput) => [await replica(config), await replica(config)] as const;

/** Whether a replica reports that stored responses are shared. */
async function isShared({ url }: Serving): Promise<boolean> {
  const answer = await fetch(`${url}/health`, { headers: { authorization: `Bearer ${ANN}` } });
  const { responses } = (await answer.json()) as { responses: { shared: boolean } };
  return responses.shared;
}

const messages = (count: number) => `${count}`;

describe.skipIf(REDIS_SERVER === null)('replicas', () => {
  test('continue conversations that another replica has stored, each key only its own', async () => {
    await using redis = await TestRedis.start();
    await using provider = counting();
    const [one, other] = await both(configOf(provider.url, redis.url));
    const clients = [sdk(one, ANN), sdk(other, ANN)];
    let previous: string | undefined;
    for (let turn = 0; turn < 6; turn += 1) {
      const client = clients[turn % 2]!;
      const { id, output_text } = await client.responses.create({
        model: 'm',
        input: `turn ${turn}`,
        ...(previous === undefined ? {} : { previous_response_id: previous }),
      });
      expect(output_text).toBe(messages(2 * turn + 1));
      previous = id;
    }
    const items = await clients[0]!.responses.inputItems.list(previous!, { limit: 100 });
    expect(items.data.length).toBe(11);
    const bobs = sdk(one, BOB);
    expect(await refusal(bobs.responses.retrieve(previous!))).toEqual(NOT_FOUND);
    const stolen = bobs.responses.create({ model: 'm', input: 'x', previous_response_id: previous! });
    expect(await refusal(stolen)).toEqual(PREVIOUS_NOT_FOUND);
    // A response deleted through one replica is gone on the other, which had a copy.
    expect((await clients[1]!.responses.retrieve(previous!)).id).toBe(previous!);
    await clients[0]!.responses.delete(previous!);
    expect(await refusal(clients[1]!.responses.retrieve(previous!))).toEqual(NOT_FOUND);
  }, 60_000);

  test('have the same conversations, whichever replica adds to them', async () => {
    await using redis = await TestRedis.start();
    await using provider = counting();
    const [one, other] = await both(configOf(provider.url, redis.url));
    const clients = [sdk(one, ANN), sdk(other, ANN)] as const;
    const { id } = await clients[0].conversations.create({
      metadata: { topic: 'trees' },
      items: [{ role: 'user', content: 'first' }],
    });
    expect((await clients[1].conversations.retrieve(id)).metadata).toEqual({ topic: 'trees' });
    // Both at the same time, so that the changes conflict.
    await Promise.all(
      Array.from({ length: 10 }, (_, n) =>
        clients[n % 2]!.conversations.items.create(id, { items: [{ role: 'user', content: `${n}` }] }),
      ),
    );
    for (const client of clients)
      expect((await client.conversations.items.list(id, { limit: 100 })).data.length).toBe(11);
    const next = await clients[1].responses.create({ model: 'm', input: 'x', conversation: id });
    expect(next.output_text).toBe('12');
    await until('its answer on the other replica', async () => {
      const { data } = await clients[0].conversations.items.list(id, { limit: 100 });
      return data.length === 13;
    });
    const { data } = await clients[0].conversations.items.list(id, { limit: 100 });
    await clients[0].conversations.items.delete(data[0]!.id!, { conversation_id: id });
    expect((await clients[1].conversations.items.list(id, { limit: 100 })).data.length).toBe(12);
    await clients[1].conversations.update(id, { metadata: { topic: 'birds' } });
    expect((await clients[0].conversations.retrieve(id)).metadata).toEqual({ topic: 'birds' });
    await clients[1].conversations.delete(id);
    expect(await refusal(clients[0].conversations.retrieve(id))).toEqual(NOT_FOUND);
  }, 60_000);

  test('follow and cancel a background response of another replica, and know when its machine is gone', async () => {
    await using redis = await TestRedis.start();
    let left = 0;
    await using provider = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      idleTimeout: 0,
      async fetch(request) {
        const text = await request.text();
        if (text.includes('slow')) {
          request.signal.addEventListener('abort', () => (left += 1));
          return await new Promise<Response>(() => undefined);
        }
        return text.includes('"stream":true') ? sse(chatStream(['do', 'ne'])) : completion('done');
      },
    });
    const [one, other] = await both(configOf(`http://127.0.0.1:${provider.port}`, redis.url));
    const [here, there] = [sdk(one, ANN), sdk(other, ANN)];
    const quick = await here.responses.create({ model: 'm', input: 'x', background: true });
    const done = await until('it is done', async () => {
      const now = await there.responses.retrieve(quick.id);
      return now.status === 'completed' && now;
    });
    expect(done.output_text).toBe('done');
    const streamed = await here.responses.create({ model: 'm', input: 'x', background: true, stream: true });
    let id = '';
    for await (const event of streamed) {
      if (event.type === 'response.created') ({ id } = event.response);
      break;
    }
    expect(id).not.toBe('');
    const types: string[] = [];
    for await (const event of await there.responses.retrieve(id, { stream: true })) types.push(event.type);
    expect([types[0], types.at(-1)]).toEqual(['response.created', 'response.completed']);
    const slow = await here.responses.create({ model: 'm', input: 'slow', background: true });
    await until(
      'the response to be in progress',
      async () => (await there.responses.retrieve(slow.id)).status === 'in_progress',
    );
    expect((await there.responses.cancel(slow.id)).status).toBe('cancelled');
    await until('the provider’s request to be cancelled', () => left, { is: 1 });
    expect((await here.responses.retrieve(slow.id)).status).toBe('cancelled');

    const lost = await here.responses.create({ model: 'm', input: 'slow', background: true });
    await until(
      'the response to be in progress',
      async () => (await there.responses.retrieve(lost.id)).status === 'in_progress',
    );
    one.process.kill('SIGKILL');
    const gone = await until('it is known to be gone', async () => {
      const now = await there.responses.retrieve(lost.id);
      return now.status === 'failed' && now;
    });
    expect(gone.error?.code).toBe('server_error');
  }, 90_000);

  test('answer without the server, and later share what they stored and deleted meanwhile', async () => {
    await using redis = await TestRedis.start();
    using cable = new Cable(redis.port);
    await using provider = counting();
    const one = await replica(configOf(provider.url, cable.url));
    const other = await replica(configOf(provider.url, redis.url));
    const [here, there] = [sdk(one, ANN), sdk(other, ANN)];
    const first = await here.responses.create({ model: 'm', input: 'a' });
    const second = await here.responses.create({ model: 'm', input: 'b', previous_response_id: first.id });
    const conversation = await here.conversations.create({ items: [{ role: 'user', content: 'x' }] });
    expect((await there.responses.retrieve(second.id)).id).toBe(second.id);
    cable.cut();
    const beganMs = performance.now();
    const third = await here.responses.create({ model: 'm', input: 'c', previous_response_id: second.id });
    expect(third.output_text).toBe('5');
    // Only one request waits, and only once.
    expect(performance.now() - beganMs).toBeLessThan(8_000);
    await until('the outage to be reported', async () => !(await isShared(one)));
    await here.responses.delete(second.id);
    await Promise.all(
      (
        [
          [here, 'here'],
          [there, 'there'],
        ] as const
      ).map(async ([client, content]) => {
        await client.conversations.items.create(conversation.id, { items: [{ role: 'user', content }] });
      }),
    );
    expect(await refusal(there.responses.retrieve(third.id))).toEqual(NOT_FOUND);
    cable.mend();
    await until(
      'it is shared',
      async () => (await refusal(there.responses.retrieve(third.id))) === undefined,
    );
    await until(
      'it is deleted',
      async () => (await refusal(there.responses.retrieve(second.id))) !== undefined,
    );
    await until('the responses to be shared again', () => isShared(one));
    await until('both items are there', async () => {
      const { data } = await there.conversations.items.list(conversation.id, { limit: 100 });
      return data.length === 3;
    });
  }, 60_000);

  test('restore what a server has lost', async () => {
    await using redis = await TestRedis.start();
    await using provider = counting();
    const [one, other] = await both(configOf(provider.url, redis.url));
    const { id } = await sdk(one, ANN).responses.create({ model: 'm', input: 'a' });
    await redis.kill();
    await redis.start();
    await until(
      'it is there again',
      async () => (await refusal(sdk(other, ANN).responses.retrieve(id))) === undefined,
    );
    const next = await sdk(other, ANN).responses.create({ model: 'm', input: 'b', previous_response_id: id });
    expect(next.output_text).toBe('3');
  }, 60_000);

  test('store no more together than one may, and leave nothing in the server', async () => {
    await using redis = await TestRedis.start();
    await using provider = upstream(() => completion('x'.repeat(100_000)));
    const config = configOf(provider.url, redis.url, { responses: { max_size: '1MiB' } });
    const [one, other] = await both(config);
    const bobs = await sdk(one, BOB).responses.create({ model: 'm', input: 'x' });
    const ids: string[] = [];
    for (let n = 0; n < 16; n += 1)
      ids.push((await sdk([one, other][n % 2]!, ANN).responses.create({ model: 'm', input: 'x' })).id);
    await until(
      'what is oldest is gone',
      async () => (await refusal(sdk(other, ANN).responses.retrieve(ids[0]!))) !== undefined,
    );
    for (const each of [one, other]) {
      expect(await refusal(sdk(each, ANN).responses.retrieve(ids.at(-1)!))).toBeUndefined();
      expect(await refusal(sdk(each, BOB).responses.retrieve(bobs.id))).toBeUndefined();
    }
    for (const each of ids) await refusal(sdk(one, ANN).responses.delete(each));
    await sdk(other, BOB).responses.delete(bobs.id);
    expect(await redis.send('GET', 'llmproxy:{stored}:bytes')).toBe('0');
    const keys = (await redis.send('KEYS', '*')) as string[];
    expect(keys.filter((key) => !key.includes('{stored}') && !key.includes('{replicas}'))).toEqual([]);
  }, 60_000);
});
