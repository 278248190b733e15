/** What becomes of open realtime sessions under limits on concurrency that change while they are open. */
import { expect, test } from 'bun:test';
import type { ConfigInput } from '../../src/config/schema.ts';
import { provider, running } from '../helpers/proxy.ts';
import { call, OPENAI, sessionUpstream } from '../helpers/realtime.ts';
import { until } from '../helpers/until.ts';

type Limits = NonNullable<ConfigInput['rate_limits']>;

const BY_KEY = { headers: { authorization: 'Bearer k' } };
const ASK = { type: 'response.create' };

async function rig(first: Limits) {
  const one = sessionUpstream(OPENAI);
  const config = (limits: Limits) => ({
    providers: [provider('one', `${one.url}/v1`)],
    auth: { keys: [{ name: 'me', key: 'k', limits }] },
  });
  const proxy = running(config(first));
  return {
    async talk() {
      const client = await call(`${proxy.url}/v1/realtime?model=gpt-realtime`, BY_KEY);
      await client.heard('session.created');
      return {
        close: () => client.socket.close(),
        isOpen: () => client.socket.readyState === WebSocket.OPEN,
        /** Asks for a response. @returns the error, or "answered" */
        async ask() {
          const before = client.told.length;
          client.send(ASK);
          const event = await until('an answer', () =>
            client.told.slice(before).find(({ type }) => type === 'response.done' || type === 'error'),
          );
          return event.type === 'error' ? JSON.stringify(event['error']) : 'answered';
        },
      };
    },
    /** Applies other limits, and waits until sessions have noticed. */
    async reload(limits: Limits) {
      proxy.reload(config(limits));
      await Bun.sleep(1_300);
    },
    async taken() {
      const answer = await fetch(`${proxy.url}/v1/key`, BY_KEY);
      const { limits } = (await answer.json()) as { limits: { reserved: number }[] };
      return limits.map(({ reserved }) => reserved);
    },
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      await one[Symbol.asyncDispose]();
    },
  };
}

test('sessions beyond a lowered limit stay open, and continue as places become free', async () => {
  await using proxy = await rig([{ concurrent: 3 }]);
  const sessions = [await proxy.talk(), await proxy.talk(), await proxy.talk()];
  const outcomes = () => Promise.all(sessions.map((each) => each.ask()));
  expect(await outcomes()).toEqual(['answered', 'answered', 'answered']);
  await proxy.reload([{ concurrent: 1 }]);
  const after = await outcomes();
  expect(after.filter((outcome) => outcome === 'answered').length).toBe(1);
  expect(after.filter((outcome) => outcome.includes('1 concurrent requests of key me')).length).toBe(2);
  expect(await proxy.taken()).toEqual([1]);
  expect(sessions.every((each) => each.isOpen())).toBe(true);
  sessions.splice(after.indexOf('answered'), 1)[0]!.close();
  await until('the free place to be taken', async () => (await outcomes()).includes('answered'));
  expect(await proxy.taken()).toEqual([1]);
  await proxy.reload([{ concurrent: 2 }]);
  expect(await outcomes()).toEqual(['answered', 'answered']);
  for (const each of sessions) each.close();
  await until('no place to be taken', async () => (await proxy.taken())[0], { is: 0 });
}, 60_000);

test('sessions keep their places under limits that stay the same or are raised, although these are full', async () => {
  const [one, two]: Limits[] = [[{ concurrent: 2 }], [{ concurrent: 2, per: undefined }]];
  await using proxy = await rig(one!);
  const sessions = [await proxy.talk(), await proxy.talk()];
  for (const limits of [two!, [...one!, { tokens: 1_000_000, per: 'day' as const }]]) {
    await proxy.reload(limits);
    expect(await Promise.all(sessions.map((each) => each.ask()))).toEqual(['answered', 'answered']);
  }
  expect((await proxy.taken())[0]).toBe(2);
  for (const each of sessions) each.close();
}, 60_000);

test('a used-up limit does not close a session because another one is hard', async () => {
  await using proxy = await rig([
    { tokens: 10, per: 'day' },
    { tokens: 1_000_000, per: 'day', hard: true, count: 'output' },
  ]);
  const session = await proxy.talk();
  expect(await session.ask()).toBe('answered');
  expect(await session.ask()).toContain('10 tokens per day of key me');
  expect(session.isOpen()).toBe(true);
  session.close();
});
