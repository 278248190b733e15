/**
 * The compiled binary in front of providers that really enforce their limits: excess requests are rejected,
 * and counted.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConfigInput } from '../../src/config/schema.ts';
import { built, cleared, serveConfig } from '../helpers/binary.ts';
import { until } from '../helpers/until.ts';
import { chatStream, completion, sse, upstream } from '../helpers/upstream.ts';

beforeAll(built, 60_000);
afterAll(cleared);

const LIMIT_MS = 60_000;
const CHAT = { model: 'm', messages: [{ role: 'user', content: 'hi' }] };
const compatible = (name: string, url: string, extra: object = {}): ConfigInput['providers'][number] => ({
  name,
  type: 'openai-compatible',
  base_url: `${url}/v1`,
  models: ['m'],
  ...extra,
});

/** Uses a new connection, which may reach any of several workers. */
const post = (url: string, body: object, init: RequestInit = {}) =>
  fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify(body),
    keepalive: false,
    ...init,
  });

interface Line {
  readonly outcome: string;
  readonly fault: string | null;
  readonly attempts: number;
  readonly input_tokens: number | null;
  readonly output_tokens: number | null;
}

function linesOf(cwd: string): Line[] {
  const directory = join(cwd, 'logs');
  if (!existsSync(directory)) return [];
  return readdirSync(directory).flatMap((file) =>
    readFileSync(join(directory, file), 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Line),
  );
}

/**
 * A provider with this many requests, which become available again at a constant rate; headers report how
 * many remain.
 */
function metered(limit: number, msEach: number) {
  let left = limit;
  let atMs = performance.now();
  let refused = 0;
  const server = upstream(() => {
    const nowMs = performance.now();
    left = Math.min(limit, left + (nowMs - atMs) / msEach);
    atMs = nowMs;
    const passes = left >= 1;
    if (passes) left -= 1;
    else refused += 1;
    const response = passes
      ? completion('hi')
      : Response.json({ error: { message: 'slow down' } }, { status: 429 });
    response.headers.set('x-ratelimit-limit-requests', String(limit));
    response.headers.set('x-ratelimit-remaining-requests', String(Math.floor(left)));
    response.headers.set('x-ratelimit-reset-requests', `${Math.ceil((limit - left) * msEach)}ms`);
    return response;
  });
  return { server, refused: () => refused };
}

test(
  'a client that asks one thing after another never meets the provider’s own limit',
  async () => {
    const { server, refused } = metered(4, 150);
    await using limited = server;
    const { url } = await serveConfig({ providers: [compatible('a', limited.url)] });
    for (let n = 0; n < 15; n += 1) expect((await post(url, CHAT)).status).toBe(200);
    expect([limited.asked.length, refused()]).toEqual([15, 0]);
  },
  LIMIT_MS,
);

test(
  'what is beyond a provider’s own limit goes to another at once',
  async () => {
    const { server, refused } = metered(3, 60_000);
    await using limited = server;
    await using other = upstream(() => completion('b'));
    const { url } = await serveConfig({
      providers: [compatible('a', limited.url), compatible('b', other.url, { priority: 2 })],
    });
    for (let n = 0; n < 10; n += 1) expect((await post(url, CHAT)).status).toBe(200);
    expect([limited.asked.length, refused(), other.asked.length]).toEqual([3, 0, 7]);
  },
  LIMIT_MS,
);

