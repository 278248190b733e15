/** Several answers to one request (`n`) from providers that give one at a time. */
import { describe, expect, test } from 'bun:test';
import OpenAI from 'openai';
import type { JsonObject } from '../../src/wire/json.ts';
import { checkChatStream } from '../helpers/grammar/chat.ts';
import { completion as published } from '../helpers/published/chat.ts';
import { publishedProblems } from '../helpers/published/problems.ts';
import { publishedStreamProblems } from '../helpers/published/stream.ts';
import { running } from '../helpers/proxy.ts';
import type { SpeakerName } from '../helpers/speakers.ts';
import { ANSWER, speaker, speakerConfig } from '../helpers/speakers.ts';
import { completion, upstream } from '../helpers/upstream.ts';

const CHAT = { model: 'm-1', messages: [{ role: 'user' as const, content: 'hi' }], n: 3 };
const { input, output } = ANSWER.usage;

interface Completion {
  readonly choices: readonly { index: number; message: { content: string; tool_calls: unknown[] } }[];
  readonly usage: { prompt_tokens: number; completion_tokens: number };
}

describe.each(['messages', 'responses', 'converse', 'cohere'] as SpeakerName[])(
  'several answers from a %s provider',
  (name) => {
    test('are combined into one answer, with the sum of their tokens', async () => {
      await using provider = speaker(name, 'whole');
      await using proxy = running({ providers: [speakerConfig(name, provider.url)] });
      const reply = await proxy.post('/v1/chat/completions', CHAT);
      expect(reply.headers.get('x-llmproxy-dropped')).toBeNull();
      const answer = (await reply.json()) as Completion;
      expect(publishedProblems(published, answer)).toEqual([]);
      expect(answer.choices.map(({ index, message }) => [index, message.content])).toEqual(
        [0, 1, 2].map((index) => [index, ANSWER.text]),
      );
      expect(answer.usage).toMatchObject({ prompt_tokens: 3 * input, completion_tokens: 3 * output });
      expect(provider.asked.length).toBe(3);
      const records = await proxy.recorded(1);
      expect(records.length).toBe(1);
      expect(records[0]).toMatchObject({
        outcome: 'success',
        input_tokens: 3 * input,
        output_tokens: 3 * output,
        attempts: 1,
      });
    });

    test('are combined into one stream', async () => {
      await using provider = speaker(name, 'stream');
      await using proxy = running({ providers: [speakerConfig(name, provider.url)] });
      const stream_options = { include_usage: true };
      const reply = await proxy.post('/v1/chat/completions', { ...CHAT, stream: true, stream_options });
      const sse = await reply.text();
      const { answer, problems } = checkChatStream(sse);
      expect(problems).toEqual([]);
      expect(publishedStreamProblems('chat', sse)).toEqual([]);
      const { choices, usage } = answer as unknown as Completion;
      expect(choices.map(({ message }) => [message.content, message.tool_calls.length])).toEqual(
        [0, 1, 2].map(() => [ANSWER.text, 2]),
      );
      expect(usage).toMatchObject({ prompt_tokens: 3 * input, completion_tokens: 3 * output });
      const [record] = await proxy.recorded(1);
      expect(record).toMatchObject({ outcome: 'success', input_tokens: 3 * input, finish: 'tool_calls' });
      expect((JSON.parse(record!.response!) as Completion).choices.length).toBe(3);
    });
  },
);

test('chunks of several streams are passed on as they arrive', async () => {
  const bodies: ReadableStreamDefaultController<Uint8Array>[] = [];
  await using provider = upstream(
    () =>
      new Response(new ReadableStream<Uint8Array>({ start: (controller) => void bodies.push(controller) }), {
        headers: { 'content-type': 'text/event-stream' },
      }),
  );
  const say = (at: number, event: JsonObject) =>
    bodies[at]!.enqueue(
      new TextEncoder().encode(`event: ${String(event.type)}\ndata: ${JSON.stringify(event)}\n\n`),
    );
  const text = (at: number, said: string) =>
    say(at, { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: said } });
  await using proxy = running({ providers: [speakerConfig('messages', provider.url)] });
  const client = new OpenAI({ apiKey: 'k', baseURL: `${proxy.url}/v1`, maxRetries: 0 });
  const asked = client.chat.completions.create({ ...CHAT, n: 2, stream: true });
  while (bodies.length < 2) await Bun.sleep(1);
  for (const at of [0, 1]) {
    const usage = { input_tokens: 1, output_tokens: 1 };
    const message = { id: `msg_${at}`, type: 'message', role: 'assistant', content: [], model: 'm', usage };
    say(at, { type: 'message_start', message });
    say(at, { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } });
    text(at, `a${at}`);
  }
  const seen: string[] = [];
  for await (const { id, choices } of await asked) {
    const [choice] = choices;
    if (!choice?.delta.content) continue;
    seen.push(`${choice.index}${choice.delta.content}`);
    expect(id).toStartWith('chatcmpl-msg_');
    if (choice.delta.content === 'a0') {
      text(1, 'b1');
    } else if (choice.delta.content === 'b1') {
      for (const at of [1, 0]) {
        say(at, { type: 'content_block_stop', index: 0 });
        say(at, { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 2 } });
        say(at, { type: 'message_stop' });
        bodies[at]!.close();
      }
    }
  }
  expect(seen.toSorted()).toEqual(['0a0', '1a1', '1b1']);
  expect(seen.indexOf('1b1')).toBe(2);
});

