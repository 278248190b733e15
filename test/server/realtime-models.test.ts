/** Limits on models count realtime sessions from the message on that names such a model. */
import { expect, test } from 'bun:test';
import type { ConfigInput } from '../../src/config/schema.ts';
import { provider, running } from '../helpers/proxy.ts';
import { call, OPENAI, sessionUpstream } from '../helpers/realtime.ts';
import { until } from '../helpers/until.ts';

type Limits = NonNullable<ConfigInput['rate_limits']>;

const PATH = '/v1/realtime?model=gpt-realtime';
const BY_KEY = { headers: { authorization: 'Bearer k' } };
const DEAR = { type: 'session.update', session: { model: 'dear' } };
const ASK = { type: 'response.create' };

const config = (url: string, limits: Limits) => ({
  providers: [provider('one', `${url}/v1`)],
  auth: { keys: [{ name: 'me', key: 'k', limits }] },
});

async function rig(limits: Limits) {
  const one = sessionUpstream(OPENAI);
  const proxy = running(config(one.url, limits));
  const talk = async () => {
    const client = await call(proxy.url + PATH, BY_KEY);
    await client.heard('session.created');
    const errors = () =>
      client.told.filter(({ type }) => type === 'error').map((each) => JSON.stringify(each));
    const answers = () => client.told.filter(({ type }) => type === 'response.done').length;
    return { ...client, errors, answers, send: client.send };
  };
  const used = async () => {
    const answer = await fetch(`${proxy.url}/v1/key`, BY_KEY);
    const { limits: shown } = (await answer.json()) as { limits: { used: number }[] };
    return shown.map((each) => each.used);
  };
  const sent = () => one.sessions.map(({ messages }) => messages.map(String).join());
  return {
    proxy,
    talk,
    used,
    sent,
    reload: (next: Limits) => proxy.reload(config(one.url, next)),
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      await one[Symbol.asyncDispose]();
    },
  };
}

test.each<[string, object]>([
  ['session.update', DEAR],
  ['response.create', { type: 'response.create', response: { model: 'one/dear' } }],
  [
    'a transcription',
    { type: 'session.update', session: { audio: { input: { transcription: { model: 'dear' } } } } },
  ],
])('%s counts as a request of the model, and is withheld when that is used up', async (_, naming) => {
  await using proxy = await rig([{ requests: 1, per: 'day', models: ['dear', 'one/dear'] }]);
  const first = await proxy.talk();
  expect(await proxy.used()).toEqual([0]);
  // However often it is named.
  for (const message of [naming, naming, ASK]) first.send(message);
  await until('an answer', () => first.answers(), { atLeast: 1 });
  expect(await proxy.used()).toEqual([1]);
  const second = await proxy.talk();
  second.send(naming);
  await until('the refusal', () => second.errors().length, { is: 1 });
  expect(second.errors()[0]).toContain('1 requests per day for dear');
  second.send(ASK);
  await until('an answer', () => second.answers(), { is: 1 });
  expect(proxy.sent()[1]).not.toContain('dear');
  first.socket.close();
  second.socket.close();
  await proxy.proxy.recorded(2);
  expect(await proxy.used()).toEqual([1]);
});

test('counts the usage from then on, also under another configuration', async () => {
  const limits = (tokens: number): Limits => [
    { tokens, per: 'day', models: ['dear'] },
    { tokens: 1_000, per: 'day' },
  ];
  await using proxy = await rig(limits(30));
  const client = await proxy.talk();
  const ask = async (answers: number) => {
    client.send(ASK);
    await until('an answer', () => client.answers(), { is: answers });
  };
  await ask(1);
  client.send(DEAR);
  await ask(2);
  await until('its usage', async () => (await proxy.used())[1], { is: 15 });
  proxy.reload(limits(31));
  await Bun.sleep(1_200);
  await ask(3);
  await ask(4);
  // 15 before it named the model, 45 since: the last one that had room began with 30 of 31.
  client.send(ASK);
  await until('the refusal', () => client.errors().length, { atLeast: 1 });
  expect(client.errors()[0]).toContain('31 tokens per day for dear');
  client.socket.close();
  const [record] = await proxy.proxy.recorded(1);
  const total = record!.input_tokens! + record!.output_tokens!;
  expect(await proxy.used()).toEqual([total - 15, total]);
});

test('holds a place among concurrent sessions of the model while it lasts', async () => {
  await using proxy = await rig([{ concurrent: 1, models: ['dear'] }]);
  const [first, second] = [await proxy.talk(), await proxy.talk()];
  first.send(DEAR);
  await until('the message', () => proxy.sent()[0]!.includes('dear'));
  second.send(DEAR);
  await until('the refusal', () => second.errors().length, { is: 1 });
  first.socket.close();
  await proxy.proxy.recorded(1);
  second.send(DEAR);
  await until('the message', () => proxy.sent()[1]!.includes('dear'));
});

test('a session that asks for many responses at once spends no more than one that waits for each', async () => {
  await using proxy = await rig([{ tokens: 100, per: 'day' }]);
  const client = await proxy.talk();
  const aside = { type: 'response.create', response: { conversation: 'none' } };
  for (let count = 0; count < 50; count += 1) client.send(aside);
  await until('all', () => client.answers() + client.errors().length, { is: 50 });
  expect(client.errors()[0]).toContain('100 tokens per day');
  // Each uses 15: the last one begins with at least one left.
  for (let count = 0; count < 50; count += 1) {
    const before = client.told.length;
    client.send(aside);
    await until('an answer or an error', () =>
      client.told.slice(before).some(({ type }) => type === 'response.done' || type === 'error'),
    );
  }
  client.socket.close();
  await proxy.proxy.recorded(1);
  const [used] = await proxy.used();
  expect(used).toBeGreaterThanOrEqual(100);
  expect(used).toBeLessThan(115);
});
