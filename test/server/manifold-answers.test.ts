/** Answers and events with so many parts that serializing them again would block the event loop. */
import { expect, test } from 'bun:test';
import { MOST_ESCAPES, MOST_REWRITTEN } from '../../src/wire/json-fields.ts';
import { CHAT, provider, running } from '../helpers/proxy.ts';
import { upstream } from '../helpers/upstream.ts';

const many = <T>(count: number, make: (n: number) => T): T[] =>
  Array.from({ length: count }, (_, n) => make(n));
const said = (content: string) => ({ role: 'assistant', content });
const whole = (choices: unknown) =>
  Response.json({ id: 'c', object: 'chat.completion', created: 1, model: 'm', choices });
const choice = (index: number) => ({ index, message: said('hello '.repeat(5)), finish_reason: 'stop' });
const probable = (n: number) => ({ token: `t${n}`, logprob: -1, bytes: [1], top_logprobs: [] });
const event = (delta: object, finish: string | null = null) =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
const cited = (n: number) => ({ type: 'url_citation', url_citation: { url: `http://a/${n}`, title: 't' } });
const STREAM = `${event({ content: 'first ' })}${event({ content: 'second ', annotations: many(MOST_REWRITTEN / 4, cited) })}${event({ content: 'third' })}${event({}, 'stop')}data: [DONE]\n\n`;

test.each([
  ['translated', '/v1/messages', false],
  ['translated to a stream', '/v1/messages', true],
  ['returned as a stream', '/v1/chat/completions', true],
])('an answer with too many parts is refused where it would be %s', async (_, path, stream) => {
  await using provided = upstream(() => whole(many(MOST_REWRITTEN / 4, choice)));
  await using proxy = running({ providers: [provider('a', provided.url)] });
  const response = await proxy.post(path, { ...CHAT, max_tokens: 9, stream });
  expect([response.status, await response.text()]).toEqual([
    502,
    expect.stringContaining('more than 65536 objects and fields'),
  ]);
});

test.each([
  ['/v1/responses', true],
  ['/v1/chat/completions', true],
  ['/v1/messages', false],
])('an answer with too many escapes is refused for %s, streamed: %p', async (path, stream) => {
  const text = '\n'.repeat(MOST_ESCAPES + 1);
  await using provided = upstream(() => whole([{ ...choice(0), message: said(text) }]));
  await using proxy = running({ providers: [provider('a', provided.url)] });
  const response = await proxy.post(path, { ...CHAT, input: 'hi', max_tokens: 9, stream });
  expect([response.status, await response.text()]).toEqual([
    502,
    expect.stringContaining('more than 500000 escaped characters'),
  ]);
});

test('such an answer is relayed unchanged, and many log probabilities are still translated', async () => {
  const logprobs = { content: many(MOST_REWRITTEN / 2, probable) };
  await using provided = upstream(({ text }) =>
    whole(text.includes('probable') ? [{ ...choice(0), logprobs }] : many(MOST_REWRITTEN / 4, choice)),
  );
  await using proxy = running({ providers: [provider('a', provided.url)] });
  expect((await proxy.post('/v1/chat/completions', CHAT)).status).toBe(200);
  const translated = await proxy.post('/v1/responses', {
    model: CHAT.model,
    input: 'probable',
    include: ['message.output_text.logprobs'],
  });
  expect([translated.status, await translated.text()]).toEqual([200, expect.stringContaining('hello')]);
});

test('an event with too many parts is dropped from a translated stream, and counted', async () => {
  await using provided = upstream(
    () => new Response(STREAM, { headers: { 'content-type': 'text/event-stream' } }),
  );
  await using proxy = running({ providers: [provider('a', provided.url)] });
  const relayed = await (await proxy.post('/v1/chat/completions', { ...CHAT, stream: true })).text();
  expect(relayed).toBe(STREAM);
  const text = await (await proxy.post('/v1/messages', { ...CHAT, max_tokens: 9, stream: true })).text();
  expect(['first ', 'second ', 'third', 'message_stop'].map((word) => text.includes(word))).toEqual([
    true,
    false,
    true,
    true,
  ]);
  const [, record] = await proxy.recorded(2);
  expect(record).toMatchObject({ lane: 'translate', malformed: 1 });
});
