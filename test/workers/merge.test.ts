import { describe, expect, test } from 'bun:test';
import type { Family, Sample } from '../../src/pipeline/metrics/prometheus.ts';
import type { HeldStatus, ProviderStatus, TargetStatus } from '../../src/pipeline/targets/status.ts';
import { disabledStatus } from '../../src/pipeline/targets/status.ts';
import type { LogState } from '../../src/logs/trouble.ts';
import { mergeLogs } from '../../src/workers/merge-log.ts';
import { withoutGauges, mergeFamilies } from '../../src/workers/merge-metrics.ts';
import { mergeProviders } from '../../src/workers/merge-providers.ts';

const status = (changes: Partial<ProviderStatus> = {}): ProviderStatus => ({
  ...disabledStatus('a', 'openai', ''),
  state: 'healthy',
  reasons: [],
  keys: { total: 2, down: 0 },
  ...changes,
});

const target = (changes: Partial<TargetStatus> = {}): TargetStatus => ({
  model: 'm',
  breaker: 'closed',
  calls: 0,
  success_rate: null,
  first_content_p95_ms: null,
  resting: null,
  ...changes,
});

const held = (changes: Partial<HeldStatus> = {}): HeldStatus => ({
  scope: 'target',
  model: 'm',
  endpoint: null,
  key: null,
  fault: 'server',
  message: '500',
  since: '2026-01-01T00:00:05.000Z',
  next_trial: '2026-01-01T00:00:09.000Z',
  due: false,
  ...changes,
});

/** The status of one provider, merged from those of workers 1, 2 and so on. */
function merged(...all: Partial<ProviderStatus>[]): ProviderStatus {
  const seen = all.map((changes, index) => ({ worker: index + 1, providers: [status(changes)] }));
  const [one, ...others] = mergeProviders(seen);
  expect(others).toEqual([]);
  return one!;
}

describe('mergeProviders()', () => {
  test('returns the status of a single worker unchanged', () => {
    const one = status({ p50_ms: 1.25, held: [held()] });
    expect(mergeProviders([{ worker: 3, providers: [one] }])).toEqual([one]);
  });

  test.each([
    [['healthy', 'healthy', 'healthy'], 'healthy'],
    [['healthy', 'unhealthy', 'unhealthy'], 'degraded'],
    [['degraded', 'healthy', 'healthy'], 'degraded'],
    [['unhealthy', 'unhealthy', 'unhealthy'], 'unhealthy'],
    [['disabled', 'disabled', 'disabled'], 'disabled'],
  ] as const)('merges the states %p to %s', (states, expected) => {
    expect(merged(...states.map((state) => ({ state }))).state).toBe(expected);
  });

  test('returns reasons that all workers have once, and others with their workers', () => {
    const { reasons } = merged(
      { reasons: ['slow', 'down'] },
      { reasons: ['slow'] },
      { reasons: ['slow', 'down', 'odd'] },
    );
    expect(reasons).toEqual(['slow', 'worker 1, 3: down', 'worker 3: odd']);
  });

  test('adds up counts, and weights rates by calls', () => {
    const one = merged(
      { in_flight: 1, calls: 30, success_rate: 1, p50_ms: 10, p95_ms: null },
      { in_flight: 2, calls: 10, success_rate: 0.2, p50_ms: 20, p95_ms: 7 },
      { in_flight: 4, calls: 0 },
    );
    expect(one).toMatchObject({ in_flight: 7, calls: 40, success_rate: 0.8, p50_ms: 12.5, p95_ms: 7 });
  });

  test('returns the worst breaker and keys, the latest error and the next probe', () => {
    const error = (at: string) => ({ fault: 'server', message: at, at });
    const one = merged(
      {
        breaker: 'half_open',
        keys: { total: 2, down: 1 },
        last_error: error('2026-01-02'),
        next_probe: null,
      },
      { breaker: 'open', last_error: error('2026-01-03'), next_probe: '2026-01-05' },
      { targets: [target()], last_error: null, next_probe: '2026-01-04' },
    );
    expect(one).toMatchObject({ breaker: 'open', keys: { total: 2, down: 1 }, next_probe: '2026-01-04' });
    expect(one.last_error?.at).toBe('2026-01-03');
  });

  test('merges targets, and counts each target’s breaker once', () => {
    const one = merged(
      { targets: [target({ calls: 3, success_rate: 1 }), target({ model: 'n' })] },
      { targets: [target({ breaker: 'open', calls: 1, success_rate: 0, resting: { fault: 'x', ms: 5 } })] },
    );
    expect(one.breakers).toEqual({ closed: 1, open: 1, half_open: 0 });
    expect(one.targets).toEqual([
      target({ breaker: 'open', calls: 4, success_rate: 0.75, resting: { fault: 'x', ms: 5 } }),
      target({ model: 'n' }),
    ]);
  });

  test('merges equal cooldowns, with the earliest start and the earliest trial', () => {
    const one = merged(
      { held: [held(), held({ model: 'n' })] },
      {},
      { held: [held({ since: '2026-01-01T00:00:01.000Z', next_trial: null, due: true })] },
    );
    expect(one.held).toEqual([
      { ...held({ since: '2026-01-01T00:00:01.000Z', due: true }), workers: [1, 3] },
      { ...held({ model: 'n' }), workers: [1] },
    ]);
  });
});

