import { expect, test } from 'bun:test';
import { CHAT, provider, running } from '../helpers/proxy.ts';
import { completion, upstream } from '../helpers/upstream.ts';
import { until } from '../helpers/until.ts';

const ASK = { model: 'mock', messages: [{ role: 'user', content: 'hi' }] };
const FAULTY = {
  routing: { wait_budget: '50ms' },
  providers: [
    {
      name: 'mock',
      type: 'mock' as const,
      retry_delay: '1ms',
      timeout: '80ms',
      mock: { allow_header: true },
    },
  ],
};

const asking = (fault: string) => ({ headers: { 'x-mock-fault': fault } });

test.each([
  ['status=503', 503, 'upstream_error'],
  ['status=429; retry-after=60', 429, 'rate_limit_exceeded'],
  ['reset', 502, 'upstream_unreachable'],
  ['silence', 504, 'timeout_first_byte'],
  ['cut', 502, 'upstream_unreachable'],
  ['stall', 504, 'timeout_idle'],
  ['malformed', 502, 'malformed_response'],
  ['error_event', 502, 'mock_fault'],
])('the mock’s fault %s, unstreamed, is answered with status %i', async (fault, status, code) => {
  await using proxy = running(FAULTY);
  const response = await proxy.post('/v1/chat/completions', ASK, asking(fault));
  const { error } = (await response.json()) as { error: { code: string | null } };
  expect(response.status).toBe(status);
  if (fault !== 'status=503') expect(error.code).toBe(code);
  if (fault.includes('retry-after')) expect(response.headers.get('retry-after')).toBe('60');
});

test.each(['cut', 'stall', 'error_event'])(
  'the mock’s fault %s in a stream ends with an error event',
  async (fault) => {
    await using proxy = running(FAULTY);
    const response = await proxy.post(
      '/v1/chat/completions',
      { ...ASK, stream: true },
      asking(`${fault}; after=2`),
    );
    const text = await response.text();
    expect(text).toContain('"error"');
    expect(text).not.toContain('[DONE]');
    expect((await proxy.recorded(1))[0]!.outcome).toBe('truncated');
  },
);

test('an invalid x-mock-fault is answered with 400 and the expected format', async () => {
  await using proxy = running(FAULTY);
  const response = await proxy.post('/v1/chat/completions', ASK, asking('explode'));
  expect([response.status, await response.text()]).toEqual([400, expect.stringContaining('kind[=status]')]);
});

test('random faults are the same in every run with the same seed', async () => {
  const faults = { rate: 0.5, kinds: ['status' as const], status: 500 };
  const run = async () => {
    await using proxy = running({
      providers: [{ name: 'mock', type: 'mock', max_retries: 0, mock: { seed: 7, faults } }],
      routing: { breaker: { failures: 100 } },
    });
    const statuses = [];
    for (let n = 0; n < 20; n += 1) statuses.push((await proxy.post('/v1/chat/completions', ASK)).status);
    return statuses;
  };
  const first = await run();
  expect(new Set(first)).toEqual(new Set([200, 500]));
  expect(await run()).toEqual(first);
});

test('a probe of a free endpoint makes a refused key due for a trial', async () => {
  let fixed = false;
  await using flaky = upstream(({ path }) => {
    if (path === '/models') return fixed ? Response.json({ data: [] }) : new Response('', { status: 401 });
    return fixed ? completion('back') : Response.json({ error: { message: 'no' } }, { status: 401 });
  });
  await using proxy = running({
    providers: [provider('a', flaky.url)],
    health: { interval: '20ms' },
    // Only a probe can bring the key back.
    routing: { breaker: { cooldown: '1h', max_cooldown: '1h' } },
  });
  expect((await proxy.post('/v1/chat/completions', CHAT)).status).toBe(502);
  interface Report {
    reasons: string[];
    held: { scope: string; fault: string; next_trial: string }[];
  }
  const report = async () => {
    const response = await fetch(`${proxy.url}/providers`);
    return ((await response.json()) as { providers: Report[] }).providers[0]!;
  };
  const { reasons, held } = await report();
  expect(reasons.join()).toContain('down after auth');
  expect(held).toMatchObject([{ scope: 'key', fault: 'auth' }]);
  const due = async () => Date.parse((await report()).held[0]!.next_trial) <= Date.now();
  expect(await due()).toBe(false);
  fixed = true;
  await until('the key to be due for a trial', due);
  expect((await proxy.post('/v1/chat/completions', CHAT)).status).toBe(200);
  expect((await report()).held).toEqual([]);
});
