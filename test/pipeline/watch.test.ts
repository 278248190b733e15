import { expect, test } from 'bun:test';
import { ProxyError } from '../../src/errors.ts';
import type { ProxyEvent } from '../../src/events.ts';
import { Breaker } from '../../src/pipeline/targets/breaker.ts';
import { Cooldown } from '../../src/pipeline/targets/cooldown.ts';
import type { HoldScope } from '../../src/pipeline/targets/watch.ts';
import { reportHolds } from '../../src/pipeline/targets/watch.ts';

const POLICY = {
  failures: 2,
  failure_rate: 1,
  min_calls: 100,
  window: 60_000,
  cooldown: 1_000,
  max_cooldown: 300_000,
  max_retry_after: 600_000,
};
/** The middle of the random range, for cooldowns exactly as long as the policy says. */
const middle = () => 0.5;

function told(whose: HoldScope) {
  const events: ProxyEvent[] = [];
  const onHold = reportHolds((event) => events.push(event))(whose);
  return { events, onHold, lines: () => events.map(({ level, message }) => `${level} ${message}`) };
}

const failure = new ProxyError('server', 'Cannot ask a/x: it answered 500', {
  upstream: { status: 500, message: 'out of order', headers: new Headers(), body: '', verbatim: false },
});

test('a breaker logs when it opens, when its trial fails and when it closes', () => {
  const { events, onHold, lines } = told({ scope: 'target', name: 'a/x' });
  const breaker = new Breaker(POLICY, middle, onHold);
  breaker.failure(breaker.begin(0), failure, 0);
  expect(lines()).toEqual([]);
  breaker.failure(breaker.begin(1), failure, 1);
  breaker.failure(breaker.begin(2_000), failure, 2_000);
  breaker.success(breaker.begin(9_000), 9_000);
  breaker.success(breaker.begin(9_001), 9_001);
  expect(lines()).toEqual([
    'warn a/x: breaker opened, next trial in 1 s: server: 500 out of order',
    'debug a/x: breaker stays open, next trial in 2 s: server: 500 out of order',
    'info a/x: breaker closed, it answers again',
  ]);
  expect(events[0]).toMatchObject({
    kind: 'breaker_opened',
    fields: { target: 'a/x', fault: 'server', trial_in_ms: 1_000 },
  });
});

test('cooldowns of keys and endpoints are logged by name', () => {
  const key = told({ scope: 'key', name: 'a', key: 1, keys: 3 });
  const only = told({ scope: 'key', name: 'b', key: 0, keys: 1 });
  const endpoint = told({ scope: 'endpoint', name: 'a/x', endpoint: 'embeddings' });
  for (const { onHold } of [key, only, endpoint]) {
    const cooldown = new Cooldown(POLICY, middle, onHold);
    cooldown.trip(cooldown.begin(0), failure, 0);
    cooldown.lift();
    cooldown.lift();
  }
  const why = 'next trial in 1 s: server: 500 out of order';
  expect(key.lines()).toEqual([`warn a: key 2 of 3 is held back, ${why}`, 'info a: key 2 of 3 is back']);
  expect(only.lines()).toEqual([`warn b: its key is held back, ${why}`, 'info b: its key is back']);
  expect(endpoint.lines()).toEqual([
    `warn a/x: embeddings is held back, ${why}`,
    'info a/x: embeddings is back',
  ]);
});

test('only a long rate limit is logged as a warning, and its message is shortened', () => {
  const { onHold, lines } = told({ scope: 'limit', name: 'a/x', key: 0, keys: 1 });
  const cooldown = new Cooldown(POLICY, middle, onHold);
  const limited = (retryAfterMs: number) =>
    new ProxyError('rate_limited', 'x'.repeat(5_000), { retryAfterMs });
  cooldown.pause(limited(5_000), 0);
  cooldown.lift();
  cooldown.pause(limited(300_000), 0);
  const words = `rate_limited: ${'x'.repeat(200)}…`;
  expect(lines()).toEqual([
    `debug a/x: its key is paused for 5 s: ${words}`,
    `warn a/x: its key is paused for 5 min: ${words}`,
  ]);
});
