/** Compares the traces and metrics that a collector receives with what was sent. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConfigInput } from '../../src/config/schema.ts';
import type { SeenSpan } from '../helpers/collector.ts';
import { built, cleared, folder, run, serveConfig } from '../helpers/binary.ts';
import { collector, partial } from '../helpers/collector.ts';
import { recordsIn } from '../helpers/logged.ts';
import { until } from '../helpers/until.ts';
import { chatStream, completion, upstream } from '../helpers/upstream.ts';

beforeAll(built, 60_000);
afterAll(cleared);

const SECRET = 'sk-upstream-0123456789abcdef';
const TOKEN = 'collector-token-0123456789';
const PARENT = { trace: '0af7651916cd43dd8448eb211c80319c', span: 'b7ad6b7169203331' };

/** A provider whose model `bad` fails. */
function provider() {
  return upstream(({ text }) => {
    const { model, stream } = JSON.parse(text === '' ? '{}' : text) as { model?: string; stream?: boolean };
    if (model === 'bad') return Response.json({ error: { message: `no ${SECRET}` } }, { status: 500 });
    if (stream)
      return new Response(chatStream(['Hel', 'lo']), { headers: { 'content-type': 'text/event-stream' } });
    return completion('Hello', {
      id: 'chatcmpl-7',
      model: 'good-2026',
      usage: {
        prompt_tokens: 100,
        completion_tokens: 50,
        prompt_tokens_details: { cached_tokens: 40 },
        completion_tokens_details: { reasoning_tokens: 7 },
      },
    });
  });
}

function configOf(url: string, telemetry: ConfigInput['telemetry']): ConfigInput {
  const shared = { base_url: `${url}/v1`, api_key: SECRET, max_retries: 0 };
  return {
    auth: { keys: [{ name: 'alice', key: 'sk-alice-0123456789', group: 'search' }] },
    groups: { search: {} },
    health: { probe: 'never' },
    telemetry,
    logging: { level: 'warn' },
    providers: [
      { ...shared, name: 'shaky', type: 'openai-compatible', models: ['bad'] },
      {
        ...shared,
        name: 'steady',
        type: 'mistral',
        models: [{ name: 'good', price: { input: 1, output: 2 } }],
      },
    ],
    models: { smart: ['shaky/bad', 'steady/good'] },
  };
}

async function ask(url: string, model: string, more: object = {}, headers: Record<string, string> = {}) {
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: 'Bearer sk-alice-0123456789', 'x-conversation-id': 'talk-7', ...headers },
    body: JSON.stringify({ model, messages: [{ role: 'user', content: `Hi ${SECRET}` }], ...more }),
  });
  await answer.text();
  return answer;
}

const WISHES = {
  temperature: 0.5,
  top_p: 1,
  max_tokens: 64,
  seed: 7,
  stop: ['end'],
  reasoning_effort: 'low',
  frequency_penalty: 0.25,
};

