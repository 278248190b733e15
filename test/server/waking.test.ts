/** Many requests that wait for the same moment, and an attempt that another one overtakes. */
import { expect, test } from 'bun:test';
import { schema } from '../../src/config/schema.ts';
import { createProxy } from '../../src/proxy.ts';
import { FakeClock } from '../helpers/clock.ts';
import { CHAT, provider, running } from '../helpers/proxy.ts';
import { until } from '../helpers/until.ts';
import { completion, upstream } from '../helpers/upstream.ts';

test('requests that wake at the same moment keep to the rate limit', async () => {
  const clock = new FakeClock();
  let asked = 0;
  const config = schema.parse({
    providers: [{ ...provider('a', 'http://127.0.0.1:9'), rate_limit: 60 }],
    routing: { wait_budget: '20s' },
    logging: { requests: { enabled: false } },
  });
  const fetch = () => {
    asked += 1;
    return Promise.resolve(completion('hi'));
  };
  const proxy = createProxy(config, {
    env: {},
    clock,
    connect: () => ({ fetch, release: () => undefined }),
  });
  await proxy.warm();
  const ask = () =>
    proxy.fetch(
      new Request('http://proxy/v1/chat/completions', { method: 'POST', body: JSON.stringify(CHAT) }),
      {},
    );
  const answers = Array.from({ length: 65 }, ask);
  await until('the requests of one minute', () => asked, { is: 60 });
  for (let second = 1; second <= 5; second += 1) {
    clock.advance(1_000);
    await until('one more request', () => asked, { atLeast: 60 + second });
    await Bun.sleep(20);
    expect(asked).toBe(60 + second);
  }
  const statuses = (await Promise.all(answers)).map(({ status }) => status);
  expect(new Set(statuses)).toEqual(new Set([200]));
  await proxy.close();
});

test('an attempt that failed before another one answered is recorded once', async () => {
  const answered = Promise.withResolvers<void>();
  await using first = upstream(() => {
    answered.resolve();
    return new Response('{"error":{"message":"boom"}}', { status: 500 });
  });
  await using second = upstream(async () => {
    await Bun.sleep(100);
    return completion('hi');
  });
  await using slow = upstream(async () => {
    await Bun.sleep(60);
    return await fetch(first.url, { method: 'POST' });
  });
  await using proxy = running({
    providers: [
      { ...provider('a', slow.url), models: ['m'], max_retries: 0 },
      { ...provider('b', second.url), models: ['m'], max_retries: 0 },
    ],
    models: { x: { targets: ['a/m', 'b/m'], hedge: { delay: '10ms', budget: 1 } } },
  });
  const response = await proxy.post('/v1/chat/completions', { ...CHAT, model: 'x' });
  expect([response.status, response.headers.get('x-llmproxy-attempts')]).toEqual([200, '2']);
  const [record] = await proxy.recorded(1);
  expect(record!.attempt_log.map(({ target, fault }) => [target, fault])).toEqual([
    ['a/m', 'server'],
    ['b/m', null],
  ]);
});
