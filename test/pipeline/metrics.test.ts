import { expect, test } from 'bun:test';
import type { MetricSources } from '../../src/pipeline/metrics/metrics.ts';
import type { ProviderStatus } from '../../src/pipeline/targets/status.ts';
import { Metrics } from '../../src/pipeline/metrics/metrics.ts';
import { prometheusText } from '../../src/pipeline/metrics/prometheus.ts';
import { atOnce } from '../../src/turns.ts';
import { logRecord } from '../helpers/log-record.ts';

const NOTHING: MetricSources = {
  providers: () => [],
  inFlight: () => 0,
  sessions: () => 0,
  buffered: () => 0,
  unread: () => 0,
  recording: () => 0,
  log: () => ({ written: 0, dropped: 0, pending: 0 }),
  upload: () => undefined,
  sinkErrors: () => new Map(),
  pluginRecordsDropped: () => 0,
  responsesDropped: () => 0,
  backgroundJobs: () => 0,
  spansDropped: () => 0,
  refusals: () => [],
  decisions: () => ({}),
  version: '1.2.3',
  sharedLimits: () => undefined,
  sharedResponses: () => undefined,
  limits: () => [],
  memory: () => 0,
};

/** The sample lines of one metric, without the metric’s name. */
function linesOf(metrics: Metrics, name: string): string[] {
  const lines = atOnce(prometheusText(metrics.families())).split('\n');
  return lines
    .filter((line) => line.startsWith(`llmproxy_${name}`))
    .map((line) => line.slice(9 + name.length));
}

test('observe() adds up records with the same labels, and separates others', () => {
  const metrics = new Metrics(NOTHING);
  metrics.observe(logRecord());
  metrics.observe(logRecord({ output_tokens: 2, cached_tokens: 0, cost: null }));
  metrics.observe(logRecord({ status: 499, outcome: 'client_abort', output_tokens: null }));
  metrics.observe(logRecord({ provider: null, upstream_model: null, input_tokens: null, output_tokens: 0 }));
  const kind = 'endpoint="chat",provider="local",model="small-1"';
  expect(linesOf(metrics, 'requests_total')).toEqual([
    `{${kind},outcome="success",status="200"} 2`,
    `{${kind},outcome="client_abort",status="499"} 1`,
    '{endpoint="chat",provider="",model="",outcome="success",status="200"} 1',
  ]);
  // A kind of token has no line if no answer reported it, but has one if an answer reported 0.
  expect(linesOf(metrics, 'tokens_total')).toEqual([
    '{provider="local",model="small-1",kind="input"} 9',
    '{provider="local",model="small-1",kind="output"} 7',
    '{provider="",model="",kind="output"} 0',
  ]);
  expect(linesOf(metrics, 'cost_usd_total')).toEqual([
    '{provider="local",model="small-1"} 0.000024',
    '{provider="",model=""} 0.000012',
  ]);
});

test('observe() counts attempts by provider, and failed ones by fault', () => {
  const metrics = new Metrics(NOTHING);
  const attempt_log = [
    { target: 'a/x/y', fault: 'server', status: 500, ms: 1 },
    { target: 'b/x', fault: 'server', status: 500, ms: 1 },
    { target: 'a/z', fault: null, status: 200, ms: 1 },
  ] as const;
  metrics.observe(logRecord({ attempt_log: [...attempt_log] }));
  expect(linesOf(metrics, 'attempts_total')).toEqual(['{provider="a"} 2', '{provider="b"} 1']);
  expect(linesOf(metrics, 'attempt_faults_total')).toEqual([
    '{provider="a",fault="server"} 1',
    '{provider="b",fault="server"} 1',
  ]);
});

test('a histogram includes a value at a bound in its bucket, and values above the last bound in +Inf only', () => {
  const metrics = new Metrics(NOTHING);
  for (const latency_ms of [50, 50.1, 300_000, 300_001]) metrics.observe(logRecord({ latency_ms }));
  const labels = 'endpoint="chat",provider="local"';
  const lines = linesOf(metrics, 'request_duration_seconds');
  expect(lines).toHaveLength(15);
  expect([lines.at(0), lines.at(1), lines.at(10), ...lines.slice(11)]).toEqual([
    `_bucket{le="0.05",${labels}} 1`,
    `_bucket{le="0.1",${labels}} 2`,
    `_bucket{le="120",${labels}} 2`,
    `_bucket{le="300",${labels}} 3`,
    `_bucket{le="+Inf",${labels}} 4`,
    `_sum{${labels}} 600.1011`,
    `_count{${labels}} 4`,
  ]);
  expect(linesOf(metrics, 'first_content_seconds')).toEqual([]);
});

test('models beyond the first 200 share the label "other"', () => {
  const metrics = new Metrics(NOTHING);
  for (let index = 0; index < 1_000; index++) metrics.observe(logRecord({ upstream_model: `m${index}` }));
  const lines = linesOf(metrics, 'requests_total');
  expect(lines).toHaveLength(201);
  expect(lines.at(-1)).toBe(
    '{endpoint="chat",provider="local",model="other",outcome="success",status="200"} 800',
  );
});