describe.each([
  ['http/protobuf', 'none', 'latest'],
  ['http/json', 'gzip', '1.41'],
] as const)('by %s, compression %s, conventions %s', (protocol, compression, semconv) => {
  const isLatest = semconv === 'latest';
  let spans: readonly SeenSpan[];
  let seen: Awaited<ReturnType<typeof scenario>>;

  async function scenario() {
    await using given = provider();
    await using sink = collector();
    const serving = await serveConfig(
      configOf(given.url, {
        enabled: true,
        endpoint: sink.url,
        protocol,
        compression,
        semconv,
        headers: { authorization: `Bearer ${TOKEN}` },
        resource: { 'deployment.environment.name': 'test' },
        content: true,
      }),
    );
    await ask(serving.url, 'smart', WISHES, {
      traceparent: `00-${PARENT.trace}-${PARENT.span}-01`,
      tracestate: 'vendor=1',
    });
    await ask(serving.url, 'good', { stream: true });
    await ask(serving.url, 'nope');
    serving.process.kill('SIGTERM');
    expect(await serving.process.exited).toBe(0);
    return {
      spans: sink.spans,
      metrics: sink.metrics(),
      resource: sink.resource(),
      asked: sink.asked,
      records: recordsIn(serving.cwd),
      upstream: given.asked,
      stderr: await serving.process.stderr.text(),
    };
  }

  beforeAll(async () => {
    seen = await scenario();
    ({ spans } = seen);
  }, 60_000);

  const named = (name: string) => spans.find((span) => span.name === name)!;

  test('a request is a span with a child span for each attempt', () => {
    expect(spans.map(({ name }) => name).toSorted()).toEqual(
      ['chat bad', 'chat good', 'chat good', 'chat good', 'chat nope', 'chat smart'].toSorted(),
    );
    const request = named('chat smart');
    expect(request).toMatchObject({
      traceId: PARENT.trace,
      parentSpanId: PARENT.span,
      traceState: 'vendor=1',
      kind: 2,
    });
    const children = spans.filter(({ parentSpanId }) => parentSpanId === request.spanId);
    expect(children.map(({ name, kind, traceId }) => [name, kind, traceId])).toEqual([
      ['chat bad', 3, PARENT.trace],
      ['chat good', 3, PARENT.trace],
    ]);
    // Each provider received its own span.
    const told = seen.upstream.slice(0, 2).map(({ headers }) => headers.get('traceparent'));
    expect(told).toEqual(children.map(({ spanId }) => `00-${PARENT.trace}-${spanId}-01`));
    expect(seen.upstream[0]!.headers.get('tracestate')).toBe('vendor=1');
  });

  test('the attributes of a span describe what was sent', () => {
    const [record] = seen.records;
    const request = named('chat smart');
    expect(request.attributes).toEqual({
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'mistral_ai',
      'gen_ai.request.model': 'smart',
      'gen_ai.response.model': 'good-2026',
      'gen_ai.response.id': 'chatcmpl-7',
      'gen_ai.response.finish_reasons': ['stop'],
      'gen_ai.conversation.id': 'talk-7',
      'gen_ai.usage.input_tokens': 100,
      'gen_ai.usage.output_tokens': 50,
      'gen_ai.usage.cache_read.input_tokens': 40,
      [isLatest ? 'gen_ai.usage.cache_write.input_tokens' : 'gen_ai.usage.cache_creation.input_tokens']: 0,
      'gen_ai.usage.reasoning.output_tokens': 7,
      'gen_ai.request.max_tokens': 64,
      'gen_ai.request.temperature': 0.5,
      'gen_ai.request.top_p': 1,
      'gen_ai.request.seed': 7,
      'gen_ai.request.frequency_penalty': 0.25,
      'gen_ai.request.stop_sequences': ['end'],
      'gen_ai.request.reasoning.level': 'low',
      'http.response.status_code': 200,
      'llmproxy.request.id': record!.id,
      'llmproxy.endpoint': 'chat',
      'llmproxy.outcome': 'success',
      'llmproxy.attempts': 2,
      'llmproxy.provider': 'steady',
      'llmproxy.lane': record!.lane!,
      'llmproxy.key': 'alice',
      'llmproxy.group': 'search',
      'llmproxy.cost_usd': 0.0002,
      'llmproxy.overhead_ms': record!.overhead_ms!,
      'gen_ai.input.messages': JSON.stringify([
        { role: 'user', parts: [{ type: 'text', content: 'Hi [redacted]' }] },
      ]),
      'gen_ai.output.messages': JSON.stringify([
        { role: 'assistant', parts: [{ type: 'text', content: 'Hello' }] },
      ]),
    });
    expect(record!.trace_id).toBe(PARENT.trace);
    const tookMs = (Number(request.endTimeUnixNano) - Number(request.startTimeUnixNano)) / 1e6;
    expect(tookMs).toBeCloseTo(record!.latency_ms, 0);
  });

  test('the span of an attempt has its target and how it ended', () => {
    const port = Number(new URL(`http://${seen.upstream[0]!.headers.get('host')}`).port);
    expect(named('chat bad').attributes).toEqual({
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'openai-compatible',
      'gen_ai.request.model': 'bad',
      'server.address': '127.0.0.1',
      'server.port': port,
      'http.response.status_code': 500,
      'error.type': 'server',
      'llmproxy.provider': 'shaky',
      'llmproxy.attempt': 1,
    });
    expect(named('chat bad').status).toEqual({ code: 2, message: 'server' });
  });

  test('the span of a stream has the time of its first content, and that of a failure has the reason', () => {
    const [, streamed] = seen.records;
    const request = spans.find(({ attributes }) => attributes['llmproxy.request.id'] === streamed!.id)!;
    expect(request.parentSpanId ?? '').toBe('');
    expect(request.attributes).toMatchObject({
      'gen_ai.request.stream': true,
      'gen_ai.response.time_to_first_chunk': streamed!.first_content_ms! / 1_000,
    });
    const [attempt] = spans.filter(({ parentSpanId }) => parentSpanId === request.spanId);
    expect(attempt!.endTimeUnixNano).toBe(request.endTimeUnixNano);
    const failed = named('chat nope');
    expect(failed.attributes).toMatchObject({
      'error.type': 'unknown_model',
      'http.response.status_code': 404,
    });
    expect(failed.status).toMatchObject({ code: 2 });
  });

  test('metrics add up to the requests sent', () => {
    const points = (name: string) => seen.metrics.find((metric) => metric.name === name)?.points;
    const whose = {
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'mistral_ai',
      'gen_ai.request.model': 'good',
    };
    const duration = isLatest ? 'gen_ai.client.inference.duration' : 'gen_ai.client.operation.duration';
    expect(points(duration)).toMatchObject([{ attributes: whose, count: '2' }]);
    const firstChunk = isLatest
      ? 'gen_ai.client.inference.time_to_first_chunk'
      : 'gen_ai.client.operation.time_to_first_chunk';
    expect(points(firstChunk)).toMatchObject([{ count: '1' }]);
    if (isLatest) {
      const total = (kind: string) => points(`gen_ai.client.inference.usage.${kind}`);
      expect(total('input_tokens')).toMatchObject([
        { attributes: { ...whose, 'gen_ai.token.modality': 'unknown' }, asInt: '100' },
      ]);
      expect(total('output_tokens')).toMatchObject([{ asInt: '50' }]);
      expect(total('cache_read.input_tokens')).toMatchObject([{ asInt: '40' }]);
      expect(total('reasoning.output_tokens')).toMatchObject([{ asInt: '7' }]);
      expect(points('gen_ai.client.inference.operation.input_tokens')).toMatchObject([
        { count: '1', sum: 100 },
      ]);
      expect(points('gen_ai.client.token.usage')).toBeUndefined();
    } else {
      expect(points('gen_ai.client.token.usage')).toMatchObject([
        { attributes: { ...whose, 'gen_ai.token.type': 'input' }, sum: 100 },
        { attributes: { ...whose, 'gen_ai.token.type': 'output' }, sum: 50 },
      ]);
    }
    expect(points('llmproxy_attempts')).toEqual([
      expect.objectContaining({ attributes: { provider: 'shaky' }, asDouble: 1 }),
      expect.objectContaining({ attributes: { provider: 'steady' }, asDouble: 2 }),
    ] as never);
    const [own] = points('llmproxy_overhead_seconds')!;
    expect(own!.bucketCounts!.reduce((sum, each) => sum + Number(each), 0)).toBe(3);
    expect(own!.explicitBounds).toHaveLength(own!.bucketCounts!.length - 1);
  });

  test('the resource names the service, and credentials are sent only to the collector', () => {
    expect(seen.resource).toMatchObject({
      'service.name': 'llmproxy',
      'deployment.environment.name': 'test',
    });
    expect(new Set(seen.asked.map(({ headers }) => headers.get('authorization')))).toEqual(
      new Set([`Bearer ${TOKEN}`]),
    );
    const all = JSON.stringify([spans, seen.metrics, seen.records]) + seen.stderr;
    expect(all).not.toContain(TOKEN);
    expect(all).not.toContain(SECRET);
  });
});

