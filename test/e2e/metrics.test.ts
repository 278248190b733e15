/**
 * Compares each metric with the requests sent, and with its use in the documentation, dashboard and alerts.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { ConfigInput } from '../../src/config/schema.ts';
import { built, cleared, serveConfig } from '../helpers/binary.ts';
import { until } from '../helpers/until.ts';
import { scriptedS3 } from '../helpers/s3.ts';
import { chatStream, completion, upstream } from '../helpers/upstream.ts';

beforeAll(built, 60_000);
afterAll(cleared);

const ROOT = join(import.meta.dir, '../..');
const text = (path: string) => readFileSync(join(ROOT, path), 'utf8');

type Samples = ReadonlyMap<string, number>;

/** The samples of a metrics page by name and labels, and the type of each metric. */
function read(page: string): { samples: Samples; families: ReadonlyMap<string, string> } {
  const lines = page.split('\n');
  const samples = lines
    .filter((line) => line.startsWith('llmproxy'))
    .map((line) => {
      const at = line.lastIndexOf(' ');
      return [line.slice(0, at), Number(line.slice(at + 1))] as const;
    });
  const families = lines
    .filter((line) => line.startsWith('# TYPE '))
    .map((line) => line.split(' ').slice(2) as [string, string]);
  return { samples: new Map(samples), families: new Map(families) };
}

const KEYS = { alice: 'sk-alice-0123456789', bob: 'sk-bob-0123456789', ops: 'sk-ops-0123456789' };

function configOf(url: string, s3: string): ConfigInput {
  const shared = { type: 'openai-compatible' as const, base_url: `${url}/v1`, max_retries: 0 };
  return {
    auth: {
      keys: [
        { name: 'alice', key: KEYS.alice, group: 'search', labels: { team: 'north' } },
        { name: 'bob', key: KEYS.bob, limits: [{ requests: 1, per: 'day' }] },
        { name: 'ops', key: KEYS.ops, ops: 'only' },
      ],
    },
    groups: { search: { limits: [{ budget: 1, per: 'day', warn_at: 0.5 }] } },
    health: { probe: 'never' },
    // No file is ever complete, so nothing is uploaded.
    logging: { requests: { upload: { url: 's3://logs', endpoint: s3 } } },
    routing: { breaker: { failures: 2, cooldown: '60s', max_cooldown: '60s' } },
    providers: [
      { ...shared, name: 'shaky', models: ['bad'] },
      { ...shared, name: 'refuser', models: ['refused'], api_key: 'sk-wrong-key-0123' },
      {
        ...shared,
        name: 'steady',
        models: [{ name: 'good', price: { input: 1, output: 2 } }, { name: 'unknown-thing' }],
      },
    ],
    models: { smart: ['shaky/bad', 'steady/good'], other: ['refuser/refused', 'steady/good'] },
  };
}

/** The minimum time the provider takes, which is not the proxy's overhead. */
const SLOW_MS = 50;

