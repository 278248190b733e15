/** Clients of every protocol at providers of every protocol, on real sockets. */
import { describe, expect, test } from 'bun:test';
import type { JsonObject } from '../../src/wire/json.ts';
import type { SpeakerName } from '../helpers/speakers.ts';
import { listOf, objectOf, parseJson } from '../../src/wire/json.ts';
import { checkChatStream } from '../helpers/grammar/chat.ts';
import { framesOf } from '../helpers/grammar/frames.ts';
import { checkMessagesStream } from '../helpers/grammar/messages.ts';
import { checkResponsesStream } from '../helpers/grammar/responses.ts';
import { openapiProblems } from '../helpers/openapi.ts';
import { running } from '../helpers/proxy.ts';
import { ANSWER, speaker, speakerConfig, SPEAKERS } from '../helpers/speakers.ts';

const TOOLS = [
  { name: 'weather', schema: { type: 'object', properties: { city: { type: 'string' } } } },
  { name: 'time', schema: { type: 'object', properties: {} } },
];

interface Said {
  reasoning: string;
  text: string;
  calls: [string, string][];
  finish: unknown;
  input: unknown;
  output: unknown;
}

interface Client {
  readonly path: string;
  readonly request: JsonObject;
  readonly check: (sse: string) => { value: JsonObject; problems: readonly string[] };
  readonly said: (answer: JsonObject) => Said;
  readonly finish: string;
  /** An error as this client knows it. */
  readonly error: (body: JsonObject) => { type: unknown; message: unknown };
}

const CLIENTS: Readonly<Record<'chat' | 'messages' | 'responses', Client>> = {
  chat: {
    path: '/v1/chat/completions',
    request: {
      model: 'm-1',
      messages: [{ role: 'user', content: 'hi' }],
      tools: TOOLS.map(({ name, schema }) => ({ type: 'function', function: { name, parameters: schema } })),
    },
    check(sse) {
      const { answer: value, problems } = checkChatStream(sse);
      const chunks = framesOf(sse, []).flatMap(({ value: chunk }) => (chunk ? [chunk] : []));
      const wrong = chunks
        .filter((chunk) => !('error' in chunk))
        .flatMap((chunk) => openapiProblems('CreateChatCompletionStreamResponse', chunk));
      return { value, problems: [...problems, ...wrong] };
    },
    said(answer) {
      const { message, finish_reason: finish } = objectOf(listOf(answer.choices)[0]);
      const { reasoning_content, content, tool_calls } = objectOf(message);
      const usage = objectOf(answer.usage);
      return {
        reasoning: String(reasoning_content),
        text: String(content),
        calls: listOf(tool_calls).map((call) => {
          const { name, arguments: text } = objectOf(objectOf(call).function);
          return [String(name), String(text)];
        }),
        finish,
        input: usage.prompt_tokens,
        output: usage.completion_tokens,
      };
    },
    finish: 'tool_calls',
    error: (body) => objectOf(body.error) as { type: unknown; message: unknown },
  },
  messages: {
    path: '/v1/messages',
    request: {
      model: 'm-1',
      max_tokens: 100,
      messages: [{ role: 'user', content: 'hi' }],
      tools: TOOLS.map(({ name, schema }) => ({ name, input_schema: schema })),
    },
    check(sse) {
      const { message: value, problems } = checkMessagesStream(sse);
      return { value, problems };
    },
    said(answer) {
      const blocks = listOf(answer.content).map(objectOf);
      const of = (type: string) => blocks.filter((block) => block.type === type);
      const usage = objectOf(answer.usage);
      return {
        reasoning: of('thinking')
          .map(({ thinking }) => String(thinking))
          .join(''),
        text: of('text')
          .map(({ text }) => String(text))
          .join(''),
        calls: of('tool_use').map(({ name, input }) => [String(name), JSON.stringify(input)]),
        finish: answer.stop_reason,
        input: usage.input_tokens,
        output: usage.output_tokens,
      };
    },
    finish: 'tool_use',
    error: (body) => objectOf(body.error) as { type: unknown; message: unknown },
  },
  responses: {
    path: '/v1/responses',
    request: {
      model: 'm-1',
      input: 'hi',
      tools: TOOLS.map(({ name, schema }) => ({ type: 'function', name, parameters: schema, strict: false })),
    },
    check(sse) {
      const { response: value, problems } = checkResponsesStream(sse);
      return { value, problems };
    },
    said(answer) {
      const items = listOf(answer.output).map(objectOf);
      const texts = (list: unknown) =>
        listOf(list)
          .map((part) => String(objectOf(part).text))
          .join('');
      const of = (type: string) => items.filter((item) => item.type === type);
      const usage = objectOf(answer.usage);
      return {
        reasoning: of('reasoning')
          .map(({ summary }) => texts(summary))
          .join(''),
        text: of('message')
          .map(({ content }) => texts(content))
          .join(''),
        calls: of('function_call').map(({ name, arguments: text }) => [String(name), String(text)]),
        finish: answer.status,
        input: usage.input_tokens,
        output: usage.output_tokens,
      };
    },
    finish: 'completed',
    error: (body) => objectOf(body.error) as { type: unknown; message: unknown },
  },
};