const MOCK: ConfigInput['providers'] = [{ name: 'mock', type: 'mock', models: ['*'] }];
const plainAsk = (url: string, headers: Record<string, string> = {}) =>
  fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'Hi' }] }),
  }).then((answer) => answer.text());

test('nothing is sent unless it is enabled, and then the usual variables apply', async () => {
  await using sink = collector();
  const env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: `${sink.url}/`,
    OTEL_EXPORTER_OTLP_HEADERS: `x-token=${TOKEN}`,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    OTEL_SERVICE_NAME: 'gateway',
    OTEL_RESOURCE_ATTRIBUTES: 'team=north%20side',
  };
  for (const enabled of [false, true]) {
    const { url, process } = await serveConfig({ providers: MOCK, telemetry: { enabled } }, env);
    await plainAsk(url);
    process.kill('SIGTERM');
    await process.exited;
    if (!enabled) expect(sink.asked).toHaveLength(0);
  }
  expect(sink.spans.length).toBe(2);
  expect(sink.resource()).toMatchObject({ 'service.name': 'gateway', team: 'north side' });
  expect(sink.asked.map(({ path }) => path).toSorted()).toEqual(['/v1/metrics', '/v1/traces']);
  expect(sink.asked[0]!.headers.get('x-token')).toBe(TOKEN);
  // Prompts and answers are exported only if that is configured.
  expect(Object.keys(sink.spans[0]!.attributes).filter((name) => name.endsWith('messages'))).toEqual([]);
});

test('a trace that its caller does not sample is not exported, but is propagated', async () => {
  await using given = provider();
  await using sink = collector();
  const { url, process } = await serveConfig(
    configOf(given.url, { enabled: true, endpoint: sink.url, metrics: false }),
  );
  await ask(url, 'good', {}, { traceparent: `00-${PARENT.trace}-${PARENT.span}-00` });
  process.kill('SIGTERM');
  await process.exited;
  expect(sink.asked).toHaveLength(0);
  expect(given.asked[0]!.headers.get('traceparent')).toMatch(
    new RegExp(`^00-${PARENT.trace}-[0-9a-f]{16}-00$`),
  );
});

