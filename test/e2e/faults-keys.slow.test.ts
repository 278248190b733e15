/**
 * The compiled binary in front of providers that reject its key or report missing credit; and how they
 * recover.
 */
import { expect } from 'bun:test';
import type { Rig } from '../helpers/rig.ts';
import { run } from '../helpers/binary.ts';
import { fresh } from '../helpers/caller.ts';
import { expectHeldBack, expectWhole, providerAt, themeOfEach } from '../helpers/rig.ts';
import { until } from '../helpers/until.ts';

// Longer than any test, so that no probe helps.
const LONG = { health: { interval: '1h' } } as const;

const { everyWay, bothModes } = themeOfEach(LONG);

for (const [what, fault] of [
  ['401', '401'],
  ['402', '402'],
  ['insufficient_quota', '429-quota'],
] as const) {
  everyWay(
    `${what} makes all models of the provider unavailable at once, and the next provider answers`,
    async ({ rig, stream }) => {
      const seen = await rig.ask(fresh(fault), { stream });
      expectWhole(seen, stream);
      expect(seen.headers.get('x-llmproxy-provider')).toBe('steady');
      expect(rig.broken.attempts.length).toBe(1);
      expectWhole(await rig.ask(fresh('say:yes'), { stream }), stream);
      expect(rig.broken.attempts.length).toBe(1);
      const expected = fault === '401' ? 'auth' : 'billing';
      expect((await rig.recordOf(seen)).attempt_log[0]!.fault).toBe(expected);
    },
  );

  bothModes(
    `the operator sees ${what} at once in /health, /providers and /metrics, and with llmproxy health`,
    async ({ rig, stream }) => {
      await rig.ask(fresh(fault), { stream });
      const { state, reasons } = await rig.provider('broken');
      expect([state, reasons.join()]).toEqual(['unhealthy', expect.stringContaining('down')]);
      const { status, providers } = await rig.health();
      expect([status, providers]).toEqual([
        'degraded',
        expect.objectContaining({ healthy: 1, unhealthy: 1 }),
      ]);
      const metrics = await (await fetch(`${rig.url}/metrics`)).text();
      expect(metrics).toContain('llmproxy_provider_state{provider="broken"} 0');
      expect(metrics).toContain('llmproxy_provider_state{provider="steady"} 2');
      const { code, out } = run('.', 'health', '--url', rig.url);
      expect([code, out]).toEqual([1, expect.stringMatching(/broken +unhealthy/)]);
    },
  );

  everyWay(`${what} of the only target ends in 502 and does not quote the key`, async ({ rig, stream }) => {
    const first = await rig.ask(`broken/${fresh(fault)}`, { stream });
    const second = await rig.ask(`broken/${fresh(fault)}`, { stream });
    expect([first.status, first.error !== undefined]).toEqual([502, true]);
    expect([502, 503]).toContain(second.status);
    expect(first.body + second.body).not.toContain('sk-');
    expectHeldBack(rig.broken.attempts, 1);
  });
}

everyWay('a 401 inside a 200 takes the provider out like a 401', async ({ rig, stream }) => {
  const seen = await rig.ask(fresh('error-first:401'), { stream });
  expectWhole(seen, stream);
  expectWhole(await rig.ask(fresh('any'), { stream }), stream);
  expect(rig.broken.attempts.length).toBe(1);
  expect((await rig.provider('broken')).state).toBe('unhealthy');
});

const rotating = themeOfEach({
  ...LONG,
  others: ({ broken, protocol }) => [
    providerAt(protocol, 'good', broken, {
      api_key: undefined,
      api_keys: ['sk-1', 'sk-2', 'sk-3'],
      priority: 8,
      max_retries: 0,
    }),
    providerAt(protocol, 'mixed', broken, {
      api_key: undefined,
      api_keys: ['sk-bad-1', 'sk-2', 'sk-bad-3'],
      priority: 9,
      max_retries: 0,
    }),
  ],
});

/** The keys of the attempts, in order. */
function keys({ broken }: Rig): string[] {
  return broken.attempts.map(({ headers }) =>
    (headers['authorization'] ?? headers['x-api-key'] ?? '').replace('Bearer ', ''),
  );
}