const names = Object.keys(SPEAKERS) as SpeakerName[];
const pairs = (Object.keys(CLIENTS) as (keyof typeof CLIENTS)[]).flatMap((client) =>
  names.map((provider) => [client, provider] as const),
);
/** The pairs that go through the canonical form. */
const translated = pairs.filter(([client, provider]) => client !== provider);

function expected({ finish }: Client): Said {
  const { reasoning, text, calls, usage } = ANSWER;
  return { reasoning, text, calls: calls.map(([name, args]) => [name, args]), finish, ...usage };
}

describe.each(pairs)('a client of %s at a provider of %s', (client, name) => {
  const { path, request, check, said, error } = CLIENTS[client];

  test('gets a whole answer', async () => {
    await using provider = speaker(name, 'whole');
    await using proxy = running({ providers: [speakerConfig(name, provider.url)] });
    const reply = await proxy.post(path, request);
    expect([reply.status, reply.headers.get('content-type')]).toEqual([200, expect.stringContaining('json')]);
    const answer = (await reply.json()) as JsonObject;
    if (client !== name) expect(said(answer)).toEqual(expected(CLIENTS[client]));
    else expect(answer as object).toEqual(SPEAKERS[name].whole);
    if (client === 'chat' && name !== 'chat')
      expect(openapiProblems('CreateChatCompletionResponse', answer)).toEqual([]);
    if (client === 'responses' && name !== 'responses')
      expect(openapiProblems('Response', answer)).toEqual([]);
    expect(provider.asked[0]!.path).toEndWith(SPEAKERS[name].path(false));
    const [record] = await proxy.recorded(1);
    expect(record).toMatchObject({
      outcome: 'success',
      endpoint: client,
      lane: client === name ? 'relay' : 'translate',
      finish: 'tool_calls',
      input_tokens: ANSWER.usage.input,
      output_tokens: ANSWER.usage.output,
    });
    expect(parseJson(record!.response!)).toEqual(answer);
  });

  test('gets a stream', async () => {
    await using provider = speaker(name, 'stream');
    await using proxy = running({ providers: [speakerConfig(name, provider.url)] });
    const usage = client === 'chat' ? { stream_options: { include_usage: true } } : {};
    const reply = await proxy.post(path, { ...request, ...usage, stream: true });
    expect(reply.headers.get('content-type')).toContain('text/event-stream');
    const sse = await reply.text();
    expect(provider.asked[0]!.path).toEndWith(SPEAKERS[name].path(true));
    const [record] = await proxy.recorded(1);
    expect(record).toMatchObject({
      outcome: 'success',
      finish: 'tool_calls',
      input_tokens: ANSWER.usage.input,
      output_tokens: ANSWER.usage.output,
    });
    expect(said(parseJson(record!.response!) as JsonObject)).toEqual(expected(CLIENTS[client]));
    if (client === name) return;
    const { value, problems } = check(sse);
    expect(problems).toEqual([]);
    expect(said(value)).toEqual(expected(CLIENTS[client]));
  });

  test('is told of its mistake in its own shape', async () => {
    await using provider = speaker(name, 'refused');
    await using proxy = running({ providers: [speakerConfig(name, provider.url)] });
    const reply = await proxy.post(path, request);
    expect(reply.status).toBe(400);
    const body = (await reply.json()) as JsonObject;
    const { type, message } = error(body);
    expect(type).toBe('invalid_request_error');
    expect(message).toContain('Bad temperature');
    expect(body.type).toBe(client === 'messages' ? 'error' : undefined);
    if (client !== 'messages') expect(openapiProblems('ErrorResponse', body)).toEqual([]);
  });

  test('is told of a stream that breaks, which does not look finished', async () => {
    await using provider = speaker(name, 'broken');
    await using proxy = running({ providers: [speakerConfig(name, provider.url)] });
    const sse = await (await proxy.post(path, { ...request, stream: true })).text();
    const last = framesOf(sse, []).at(-1)!;
    expect(last.data).toContain('The server broke');
    expect(last.name).toBe(client === 'chat' ? undefined : 'error');
    expect(sse).not.toMatch(/\[DONE\]|message_stop|response\.completed/);
    if (client !== name) expect(check(sse).problems).toEqual([]);
    const [record] = await proxy.recorded(1);
    expect(record).toMatchObject({ outcome: 'truncated', fault: 'server' });
  });
});

test.each(translated)(
  'a client of %s gets a stream of %s also where the provider sends none',
  async (client, name) => {
    const { path, request, check, said } = CLIENTS[client];
    await using provider = speaker(name, 'whole');
    await using proxy = running({ providers: [speakerConfig(name, provider.url)] });
    const usage = client === 'chat' ? { stream_options: { include_usage: true } } : {};
    const sse = await (await proxy.post(path, { ...request, ...usage, stream: true })).text();
    const { value, problems } = check(sse);
    expect(problems).toEqual([]);
    expect(said(value)).toEqual(expected(CLIENTS[client]));
  },
);

test.each(Object.keys(CLIENTS) as (keyof typeof CLIENTS)[])(
  'a client of %s is told in its own shape that its model is unknown',
  async (client) => {
    await using proxy = running({ providers: [{ name: 'mock', type: 'mock' }] });
    const { path, request, error } = CLIENTS[client];
    const reply = await proxy.post(path, request);
    expect(reply.status).toBe(404);
    const type = client === 'messages' ? 'not_found_error' : 'invalid_request_error';
    expect(error((await reply.json()) as JsonObject)).toMatchObject({ type });
  },
);
