/** The compiled binary in front of providers that answer 429. */
import { expect } from 'bun:test';
import type { Attempt } from '../helpers/broken/attempt.ts';
import { fresh } from '../helpers/caller.ts';
import { expectWhole, theme } from '../helpers/rig.ts';
import { until } from '../helpers/until.ts';

const MAX_RETRIES = 2;

const { everyWay, bothModes, once } = theme({
  routing: { wait_budget: '3s', deadline: '15s' },
  broken: { max_retries: MAX_RETRIES, retry_delay: '20ms' },
  models: Object.fromEntries(
    ['streamed', 'unstreamed'].map((way) => [
      `sooner ${way}`,
      [`broken/429-seconds:2#${way}`, `broken/429-ms:0.4-x1#${way}`],
    ]),
  ),
});

/** Timers may fire early by this much, in milliseconds. */
const EARLY_MS = 5;

/** Milliseconds between the arrivals of the first two attempts. */
function gapMs([first, second]: readonly Attempt[]): number {
  return second!.atMs - first!.atMs;
}

for (const [form, fault, toldMs] of [
  ['Retry-After in seconds', '429-seconds:1', 1_000],
  ['retry-after-ms', '429-ms:0.4', 400],
  ['`retry-after-ms: 0` beside `retry-after: 1`', '429-zero-ms:1', 1_000],
  ['x-ratelimit-reset', '429-reset:0.4', 400],
  ['Gemini’s RetryInfo in the body', '429-retry-info:0.4', 400],
] as const) {
  everyWay(`a 429 with ${form} is waited out on the only target`, async ({ rig, stream }) => {
    const model = fresh(`${fault}-x1`);
    const seen = await rig.ask(`broken/${model}`, { stream });
    expectWhole(seen, stream);
    const attempts = rig.broken.attemptsOf(model);
    expect(attempts.length).toBe(2);
    expect(gapMs(attempts)).toBeGreaterThanOrEqual(toldMs - EARLY_MS);
    const { attempt_log: log, outcome } = await rig.recordOf(seen);
    expect([outcome, log.map((attempt) => attempt.fault)]).toEqual(['success', ['rate_limited', null]]);
  });
}

for (const [form, fault, header] of [
  ['an HTTP-date', '429-date:0.3', 'retry-after'],
  [
    'a date in anthropic-ratelimit-requests-reset',
    '429-reset-date:0.3',
    'anthropic-ratelimit-requests-reset',
  ],
] as const) {
  everyWay(`a 429 with ${form} is waited out until that time`, async ({ rig, stream }) => {
    const model = fresh(`${fault}-x1`);
    expectWhole(await rig.ask(`broken/${model}`, { stream }), stream);
    const [first, second] = rig.broken.attemptsOf(model);
    const toldMs = Date.parse(first!.answered!.headers[header]!);
    expect(performance.timeOrigin + second!.atMs).toBeGreaterThanOrEqual(toldMs - EARLY_MS);
  });
}

everyWay('a 429 with Retry-After goes to a target that is ready at once', async ({ rig, stream }) => {
  const model = fresh('429-seconds:1');
  const seen = await rig.ask(model, { stream });
  expectWhole(seen, stream);
  expect(seen.headers.get('x-llmproxy-provider')).toBe('steady');
  expect([rig.broken.attemptsOf(model).length, rig.steady.attemptsOf(model).length]).toEqual([1, 1]);
});

bothModes('a target with a Retry-After is tried again at that time, not earlier', async ({ rig, stream }) => {
  const model = fresh('429-ms:0.7-x1');
  await until('a second attempt', async () => {
    expectWhole(await rig.ask(model, { stream }), stream);
    return rig.broken.attemptsOf(model).length >= 2;
  });
  expect(gapMs(rig.broken.attemptsOf(model))).toBeGreaterThanOrEqual(700 - EARLY_MS);
  expect(rig.steady.attemptsOf(model).length).toBeGreaterThan(0);
});

