/** The usage of failed attempts, as the providers counted it, in the record, the limits, the metrics and the report. */
import { describe, expect, test } from 'bun:test';
import type { ConfigInput } from '../../src/config/schema.ts';
import type { LogRecord } from '../../src/logs/record.ts';
import { chargedFor } from '../../src/logs/record.ts';
import type { Script } from '../helpers/upstream.ts';
import { CHAT, running } from '../helpers/proxy.ts';
import { completion, sse, upstream } from '../helpers/upstream.ts';
import { until } from '../helpers/until.ts';

const PRICE = { input: 1_000, output: 2_000 };
type Provider = ConfigInput['providers'][number];

const event = (value: { readonly type: string; readonly [field: string]: unknown }) =>
  `event: ${value.type}\ndata: ${JSON.stringify(value)}\n\n`;
const START = event({
  type: 'message_start',
  message: {
    id: 'm',
    type: 'message',
    role: 'assistant',
    model: 'c',
    content: [],
    usage: { input_tokens: 40, output_tokens: 1 },
  },
});
const SAID =
  event({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }) +
  event({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hi' } }) +
  event({ type: 'content_block_stop', index: 0 }) +
  event({ type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 7 } }) +
  event({ type: 'message_stop' });

const MALFORMED = {
  candidates: [{ content: {}, finishReason: 'MALFORMED_FUNCTION_CALL', index: 0 }],
  usageMetadata: { promptTokenCount: 30, candidatesTokenCount: 4 },
};
const BROKEN = {
  id: 'c',
  choices: [{ index: 0, message: { role: 'assistant', content: '' }, finish_reason: 'error' }],
  usage: { prompt_tokens: 20, completion_tokens: 3 },
};

/** Answers with the start of a stream and then nothing. */
function hanging(): Response {
  return sse(
    new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode(START)) }),
  );
}

interface Outcome {
  readonly record: LogRecord;
  readonly key: {
    readonly limits: { readonly used: number }[];
    readonly usage: { readonly total: { tokens: number; cost: number } };
  };
  readonly metrics: { readonly tokens: number; readonly cost: number; readonly ofKey: number };
  readonly report: { readonly total: { input_tokens: number; output_tokens: number; cost: number } };
}

/** Sends one request, and collects its usage from the record, the limits, the metrics and the report. */
async function asked(
  scripts: readonly (readonly [Provider['type'], Script])[],
  body: object,
  more: Partial<ConfigInput> = {},
): Promise<Outcome> {
  const provided = scripts.map(([, script]) => upstream(script));
  const model = { name: 'gpt-4o', price: PRICE };
  await using proxy = running({
    auth: { keys: [{ name: 'ann', key: 'ann-key', ops: true, limits: [{ tokens: 1_000, per: 'day' }] }] },
    providers: scripts.map(([type], at) => ({
      name: `p${at}`,
      type,
      base_url: provided[at]!.url,
      api_key: 'k',
      models: [model],
      priority: at,
      max_retries: 0,
      retry_delay: '1ms',
    })),
    logging: { requests: { flush_interval: '1ms' } },
    ...more,
  });
  const by = { headers: { authorization: 'Bearer ann-key' } };
  const read = async (path: string) => await (await fetch(proxy.url + path, by)).text();
  await (await proxy.post('/v1/chat/completions', { ...CHAT, max_tokens: 5, ...body }, by)).text();
  const [record] = await proxy.recorded(1);
  // The report is refreshed only every few seconds, so the log is given time to be written first.
  await Bun.sleep(200);
  const report = await until('the report', async () => {
    const told = JSON.parse(await read('/v1/usage')) as Outcome['report'] & { total: { requests: number } };
    return told.total.requests === 1 && told;
  });
  const lines = (await read('/metrics')).split('\n');
  const sum = (name: string) =>
    lines
      .filter((line) => line.startsWith(`llmproxy_${name}{`) && !line.includes('kind="cached"'))
      .reduce((total, line) => total + Number(line.slice(line.lastIndexOf(' '))), 0);
  for (const each of provided) await each[Symbol.asyncDispose]();
  return {
    record: record!,
    key: JSON.parse(await read('/v1/key')) as Outcome['key'],
    metrics: { tokens: sum('tokens_total'), cost: sum('cost_usd_total'), ofKey: sum('key_tokens_total') },
    report,
  };
}