describe('mergeFamilies()', () => {
  const family = (changes: Partial<Family>): Family => ({
    help: 'h',
    name: 'x',
    type: 'counter',
    aggregator: 'sum',
    values: [],
    ...changes,
  });

  test('adds up values with the same labels, in any order of workers', () => {
    const a = { labels: { p: 'a' }, value: 1 };
    const b = { labels: { p: 'b' }, value: 2 };
    const merged = mergeFamilies([[family({ values: [a] })], [family({ values: [b, a] })], []]);
    expect(merged).toEqual([family({ values: [{ ...a, value: 2 }, b] })]);
  });

  test('keeps the buckets, sum and count of a histogram separate and in order', () => {
    const values: Sample[] = [
      { labels: { le: 1, p: 'a' }, value: 1, metricName: 'x_bucket' },
      { labels: { le: '+Inf', p: 'a' }, value: 3, metricName: 'x_bucket' },
      { labels: { p: 'a' }, value: 9.5, metricName: 'x_sum' },
      { labels: { p: 'a' }, value: 3, metricName: 'x_count' },
    ];
    const one = family({ type: 'histogram', values });
    const doubled = values.map((each) => ({ ...each, value: each.value * 2 }));
    expect(mergeFamilies([[one], [one]])).toEqual([{ ...one, values: doubled }]);
  });

  test.each([
    [[2, 2], 2],
    [[0, 0], 0],
    [[2, 0], 1],
    [[-1, -1], -1],
  ])('merges the states %p to %d', (states, expected) => {
    const of = (value: number) => [
      family({ type: 'gauge', aggregator: 'state', values: [{ labels: {}, value }] }),
    ];
    expect(mergeFamilies(states.map(of))[0]!.values[0]!.value).toBe(expected);
  });

  test('lasting() omits gauges, which describe only the moment', () => {
    const all = (['counter', 'gauge', 'histogram'] as const).map((type) => family({ type }));
    expect(withoutGauges(all).map(({ type }) => type)).toEqual(['counter', 'histogram']);
  });
});

describe('mergeLogs()', () => {
  const well: LogState = { state: 'ok', since: null, reason: null, pending: 10, lost: 1 };
  const failing = (since: string, reason: string): LogState => ({
    state: 'failing',
    since,
    reason,
    pending: 500,
    lost: 3,
  });
  const of = (...logs: (LogState | null)[]) =>
    mergeLogs(logs.map((log, index) => ({ worker: index + 1, log })));

  test('is ok if all logs are, and adds up pending and lost records', () => {
    expect(of(well, well)).toEqual({ ...well, pending: 20, lost: 2 });
  });

  test('has failed since the first failure, and names the workers of each reason', () => {
    const late = failing('2026-01-01T00:00:09.000Z', 'no space left on device');
    const early = failing('2026-01-01T00:00:05.000Z', 'permission denied');
    expect(of(well, late, early, late)).toEqual({
      state: 'failing',
      since: '2026-01-01T00:00:05.000Z',
      reason: 'worker 2, 4: no space left on device; worker 3: permission denied',
      pending: 1_510,
      lost: 10,
    });
    expect(of(late, late)?.reason).toBe('no space left on device');
  });

  test('adds up pending uploads, and names the worker whose upload fails', () => {
    const upload = {
      state: 'ok' as const,
      since: null,
      reason: null,
      files: 1,
      bytes: 10,
      uploaded: 2,
      uploaded_bytes: 20,
      failures: 0,
      lost: 0,
    };
    const down = {
      ...upload,
      state: 'failing' as const,
      since: '2026-01-01T00:00:05.000Z',
      reason: 'no such bucket',
      failures: 3,
    };
    const merged = of({ ...well, upload }, { ...well, upload: down });
    expect(merged?.upload).toEqual({
      ...down,
      reason: 'worker 2: no such bucket',
      files: 2,
      bytes: 20,
      uploaded: 4,
      uploaded_bytes: 40,
    });
    expect(merged?.state).toBe('ok');
    expect(of(well, well)).not.toHaveProperty('upload');
  });

  test('is null without logs', () => {
    expect(of(null, null)).toBeNull();
    expect(of()).toBeNull();
  });
});