test('a failure of one answer is a failure of all: the next target is asked for all of them', async () => {
  let count = 0;
  await using failing = upstream(() => {
    count += 1;
    return count === 2
      ? new Response('down', { status: 503 })
      : Response.json({
          id: 'msg_1',
          type: 'message',
          role: 'assistant',
          model: 'm',
          content: [{ type: 'text', text: 'lost' }],
          stop_reason: 'end_turn',
          usage: { input_tokens: 5, output_tokens: 5 },
        });
  });
  await using other = upstream(() => completion('kept'));
  await using proxy = running({
    providers: [
      { ...speakerConfig('messages', failing.url), name: 'a' },
      { ...speakerConfig('chat', other.url), name: 'b', priority: 2 },
    ],
  });
  const reply = await proxy.post('/v1/chat/completions', CHAT);
  expect(reply.status).toBe(200);
  const [record] = await proxy.recorded(1);
  expect(record!.attempt_log.map(({ target, fault }) => [target, fault])).toEqual([
    ['a/m-1', 'overloaded'],
    ['b/m-1', null],
  ]);
  // A chat server accepts n, and is asked once.
  expect(other.asked.length).toBe(1);
  expect(JSON.parse(other.asked[0]!.text)).toMatchObject({ n: 3 });
});

test('a chat server without n is asked for each answer in turn, unless too many are requested', async () => {
  await using provider = upstream(() => completion('x'));
  const row = { ...speakerConfig('chat', provider.url), type: 'deepseek' as const };
  await using proxy = running({ providers: [row] });
  const answer = (await (await proxy.post('/v1/chat/completions', { ...CHAT, n: 2 })).json()) as Completion;
  expect(answer.choices.map(({ index }) => index)).toEqual([0, 1]);
  expect(provider.asked.map(({ text }) => (JSON.parse(text) as JsonObject).n)).toEqual([
    undefined,
    undefined,
  ]);
  const many = await proxy.post('/v1/chat/completions', { ...CHAT, n: 100 });
  expect(many.headers.get('x-llmproxy-dropped')).toContain('n');
  expect(provider.asked.length).toBe(3);
});

test('answers of a provider that does not stream are combined into one stream', async () => {
  await using provider = speaker('cohere', 'whole');
  await using proxy = running({ providers: [speakerConfig('cohere', provider.url)] });
  const sse = await (await proxy.post('/v1/chat/completions', { ...CHAT, stream: true })).text();
  const { answer, problems } = checkChatStream(sse);
  expect(problems).toEqual([]);
  expect((answer as unknown as Completion).choices.length).toBe(3);
});

test.each([
  ['max_connections', { max_connections: 2 }],
  ['rate_limit', { rate_limit: 4 }],
])('each answer counts as a request for a provider’s %s', async (_, limit) => {
  await using small = speaker('messages', 'whole');
  await using large = speaker('messages', 'whole');
  await using proxy = running({
    routing: { wait_budget: '50ms' },
    providers: [
      { ...speakerConfig('messages', small.url), name: 'small', ...limit },
      { ...speakerConfig('messages', large.url), name: 'large' },
    ],
    models: { both: { targets: ['small/m-1', 'large/m-1'] }, one: { targets: ['small/m-1'] } },
  });
  const statuses = [];
  for (const model of ['both', 'both']) {
    const reply = await proxy.post('/v1/chat/completions', { ...CHAT, model });
    statuses.push([reply.status, reply.headers.get('x-llmproxy-provider')]);
  }
  const fits = 'rate_limit' in limit;
  expect(statuses).toEqual([
    [200, fits ? 'small' : 'large'],
    [200, 'large'],
  ]);
  expect(small.asked.length).toBe(fits ? 3 : 0);
  expect((await proxy.post('/v1/chat/completions', { ...CHAT, model: 'one' })).status).toBe(429);
  expect((await proxy.post('/v1/chat/completions', { ...CHAT, n: 1, model: 'one' })).status).toBe(200);
});
