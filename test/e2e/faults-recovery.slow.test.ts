/**
 * The compiled binary in front of providers that fail and recover: how soon they are used again, and which
 * requests have to wait.
 */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import type { ConfigInput } from '../../src/config/schema.ts';
import type { ReadRecord } from '../../src/logs/record.ts';
import type { Upstream } from '../helpers/upstream.ts';
import { built, cleared, serveConfig } from '../helpers/binary.ts';
import { loggedIn } from '../helpers/logged.ts';
import { completion, upstream } from '../helpers/upstream.ts';

beforeAll(built, 60_000);
afterAll(cleared);

const LIMIT_MS = 30_000;

type ProviderInput = ConfigInput['providers'][number];

function provider(name: string, url: string, more: Partial<ProviderInput> = {}): ProviderInput {
  return { name, type: 'openai-compatible', base_url: url, models: ['*'], max_retries: 0, ...more };
}

interface Proxy extends AsyncDisposable {
  readonly ask: (init?: RequestInit) => Promise<Response>;
  /** The record of a response. */
  readonly recordOf: (response: Response) => Promise<ReadRecord>;
}

async function proxied(config: ConfigInput): Promise<Proxy> {
  const serving = await serveConfig({
    ...config,
    logging: { level: 'error', requests: { flush_interval: '20ms' } },
  });
  return {
    ask: (init = {}) =>
      fetch(`${serving.url}/v1/chat/completions`, {
        method: 'POST',
        body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'hi' }] }),
        keepalive: false,
        ...init,
      }),
    recordOf: (response) => loggedIn(serving.cwd, response.headers.get('x-request-id')!),
    async [Symbol.asyncDispose]() {
      serving.process.kill('SIGKILL');
      await serving.process.exited;
    },
  };
}

const answeredBy = (response: Response) => response.headers.get('x-llmproxy-provider');

/** Sends a request every 20 ms until the first provider answers. @returns the number of requests this took */
async function untilFirstAnswers({ ask }: Proxy, most: number): Promise<number> {
  for (let n = 1; n <= most; n += 1) {
    if (answeredBy(await ask()) === 'first') return n;
    await Bun.sleep(20);
  }
  return Infinity;
}

type Truth = 'up' | '500' | '503' | '401' | '403' | 'silent' | 'html' | 'empty';

/** A provider whose state can be changed, with or without its list of models. */
function switchable(probe: 'honest' | 'blind'): { truth: Truth; server: Upstream } {
  const told: Record<Exclude<Truth, 'up' | 'silent'>, () => Response> = {
    '500': () => new Response('{}', { status: 500 }),
    '503': () => new Response('{}', { status: 503 }),
    '401': () => new Response('{}', { status: 401 }),
    '403': () => new Response('{}', { status: 403 }),
    html: () => new Response('<html>', { headers: { 'content-type': 'text/html' } }),
    empty: () => new Response(''),
  };
  const state: { truth: Truth } = { truth: 'up' };
  const server = upstream(({ path }) => {
    if (path === '/models' && probe === 'blind') return new Response('', { status: 404 });
    if (state.truth === 'silent') return new Promise<Response>(() => undefined);
    if (state.truth !== 'up') return told[state.truth]();
    return path === '/models' ? Response.json({ data: [] }) : completion('fine');
  });
  return Object.assign(state, { server });
}

// The default settings, divided by forty.
const QUICK: Partial<ConfigInput> = {
  routing: { breaker: { cooldown: '50ms', max_cooldown: '250ms' } },
  health: { interval: '125ms', timeout: '125ms' },
};

/** Outages by their duration and the time between them, in milliseconds. */
const PATTERNS = { short: [1_000], long: [3_000], flapping: [500, 500, 500, 500, 500] } as const;

for (const truth of ['500', '503', '401', '403', 'silent', 'html', 'empty'] as const) {
  for (const [pattern, spans] of Object.entries(PATTERNS)) {
    for (const probe of ['honest', 'blind'] as const) {
      test.concurrent(
        `a target that came back is used again: ${truth}, ${pattern}, probe ${probe}`,
        async () => {
          const first = switchable(probe);
          await using _ = first.server;
          await using second = upstream(() => completion('second'));
          await using proxy = await proxied({
            ...QUICK,
            providers: [
              provider('first', first.server.url, { timeout: '100ms' }),
              provider('second', second.url, { priority: 2 }),
            ],
          });
          for (const [at, ms] of spans.entries()) {
            first.truth = at % 2 === 0 ? truth : 'up';
            const untilMs = performance.now() + ms;
            while (performance.now() < untilMs) {
              const response = await proxy.ask();
              expect(response.status).toBe(200);
              await Bun.sleep(20);
            }
          }
          first.truth = 'up';
          // Counted in requests rather than time, because each takes longer on a busy machine. The bound of
          // 375 ms corresponds to 19 requests.
          expect(await untilFirstAnswers(proxy, 60)).toBeLessThan(60);
        },
        LIMIT_MS,
      );
    }
  }
}

