/**
 * Limits of the binary under load and failures: the usage that providers reported, the ledger (GET /v1/key),
 * the request log and /metrics must agree.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { Database } from 'bun:sqlite';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConfigInput } from '../../src/config/schema.ts';
import type { ReadRecord } from '../../src/logs/record.ts';
import type { Serving } from '../helpers/binary.ts';
import type { Asked, Upstream } from '../helpers/upstream.ts';
import { BINARY, built, cleared, folder, run, serve } from '../helpers/binary.ts';
import { recordsIn } from '../helpers/logged.ts';
import { upstream } from '../helpers/upstream.ts';
import { until } from '../helpers/until.ts';

beforeAll(built, 60_000);
const open: Upstream[] = [];
afterAll(async () => {
  for (const each of open) await each[Symbol.asyncDispose]();
  cleared();
});

/** The usage of one answer. */
interface Tokens {
  readonly input: number;
  readonly output: number;
}

/**
 * A provider that stores the usage it reported for each request, and its maximum number of concurrent
 * requests.
 */
interface Told extends Upstream {
  readonly told: Map<string, Tokens[]>;
  readonly busiest: () => number;
}

const WORDS = ['The ', 'committee ', 'agreed ', 'on ', 'Tuesday ', 'that ', 'it ', 'is ', 'so.'];
const json = (value: unknown) => `data: ${JSON.stringify(value)}\n\n`;
const chunk = (delta: object, finish: string | null = null) =>
  json({
    id: 'c',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'm',
    choices: [{ index: 0, delta, finish_reason: finish }],
  });

/**
 * The usage of a request, determined by the number in its `user`; the word before it selects the behaviour:
 * "ok#17", "fail#18".
 */
const tokensOf = (user: string): Tokens => {
  const n = Number(user.split('#')[1]);
  return { input: 3 + (n % 5), output: 4 + (n % 7) };
};

function scripted(name: 'first' | 'second'): Told {
  const told = new Map<string, Tokens[]>();
  let now = 0;
  let busiest = 0;
  const tell = (user: string): object => {
    const tokens = tokensOf(user);
    told.set(user, [...(told.get(user) ?? []), tokens]);
    return {
      prompt_tokens: tokens.input,
      completion_tokens: tokens.output,
      total_tokens: tokens.input + tokens.output,
    };
  };
  const answer = async ({ text }: Asked): Promise<Response> => {
    const { user, stream } = JSON.parse(text) as { user: string; stream?: boolean };
    const [what] = user.split('#');
    const failing = name === 'first';
    if (failing && what === 'fail')
      return Response.json({ error: { message: 'broken', type: 'server_error' } }, { status: 500 });
    if (failing && what === 'limit')
      return Response.json(
        { error: { message: 'slow down', type: 'rate_limit_error' } },
        { status: 429, headers: { 'retry-after': '0' } },
      );
    if (what === 'refuse')
      return Response.json({ error: { message: 'no', type: 'invalid_request_error' } }, { status: 400 });
    if (failing && what === 'late') await Bun.sleep(120);
    if (what === 'slow' || what === 'leave') await Bun.sleep(20);
    if (!stream) {
      const message = { role: 'assistant', content: WORDS.join('') };
      return Response.json({
        id: 'c',
        object: 'chat.completion',
        created: 1,
        model: 'm',
        choices: [{ index: 0, message, finish_reason: 'stop' }],
        usage: tell(user),
      });
    }
    const bytes = new TextEncoder();
    return new Response(
      new ReadableStream({
        async start(controller) {
          const send = (event: string) => controller.enqueue(bytes.encode(event));
          try {
            send(chunk({ role: 'assistant', content: '' }));
            for (const [place, word] of WORDS.entries()) {
              send(chunk({ content: word }));
              if (what !== 'ok') await Bun.sleep(2);
              if (failing && what === 'cut' && place === 4) return controller.close();
            }
            send(chunk({}, 'stop'));
            send(
              json({
                id: 'c',
                object: 'chat.completion.chunk',
                created: 1,
                model: 'm',
                choices: [],
                usage: tell(user),
              }),
            );
            send('data: [DONE]\n\n');
            controller.close();
          } catch {
            // The proxy has closed the connection.
          }
        },
      }),
      { headers: { 'content-type': 'text/event-stream' } },
    );
  };
  const server = upstream(async (asked) => {
    busiest = Math.max(busiest, (now += 1));
    try {
      return await answer(asked);
    } finally {
      now -= 1;
    }
  });
  open.push(server);
  return { ...server, told, busiest: () => busiest };
}