test('prometheusText() escapes label values, and formats infinity as +Inf', () => {
  const provider = {
    name: 'a"b\\c\nd',
    state: 'healthy',
    in_flight: Infinity,
    keys: { total: 2, down: 1 },
  } as ProviderStatus;
  const metrics = new Metrics({
    ...NOTHING,
    providers: () => [
      { ...provider, breaker: 'open', breakers: { closed: 1, open: 2, half_open: 3 }, targets: [] },
    ],
  });
  expect(atOnce(prometheusText(metrics.families()))).toContain(
    '# HELP llmproxy_provider_state healthy 2, degraded 1, unhealthy 0, disabled -1\n' +
      '# TYPE llmproxy_provider_state gauge\nllmproxy_provider_state{provider="a\\"b\\\\c\\nd"} 2\n\n',
  );
  expect(linesOf(metrics, 'provider_in_flight')).toEqual(['{provider="a\\"b\\\\c\\nd"} +Inf']);
  expect(linesOf(metrics, 'breaker_open')).toEqual(['{provider="a\\"b\\\\c\\nd"} 6']);
});

test('observe() counts by key and by label, with a limit on the number of keys', () => {
  const metrics = new Metrics(NOTHING);
  const labels = { team: 'search' };
  metrics.observe(logRecord({ key: 'ann', group: 'acme', labels }));
  metrics.observe(logRecord({ key: 'ann', group: 'acme', labels }));
  metrics.observe(logRecord({ key: 'bob', labels }));
  metrics.observe(logRecord({ key: null }));
  expect(linesOf(metrics, 'key_requests_total')).toEqual([
    '{key="ann",group="acme"} 2',
    '{key="bob",group=""} 1',
  ]);
  expect(linesOf(metrics, 'label_requests_total')).toEqual(['{label="team",value="search"} 3']);
  const estimate = { input_tokens: 7, output_tokens: 9, cost: 0.5 };
  metrics.observe(logRecord({ key: 'cut', input_tokens: null, output_tokens: null, cost: null, estimate }));
  expect(linesOf(metrics, 'key_tokens_total')).toContain('{key="cut",group="",kind="output"} 9');
  expect(linesOf(metrics, 'key_cost_usd_total')).toContain('{key="cut",group=""} 0.5');
  for (let n = 0; n < 500; n += 1) metrics.observe(logRecord({ key: `corp:user-${n}` }));
  const lines = linesOf(metrics, 'key_requests_total');
  expect(lines.length).toBe(201);
  expect(lines.at(-1)).toBe('{key="other",group=""} 303');
});

test('observe() counts requests without a price, and measures the overhead of the proxy', () => {
  const metrics = new Metrics(NOTHING);
  const estimate = { input_tokens: 1, output_tokens: 1, cost: 0.1 };
  metrics.observe(logRecord({ overhead_ms: 2 }));
  metrics.observe(logRecord({ cost: null, overhead_ms: 0.05 }));
  metrics.observe(logRecord({ cost: null, estimate: { ...estimate, cost: null } }));
  metrics.observe(logRecord({ cost: null, estimate }));
  metrics.observe(logRecord({ cost: null, input_tokens: null, output_tokens: null }));
  expect(linesOf(metrics, 'unpriced_requests_total')).toEqual(['{provider="local",model="small-1"} 2']);
  const lines = linesOf(metrics, 'overhead_seconds');
  expect(lines[0]).toBe('_bucket{le="0.0001",endpoint="chat"} 1');
  expect(lines.at(-1)).toBe('_count{endpoint="chat"} 2');
});

test('the state of targets and breakers is reported for a limited number of targets', () => {
  const target = (model: string, breaker: string, resting: boolean) => ({
    model,
    breaker,
    calls: 0,
    success_rate: null,
    first_content_p95_ms: null,
    resting: resting ? { fault: 'rate_limited', ms: 5 } : null,
  });
  const status = {
    name: 'a',
    state: 'degraded',
    breaker: 'half_open',
    breakers: { closed: 0, open: 0, half_open: 0 },
    keys: { total: 1, down: 0 },
    targets: [
      target('one', 'closed', false),
      target('two', 'closed', true),
      target('three', 'half_open', false),
      target('four', 'open', false),
      ...Array.from({ length: 300 }, (_, n) => target(`more-${n}`, 'closed', false)),
    ],
  } as unknown as ProviderStatus;
  const metrics = new Metrics({ ...NOTHING, providers: () => [status] });
  const lines = linesOf(metrics, 'target_state');
  expect(
    lines
      .slice(0, 4)
      .map((line) => line.at(-1))
      .join(''),
  ).toBe('2110');
  expect(lines).toHaveLength(200);
  expect(linesOf(metrics, 'breaker_state').slice(0, 5)).toEqual([
    '{provider="a",model=""} 1',
    '{provider="a",model="one"} 0',
    '{provider="a",model="two"} 0',
    '{provider="a",model="three"} 1',
    '{provider="a",model="four"} 2',
  ]);
});

test('prometheusText() writes many samples in steps', () => {
  const values = Array.from({ length: 10_000 }, (_, n) => ({ labels: { provider: `p${n}` }, value: n }));
  const steps = prometheusText([
    { name: 'a', help: 'one', type: 'gauge', values, aggregator: 'sum' },
    { name: 'b', help: 'two', type: 'gauge', values: [], aggregator: 'sum' },
  ]);
  let count = 0;
  let step = steps.next();
  for (; !step.done; step = steps.next()) count += 1;
  expect(count).toBeGreaterThanOrEqual(9);
  const lines = (step.value as string).split('\n');
  expect(lines.slice(0, 3)).toEqual(['# HELP a one', '# TYPE a gauge', 'a{provider="p0"} 0']);
  expect(lines.slice(-5)).toEqual(['a{provider="p9999"} 9999', '', '# HELP b two', '# TYPE b gauge', '']);
});
