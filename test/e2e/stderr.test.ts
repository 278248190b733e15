/** The output of `serve` while it is running: one line for each request, and one for each change of state. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConfigInput } from '../../src/config/schema.ts';
import { built, cleared, folder, run, serve, serveConfig, serveInTerminal } from '../helpers/binary.ts';
import { until } from '../helpers/until.ts';
import { completion, upstream } from '../helpers/upstream.ts';

beforeAll(built, 60_000);
afterAll(cleared);

const SECRET = 'sk-upstream-0123456789abcdef';
const MOCK: ConfigInput = { providers: [{ name: 'mock', type: 'mock', models: ['*'] }] };

/** A provider that fails until it is switched to working, and rejects the key for one model. */
function moody() {
  const state = { works: false };
  const provider = upstream(({ text }) => {
    const { model } = JSON.parse(text) as { model: string };
    if (model === 'refused')
      return Response.json({ error: { message: `Incorrect API key: ${SECRET}` } }, { status: 401 });
    if (model !== 'good' && !state.works)
      return Response.json({ error: { message: 'out of order' } }, { status: 500 });
    return completion('Hello');
  });
  return { ...provider, state };
}

function configOf(url: string): ConfigInput {
  const shared = { type: 'openai-compatible' as const, base_url: `${url}/v1`, max_retries: 0 };
  return {
    auth: { keys: [{ name: 'alice', key: 'sk-alice-0123456789' }] },
    health: { probe: 'never' },
    routing: { breaker: { failures: 2, cooldown: '2s', max_cooldown: '2s' } },
    providers: [
      { ...shared, name: 'shaky', api_key: SECRET, models: ['bad'] },
      { ...shared, name: 'keyless', api_key: SECRET, models: ['refused'] },
      {
        ...shared,
        name: 'steady',
        api_key: SECRET,
        models: [{ name: 'good', price: { input: 1, output: 2 } }],
      },
    ],
    models: { smart: ['shaky/bad', 'steady/good'], other: ['keyless/refused', 'steady/good'] },
  };
}

async function ask(url: string, model: string): Promise<number> {
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: 'Bearer sk-alice-0123456789' },
    body: JSON.stringify({ model, messages: [{ role: 'user', content: 'Hi' }] }),
  });
  await answer.text();
  return answer.status;
}

/** Times, ids and latencies differ in each run. */
function steadied(text: string): string {
  return text
    .replaceAll(/\b\d\d:\d\d:\d\d\b/g, 'HH:MM:SS')
    .replaceAll(/HH:MM:SS [0-9a-f]{8} (\d{3}) +\d+(?:\.\d+)?m?s /g, 'HH:MM:SS IDENTIFY $1 TIMED ')
    .replaceAll(/next trial in \d s/g, 'next trial in N s');
}

test.concurrent('reports requests, breakers, keys and providers in a terminal', async () => {
  await using provider = moody();
  const serving = await serveInTerminal(configOf(provider.url), { more: { NO_COLOR: '1' } });
  const { url, shown } = serving;
  for (const model of ['smart', 'smart', 'smart', 'good', 'nope\u202E', 'other']) await ask(url, model);
  await until('the message about the provider', () => shown().includes('keyless is unhealthy'));
  provider.state.works = true;
  await until(
    'the breaker to close',
    async () => {
      await ask(url, 'smart');
      return shown().includes('breaker closed');
    },
    { everyMs: 100 },
  );
  const screen = steadied(shown());
  const lines = screen.slice(screen.indexOf('HH:MM:SS')).split('\n');
  expect(lines.slice(0, 9).join('\n')).toBe(
    `
HH:MM:SS IDENTIFY 200 TIMED alice smart → steady/good 10+5 $0.000020 after shaky/bad 500 server
HH:MM:SS warning: shaky/bad: breaker opened, next trial in N s: server: 500 out of order
HH:MM:SS IDENTIFY 200 TIMED alice smart → steady/good 10+5 $0.000020 after shaky/bad 500 server
HH:MM:SS IDENTIFY 200 TIMED alice smart → steady/good 10+5 $0.000020
HH:MM:SS IDENTIFY 200 TIMED alice steady/good 10+5 $0.000020
HH:MM:SS IDENTIFY 404 TIMED alice nope unknown_model: Cannot find model "nope "…
HH:MM:SS warning: keyless: its key is held back, next trial in N s: auth: 401 Incorrect API key: [redacted]
HH:MM:SS IDENTIFY 200 TIMED alice other → steady/good 10+5 $0.000020 after keyless/refused 401 auth`.slice(
      1,
    ) + `\n${lines[8]}`,
  );
  expect(screen).toContain('HH:MM:SS warning: shaky is unhealthy: breaker open for bad\n');
  expect(screen).toContain('HH:MM:SS warning: keyless is unhealthy: down after auth\n');
  expect(screen).toContain('HH:MM:SS shaky/bad: breaker closed, it answers again\n');
  expect(shown()).not.toContain(SECRET);
  expect(shown()).not.toContain('\x1b');
  serving.process.kill('SIGTERM');
  expect(await serving.process.exited).toBe(0);
});