rotating.everyWay('several keys of one provider are used in turn', async ({ rig, stream }) => {
  for (let n = 0; n < 6; n += 1) expectWhole(await rig.ask(`good/${fresh('any')}`, { stream }), stream);
  expect(keys(rig)).toEqual(['sk-1', 'sk-2', 'sk-3', 'sk-1', 'sk-2', 'sk-3']);
});

rotating.everyWay(
  'a refused key is replaced by the next one within the same request, and not used again',
  async ({ rig, stream }) => {
    for (let n = 0; n < 4; n += 1) {
      expectWhole(await rig.ask(`mixed/${fresh('bad-key')}`, { stream }), stream);
    }
    const sent = keys(rig);
    expect(sent.filter((key) => key.includes('bad')).sort()).toEqual(['sk-bad-1', 'sk-bad-3']);
    expect(sent.filter((key) => key === 'sk-2').length).toBe(4);
    const { state, reasons } = await rig.provider('mixed');
    expect([state, reasons.join()]).toEqual(['degraded', expect.stringContaining('key')]);
  },
);

rotating.everyWay('a key at its rate limit is replaced by the next one at once', async ({ rig, stream }) => {
  const model = fresh('429-seconds:60-x2');
  expectWhole(await rig.ask(`good/${model}`, { stream }), stream);
  expect(keys(rig)).toEqual(['sk-1', 'sk-2', 'sk-3']);
});

const recovering = themeOfEach({ ...LONG, health: { interval: '150ms', timeout: '2s' } });

recovering.bothModes(
  'a probe of the free endpoint makes a provider available before its cooldown is over',
  async ({ rig, stream }) => {
    rig.broken.probeStatus = 401;
    await rig.ask(fresh('401'), { stream });
    await until('two probes', () => rig.broken.probes.length, { atLeast: 2 });
    expect((await rig.ask(fresh('any'), { stream })).headers.get('x-llmproxy-provider')).toBe('steady');
    rig.broken.probeStatus = 200;
    await until('the provider to be up', async () => (await rig.provider('broken')).state !== 'unhealthy');
    const seen = await rig.ask(fresh('any'), { stream });
    expectWhole(seen, stream);
    expect(seen.headers.get('x-llmproxy-provider')).toBe('broken');
    expect(new Set(rig.broken.probes.map(({ path }) => path))).toEqual(new Set(['/v1/models']));
  },
);

recovering.once('a provider that is up is not probed', async (rig) => {
  await rig.ask(fresh('any'));
  await Bun.sleep(600);
  expect([rig.broken.probes.length, rig.steady.probes.length]).toEqual([0, 0]);
});

const never = themeOfEach({ ...LONG, health: { probe: 'never', interval: '100ms' } });

never.once('probe: never leaves a provider alone, also one that is down', async (rig) => {
  await rig.ask(fresh('401'));
  await Bun.sleep(500);
  expect([rig.broken.probes.length, rig.broken.attempts.length]).toEqual([0, 1]);
});

const always = themeOfEach({
  health: { probe: 'always', interval: '100ms' },
  steady: { enabled: false },
  others: ({ steady, protocol }) => [
    providerAt(protocol, 'paid', steady, { priority: 3, probe_model: 'say:ready' }),
  ],
});

always.once('probe: always asks one free endpoint at a time, never a disabled provider’s', async (rig) => {
  await until('four probes', () => rig.broken.probes.length, { atLeast: 4 });
  const { probes } = rig.broken;
  for (const [n, probe] of probes.slice(1).entries()) {
    expect(probe.atMs).toBeGreaterThanOrEqual(probes[n]!.closedAtMs!);
  }
  expect([rig.broken.attempts.length, rig.steady.probes.length]).toEqual([0, 0]);
});

always.once(
  'a provider is probed with a request that costs money only if probe_model is set',
  async (rig) => {
    await until('two requests', () => rig.steady.attempts.length, { atLeast: 2 });
    expect(new Set(rig.steady.attempts.map(({ model }) => model))).toEqual(new Set(['say:ready']));
  },
);