type Limits = readonly object[];

function configured(
  providers: readonly Told[],
  limits: Record<string, Limits>,
  more: object = {},
): ConfigInput {
  const price = { input: 1_000, output: 2_000 };
  return {
    providers: providers.map(({ url }, at) => ({
      name: at === 0 ? 'first' : 'second',
      type: 'openai-compatible',
      base_url: url,
      models: [{ name: 'm', price }],
      retry_delay: '1ms',
      max_retries: 1,
      priority: at + 1,
    })),
    models:
      providers.length < 2
        ? {}
        : { r: { targets: ['first/m', 'second/m'], resume: true, hedge: { delay: '60ms', budget: 1 } } },
    routing: { breaker: { failures: 100_000, min_calls: 100_000 }, max_attempts: 5 },
    health: { unhealthy_below: 0, degraded_below: 0 },
    auth: {
      keys: [
        { name: 'ops', key: 'ops', ops: 'only' },
        ...Object.entries(limits).map(([name, list]) => ({ name, key: name, limits: list })),
      ],
    },
    logging: { requests: { flush_interval: '10ms' } },
    ...more,
  } as unknown as ConfigInput;
}

function written(cwd: string, config: ConfigInput): void {
  writeFileSync(join(cwd, 'config.yaml'), JSON.stringify(config, null, 2));
}

async function served(config: ConfigInput, cwd = folder()): Promise<Serving> {
  written(cwd, config);
  return await serve(cwd);
}

const by = (key: string) => ({ authorization: `Bearer ${key}`, 'content-type': 'application/json' });

type Path = '/v1/chat/completions' | '/v1/messages';

interface Request {
  readonly key: string;
  readonly user: string;
  readonly stream?: boolean;
  readonly path?: Path;
  readonly signal?: AbortSignal;
  readonly model?: string;
  readonly maxTokens?: number;
}

/** Sends a request and reads the complete answer. @returns its status */
async function ask(
  url: string,
  { key, user, stream = false, path = '/v1/chat/completions', signal, model = 'm', maxTokens = 20 }: Request,
): Promise<number> {
  const usage = stream && path !== '/v1/messages' ? { stream_options: { include_usage: true } } : {};
  const who = path === '/v1/messages' ? { metadata: { user_id: user } } : { user };
  const body = {
    model,
    max_tokens: maxTokens,
    stream,
    messages: [{ role: 'user', content: 'hi' }],
    ...usage,
    ...who,
  };
  const answer = await fetch(url + path, {
    method: 'POST',
    headers: by(key),
    body: JSON.stringify(body),
    ...(signal ? { signal } : {}),
  });
  await answer.text();
  return answer.status;
}

interface Own {
  readonly limits: readonly {
    readonly kind: string;
    readonly limit: number;
    readonly used: number;
    readonly reserved: number;
  }[];
  readonly usage: {
    readonly total: { readonly requests: number; readonly tokens: number; readonly cost: number };
  };
}
const own = async (url: string, key: string): Promise<Own> =>
  (await (await fetch(`${url}/v1/key`, { headers: by(key) })).json()) as Own;
const usedOf = async (url: string, key: string, kind: string) => {
  const found = (await own(url, key)).limits.find((limit) => limit.kind === kind)!;
  expect(found.reserved).toBe(0);
  return found.used;
};

const chargedOf = ({ estimate, failed, input_tokens: input, output_tokens: output }: ReadRecord): number =>
  (estimate?.input_tokens ?? input ?? 0) +
  (estimate?.output_tokens ?? output ?? 0) +
  (failed ? failed.input_tokens + failed.output_tokens : 0);
const costOf = ({ estimate, failed, cost }: ReadRecord): number =>
  (estimate ? estimate.cost! : (cost ?? 0)) + (failed?.cost ?? 0);
const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
const toldBy = (providers: readonly Told[]) =>
  sum(providers.flatMap(({ told }) => [...told.values()].flat().map(({ input, output }) => input + output)));