/** Expects all of these to have the usage that the providers counted. */
function agrees({ record, key, metrics, report }: Outcome, input: number, output: number): void {
  const cost = (input * PRICE.input + output * PRICE.output) / 1e6;
  const charged = chargedFor(record);
  expect([charged.input, charged.output]).toEqual([input, output]);
  expect(charged.cost).toBeCloseTo(cost, 9);
  expect(key.limits[0]!.used).toBe(input + output);
  expect(key.usage.total.tokens).toBe(input + output);
  expect(key.usage.total.cost).toBeCloseTo(cost, 9);
  expect([metrics.tokens, metrics.ofKey]).toEqual([input + output, input + output]);
  expect(metrics.cost).toBeCloseTo(cost, 9);
  expect(report.total).toMatchObject({ input_tokens: input, output_tokens: output });
  expect(report.total.cost).toBeCloseTo(cost, 9);
}

describe('reported usage is charged for', () => {
  test.each([
    [
      'a malformed unstreamed answer of a translated provider',
      'gemini',
      () => Response.json(MALFORMED),
      30,
      4,
    ],
    [
      'a malformed unstreamed answer of a relayed provider',
      'openai-compatible',
      () => Response.json(BROKEN),
      20,
      3,
    ],
  ] as const)('%s', async (_, type, script, input, output) => {
    const outcome = await asked(
      [
        [type, script],
        ['openai-compatible', () => completion('Hi')],
      ],
      {},
    );
    expect(outcome.record).toMatchObject({ outcome: 'success', input_tokens: 10, output_tokens: 5 });
    expect(outcome.record.attempt_log).toMatchObject([
      { target: 'p0/gpt-4o', input_tokens: input, output_tokens: output },
      { target: 'p1/gpt-4o', fault: null },
    ]);
    expect(outcome.record.attempt_log[1]).not.toHaveProperty('input_tokens');
    expect(outcome.record.failed).toMatchObject({ input_tokens: input, output_tokens: output });
    agrees(outcome, 10 + input, 5 + output);
  });

  test('a stream that reported its input tokens and broke before any content', async () => {
    const outcome = await asked(
      [
        ['anthropic', () => sse(START)],
        ['anthropic', () => sse(START + SAID)],
      ],
      { stream: true },
    );
    expect(outcome.record).toMatchObject({ outcome: 'success', input_tokens: 40, output_tokens: 7 });
    agrees(outcome, 40 + 40, 1 + 7);
  });

  test('all attempts, where every one fails', async () => {
    const outcome = await asked(
      [
        ['gemini', () => Response.json(MALFORMED)],
        ['openai-compatible', () => Response.json(BROKEN)],
      ],
      {},
    );
    expect(outcome.record).toMatchObject({ outcome: 'error', input_tokens: null, cost: null });
    expect(outcome.record.estimate).toBeUndefined();
    agrees(outcome, 50, 7);
  });

  test('a hedge that lost after it had reported its input tokens', async () => {
    const outcome = await asked(
      [
        ['anthropic', hanging],
        ['anthropic', () => sse(START + SAID)],
      ],
      { stream: true },
      { routing: { hedge: { delay: '50ms', budget: 1 } } },
    );
    expect(outcome.record.attempt_log.find(({ target }) => target === 'p0/gpt-4o')).toMatchObject({
      fault: 'hedge_lost',
      input_tokens: 40,
      output_tokens: 1,
    });
    agrees(outcome, 40 + 40, 1 + 7);
  });
});

test('an attempt that reported no usage is charged nothing', async () => {
  const outcome = await asked(
    [
      ['openai-compatible', () => new Response('no', { status: 500 })],
      ['openai-compatible', () => completion('Hi')],
    ],
    {},
  );
  expect(outcome.record.failed).toBeUndefined();
  agrees(outcome, 10, 5);
});
