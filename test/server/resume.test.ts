import { expect, test } from 'bun:test';
import type { Asked } from '../helpers/upstream.ts';
import { CHAT, provider, running } from '../helpers/proxy.ts';
import { chatStream, sse, upstream } from '../helpers/upstream.ts';

const STREAM = { ...CHAT, stream: true };
const RESUME = { resume: true };

const cutAfter = (...pieces: string[]) => sse(chatStream(pieces, ''));

/** A complete stream with another id and model, and with usage. */
const answer = (...pieces: string[]) => {
  const usage = { prompt_tokens: 20, completion_tokens: 7, total_tokens: 27 };
  const event = { id: 'other', object: 'chat.completion.chunk', created: 9, model: 'm2', choices: [], usage };
  return sse(chatStream(pieces, `data: ${JSON.stringify(event)}\n\ndata: [DONE]\n\n`));
};

interface Chunk {
  readonly id: string;
  readonly error?: { code: string };
  readonly usage?: { total_tokens: number };
  readonly choices: { delta: { content?: string; role?: string }; finish_reason: string | null }[];
}

const chunksOf = (text: string): Chunk[] =>
  text
    .trimEnd()
    .split('\n\n')
    .filter((event) => event.startsWith('data: {'))
    .map((event) => JSON.parse(event.slice('data: '.length)) as Chunk);

const textOf = (chunks: readonly Chunk[]) =>
  chunks.map(({ choices }) => choices?.[0]?.delta.content ?? '').join('');

const messagesOf = (asked: Asked | undefined) =>
  (JSON.parse(asked!.text) as { messages: { role: string; content: string }[] }).messages;

/** Sends a request through a proxy whose first provider breaks off. */
async function resumed(
  first: () => Response,
  second: (asked: Asked, count: number) => Response,
  extra: { second?: object; body?: object } = {},
) {
  await using a = upstream(first);
  await using b = upstream(second);
  await using proxy = running({
    routing: RESUME,
    providers: [
      provider('a', a.url, { timeout: '150ms' }),
      provider('b', b.url, { priority: 2, max_retries: 0, ...extra.second }),
    ],
  });
  const text = await (await proxy.post('/v1/chat/completions', { ...STREAM, ...extra.body })).text();
  const [record] = await proxy.recorded(1);
  return { text, chunks: chunksOf(text), record: record!, asked: b.asked, first: a.asked };
}

const WAYS = [
  ['continues directly', [' wide', ' web']],
  ['repeats its last words', ['the world', ' wide web']],
  ['starts over from the beginning', ['Hello from', ' the world wide', ' web']],
] as const;

test.each(WAYS)('a cut stream is resumed when the other target %s', async (_, pieces) => {
  const { text, chunks, record } = await resumed(
    () => cutAfter('Hello', ' from the', ' world'),
    () => answer(...pieces),
  );
  expect(textOf(chunks)).toBe('Hello from the world wide web');
  expect(new Set(chunks.map(({ id }) => id))).toEqual(new Set(['c']));
  expect(text.match(/\[DONE\]/g)).toHaveLength(1);
  expect(chunks.filter(({ choices }) => choices[0]?.finish_reason)).toHaveLength(1);
  expect(chunks.filter(({ choices }) => choices[0]?.delta.role)).toHaveLength(1);
  expect(record).toMatchObject({ outcome: 'success', provider: 'b', finish: 'stop', output_tokens: 7 });
  expect(record.parts).toMatchObject([
    { target: 'a/gpt-4o', fault: 'truncated' },
    { target: 'b/gpt-4o', fault: null, output_tokens: 7 },
  ]);
  expect(JSON.parse(record.response!).choices[0].message.content).toBe('Hello from the world wide web');
});