/** Waits until the log contains this many records of a key. */
async function logged(cwd: string, key: string, count: number): Promise<ReadRecord[]> {
  return await until(`${count} records of ${key}`, () => {
    const records = recordsIn(cwd).filter((record) => record.key === key);
    return records.length >= count && records;
  });
}

/**
 * Waits until all requests of the clients have ended; some clients disconnect before their request has
 * arrived.
 */
async function allLogged(
  { cwd, url }: Pick<Serving, 'cwd' | 'url'>,
  key: string,
  asked: number,
): Promise<ReadRecord[]> {
  let last = -1;
  return await until(
    'all records',
    async () => {
      const records = recordsIn(cwd).filter((record) => record.key === key);
      const { limits } = await own(url, key);
      const isOver = limits.every(({ reserved }) => reserved === 0) && records.length === last;
      last = records.length;
      return isOver && records.length > asked / 2 && records;
    },
    { everyMs: 200 },
  );
}

const WAYS = [
  { stream: false, path: '/v1/chat/completions' },
  { stream: true, path: '/v1/chat/completions' },
  { stream: false, path: '/v1/messages' },
  { stream: true, path: '/v1/messages' },
] as const;

describe('fifty clients at once', () => {
  test('get exactly as many requests as each kind of limit allows', async () => {
    const provider = scripted('first');
    const { url, cwd } = await served(configured([provider], { a: [{ requests: 23, per: 'day' }] }));
    const statuses = await Promise.all(
      Array.from({ length: 50 }, async (_, client) => {
        const mine = [];
        for (let n = 0; n < 2; n += 1)
          mine.push(await ask(url, { key: 'a', user: `slow#${client * 2 + n}`, ...WAYS[client % 4]! }));
        return mine;
      }),
    );
    expect(statuses.flat().filter((status) => status === 200)).toHaveLength(23);
    expect(statuses.flat().filter((status) => status === 429)).toHaveLength(77);
    expect(provider.asked).toHaveLength(23);
    expect(await usedOf(url, 'a', 'requests')).toBe(23);
    const records = await logged(cwd, 'a', 100);
    expect(records.filter(({ status }) => status === 200)).toHaveLength(23);
    expect(records.filter(({ fault }) => fault === 'over_limit')).toHaveLength(77);
  });

  test.each([
    ['tokens', { tokens: 900, per: 'day' }, 1],
    ['budget', { budget: 1.5, per: 'day' }, 1],
  ] as const)(
    'use no more %s than there are, and all that one request fits in',
    async (kind, limit) => {
      const provider = scripted('first');
      const { url, cwd } = await served(configured([provider], { a: [limit] }));
      let taken = 0;
      const client = async (at: number): Promise<void> => {
        for (let n = 0; n < 20; n += 1) {
          const status = await ask(url, { key: 'a', user: `slow#${at * 20 + n}`, ...WAYS[at % 4]! });
          if (status === 200) taken += 1;
          // Most reservations of other requests are released.
          else await Bun.sleep(5);
        }
      };
      await Promise.all(Array.from({ length: 50 }, (_, at) => client(at)));
      const used = await usedOf(url, 'a', kind);
      const most = kind === 'tokens' ? 900 : 1.5;
      // The length of answers is known in advance, and the input is overestimated, so no request may exceed
      // the limit.
      expect(used).toBeLessThanOrEqual(most);
      // A request reserves about 30 tokens, so less than that is left.
      const one = kind === 'tokens' ? 40 : 40 * 0.002;
      expect(used).toBeGreaterThan(most - one);
      const tokens = toldBy([provider]);
      const records = (await logged(cwd, 'a', 1_000)).filter(({ status }) => status === 200);
      expect(records).toHaveLength(taken);
      expect(sum(records.map(chargedOf))).toBe(tokens);
      expect((await own(url, 'a')).usage.total).toMatchObject({ requests: taken, tokens });
      if (kind === 'tokens') expect(used).toBe(tokens);
      else expect(used).toBeCloseTo(sum(records.map(({ cost }) => cost!)), 9);
    },
    60_000,
  );

  test('never exceed the limit of concurrent requests, and all are served in the end', async () => {
    const provider = scripted('first');
    const { url } = await served(configured([provider], { a: [{ concurrent: 5 }] }));
    await Promise.all(
      Array.from({ length: 50 }, async (_, client) => {
        while ((await ask(url, { key: 'a', user: `slow#${client}`, ...WAYS[client % 4]! })) !== 200)
          await Bun.sleep(5);
      }),
    );
    expect(provider.busiest()).toBeGreaterThan(1);
    expect(provider.busiest()).toBeLessThanOrEqual(5);
    expect(await usedOf(url, 'a', 'concurrent')).toBe(0);
    expect([...provider.told.values()].map((all) => all.length)).toEqual(Array(50).fill(1));
  }, 60_000);
});