test(
  'many clients at once are sent as the provider’s own limit has room for them',
  async () => {
    const { server, refused } = metered(5, 100);
    await using limited = server;
    const { url } = await serveConfig({
      providers: [compatible('a', limited.url)],
      routing: { wait_budget: '30s' },
    });
    expect((await post(url, CHAT)).status).toBe(200);
    const answers = await Promise.all(Array.from({ length: 30 }, () => post(url, CHAT)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    // Latencies vary, so one request may arrive too early; without learning from the headers, most would.
    expect(refused()).toBeLessThan(8);
  },
  LIMIT_MS,
);

const INPUT = 50;
const OUTPUT = 150;
const MAX_TOKENS = 2_000;
const PER_MINUTE = 30_000;

/** A provider that charges the maximum of an answer when it starts, and corrects this when it ends. */
function charging() {
  let running = 0;
  let most = 0;
  let used = 0;
  const server = upstream(async ({ text }) => {
    const { stream } = JSON.parse(text) as { stream?: boolean };
    running += 1;
    most = Math.max(most, running * MAX_TOKENS + used);
    await Bun.sleep(30);
    running -= 1;
    used += INPUT + OUTPUT;
    const usage = { prompt_tokens: INPUT, completion_tokens: OUTPUT, total_tokens: INPUT + OUTPUT };
    if (!stream) return completion('hi', { usage });
    const last = `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [], usage })}\n\n`;
    return sse(chatStream(['h', 'i'], `${last}data: [DONE]\n\n`));
  });
  return { server, most: () => most, used: () => used };
}

const WAYS = [
  ['one process', {}],
  ...(process.platform === 'linux' ? ([['three workers', { server: { workers: 3 } }]] as const) : []),
] as const;

describe.each(WAYS)('a rate limit on tokens, %s', (_, more) => {
  test(
    'is never exceeded by fifty clients at once, and lets all of them through in turn',
    async () => {
      const { server, most, used } = charging();
      await using limited = server;
      const { url, cwd } = await serveConfig({
        ...more,
        providers: [compatible('a', limited.url, { rate_limit: { tokens: PER_MINUTE } })],
        routing: { wait_budget: '30s' },
      });
      const beganMs = performance.now();
      const ask = async (stream: boolean) => {
        const options = stream ? { stream, stream_options: { include_usage: true } } : {};
        const response = await post(url, { ...CHAT, max_tokens: MAX_TOKENS, ...options });
        await response.text();
        return response.status;
      };
      const statuses = await Promise.all(Array.from({ length: 50 }, (__, n) => ask(n % 2 === 0)));
      const tookMs = performance.now() - beganMs;
      expect(new Set(statuses)).toEqual(new Set([200]));
      expect(limited.asked.length).toBe(50);
      // The limit of one minute, and what became available in the meantime.
      expect(most()).toBeLessThanOrEqual(PER_MINUTE * (1 + tookMs / 60_000));
      const lines = await until('all lines', () => linesOf(cwd).length === 50 && linesOf(cwd));
      const logged = lines.reduce((sum, line) => sum + line.input_tokens! + line.output_tokens!, 0);
      expect([logged, used()]).toEqual([50 * (INPUT + OUTPUT), 50 * (INPUT + OUTPUT)]);
    },
    LIMIT_MS,
  );

  test(
    'counts what nobody knows as used, and is told as a 429 when it is used up',
    async () => {
      await using limited = upstream(async ({ text }) => {
        if (text.includes('wait')) await Bun.sleep(5_000);
        const usage = { prompt_tokens: 1_000, completion_tokens: 9_000, total_tokens: 10_000 };
        return completion('hi', { usage });
      });
      const { url } = await serveConfig({
        ...more,
        providers: [
          compatible('a', limited.url, { rate_limit: { tokens: 10_000 }, max_retries: 0, timeout: '200ms' }),
        ],
        routing: { wait_budget: '0s', breaker: { failures: 100 } },
      });
      // Its real usage is unknown, so everything that was reserved counts as used.
      const slow = await post(url, {
        ...CHAT,
        max_tokens: 4_000,
        messages: [{ role: 'user', content: 'wait' }],
      });
      expect(slow.status).toBe(504);
      expect((await post(url, { ...CHAT, max_tokens: 8_000 })).status).toBe(429);
      expect((await post(url, { ...CHAT, max_tokens: 4_000 })).status).toBe(200);
      const refused = await post(url, { ...CHAT, max_tokens: 10 });
      expect([refused.status, Number(refused.headers.get('retry-after')) > 10]).toEqual([429, true]);
      expect(((await refused.json()) as { error: { message: string } }).error.message).toContain(
        'a/m: rate_limit of 10000 tokens a minute',
      );
      expect(limited.asked.length).toBe(2);
    },
    LIMIT_MS,
  );
});
