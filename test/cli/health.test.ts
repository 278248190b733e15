import type { HealthReport } from '../../src/cli/health-text.ts';
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { healthText } from '../../src/cli/health-text.ts';
import { built, cleared, folder, run, runInTerminal, serveConfig } from '../helpers/binary.ts';
import { upstream } from '../helpers/upstream.ts';

beforeAll(built, 60_000);
afterAll(cleared);

type Provider = HealthReport['providers'][number];
type Held = Provider['held'][number];

const HELD: Held = {
  scope: 'provider',
  model: null,
  endpoint: null,
  key: null,
  fault: 'unreachable',
  message: 'Cannot reach down: connection refused',
  since: '2026-01-02T08:12:17.500Z',
  next_trial: '2026-01-02T08:12:33.900Z',
  due: false,
};

function report(held: readonly Held[], more: Partial<Provider> = {}): HealthReport {
  const provider: Provider = {
    name: 'down',
    type: 'openai-compatible',
    state: 'unhealthy',
    reasons: [],
    in_flight: 0,
    keys: { total: 1, down: 0 },
    calls: 1,
    success_rate: 0,
    p50_ms: null,
    p95_ms: null,
    breaker: 'closed',
    breakers: { closed: 2, open: 0, half_open: 0 },
    last_error: null,
    next_probe: '2026-01-02T08:12:20.000Z',
    redacts: [],
    models: null,
    held,
    targets: [],
    ...more,
  };
  return { status: 'unhealthy', providers: [provider] };
}

/** The text below the table. */
const below = (shown: HealthReport, width = Infinity) => healthText(shown, width).split('\n').slice(3);

describe('the output of health', () => {
  test('shows what is on hold once, without reasons and a last error that say the same', () => {
    const shown = report([HELD], {
      reasons: ['0 % of recent calls succeed', 'unreachable: Cannot reach down: connection refused'],
      last_error: { fault: 'unreachable', message: 'Cannot reach down: connection refused', at: HELD.since },
    });
    expect(below(shown, 80)).toEqual([
      'down  next trial 08:12:33Z, held back since 08:12:17Z: whole provider',
      '      unreachable: connection refused',
      'down  0 % of recent calls succeed',
    ]);
    expect(below(shown)[0]).toBe(
      'down  next trial 08:12:33Z, held back since 08:12:17Z: whole provider; unreachable: connection refused',
    );
  });

  test('shows a request log that cannot be written, and nothing of one that can', () => {
    const state = { since: HELD.since, reason: 'no space left on device', pending: 3_500_000, lost: 7 };
    expect(below({ ...report([]), log: { state: 'failing', ...state } })).toEqual([
      'request log  cannot be written since 08:12:17Z: no space left on device; 3.3 MiB wait in memory, 7 records lost since the start',
    ]);
    expect(below({ ...report([]), log: { state: 'ok', ...state, since: null, reason: null } })).toEqual([]);
    expect(below({ ...report([]), log: null })).toEqual([]);
  });

  test('shows files that cannot be uploaded, and nothing of those that can', () => {
    const log = { state: 'ok' as const, since: null, reason: null, pending: 0, lost: 0 };
    const upload = {
      state: 'failing' as const,
      since: HELD.since,
      reason: 'there is no such bucket',
      files: 3,
      bytes: 3_500_000,
      uploaded: 5,
      uploaded_bytes: 9,
      failures: 4,
      lost: 1,
    };
    expect(below({ ...report([]), log: { ...log, upload } })).toEqual([
      'upload  of the request log has failed since 08:12:17Z: there is no such bucket; 3 files are waiting, 3.3 MiB, 1 deleted before they were uploaded',
    ]);
    expect(below({ ...report([]), log: { ...log, upload: { ...upload, state: 'ok' } } })).toEqual([]);
  });

  test('shows how many models a provider lists, or why it lists none', () => {
    const row = (models: Provider['models'], state: Provider['state'] = 'healthy') =>
      healthText(report([], { models, state }), Infinity).split('\n').slice(2);
    expect(row({ listed: 87, at: HELD.since, error: 'Cannot list the models of down: no' })).toEqual([
      expect.stringMatching(/^down .* 87$/),
    ]);
    expect(healthText(report([]), Infinity)).not.toContain('MODELS');
    const none = { listed: 0, at: null, error: 'Cannot list the models of down: it answered 401' };
    expect(row(none)[1]).toBe('down  Cannot list the models of down: it answered 401');
    expect(row(none, 'unhealthy')).toHaveLength(1);
  });

  test('shows reasons and a last error that nothing on hold explains', () => {
    const last_error = { fault: 'server', message: '500: No', at: HELD.since };
    expect(below(report([], { reasons: ['10 % of recent calls succeed'], last_error }))).toEqual([
      'down  10 % of recent calls succeed',
      'down  last error: 500: No',
    ]);
  });

  test('shows models that are on hold for the same reason in one line', () => {
    const of = (model: string, since: string, next_trial: string) => ({
      ...HELD,
      scope: 'target' as const,
      fault: 'server',
      message: '500: No',
      model,
      since: `2026-01-02T08:12:${since}.000Z`,
      next_trial: `2026-01-02T08:12:${next_trial}.000Z`,
    });
    const held = [
      of('a', '17', '35'),
      of('b', '16', '33'),
      { ...of('c', '16', '33'), message: '500: Other' },
    ];
    expect(below(report(held, { reasons: ['breaker open for a, b, c'] }))).toEqual([
      'down  next trials from 08:12:33Z, held back since 08:12:16Z: a, b; server: 500: No',
      'down  next trial 08:12:33Z, held back since 08:12:16Z: c; server: 500: Other',
    ]);
  });

  test('shows a cooldown that is over as ending with the next request, and not with the present time', () => {
    expect(below(report([{ ...HELD, due: true }]))[0]).toStartWith(
      'down  the next request tries it, held back',
    );
    expect(below(report([{ ...HELD, next_trial: null }]))[0]).toStartWith('down  being tried now, held back');
  });

  test('shows the number of a key only if there are several', () => {
    const held = [{ ...HELD, scope: 'key' as const, key: 0, fault: 'auth', message: '401: No' }];
    const limited = [{ ...held[0]!, model: 'a', fault: 'rate_limited' }];
    expect(below(report(held))[0]).toContain('Z: its key; auth: 401: No');
    expect(below(report(limited))[0]).toContain('Z: a; rate_limited');
    const keys = { total: 2, down: 1 };
    expect(below(report(held, { keys }))[0]).toContain('Z: key 1; auth');
    expect(below(report(limited, { keys }))[0]).toContain('Z: a, key 1; rate_limited');
  });

  test.each([64, 80, 120])('fits into %d columns, whatever the provider says', (width) => {
    const message = `400: ${'many words '.repeat(30)}${'x'.repeat(200)}\nand\x1b[2J more`;
    const held = Array.from({ length: 20 }, (_, n) => ({ ...HELD, model: `model-${n}`, message }));
    const shown = report(held.map((each) => ({ ...each, scope: 'target' as const })));
    const lines = below(shown, width);
    expect(lines.filter((line) => line.length > width)).toEqual([]);
    expect(lines.slice(1).filter((line) => !line.startsWith('      '))).toEqual([]);
    expect(lines.join('')).not.toContain('\x1b');
    expect(lines.map((line) => line.trim()).join('')).toContain('model-19');
    expect(below(shown)).toHaveLength(1);
  });
});