describe('the usage reported by providers, the ledger, the log and /metrics agree', () => {
  const LIMITS = {
    a: [
      { tokens: 10_000_000, per: 'total' },
      { requests: 1_000_000, per: 'total' },
      { budget: 1e6, per: 'total' },
      { concurrent: 500 },
    ],
  };
  const DEEDS = ['ok', 'slow', 'fail', 'limit', 'late', 'cut', 'refuse', 'leave'];

  /** Each of fifty clients sends every kind of request, in several variants. */
  async function trouble(
    url: string,
    rounds: number,
    between: (round: number) => void = () => undefined,
  ): Promise<number> {
    let asked = 0;
    for (let round = 0; round < rounds; round += 1) {
      await Promise.all(
        Array.from({ length: 50 }, async (_, client) => {
          const what = DEEDS[(client + round) % DEEDS.length]!;
          const user = `${what}#${(asked += 1)}`;
          const leaving = new AbortController();
          const asking = ask(url, {
            key: 'a',
            user,
            model: 'r',
            signal: leaving.signal,
            ...WAYS[(client + (round >> 1)) % 4]!,
          }).catch(() => 0);
          if (what === 'leave') {
            await Bun.sleep(10 + (client % 20));
            leaving.abort();
          }
          if (client === 25) between(round);
          await asking;
        }),
      );
    }
    return asked;
  }

  test('with retries, failovers, hedges, resumed streams, clients that leave, and a reload in between', async () => {
    const providers = [scripted('first'), scripted('second')];
    const { url, cwd } = await served(configured(providers, LIMITS));
    const asked = await trouble(url, 8, (round) => {
      if (round % 3 === 1) written(cwd, configured(providers, { ...LIMITS, [`b${round}`]: [] }));
    });
    const records = await allLogged({ cwd, url }, 'a', asked);
    const charged = sum(records.map(chargedOf));
    expect(await usedOf(url, 'a', 'tokens')).toBe(charged);
    expect(await usedOf(url, 'a', 'requests')).toBe(records.filter(({ attempts }) => attempts > 0).length);
    expect(await usedOf(url, 'a', 'concurrent')).toBe(0);
    const costs = sum(records.map((record) => Math.round(costOf(record) * 1e10)));
    expect(Math.round((await usedOf(url, 'a', 'budget')) * 1e10)).toBe(costs);
    expect((await own(url, 'a')).usage.total.tokens).toBe(charged);
    const metrics = await (await fetch(`${url}/metrics`, { headers: by('ops') })).text();
    const counted = [
      ...metrics.matchAll(
        /^llmproxy_tokens_total\{.*kind="(?:input|output)(?:_estimated|_failed)?"\} (\d+)$/gm,
      ),
    ];
    expect(sum(counted.map(([, value]) => Number(value)))).toBe(charged);
    const ofKey = [...metrics.matchAll(/^llmproxy_key_tokens_total\{.*key="a".*\} (\d+)$/gm)];
    expect(sum(ofKey.map(([, value]) => Number(value)))).toBe(charged);
    // A complete answer is charged as its provider reported; everything else is estimated in the records.
    let complete = 0;
    for (const { user, outcome, estimate, input_tokens: input, output_tokens: output, parts } of records) {
      if (outcome !== 'success' || estimate || parts) continue;
      complete += 1;
      expect([user, input, output]).toEqual([user, tokensOf(user!).input, tokensOf(user!).output]);
      expect(providers.some(({ told }) => told.has(user!))).toBe(true);
    }
    expect(complete).toBeGreaterThan(asked / 2);
    for (const record of records.filter(({ parts }) => parts)) {
      // The first part ended before its usage was reported: its text and input are estimated, and the second
      // part is charged as reported.
      const { input, output } = tokensOf(record.user!);
      expect(record.estimate!.input_tokens).toBeGreaterThan(input);
      expect(record.estimate!.output_tokens).toBeGreaterThanOrEqual(Math.max(output, WORDS.length));
    }
    expect(records.filter(({ parts }) => parts).length).toBeGreaterThan(0);
    expect(records.filter(({ attempts }) => attempts > 1).length).toBeGreaterThan(20);
    expect(records.filter(({ outcome }) => outcome === 'client_abort').length).toBeGreaterThan(5);
  }, 60_000);

  test('when it is killed before anything was written: the log has it', async () => {
    const providers = [scripted('first'), scripted('second')];
    const config = configured(providers, LIMITS, { state: { flush_interval: '1h' } });
    const { url, cwd, process } = await served(config);
    const asked = await trouble(url, 2);
    const charged = sum((await allLogged({ cwd, url }, 'a', asked)).map(chargedOf));
    const before = await own(url, 'a');
    expect(before.limits[0]!.used).toBe(charged);
    process.kill('SIGKILL');
    await process.exited;
    const again = await served(config, cwd);
    const after = await own(again.url, 'a');
    expect(after.limits).toEqual(before.limits);
    expect(after.usage.total).toEqual(before.usage.total);
    // The same again, after everything has been saved.
    again.process.kill('SIGTERM');
    await again.process.exited;
    const third = await served(config, cwd);
    expect((await own(third.url, 'a')).limits).toEqual(before.limits);
  }, 60_000);

  test('when it is killed during requests, except for what was not in the log yet', async () => {
    const providers = [scripted('first'), scripted('second')];
    const config = configured(providers, LIMITS, {
      state: { flush_interval: '100ms' },
      logging: { requests: { flush_interval: '1ms' } },
    });
    const { url, cwd, process } = await served(config);
    const running = trouble(url, 100).catch(() => 0);
    await logged(cwd, 'a', 200);
    process.kill('SIGKILL');
    await process.exited;
    await running;
    const again = await served(config, cwd);
    const records = recordsIn(cwd).filter(({ key }) => key === 'a');
    const { limits, usage } = await own(again.url, 'a');
    const [tokens, requests] = limits;
    const charged = sum(records.map(chargedOf));
    // Saved usage may include records that were not written yet; requests in flight are counted only as
    // requests.
    expect(tokens!.used).toBeGreaterThanOrEqual(charged);
    expect(tokens!.used - charged).toBeLessThan(50 * 60);
    expect(usage.total.tokens).toBe(tokens!.used);
    const taken = records.filter(({ attempts }) => attempts > 0).length;
    expect(requests!.used).toBeGreaterThanOrEqual(taken - 50);
    expect(requests!.used).toBeLessThanOrEqual(taken + 100);
    expect(limits.every(({ reserved }) => reserved === 0)).toBe(true);
    expect(await ask(again.url, { key: 'a', user: 'ok#1' })).toBe(200);
  }, 60_000);

  test('a request that began before the state was written and ended before the crash is counted once', async () => {
    const slow = Promise.withResolvers<void>();
    const provider = upstream(async ({ text }) => {
      if (text.includes('slow')) await slow.promise;
      const message = { role: 'assistant', content: 'hi' };
      return Response.json({
        id: 'c',
        object: 'chat.completion',
        created: 1,
        model: 'm',
        choices: [{ index: 0, message, finish_reason: 'stop' }],
        usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 },
      });
    });
    open.push(provider);
    const config = configured([provider as Told], LIMITS, { state: { flush_interval: '1s' } });
    const { url, cwd, process } = await served(config);
    const first = ask(url, { key: 'a', user: 'slow#1' });
    await until('the request at the provider', () => provider.asked.length, { is: 1 });
    await ask(url, { key: 'a', user: 'ok#2' });
    await until(
      'both are kept',
      () => {
        using db = new Database(join(cwd, 'state/usage.sqlite'), { readonly: true });
        const rows = db
          .query<{ slices: string }, []>("SELECT slices FROM meters WHERE name LIKE '%requests%'")
          .all();
        return rows.some(({ slices }) => (JSON.parse(slices) as number[][])[0]?.[2] === 2);
      },
      { everyMs: 20 },
    );
    slow.resolve();
    expect(await first).toBe(200);
    await logged(cwd, 'a', 2);
    process.kill('SIGKILL');
    await process.exited;
    const again = await served(config, cwd);
    expect((await own(again.url, 'a')).limits.slice(0, 2).map(({ used }) => used)).toEqual([14, 2]);
  }, 60_000);
});