everyWay('a Retry-After beyond the wait budget is not waited for', async ({ rig, stream }) => {
  const model = fresh('429-seconds:60');
  const failedOver = await rig.ask(model, { stream });
  expectWhole(failedOver, stream);
  const alone = fresh('429-seconds:60');
  const seen = await rig.ask(`broken/${alone}`, { stream });
  expect([seen.status, seen.error!.message]).toEqual([429, expect.stringContaining('Too many requests')]);
  expect(seen.error!.details?.map(({ target, fault, status }) => [target, fault, status])).toEqual([
    [`broken/${alone}`, 'rate_limited', 429],
  ]);
  const retryAfter = Number(seen.headers.get('retry-after'));
  expect(retryAfter).toBeGreaterThan(50);
  expect(retryAfter).toBeLessThanOrEqual(60);
  expect([rig.broken.attemptsOf(model).length, rig.broken.attemptsOf(alone).length]).toEqual([1, 1]);
});

everyWay('a Retry-After of an overloaded provider reaches the client', async ({ rig, stream }) => {
  const seen = await rig.ask(`broken/${fresh('503-seconds:60')}`, { stream });
  expect([seen.status, seen.headers.get('retry-after')]).toEqual([503, '60']);
});

bothModes(
  'a target on cooldown gets no requests, and the client gets a Retry-After',
  async ({ rig, stream }) => {
    const model = fresh('429-seconds:60');
    await rig.ask(`broken/${model}`, { stream });
    const seen = await rig.ask(`broken/${model}`, { stream });
    expect(seen.status).toBe(429);
    expect(Number(seen.headers.get('retry-after'))).toBeGreaterThan(50);
    expect(rig.broken.attemptsOf(model).length).toBe(1);
  },
);

bothModes('all waits of one request together stay within the wait budget', async ({ rig, stream }) => {
  const model = fresh('429-seconds:2');
  const seen = await rig.ask(`broken/${model}`, { stream });
  expect(seen.status).toBe(429);
  expect(rig.broken.attemptsOf(model).length).toBe(2);
});

everyWay(
  'a persistent 429 without Retry-After is retried max_retries times, then the next target answers',
  async ({ rig, stream }) => {
    const model = fresh('429');
    const seen = await rig.ask(model, { stream });
    expectWhole(seen, stream);
    expect(seen.headers.get('x-llmproxy-provider')).toBe('steady');
    expect(rig.broken.attemptsOf(model).length).toBe(1 + MAX_RETRIES);
  },
);

everyWay(
  'a target that stayed at 429 is put on cooldown: the next request skips it',
  async ({ rig, stream }) => {
    const model = fresh('429');
    await rig.ask(model, { stream });
    const before = rig.broken.attemptsOf(model).length;
    const seen = await rig.ask(model, { stream });
    expectWhole(seen, stream);
    expect(rig.broken.attemptsOf(model).length).toBe(before);
  },
);

bothModes('a Retry-After of 0 does not cause a tight loop', async ({ rig, stream }) => {
  const model = fresh('429-zero');
  const seen = await rig.ask(`broken/${model}`, { stream });
  expect(seen.status).toBe(429);
  expect(rig.broken.attemptsOf(model).length).toBe(1 + MAX_RETRIES);
});

bothModes('an invalid Retry-After is ignored: backoff, max_retries times', async ({ rig, stream }) => {
  const model = fresh('429-garbage');
  const seen = await rig.ask(`broken/${model}`, { stream });
  expect(seen.status).toBe(429);
  expect(rig.broken.attemptsOf(model).length).toBe(1 + MAX_RETRIES);
});

everyWay('of two targets with a Retry-After, the earlier one is waited for', async ({ rig, stream }) => {
  const way = stream ? 'streamed' : 'unstreamed';
  const seen = await rig.ask(`sooner ${way}`, { stream });
  expectWhole(seen, stream);
  expect(rig.broken.attemptsOf(`429-seconds:2#${way}`).length).toBe(1);
  const attempts = rig.broken.attemptsOf(`429-ms:0.4-x1#${way}`);
  expect(attempts.length).toBe(2);
  expect(gapMs(attempts)).toBeGreaterThanOrEqual(400 - EARLY_MS);
});

once('a 429 opens no breaker and counts no failure', async (rig) => {
  const model = fresh('429-zero');
  for (let n = 0; n < 4; n += 1) await rig.ask(`broken/${model}`);
  const { targets } = await rig.provider('broken');
  expect(targets.find((target) => target.model === model)!.breaker).toBe('closed');
});