test.concurrent(
  'the only target is tried by one request at a time while it is down, and used as soon as it is back',
  async () => {
    let down = true;
    let open = 0;
    let most = 0;
    await using only = upstream(async () => {
      open += 1;
      most = Math.max(most, open);
      await Bun.sleep(100);
      open -= 1;
      return down ? new Response('{}', { status: 500 }) : completion('back');
    });
    await using proxy = await proxied({
      routing: { wait_budget: '0s', breaker: { failures: 2, cooldown: '1h', max_cooldown: '1h' } },
      providers: [provider('first', only.url)],
    });
    for (let n = 0; n < 2; n += 1) await proxy.ask();
    most = 0;
    // About three seconds with ten concurrent callers.
    for (let n = 0; n < 20; n += 1) {
      await Promise.all(Array.from({ length: 10 }, () => proxy.ask()));
      await Bun.sleep(100);
    }
    expect(most).toBe(1);
    const tried = only.asked.length - 2;
    expect(tried).toBeGreaterThanOrEqual(1);
    // Not every one of the 200 requests tries it: it is not tried within a second after a failure.
    expect(tried).toBeLessThan(20);
    down = false;
    expect(await untilFirstAnswers(proxy, 200)).toBeLessThan(200);
    const all = await Promise.all(Array.from({ length: 10 }, () => proxy.ask()));
    expect(all.map(({ status }) => status)).toEqual(Array(10).fill(200));
  },
  LIMIT_MS,
);

const silence = () => new Promise<Response>(() => undefined);

for (const stream of [false, true]) {
  const mode = stream ? 'streamed' : 'unstreamed';
  const body = JSON.stringify({ model: 'm', stream, messages: [{ role: 'user', content: 'hi' }] });

  test.concurrent(
    `silent targets leave time for those after them: equal shares of routing.deadline [${mode}]`,
    async () => {
      await using mute = upstream(silence);
      await using last = upstream(() => completion('last'));
      await using proxy = await proxied({
        routing: { deadline: '3s' },
        providers: [
          provider('mute', mute.url),
          provider('mute-too', mute.url, { priority: 2 }),
          provider('last', last.url, { priority: 3 }),
        ],
      });
      const response = await proxy.ask({ body });
      expect([response.status, answeredBy(response)]).toEqual([200, 'last']);
      const { attempt_log: log } = await proxy.recordOf(response);
      expect(log.map(({ fault }) => fault)).toEqual(['timeout_share', 'timeout_share', null]);
      expect(log[0]!.ms).toBeGreaterThan(900);
    },
    LIMIT_MS,
  );

  test.concurrent(
    `a caller’s short deadline is shared too, and counts against no target [${mode}]`,
    async () => {
      await using mute = upstream(silence);
      await using last = upstream(() => completion('last'));
      await using proxy = await proxied({
        routing: { breaker: { failures: 1, cooldown: '1h', max_cooldown: '1h' } },
        providers: [provider('mute', mute.url), provider('last', last.url, { priority: 2 })],
      });
      for (let n = 0; n < 2; n += 1) {
        const response = await proxy.ask({ body, headers: { 'x-stainless-timeout': '2' } });
        expect([response.status, answeredBy(response)]).toEqual([200, 'last']);
        const { attempt_log: log } = await proxy.recordOf(response);
        expect(log.map(({ fault }) => fault)).toEqual(['caller_share', null]);
      }
    },
    LIMIT_MS,
  );

  test.concurrent(
    `a TLS handshake that hangs is given up after timeout.connect [${mode}]`,
    async () => {
      const mute = createServer((socket) => void socket.on('error', () => undefined));
      const { promise: listening, resolve } = Promise.withResolvers<void>();
      mute.listen(0, '127.0.0.1', resolve);
      await listening;
      const { port } = mute.address() as AddressInfo;
      await using last = upstream(() => completion('last'));
      await using proxy = await proxied({
        providers: [
          provider('mute', `https://127.0.0.1:${port}`, { timeout: { connect: '400ms', first_byte: '25s' } }),
          provider('last', last.url, { priority: 2 }),
        ],
      });
      const response = await proxy.ask({ body });
      expect([response.status, answeredBy(response)]).toEqual([200, 'last']);
      const { attempt_log: log } = await proxy.recordOf(response);
      expect(log.map(({ fault }) => fault)).toEqual(['timeout_connect', null]);
      mute.close();
    },
    LIMIT_MS,
  );
}

test.concurrent(
  'an unreachable provider is put on cooldown for all its models, one that answers for none',
  async () => {
    await using last = upstream(() => completion('last'));
    await using proxy = await proxied({
      routing: { breaker: { failures: 3, cooldown: '1h', max_cooldown: '1h' } },
      providers: [
        provider('gone', 'http://127.0.0.1:1', { models: ['a', 'b', 'c', 'd'] }),
        provider('last', last.url, { priority: 2 }),
      ],
    });
    const ask = (model: string) =>
      proxy.ask({ body: JSON.stringify({ model, messages: [{ role: 'user', content: 'hi' }] }) });
    for (const model of ['a', 'b', 'c']) expect((await proxy.recordOf(await ask(model))).attempts).toBe(2);
    expect((await proxy.recordOf(await ask('d'))).attempts).toBe(1);
  },
  LIMIT_MS,
);