describe('a state directory', () => {
  const CONFIG = () => configured([scripted('first')], { a: [{ requests: 100, per: 'day' }] });

  test('is used by one llmproxy at a time', async () => {
    const { cwd } = await served(CONFIG());
    const { code, err } = run(cwd, 'serve', '--port', '0');
    expect(code).toBe(1);
    expect(err).toContain('Cannot persist usage in state (state.directory): another llmproxy uses it');
  });

  test('with a damaged file is reported by the name of the file', () => {
    const cwd = folder();
    written(cwd, CONFIG());
    mkdirSync(join(cwd, 'state'));
    writeFileSync(join(cwd, 'state/usage.sqlite'), 'no database '.repeat(200));
    const { code, err } = run(cwd, 'serve', '--port', '0');
    expect(code).toBe(1);
    expect(err).toContain('usage.sqlite in it cannot be read (file is not a database)');
    expect(err).not.toContain('    at ');
  });

  test('that cannot be created is reported', () => {
    const cwd = folder();
    written(cwd, CONFIG());
    writeFileSync(join(cwd, 'state'), 'a file');
    const { code, err } = run(cwd, 'serve', '--port', '0');
    expect(code).toBe(1);
    expect(err).toContain('Cannot persist usage in state (state.directory)');
    expect(err).not.toContain('    at ');
  });

  test('that is invalid in a reload leaves the old configuration in effect', async () => {
    const cwd = folder();
    const provider = scripted('first');
    const free = { ...configured([provider], {}), auth: 'none' as const };
    const serving = await served(free, cwd);
    writeFileSync(join(cwd, 'state'), 'a file');
    written(cwd, configured([provider], { a: [{ requests: 1, per: 'day' }] }));
    let told = '';
    void (async () => {
      for await (const bytes of serving.process.stderr) told += new TextDecoder().decode(bytes);
    })();
    await until('the reload to be rejected', () => told.includes('Cannot persist usage in state'));
    expect(await ask(serving.url, { key: 'none', user: 'ok#1' })).toBe(200);
  }, 60_000);

  test('on a full disk does not stop the service, and is reported once', async () => {
    const cwd = folder();
    const config = configured(
      [scripted('first')],
      { a: [{ requests: 100_000, per: 'day' }] },
      {
        groups: {},
        rate_limits: [{ requests: 5, per: 'day', each: 'user' }],
        state: { flush_interval: '20ms' },
        logging: { requests: { enabled: false } },
      },
    );
    written(cwd, config);
    // Simulates a full disk: no file may exceed this size in kB.
    const script = join(cwd, 'serve.sh');
    writeFileSync(
      script,
      `#!/bin/sh\ntrap '' XFSZ\nulimit -f 256\nexport LLMPROXY_DISCOVER_MODELS=false\nexec '${BINARY}' serve --port 0\n`,
    );
    chmodSync(script, 0o755);
    const child = Bun.spawn([script], { cwd, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' });
    try {
      let url: string | undefined;
      for await (const bytes of child.stdout) {
        url = /http:\/\/[\d.:]+/.exec(new TextDecoder().decode(bytes))?.[0];
        if (url) break;
      }
      let told = '';
      const reading = (async () => {
        for await (const bytes of child.stderr) told += new TextDecoder().decode(bytes);
      })();
      for (let n = 0; n < 400 && !told.includes('Cannot write'); n += 1)
        expect(await ask(url!, { key: 'a', user: `ok#${n}` })).toBe(200);
      await until('the message', () => told.includes('Cannot write usage to state'));
      expect(told).toMatch(/full|I\/O error/);
      for (let n = 0; n < 50; n += 1)
        expect(await ask(url!, { key: 'a', user: `ok#${1_000 + n}` })).toBe(200);
      expect(told.split('Cannot write usage').length).toBe(2);
      child.kill('SIGTERM');
      await child.exited;
      await reading;
      expect(child.exitCode).toBe(0);
    } finally {
      child.kill('SIGKILL');
    }
  }, 60_000);
});
