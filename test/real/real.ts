/** The compiled binary with a real inference engine. Run by `make real`; LLMPROXY_GGUF names the model. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { join } from 'node:path';
import type { Serving } from '../helpers/binary.ts';
import type { JsonObject } from '../../src/wire/json.ts';
import { listOf, objectOf } from '../../src/wire/json.ts';
import { built, cleared, serveConfig } from '../helpers/binary.ts';
import { checkChatStream } from '../helpers/grammar/chat.ts';
import { checkMessagesStream } from '../helpers/grammar/messages.ts';
import { checkResponsesStream } from '../helpers/grammar/responses.ts';
import { until } from '../helpers/until.ts';

const PROMPT = 'Tell me of the sea.';
const TOOL = {
  type: 'object',
  properties: { city: { type: 'string', maxLength: 12 }, days: { type: 'integer' } },
};

let engine: Bun.Subprocess<'ignore', 'pipe', 'inherit'>;
let engineUrl = '';
let proxy: Serving;

beforeAll(async () => {
  built();
  const model = process.env.LLMPROXY_GGUF ?? 'tiny.gguf';
  engine = Bun.spawn([process.execPath, join(import.meta.dir, 'engine.ts'), model], {
    stdout: 'pipe',
    stdin: 'ignore',
  });
  for await (const chunk of engine.stdout) {
    engineUrl = new TextDecoder().decode(chunk).trim();
    break;
  }
  const provider = { name: 'real', type: 'llamacpp' as const, base_url: `${engineUrl}/v1`, models: ['tiny'] };
  // The engine only serves chat; requests in other protocols are translated.
  proxy = await serveConfig({ providers: [{ ...provider, type: 'openai-compatible' }] });
}, 120_000);

afterAll(async () => {
  cleared();
  engine.kill();
  await engine.exited;
});

const post = (path: string, body: object, init: RequestInit = {}) =>
  fetch(proxy.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'tiny', ...body }),
    ...init,
  });

async function lastUsage(): Promise<{ prompt_tokens: number; completion_tokens: number }> {
  const { usage } = (await (await fetch(`${engineUrl}/seen`)).json()) as { usage: [] };
  return usage.at(-1)!;
}

test('a chat stream comes in pieces, with the tokens that the engine counted', async () => {
  const messages = [{ role: 'user', content: PROMPT }];
  const reply = await post('/v1/chat/completions', {
    messages,
    max_tokens: 48,
    stream: true,
    stream_options: { include_usage: true },
  });
  let pieces = 0;
  let sse = '';
  for await (const chunk of reply.body!.pipeThrough(new TextDecoderStream())) {
    pieces += 1;
    sse += chunk;
  }
  const { answer, problems } = checkChatStream(sse);
  expect(problems).toEqual([]);
  expect(pieces).toBeGreaterThan(5);
  const { prompt_tokens, completion_tokens } = await lastUsage();
  expect(answer.usage).toMatchObject({ prompt_tokens, completion_tokens });
  expect(completion_tokens).toBeGreaterThan(10);
}, 60_000);

test('Messages and Responses clients are told the same tokens', async () => {
  const messages = [{ role: 'user', content: PROMPT }];
  const message = await (await post('/v1/messages', { messages, max_tokens: 24, stream: true })).text();
  const first = checkMessagesStream(message);
  expect(first.problems).toEqual([]);
  const one = await lastUsage();
  expect(first.message.usage).toMatchObject({
    input_tokens: one.prompt_tokens,
    output_tokens: one.completion_tokens,
  });
  const events = await (
    await post('/v1/responses', { input: PROMPT, max_output_tokens: 24, stream: true })
  ).text();
  const second = checkResponsesStream(events);
  expect(second.problems).toEqual([]);
  const two = await lastUsage();
  expect(second.response.usage).toMatchObject({
    input_tokens: two.prompt_tokens,
    output_tokens: two.completion_tokens,
  });
}, 60_000);

test('a tool call that a grammar forces reaches a Messages client as an object, whole and streamed', async () => {
  const request = {
    messages: [{ role: 'user', content: PROMPT }],
    max_tokens: 96,
    tools: [{ name: 'weather', input_schema: TOOL }],
    tool_choice: { type: 'tool', name: 'weather' },
  };
  const whole = (await (await post('/v1/messages', request)).json()) as JsonObject;
  const { message, problems } = checkMessagesStream(
    await (await post('/v1/messages', { ...request, stream: true })).text(),
  );
  expect(problems).toEqual([]);
  for (const { content } of [whole, message]) {
    const [block] = listOf(content).map(objectOf);
    expect(block).toMatchObject({ type: 'tool_use', name: 'weather' });
    expect(typeof objectOf(block!.input).city).toBe('string');
  }
}, 60_000);

test('a client that leaves stops the engine', async () => {
  const abort = new AbortController();
  const messages = [{ role: 'user', content: PROMPT }];
  const reply = await post(
    '/v1/chat/completions',
    { messages, max_tokens: 1_500, stream: true },
    { signal: abort.signal },
  );
  await reply.body!.getReader().read();
  abort.abort();
  const seen = async () => ((await (await fetch(`${engineUrl}/seen`)).json()) as { aborted: number }).aborted;
  expect(await until('the engine’s request to be cancelled', seen)).toBe(1);
}, 30_000);

test('embeddings are the engine’s', async () => {
  const direct = (await (
    await fetch(`${engineUrl}/v1/embeddings`, { method: 'POST', body: JSON.stringify({ input: 'sea' }) })
  ).json()) as JsonObject;
  const through = (await (await post('/v1/embeddings', { input: 'sea' })).json()) as JsonObject;
  expect(through.data).toEqual(direct.data);
});