describe('llmproxy health', () => {
  test('shows the breaker of a provider that cannot be reached, and /metrics counts it', async () => {
    const { url } = await serveConfig({
      health: { probe: 'never' },
      routing: { breaker: { failures: 1, cooldown: '1m', max_cooldown: '1m' } },
      providers: [
        {
          name: 'down',
          type: 'openai-compatible',
          base_url: 'http://127.0.0.1:1/v1',
          models: ['a', 'b'],
          max_retries: 0,
        },
      ],
    });
    const body = JSON.stringify({ model: 'a', messages: [{ role: 'user', content: 'x' }] });
    expect((await fetch(`${url}/v1/chat/completions`, { method: 'POST', body })).status).toBe(502);
    const { code, out } = run(folder(), 'health', '--url', url);
    expect(code).toBe(2);
    expect(out).toMatch(/^down +unhealthy +open /m);
    const held =
      /^down {2}next trial [\d:]{8}Z, held back since [\d:]{8}Z: whole provider; unreachable: connection refused$/gm;
    expect(out.match(held)).toHaveLength(1);
    expect(out.match(/connection refused/g)).toHaveLength(1);
    expect(await (await fetch(`${url}/metrics`)).text()).toContain(
      'llmproxy_breaker_open{provider="down"} 1',
    );
    const lines = (await runInTerminal(60, 'health', '--url', url)).split('\n');
    expect(lines.filter((line) => line.length > 60)).toEqual([]);
    expect(lines).toContain('      unreachable: connection refused');
  });

  test('says that the next request tries it when the cooldown is over', async () => {
    const { url } = await serveConfig({
      health: { probe: 'never' },
      routing: { breaker: { failures: 1, cooldown: '1ms', max_cooldown: '1ms' } },
      providers: [
        {
          name: 'down',
          type: 'openai-compatible',
          base_url: 'http://127.0.0.1:1/v1',
          models: ['a'],
          max_retries: 0,
        },
      ],
    });
    const body = JSON.stringify({ model: 'a', messages: [{ role: 'user', content: 'x' }] });
    await (await fetch(`${url}/v1/chat/completions`, { method: 'POST', body })).text();
    await Bun.sleep(10);
    const { out } = run(folder(), 'health', '--url', url);
    expect(out).toContain('down  the next request tries it, held back since ');
  });

  test('says what to do if no proxy answers', async () => {
    const refused = run(folder(), 'health', '--url', 'http://127.0.0.1:1');
    expect([refused.code, refused.err]).toEqual([
      3,
      'Cannot reach http://127.0.0.1:1: connection refused. Is llmproxy running there? Give its address with --url\n',
    ]);
    await using other = upstream(() => new Response('hello'));
    const child = await runInTerminal(200, 'health', '--url', other.url);
    expect(child).toContain(`Cannot ask ${other.url}: the server there is not llmproxy`);
  });

  test('uses the endpoints of probes with --live and --ready, without a key', async () => {
    const auth = { keys: [{ name: 'apps', key: 'sk-0123456789abcdef' }] };
    const mock = { name: 'mock', type: 'mock' };
    const { url } = await serveConfig({ auth, providers: [mock] });
    expect(run(folder(), 'health', '--url', url).code).toBe(3);
    expect(run(folder(), 'health', '--url', url, '--live')).toMatchObject({ code: 0, out: 'live\n' });
    expect(run(folder(), 'health', '--url', url, '--ready')).toMatchObject({ code: 0, out: 'ready\n' });
    const none = await serveConfig({ auth, providers: [{ ...mock, enabled: false }] });
    expect(run(folder(), 'health', '--url', none.url, '--live').code).toBe(0);
    expect(run(folder(), 'health', '--url', none.url, '--ready').code).toBe(2);
    await using other = upstream(() => new Response('hello'));
    expect(await runInTerminal(200, 'health', '--url', other.url, '--ready')).toContain(
      `Cannot ask ${other.url}: the server there is not llmproxy`,
    );
  });
});