test.concurrent(
  'reports no requests if stderr is not a terminal unless asked to, and nothing at all with --quiet',
  async () => {
    const told = async (...args: string[]) => {
      const cwd = folder();
      writeFileSync(join(cwd, 'config.yaml'), JSON.stringify(MOCK));
      const serving = await serve(cwd, ...args);
      await ask(serving.url, 'any');
      serving.process.kill('SIGTERM');
      expect(await serving.process.exited).toBe(0);
      return await serving.process.stderr.text();
    };
    const line = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ [0-9a-f]{8} 200 +\d+ms \S+ /m;
    const [usual, shown, quiet, debug, inJson] = await Promise.all([
      told(),
      told('--show-requests'),
      told('--quiet'),
      told('--log-level', 'debug'),
      told('--show-requests', '--log-format', 'json'),
    ]);
    expect(usual).not.toMatch(line);
    expect(shown).toMatch(line);
    expect(quiet).toBe('');
    expect(debug).toMatch(line);
    expect(debug).toMatch(/^ {4}1\. mock\/\S+ --- +\d+ms answered$|^ {4}1\. mock\/\S+ 200 +\d+ms answered$/m);
    expect(debug).toMatch(/^ {4}id req_[0-9a-f]{32} · endpoint chat · /m);
    const objects = inJson
      .trim()
      .split('\n')
      .map((each) => JSON.parse(each) as Record<string, unknown>);
    expect(objects.at(-1)).toMatchObject({
      level: 'info',
      event: 'request',
      status: 200,
      outcome: 'success',
      attempts: [{ fault: null }],
    });
    const cwd = folder();
    expect(run(cwd, 'serve', '--log-level', 'loud')).toMatchObject({
      code: 2,
      err: 'Cannot use --log-level loud: expected silent, error, warn, info or debug\n',
    });
    expect(run(cwd, 'serve', '--quiet', '--show-requests').err).toBe(
      'Cannot use --quiet with --show-requests: give one of them\n',
    );
  },
);

test.concurrent('reports changes of state to programs by name and fields', async () => {
  await using provider = moody();
  const { url, process } = await serveConfig({
    ...configOf(provider.url),
    logging: { format: 'json', level: 'warn' },
  });
  for (let n = 0; n < 2; n++) await ask(url, 'smart');
  await ask(url, 'other');
  let said = '';
  const reading = (async () => {
    for await (const bytes of process.stderr) said += new TextDecoder().decode(bytes);
  })();
  await until('the state of a provider', () => said.includes('"event":"provider_state"'));
  process.kill('SIGTERM');
  await reading;
  const events = said
    .trim()
    .split('\n')
    .map((each) => JSON.parse(each) as Record<string, unknown>);
  const named = (event: string) => events.find((each) => each.event === event);
  expect(named('breaker_opened')).toMatchObject({ level: 'warn', target: 'shaky/bad', fault: 'server' });
  expect(named('key_held')).toMatchObject({ level: 'warn', provider: 'keyless', key: 0, fault: 'auth' });
  expect(named('provider_state')).toMatchObject({ level: 'warn', before: 'healthy' });
  expect(JSON.stringify(events)).not.toContain(SECRET);
});

test.concurrent('reports when 80 % of a budget is used, and when it is used up', async () => {
  await using provider = upstream(() =>
    completion('Hello', { usage: { prompt_tokens: 0, completion_tokens: 45, total_tokens: 45 } }),
  );
  const { url, process } = await serveConfig({
    auth: { keys: [{ name: 'alice', key: 'sk-alice-0123456789', limits: [{ budget: 0.01, per: 'day' }] }] },
    providers: [
      {
        name: 'priced',
        type: 'openai-compatible',
        base_url: `${provider.url}/v1`,
        models: [{ name: 'good', price: { input: 0, output: 100 }, max_output: 45 }],
      },
    ],
    limits: { assumed_output: 45 },
    logging: { level: 'warn', format: 'json' },
  });
  const statuses = [
    await ask(url, 'good'),
    await ask(url, 'good'),
    await ask(url, 'good'),
    await ask(url, 'good'),
  ];
  expect(statuses).toEqual([200, 200, 429, 429]);
  process.kill('SIGTERM');
  const said = (await process.stderr.text())
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { event?: string; message: string });
  expect(said).toEqual([
    expect.objectContaining({
      level: 'warn',
      event: 'limits',
      message: expect.stringMatching(/^Nearly used up: 90% taken of 0.01 USD per day of key alice/) as string,
    }),
    expect.objectContaining({
      event: 'limits',
      message: expect.stringMatching(
        /^Used up: 90% taken of 0.01 USD per day of key alice .*: requests that need more are refused$/,
      ) as string,
    }),
  ]);
});

test.concurrent('continues while a terminal is stopped, and ends on a signal', async () => {
  const serving = await serveInTerminal(MOCK);
  serving.type('\x13');
  // More than the buffer of a terminal holds.
  for (let n = 0; n < 400; n += 20) {
    const statuses = await Promise.all(Array.from({ length: 20 }, () => ask(serving.url, 'any')));
    expect(new Set(statuses)).toEqual(new Set([200]));
  }
  serving.process.kill('SIGTERM');
  expect(await serving.process.exited).toBe(0);
});