test('a target without prefill is instructed to continue, one with prefill receives the beginning', async () => {
  const first = () => cutAfter('One two ');
  const asking = await resumed(first, () => answer('three'));
  expect(messagesOf(asking.asked[0]).map(({ role }) => role)).toEqual(['user', 'assistant', 'user']);
  const given = await resumed(first, () => answer(' three'), {
    second: { models: [{ name: 'gpt-4o', prefill: true }] },
  });
  expect(messagesOf(given.asked[0]).at(-1)).toEqual({ role: 'assistant', content: 'One two' } as never);
  expect([textOf(asking.chunks), textOf(given.chunks)]).toEqual(['One two three', 'One two three']);
});

test('a target that refuses prefill is instructed instead, and remembered', async () => {
  const message = 'This model does not support assistant message prefill.';
  const refusing = ({ text }: Asked) =>
    text.includes('cut off by')
      ? answer(' there')
      : Response.json({ error: { message, type: 'invalid_request_error' } }, { status: 400 });
  await using a = upstream(() => cutAfter('Hello'));
  await using b = upstream(refusing);
  const models = [{ name: 'gpt-4o', prefill: true }];
  await using proxy = running({
    routing: { ...RESUME, breaker: { failures: 100 } },
    providers: [provider('a', a.url), provider('b', b.url, { priority: 2, models })],
  });
  for (const asked of [2, 3]) {
    const text = await (await proxy.post('/v1/chat/completions', STREAM)).text();
    expect([textOf(chunksOf(text)), b.asked.length]).toEqual(['Hello there', asked]);
  }
  expect((await proxy.recorded(2))[0]!.attempt_log.map(({ fault }) => fault)).toEqual([
    null,
    'prefill_unsupported',
    null,
  ]);
});

test('a stream that stalls after text is resumed too', async () => {
  const begun = new TextEncoder().encode(chatStream(['Hello'], ''));
  const { chunks, record } = await resumed(
    () => sse(new ReadableStream({ start: (controller) => controller.enqueue(begun) })),
    () => answer(' again'),
  );
  expect(textOf(chunks)).toBe('Hello again');
  expect(record.parts![0]!.fault).toBe('timeout_idle');
});

test('an error event after text is hidden when the stream is resumed', async () => {
  const error = 'data: {"error":{"message":"overloaded","code":503}}\n\n';
  const { chunks } = await resumed(
    () => sse(chatStream(['Hello'], '') + error),
    () => answer(' again'),
  );
  expect([textOf(chunks), chunks.some((chunk) => chunk.error)]).toEqual(['Hello again', false]);
});

test('usage is summed over the parts, for the client and in the record', async () => {
  const used = { id: 'c', object: 'chat.completion.chunk', created: 1, model: 'gpt-4o', choices: [] };
  const usage = { prompt_tokens: 10, completion_tokens: 3, total_tokens: 13 };
  const { chunks, record } = await resumed(
    () => sse(`${chatStream(['Hello'], '')}data: ${JSON.stringify({ ...used, usage })}\n\n`),
    () => answer(' again'),
    { body: { stream_options: { include_usage: true } } },
  );
  expect(chunks.findLast((chunk) => chunk.usage)!.usage!.total_tokens).toBe(40);
  expect(record).toMatchObject({ input_tokens: 30, output_tokens: 10 });
});

test.each([
  ['an error event', { error: { message: 'overloaded', code: 503 } }],
  ['an invalid finish reason', { choices: [{ index: 0, delta: {}, finish_reason: 'error' }] }],
])('usage beside %s is added to the sum', async (_, event) => {
  const usage = { prompt_tokens: 10, completion_tokens: 6, total_tokens: 16 };
  const { chunks, record } = await resumed(
    () => sse(`${chatStream(['Hello'], '')}data: ${JSON.stringify({ ...event, usage })}\n\n`),
    () => answer(' again'),
    { body: { stream_options: { include_usage: true } } },
  );
  expect(textOf(chunks)).toBe('Hello again');
  expect(chunks.findLast((chunk) => chunk.usage)!.usage!.total_tokens).toBe(43);
  expect(record).toMatchObject({ input_tokens: 30, output_tokens: 13 });
});

