/** Answers for which Anthropic runs several inferences: each is counted, and charged at the price of its model. */
import { expect, test } from 'bun:test';
import type { DatedPrice } from '../../src/config/schema/prices.ts';
import type { ConfigInput } from '../../src/config/schema.ts';
import type { JsonObject } from '../../src/wire/json.ts';
import { Repricer, usageOf } from '../../src/usage/pricing.ts';
import { provider, running } from '../helpers/proxy.ts';
import { upstream } from '../helpers/upstream.ts';

const tokens = (input_tokens: number, output_tokens: number, more: object = {}) => ({
  input_tokens,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
  output_tokens,
  ...more,
});

/** USD per million tokens. */
const PRICES: ConfigInput['prices'] = [
  { model: 'claude-sonnet-4-5', input: 1, output: 10, cached: 0.5 },
  { model: 'claude-opus-4-7', input: 100, output: 1_000 },
  { model: 'claude-opus-4-8', input: 5, output: 50 },
  { model: 'claude-fable-5', input: 2, output: 20 },
];

interface Case {
  /** What the stream reports when it starts. */
  readonly first: object;
  readonly usage: object;
  /** What the record says: tokens and millionths of a USD. */
  readonly expected: readonly [input: number, cached: number, output: number, cost: number];
  readonly iterations: readonly object[] | undefined;
}

const own = { cached_tokens: 0, cache_write_tokens: 0 };

const CASES: Readonly<Record<string, Case>> = {
  'the conversation is condensed first': {
    first: tokens(5_000, 1, { cache_read_input_tokens: 2_000 }),
    usage: tokens(300, 40, {
      iterations: [
        { type: 'compaction', ...tokens(5_000, 60, { cache_read_input_tokens: 2_000 }) },
        { type: 'message', ...tokens(300, 40) },
      ],
    }),
    expected: [7_300, 2_000, 100, 5_300 + 1_000 + 1_000],
    iterations: [{ model: null, ...own, input_tokens: 7_000, cached_tokens: 2_000, output_tokens: 60 }],
  },
  'an adviser is asked in between': {
    first: tokens(100, 1),
    usage: tokens(250, 70, {
      iterations: [
        { type: 'message', ...tokens(100, 20) },
        { type: 'advisor_message', model: 'claude-opus-4-7', ...tokens(30, 4) },
        { type: 'message', ...tokens(150, 50) },
      ],
    }),
    expected: [280, 0, 74, 250 + 700 + 3_000 + 4_000],
    iterations: [{ model: 'claude-opus-4-7', ...own, input_tokens: 30, output_tokens: 4 }],
  },
  'another model takes over': {
    first: tokens(100, 1),
    usage: tokens(110, 20, {
      iterations: [
        { type: 'message', model: 'claude-fable-5', ...tokens(100, 0) },
        { type: 'fallback_message', model: 'claude-opus-4-8', ...tokens(110, 20) },
      ],
    }),
    expected: [110, 0, 20, 550 + 1_000],
    iterations: [{ model: 'claude-opus-4-8', ...own, input_tokens: 110, output_tokens: 20 }],
  },
  'another model takes over from one that has begun': {
    first: tokens(100, 1),
    usage: tokens(140, 20, {
      iterations: [
        { type: 'message', model: 'claude-fable-5', ...tokens(100, 30) },
        { type: 'fallback_message', model: 'claude-opus-4-8', ...tokens(140, 20) },
      ],
    }),
    expected: [240, 0, 50, 200 + 600 + 700 + 1_000],
    iterations: [
      { model: 'claude-fable-5', ...own, input_tokens: 100, output_tokens: 30 },
      { model: 'claude-opus-4-8', ...own, input_tokens: 140, output_tokens: 20 },
    ],
  },
  'one inference suffices': {
    first: tokens(100, 1),
    usage: tokens(100, 20, { iterations: [{ type: 'message', ...tokens(100, 20) }] }),
    expected: [100, 0, 20, 300],
    iterations: undefined,
  },
};

const message = (usage: object) => ({
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-sonnet-4-5',
  content: [{ type: 'text', text: 'Hi' }],
  stop_reason: 'end_turn',
  usage,
});

function streamed({ first, usage }: Case): Response {
  const events = [
    { type: 'message_start', message: { ...message(first), content: [], stop_reason: null } },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hi' } },
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage },
    { type: 'message_stop' },
  ];
  const text = events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('');
  return new Response(text, { headers: { 'content-type': 'text/event-stream' } });
}

const clients = ['/v1/messages', '/v1/chat/completions', '/v1/responses'] as const;
const ways = Object.keys(CASES).flatMap((name) =>
  clients.flatMap((path) => [false, true].map((stream) => [name, path, stream] as const)),
);

test.each(ways)('if %s, a client of %s is charged for all of it (stream: %p)', async (name, path, stream) => {
  const chosen = CASES[name]!;
  await using provided = upstream(() => (stream ? streamed(chosen) : Response.json(message(chosen.usage))));
  const settings = { type: 'anthropic', models: ['*'] } as const;
  await using proxy = running({
    prices: PRICES,
    providers: [provider('a', provided.url, settings)],
    groups: { all: { limits: [{ tokens: 100_000, per: 'day' }] } },
    auth: { keys: [{ name: 'k', key: 'secret-key', group: 'all' }] },
  });
  const said = [{ role: 'user', content: 'Hello' }];
  const body = path === '/v1/responses' ? { input: said } : { messages: said };
  const reply = await fetch(`${proxy.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer secret-key' },
    body: JSON.stringify({ model: 'claude-sonnet-4-5', max_tokens: 1_000, stream, ...body }),
  });
  await reply.text();
  const [record] = (await proxy.recorded(1)) as unknown as [JsonObject];
  const [input, cached, output, millionths] = chosen.expected;
  expect(record).toMatchObject({ input_tokens: input, cached_tokens: cached, output_tokens: output });
  expect(record.cost).toBeCloseTo(millionths / 1e6, 10);
  expect(record.iterations).toEqual(chosen.iterations);
  // What was spent is computed from the log in the same way.
  const repricer = await Repricer.load({ overrides: PRICES as DatedPrice[], providers: [] });
  expect(repricer.cost(record, usageOf(record)!, Date.now())).toBeCloseTo(millionths / 1e6, 10);
  const key = await fetch(`${proxy.url}/v1/key`, { headers: { authorization: 'Bearer secret-key' } });
  expect(await key.json()).toMatchObject({ usage: { total: { tokens: input + output } } });
});
