/** Realtime sessions with long messages, or many at once, do not delay others: their work is done in turns. */
import { afterAll, expect, test } from 'bun:test';
import type { Caller, SessionScript } from '../helpers/realtime.ts';
import { cleared } from '../helpers/binary.ts';
import { serveMeasured } from '../helpers/loop.ts';
import { provider } from '../helpers/proxy.ts';
import { call, OPENAI, sessionUpstream } from '../helpers/realtime.ts';
import { until } from '../helpers/until.ts';

/** The most of the work that may be done without serving others. Done at once, it was 70 to 95 %. */
const MOST = 0.4;

const TEXT = 'wörd "x"\n'.repeat(1_000_000);
const MANY = 20_000;

const answers: Readonly<Record<string, () => readonly object[]>> = {
  long: () => [{ type: 'response.output_text.done', text: TEXT }],
  many: () =>
    Array.from({ length: 2 * MANY }, (_, n) => ({ type: 'response.output_text.delta', delta: `${n}` })),
};

const script: SessionScript = {
  ...OPENAI,
  message({ socket }, message) {
    const wanted = /^\{"type":"wanted","what":"(\w+)"/.exec(String(message).slice(0, 100))?.[1];
    if (wanted === undefined) return;
    for (const event of [...answers[wanted]!(), { type: 'end' }]) socket.send(JSON.stringify(event));
  },
};

const upstream = sessionUpstream(script);
const serving = await serveMeasured({
  providers: [provider('one', `${upstream.url}/v1`)],
  // Messages are written faster than a socket takes them.
  limits: { realtime: { max_unsent: '128MiB' } },
});

afterAll(async () => {
  cleared();
  await upstream[Symbol.asyncDispose]();
});

/** Measures an exchange on a session of its own. */
async function measured(exchange: (client: Caller) => Promise<unknown>): Promise<number> {
  const client = await call(`${serving.url}/v1/realtime?model=gpt-realtime`);
  await client.heard('session.created');
  await serving.loop();
  await exchange(client);
  const { longestMs, totalMs } = await serving.loop();
  client.socket.close();
  return longestMs / totalMs;
}

const received = () => upstream.sessions.at(-1)!.messages;
const item = (text: string) => ({
  type: 'conversation.item.create',
  item: { type: 'message', role: 'user', content: [{ type: 'input_text', text }] },
});

test.each(Object.keys(answers))('messages of a provider are read in turns: %s', async (what) => {
  const share = await measured(async (client) => {
    client.send({ type: 'wanted', what });
    await client.heard('end');
    expect(client.told.slice(1, -1)).toEqual(answers[what]!() as never);
  });
  expect(share).toBeLessThan(MOST);
});

test('a long message of a client is read in turns', async () => {
  const share = await measured(async (client) => {
    client.send(item(TEXT));
    client.send({ type: 'response.cancel' });
    await until('both messages', () => received().length, { is: 2 });
    expect(received().map((message) => (JSON.parse(String(message)) as { type: string }).type)).toEqual([
      'conversation.item.create',
      'response.cancel',
    ]);
  });
  expect(share).toBeLessThan(MOST);
});

test('many messages of a client at once are read in turns, and reach the provider although it leaves', async () => {
  const share = await measured(async (client) => {
    for (let n = 0; n < MANY; n += 1) client.send(item(`${n}`));
    client.socket.close(1000, 'bye');
    const { closed } = await until('the end', () => {
      const session = upstream.sessions.at(-1)!;
      return session.closed && session;
    });
    expect(closed).toEqual({ code: 1000, reason: 'bye' });
    expect(received()).toEqual(Array.from({ length: MANY }, (_, n) => JSON.stringify(item(`${n}`))));
  });
  expect(share).toBeLessThan(MOST);
});