async function scenario() {
  const provider = upstream(async ({ text: body }) => {
    const { model, stream } = JSON.parse(body) as { model: string; stream?: boolean };
    if (model === 'bad') return Response.json({ error: { message: 'no' } }, { status: 500 });
    if (model === 'refused')
      return Response.json({ error: { message: 'Incorrect API key' } }, { status: 401 });
    await Bun.sleep(SLOW_MS);
    const usage = {
      prompt_tokens: 100,
      completion_tokens: 50,
      total_tokens: 150,
      prompt_tokens_details: { cached_tokens: 40 },
    };
    if (!stream) return completion('Hello', { usage });
    return new Response(chatStream(['Hel', 'lo']), { headers: { 'content-type': 'text/event-stream' } });
  });
  await using s3 = scriptedS3();
  const more = { AWS_ACCESS_KEY_ID: 'AKID', AWS_SECRET_ACCESS_KEY: 'a-secret-of-some-length' };
  const serving = await serveConfig(configOf(provider.url, s3.url), more);
  const ask = async (key: keyof typeof KEYS, model: string, more: object = {}) => {
    const answer = await fetch(`${serving.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${KEYS[key]}` },
      body: JSON.stringify({ model, messages: [{ role: 'user', content: 'Hi' }], ...more }),
    });
    await answer.text();
    return answer.status;
  };
  const statuses = [
    await ask('alice', 'smart'),
    await ask('alice', 'smart'),
    await ask('alice', 'good'),
    await ask('alice', 'good', { stream: true }),
    await ask('alice', 'other'),
    await ask('bob', 'unknown-thing'),
    await ask('bob', 'unknown-thing'),
    await ask('alice', 'nowhere'),
  ];
  expect(statuses).toEqual([200, 200, 200, 200, 200, 200, 429, 404]);
  const page = async () =>
    await (
      await fetch(`${serving.url}/metrics`, { headers: { authorization: `Bearer ${KEYS.ops}` } })
    ).text();
  await until('the records to be written', async () =>
    (await page()).includes('llmproxy_log_records_written 8\n'),
  );
  return { page: read(await page()), [Symbol.asyncDispose]: () => provider[Symbol.asyncDispose]() };
}

/** The values after the requests above. */
const EXPECTED: Readonly<Record<string, number>> = {
  'llmproxy_requests_total{endpoint="chat",provider="steady",model="good",outcome="success",status="200"}': 5,
  'llmproxy_requests_total{endpoint="chat",provider="steady",model="unknown-thing",outcome="success",status="200"}': 1,
  'llmproxy_requests_total{endpoint="chat",provider="",model="",outcome="error",status="429"}': 1,
  'llmproxy_requests_total{endpoint="chat",provider="",model="",outcome="error",status="404"}': 1,
  'llmproxy_attempts_total{provider="shaky"}': 2,
  'llmproxy_attempts_total{provider="refuser"}': 1,
  'llmproxy_attempts_total{provider="steady"}': 6,
  'llmproxy_attempt_faults_total{provider="shaky",fault="server"}': 2,
  'llmproxy_attempt_faults_total{provider="refuser",fault="auth"}': 1,
  'llmproxy_tokens_total{provider="steady",model="good",kind="input"}': 400,
  'llmproxy_tokens_total{provider="steady",model="good",kind="output"}': 200,
  'llmproxy_tokens_total{provider="steady",model="good",kind="cached"}': 160,
  'llmproxy_tokens_total{provider="steady",model="unknown-thing",kind="input"}': 100,
  'llmproxy_unpriced_requests_total{provider="steady",model="unknown-thing"}': 1,
  'llmproxy_overhead_seconds_count{endpoint="chat"}': 8,
  'llmproxy_overhead_seconds_bucket{le="+Inf",endpoint="chat"}': 8,
  'llmproxy_request_duration_seconds_count{endpoint="chat",provider="steady"}': 6,
  'llmproxy_first_content_seconds_count{endpoint="chat",provider="steady"}': 1,
  'llmproxy_key_requests_total{key="alice",group="search"}': 6,
  'llmproxy_key_requests_total{key="bob",group=""}': 2,
  'llmproxy_key_tokens_total{key="bob",group="",kind="output"}': 50,
  'llmproxy_label_requests_total{label="team",value="north"}': 6,
  'llmproxy_provider_state{provider="steady"}': 2,
  // Only the requests of one key failed there.
  'llmproxy_provider_state{provider="shaky"}': 1,
  'llmproxy_provider_keys{provider="refuser"}': 1,
  'llmproxy_provider_keys_held{provider="refuser"}': 1,
  'llmproxy_provider_keys_held{provider="steady"}': 0,
  'llmproxy_provider_in_flight{provider="steady"}': 0,
  'llmproxy_breaker_open{provider="shaky"}': 1,
  'llmproxy_breaker_open{provider="steady"}': 0,
  'llmproxy_breaker_state{provider="shaky",model="bad"}': 2,
  'llmproxy_breaker_state{provider="steady",model="good"}': 0,
  'llmproxy_breaker_state{provider="steady",model=""}': 0,
  'llmproxy_target_state{provider="shaky",model="bad"}': 0,
  'llmproxy_target_state{provider="steady",model="good"}': 2,
  'llmproxy_limit_decisions_total{decision="admitted"}': 6,
  'llmproxy_limit_decisions_total{decision="refused"}': 1,
  'llmproxy_limit_decisions_total{decision="replaced"}': 0,
  'llmproxy_limit_refusals_total{limit="1 requests per day of key bob",kind="requests"}': 1,
  llmproxy_log_records_written: 8,
  llmproxy_log_records_lost: 0,
  llmproxy_upload_pending_files: 0,
  llmproxy_upload_pending_bytes: 0,
  llmproxy_uploaded_files_total: 0,
  llmproxy_uploaded_bytes_total: 0,
  llmproxy_upload_failures_total: 0,
  llmproxy_upload_lost_files_total: 0,
  'llmproxy_records_dropped_total{sink="log"}': 0,
  'llmproxy_records_dropped_total{sink="plugins"}': 0,
  'llmproxy_sink_errors_total{sink="log"}': 0,
  llmproxy_in_flight: 0,
  llmproxy_realtime_sessions: 0,
};