test('the token limit of the continuation is what remains of the client’s limit', async () => {
  const { asked } = await resumed(
    () => cutAfter('x'.repeat(400)),
    () => answer('y'),
    { body: { max_tokens: 500 } },
  );
  expect(JSON.parse(asked[0]!.text).max_tokens).toBe(400);
});

const call = { index: 0, id: 'call_1', type: 'function', function: { name: 'f', arguments: '{"a' } };
const signed = [{ type: 'thinking', thinking: 'hm', signature: 's' }];

test.each([
  ['a tool call in progress', { tool_calls: [call] }],
  ['signed reasoning', { thinking_blocks: signed }],
])('%s is not resumed: the stream ends with an error event', async (_, delta) => {
  const chunk = {
    id: 'c',
    object: 'chat.completion.chunk',
    choices: [{ index: 0, delta, finish_reason: null }],
  };
  const { text, chunks, record, asked } = await resumed(
    () => sse(`${chatStream(['Hello'], '')}data: ${JSON.stringify(chunk)}\n\n`),
    () => answer('never'),
  );
  expect([asked.length, text.includes('[DONE]')]).toEqual([0, false]);
  expect(chunks.at(-1)!.error!.code).toBe('truncated');
  expect(record.outcome).toBe('truncated');
});

test('a continuation that starts over and then differs ends with an error', async () => {
  const { chunks, record } = await resumed(
    () => cutAfter('The quick brown fox jumps over the lazy dog and'),
    () => answer('The quick brown fox jumps under', ' the bridge'),
  );
  expect(chunks.at(-1)!.error!.code).toBe('cannot_resume');
  expect(record).toMatchObject({ outcome: 'truncated', fault: 'unjoinable' });
});

test('a stream that breaks twice is resumed twice', async () => {
  await using a = upstream(() => cutAfter('One'));
  await using b = upstream(() => cutAfter(' two'));
  await using c = upstream(() => answer(' three'));
  await using proxy = running({
    routing: RESUME,
    providers: [
      provider('a', a.url),
      provider('b', b.url, { priority: 2 }),
      provider('c', c.url, { priority: 3 }),
    ],
  });
  const text = await (await proxy.post('/v1/chat/completions', STREAM)).text();
  expect(textOf(chunksOf(text))).toBe('One two three');
  expect(messagesOf(c.asked[0])[1]!.content).toBe('One two');
  expect((await proxy.recorded(1))[0]!.parts).toHaveLength(3);
});

test('without `resume` a cut stream ends with an error event', async () => {
  await using a = upstream(() => cutAfter('Hello'));
  await using b = upstream(() => answer('never'));
  await using proxy = running({ providers: [provider('a', a.url), provider('b', b.url, { priority: 2 })] });
  const text = await (await proxy.post('/v1/chat/completions', STREAM)).text();
  expect([chunksOf(text).at(-1)!.error!.code, b.asked.length]).toEqual(['truncated', 0]);
});

test('when no target can continue a stream, the client receives the first error', async () => {
  const { chunks, record } = await resumed(
    () => cutAfter('Hello'),
    () => Response.json({ error: { message: 'no' } }, { status: 500 }),
  );
  expect([textOf(chunks), chunks.at(-1)!.error!.code]).toEqual(['Hello', 'truncated']);
  expect(record.attempt_log.map(({ fault }) => fault)).toEqual([null, 'server']);
  expect(record.provider).toBe('a');
});

test('a request that the next target’s protocol cannot express ends with an error event and a record too', async () => {
  const { chunks, record } = await resumed(
    () => cutAfter('Hello'),
    () => answer('never'),
    {
      body: { messages: [{ role: 'assistant', tool_calls: [null] }] },
      second: { type: 'anthropic', api_key: 'k' },
    },
  );
  expect(chunks.at(-1)!.error!.code).toBe('truncated');
  expect(record).toMatchObject({ outcome: 'truncated', fault: 'truncated' });
});
