/** Clients of every protocol with providers of every protocol, on real sockets. */
import { describe, expect, test } from 'bun:test';
import type { JsonObject } from '../../src/wire/json.ts';
import type { SpeakerName } from '../helpers/speakers.ts';
import { parseJson } from '../../src/wire/json.ts';
import { CLIENTS, expected } from '../helpers/clients.ts';
import { framesOf } from '../helpers/grammar/frames.ts';
import { openapiProblems } from '../helpers/openapi.ts';
import { geminiError } from '../helpers/published/gemini.ts';
import { openaiError } from '../helpers/published/chat.ts';
import { error as messagesError } from '../helpers/published/messages.ts';
import { publishedProblems } from '../helpers/published/problems.ts';
import { publishedStreamProblems } from '../helpers/published/stream.ts';
import { running } from '../helpers/proxy.ts';
import { ANSWER, speaker, speakerConfig, SPEAKERS } from '../helpers/speakers.ts';

const names = Object.keys(SPEAKERS) as SpeakerName[];
const pairs = (Object.keys(CLIENTS) as (keyof typeof CLIENTS)[]).flatMap((client) =>
  names.map((provider) => [client, provider] as const),
);
/** The pairs that are translated. */
const translated = pairs.filter(([client, provider]) => client !== provider);

describe.each(pairs)('a %s client with a %s provider', (client, name) => {
  const { path, request, check, said, error } = CLIENTS[client];

  test('receives an unstreamed answer', async () => {
    await using provider = speaker(name, 'whole');
    await using proxy = running({ providers: [speakerConfig(name, provider.url)] });
    const reply = await proxy.post(path, request);
    expect([reply.status, reply.headers.get('content-type')]).toEqual([200, expect.stringContaining('json')]);
    const answer = (await reply.json()) as JsonObject;
    if (client !== name) expect(said(answer)).toEqual(expected(CLIENTS[client]));
    else expect(answer as object).toEqual(SPEAKERS[name].whole);
    if (client !== name) expect(publishedProblems(CLIENTS[client].published, answer)).toEqual([]);
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

  test('receives a stream', async () => {
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
    expect(publishedStreamProblems(client, sse)).toEqual([]);
    expect(said(value)).toEqual(expected(CLIENTS[client]));
  });

  test('receives the error of an invalid request in its own shape', async () => {
    await using provider = speaker(name, 'refused');
    await using proxy = running({ providers: [speakerConfig(name, provider.url)] });
    const reply = await proxy.post(path, request);
    expect(reply.status).toBe(400);
    const body = (await reply.json()) as JsonObject;
    const { type, message } = error(body);
    expect(type).toBe(client === 'gemini' ? 'INVALID_ARGUMENT' : 'invalid_request_error');
    expect(message).toContain('Bad temperature');
    expect(body.type).toBe(client === 'messages' ? 'error' : undefined);
    const errors = {
      gemini: geminiError,
      messages: messagesError,
      chat: openaiError,
      responses: openaiError,
    };
    // The provider's error for an invalid request is relayed unchanged where it is in the client's protocol.
    if (client !== name || client === 'gemini') expect(publishedProblems(errors[client], body)).toEqual([]);
    if (client === 'chat' || client === 'responses')
      expect(openapiProblems('ErrorResponse', body)).toEqual([]);
  });

  test('receives an error at the end of a broken stream, which does not look finished', async () => {
    await using provider = speaker(name, 'broken');
    await using proxy = running({ providers: [speakerConfig(name, provider.url)] });
    const sse = await (await proxy.post(path, { ...request, stream: true })).text();
    const frames = framesOf(sse, []);
    expect(frames.at(-1)!.data).toContain('The server broke');
    const names = {
      chat: [undefined],
      messages: ['error'],
      responses: ['error', 'response.failed'],
      gemini: [undefined],
    }[client];
    expect(frames.slice(-names.length).map((frame) => frame.name)).toEqual(names);
    expect(sse).not.toMatch(/\[DONE\]|message_stop|response\.completed|finishReason/);
    const problems = () => [...check(sse).problems, ...publishedStreamProblems(client, sse)];
    if (client !== name) expect(problems()).toEqual([]);
    const [record] = await proxy.recorded(1);
    expect(record).toMatchObject({ outcome: 'truncated', fault: 'server' });
  });
});

test.each(translated)(
  'a %s client receives a stream from a %s provider that does not stream',
  async (client, name) => {
    const { path, request, check, said } = CLIENTS[client];
    await using provider = speaker(name, 'whole');
    await using proxy = running({ providers: [speakerConfig(name, provider.url)] });
    const usage = client === 'chat' ? { stream_options: { include_usage: true } } : {};
    const sse = await (await proxy.post(path, { ...request, ...usage, stream: true })).text();
    const { value, problems } = check(sse);
    expect(problems).toEqual([]);
    expect(publishedStreamProblems(client, sse)).toEqual([]);
    expect(said(value)).toEqual(expected(CLIENTS[client]));
  },
);

test.each(Object.keys(CLIENTS) as (keyof typeof CLIENTS)[])(
  'a %s client receives an error for an unknown model in its own shape',
  async (client) => {
    await using proxy = running({ providers: [{ name: 'mock', type: 'mock' }] });
    const { path, request, error } = CLIENTS[client];
    const reply = await proxy.post(path, request);
    expect(reply.status).toBe(404);
    const type = { messages: 'not_found_error', gemini: 'NOT_FOUND' }[client as string];
    expect(error((await reply.json()) as JsonObject)).toMatchObject({
      type: type ?? 'invalid_request_error',
    });
  },
);