test('requests that are passed through are traced too', async () => {
  await using given = upstream(() => Response.json({ data: [] }));
  await using sink = collector();
  const { url, process } = await serveConfig({
    health: { probe: 'never' },
    telemetry: { enabled: true, endpoint: sink.url, metrics: false },
    providers: [
      { name: 'vendor', type: 'openai', base_url: `${given.url}/v1`, api_key: SECRET, passthrough: true },
    ],
  });
  const traceparent = `00-${PARENT.trace}-${PARENT.span}-01`;
  const answer = await fetch(`${url}/providers/vendor/files`, { headers: { traceparent } });
  expect(answer.status).toBe(200);
  await answer.text();
  process.kill('SIGTERM');
  await process.exited;
  const [request, attempt] = sink.spans;
  expect(request).toMatchObject({ name: 'passthrough', traceId: PARENT.trace, parentSpanId: PARENT.span });
  expect(attempt).toMatchObject({ parentSpanId: request!.spanId });
  expect(given.asked[0]!.headers.get('traceparent')).toBe(`00-${PARENT.trace}-${attempt!.spanId}-01`);
});

test('retries failures that may be retried, and no others', async () => {
  let busy = 2;
  await using sink = collector(({ path }) =>
    path.endsWith('metrics')
      ? new Response('bad data', { status: 400 })
      : busy-- > 0
        ? new Response('busy', { status: 503, headers: { 'retry-after': '0' } })
        : undefined,
  );
  const { url, process } = await serveConfig({
    providers: MOCK,
    telemetry: { enabled: true, endpoint: sink.url, metrics_interval: '500ms' },
    logging: { level: 'warn' },
  });
  await plainAsk(url);
  await until('the spans', () => sink.spans.length, { is: 2 });
  await until(
    'two exports of metrics',
    () => sink.asked.filter(({ path }) => path === '/v1/metrics').length >= 2,
  );
  const traces = sink.asked.filter(({ path }) => path === '/v1/traces');
  expect(traces).toHaveLength(3);
  process.kill('SIGTERM');
  await process.exited;
  const said = await process.stderr.text();
  expect(
    said.match(/Cannot send metrics to http:\/\/[\d.:]+\/v1\/metrics: it answered 400: bad data/g),
  ).toHaveLength(1);
});

test('reports what a collector rejected', async () => {
  await using sink = collector(({ path }) => (path.endsWith('traces') ? partial(1, 'no room') : undefined));
  const { url, process } = await serveConfig({
    providers: MOCK,
    telemetry: { enabled: true, endpoint: sink.url, metrics: false },
    logging: { level: 'warn' },
  });
  await plainAsk(url);
  await until('the spans', () => sink.spans.length, { is: 2 });
  await until('the lost data to be counted', async () =>
    (await (await fetch(`${url}/metrics`)).text()).includes('records_dropped_total{sink="telemetry"} 1\n'),
  );
  process.kill('SIGTERM');
  await process.exited;
  expect(await process.stderr.text()).toContain('it rejected 1 of 2: no room');
});

test('a collector that hangs delays nothing: spans are dropped and counted, and the program ends', async () => {
  const held = Promise.withResolvers<Response>();
  await using sink = collector(() => held.promise);
  const { url, process } = await serveConfig({
    providers: MOCK,
    telemetry: { enabled: true, endpoint: sink.url, queue: 50, metrics: false },
    logging: { level: 'warn' },
  });
  for (let n = 0; n < 300; n += 30) await Promise.all(Array.from({ length: 30 }, () => plainAsk(url)));
  await until(
    'the collector to be asked',
    async () => {
      await plainAsk(url);
      return sink.asked.length > 0;
    },
    { everyMs: 50 },
  );
  const page = await (await fetch(`${url}/metrics`)).text();
  expect(Number(/records_dropped_total\{sink="telemetry"\} (\d+)/.exec(page)![1])).toBeGreaterThan(300);
  process.kill('SIGTERM');
  expect(await process.exited).toBe(0);
  held.resolve(new Response(''));
});

test('the headers for a collector are masked wherever the configuration is shown', () => {
  const cwd = folder();
  const telemetry = { enabled: true, headers: { 'x-odd-name': TOKEN, authorization: `Bearer ${TOKEN}` } };
  writeFileSync(join(cwd, 'config.yaml'), JSON.stringify({ providers: MOCK, telemetry }));
  const shown = run(cwd, 'config', 'validate', '--show');
  expect(shown.code).toBe(0);
  expect(shown.out).toContain('x-odd-name');
  expect(shown.out).not.toContain(TOKEN);
  writeFileSync(
    join(cwd, 'config.yaml'),
    JSON.stringify({ providers: MOCK, telemetry: { endpoint: 'ftp://x' } }),
  );
  expect(run(cwd, 'config', 'validate').err).toContain('expected an http or https URL');
});