/** Metrics, with their labels, that exist only with several workers or with replicas that share limits. */
const ELSEWHERE: ReadonlyMap<string, readonly string[]> = new Map([
  ['llmproxy_worker_restarts_total', ['worker']],
  ['llmproxy_worker_up', ['worker']],
  ['llmproxy_shared_limits_down', []],
  ['llmproxy_shared_limits_replicas', []],
  ['llmproxy_shared_limits_failures_total', []],
  ['llmproxy_shared_responses_down', []],
]);

describe('GET /metrics', () => {
  let page: Awaited<ReturnType<typeof scenario>>['page'];
  beforeAll(async () => {
    await using seen = await scenario();
    ({ page } = seen);
  }, 60_000);

  test.each(Object.entries(EXPECTED))('%s', (name, value) => {
    expect(page.samples.get(name)).toBe(value);
  });

  test('sums of money and time equal those of the requests sent', () => {
    const at = (name: string) => page.samples.get(name)!;
    // 100 input tokens at 1 USD per million, 50 output tokens at 2; the stream's usage is not reported and
    // is estimated.
    expect(at('llmproxy_cost_usd_total{provider="steady",model="good"}')).toBeCloseTo(4 * 200e-6, 8);
    expect(at('llmproxy_key_cost_usd_total{key="alice",group="search"}')).toBeGreaterThan(4 * 200e-6);
    expect(at('llmproxy_label_cost_usd_total{label="team",value="north"}')).toBeGreaterThan(4 * 200e-6);
    const own = at('llmproxy_overhead_seconds_sum{endpoint="chat"}');
    const whole = [...page.samples]
      .filter(([name]) => name.startsWith('llmproxy_request_duration_seconds_sum'))
      .reduce((sum, [, value]) => sum + value, 0);
    expect(own).toBeGreaterThan(0);
    // Six requests waited for the provider.
    expect(whole - own).toBeGreaterThan((6 * SLOW_MS) / 1_000);
    expect(
      at('llmproxy_limit_used_ratio{limit="1 USD per day of group search",kind="budget"}'),
    ).toBeGreaterThan(0);
    expect(at('llmproxy_process_resident_memory_bytes')).toBeGreaterThan(1e6);
  });

  test('has exactly the metrics that the tests above expect and the documentation lists', () => {
    const names = [...page.families.keys()].toSorted();
    const documented = [...text('docs/operating.md').matchAll(/^\| `(llmproxy_\w+)`/gm)].map(
      ([, name]) => name!,
    );
    expect(documented.filter((name) => !ELSEWHERE.has(name)).toSorted()).toEqual(names);
  });

  test('has each metric that the dashboard and the alerts use, with its labels', () => {
    const known = new Map<string, Set<string>>();
    for (const sample of page.samples.keys()) {
      const [, name = '', labels = ''] = /^(\w+)(?:\{(.*)\})?$/.exec(sample)!;
      const found = known.get(name) ?? new Set(['job', 'instance']);
      for (const [, label] of labels.matchAll(/(\w+)="/g)) found.add(label!);
      known.set(name, found);
    }
    for (const [name, labels] of ELSEWHERE) known.set(name, new Set([...labels, 'job', 'instance']));
    const asked = [...expressions()];
    expect(asked.length).toBeGreaterThan(30);
    for (const { where, expr } of asked) {
      const names = [...expr.matchAll(/\bllmproxy_\w+/g)].map(([name]) => name);
      if (!expr.startsWith('up{')) expect({ where, names: names.length }).not.toEqual({ where, names: 0 });
      const labels = names.flatMap((name) => [...(known.get(name) ?? [])]);
      for (const name of names)
        expect({ where, name, known: known.has(name) }).toEqual({ where, name, known: true });
      const used = [...expr.matchAll(/\b(?:by|on) \(([^)]*)\)|[{,]\s*(\w+)(?:=|!)/g)].flatMap(
        ([, by, label]) => (by ?? label ?? '').split(',').map((each) => each.trim()),
      );
      for (const label of used)
        if (label !== 'le' && names.length > 0)
          expect({ where, label, known: labels.includes(label) }).toEqual({ where, label, known: true });
    }
  });
});

/** The queries of the dashboard and the alerts. */
function* expressions(): Generator<{ where: string; expr: string }> {
  const dashboard = JSON.parse(text('deploy/grafana/llmproxy.json')) as {
    panels: { title: string; targets?: { expr: string }[] }[];
  };
  for (const { title, targets = [] } of dashboard.panels)
    for (const { expr } of targets) yield { where: title, expr };
  const alerts = parse(text('deploy/prometheus/alerts.yaml')) as {
    groups: { rules: { alert: string; expr: string }[] }[];
  };
  for (const { rules } of alerts.groups) for (const { alert, expr } of rules) yield { where: alert, expr };
}

test('each alert is explained in the documentation', () => {
  const explained = new Set(
    [...text('docs/operating.md').matchAll(/^\| `(Llmproxy\w+)`/gm)].map(([, name]) => name),
  );
  const alerts = [...text('deploy/prometheus/alerts.yaml').matchAll(/alert: (\w+)/g)].map(([, name]) => name);
  expect(alerts.filter((name) => !explained.has(name!))).toEqual([]);
  expect(explained.size).toBe(alerts.length);
});

const promtool = Bun.which('promtool');

test.skipIf(promtool === null)(
  'promtool takes the alerts, which ring when they are to, and what is scraped',
  async () => {
    const rules = Bun.spawnSync([promtool!, 'check', 'rules', join(ROOT, 'deploy/prometheus/alerts.yaml')]);
    expect(rules.stderr.toString()).not.toContain('FAILED');
    expect(rules.exitCode).toBe(0);
    const rung = Bun.spawnSync([promtool!, 'test', 'rules', join(ROOT, 'test/deploy/alerts.test.yaml')]);
    expect(rung.stdout.toString() + rung.stderr.toString()).toContain('SUCCESS');
    expect(rung.exitCode).toBe(0);
    const { url } = await serveConfig({ providers: [{ name: 'mock', type: 'mock' }] });
    const scraped = await (await fetch(`${url}/metrics`)).arrayBuffer();
    const metrics = Bun.spawnSync([promtool!, 'check', 'metrics'], { stdin: new Uint8Array(scraped) });
    expect(metrics.stderr.toString()).not.toContain('error while linting');
  },
);
