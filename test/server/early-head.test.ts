/** The head of a stream that is sent before a target has begun to answer (`server.early_head`). */
import { describe, expect, test } from 'bun:test';
import type { ConfigInput } from '../../src/config/schema.ts';
import type { Script } from '../helpers/upstream.ts';
import { CHAT, provider, running } from '../helpers/proxy.ts';
import { sse, upstream } from '../helpers/upstream.ts';
import { until } from '../helpers/until.ts';

const EARLY: ConfigInput['server'] = { early_head: '50ms', keepalive_comment: '100ms' };
const CHUNK = { id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm' };
const ANSWER = [
  { ...CHUNK, choices: [{ index: 0, delta: { role: 'assistant', content: 'Hi' }, finish_reason: null }] },
  { ...CHUNK, choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] },
];
const answer = () =>
  sse(
    [...ANSWER.map((event) => JSON.stringify(event)), '[DONE]'].map((data) => `data: ${data}\n\n`).join(''),
  );

/** A script that answers when it is told to. */
function waiting(then: () => Response): { script: Script; go: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { script: () => promise.then(then), go: resolve };
}

interface Asked {
  readonly path?: string;
  readonly body?: object;
  readonly server?: ConfigInput['server'];
  /** How long the head is waited for, milliseconds. */
  readonly patienceMs?: number;
}

const STREAM = { ...CHAT, max_tokens: 9, stream: true };

/** The head of the answer while the provider is silent, and then all of it. */
async function asked(
  then: () => Response,
  { path = '/v1/chat/completions', body = STREAM, server = EARLY, patienceMs = 10_000 }: Asked = {},
) {
  const { script, go } = waiting(then);
  await using provided = upstream(script);
  await using proxy = running({
    server,
    providers: [provider('p', provided.url, { models: ['*'], max_retries: 0 })],
  });
  const replying = proxy.post(path, body);
  const isEarly = await Promise.race([replying.then(() => true), Bun.sleep(patienceMs).then(() => false)]);
  go();
  const reply = await replying;
  const text = await reply.text();
  const [record] = await proxy.recorded(1);
  return { isEarly, status: reply.status, headers: reply.headers, text, record: record! };
}

describe('early_head', () => {
  test('sends the head and comments, and then the answer', async () => {
    const seen = await asked(answer);
    expect(seen).toMatchObject({ isEarly: true, status: 200, record: { outcome: 'success', status: 200 } });
    expect(seen.headers.get('content-type')).toStartWith('text/event-stream');
    expect(seen.headers.get('x-request-id')).toBe(seen.record.id);
    expect(seen.text).toMatch(/^(?:: keep-alive\n\n)+data: /);
    expect(seen.text).toContain('"content":"Hi"');
    expect(seen.text).toEndWith('data: [DONE]\n\n');
  });

  test('waits for the answer where it is disabled, or the answer is no stream', async () => {
    expect(await asked(answer, { server: {}, patienceMs: 300 })).toMatchObject({
      isEarly: false,
      status: 200,
    });
    const whole = () =>
      Response.json({
        ...CHUNK,
        object: 'chat.completion',
        choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }],
      });
    expect(await asked(whole, { body: CHAT, patienceMs: 300 })).toMatchObject({
      isEarly: false,
      status: 200,
    });
  });

  test.each([
    ['/v1/chat/completions', STREAM, /data: \{"error":/],
    ['/v1/messages', STREAM, /event: error\ndata: \{"type":"error"/],
    [
      '/v1/responses',
      { model: 'm', input: 'hi', stream: true },
      /event: error\n[\s\S]*event: response\.failed\n/,
    ],
    ['/api/chat', STREAM, /^ +\{"error":"/],
    [
      '/v1beta/models/m:streamGenerateContent',
      { contents: [{ parts: [{ text: 'hi' }] }] },
      /^ +\[\{"error":/,
    ],
  ])('tells a client of %s of an error within the stream', async (path, body, expected) => {
    const seen = await asked(() => new Response('down', { status: 500 }), { path, body });
    expect(seen).toMatchObject({
      isEarly: true,
      status: 200,
      record: { outcome: 'error', status: 200, fault: 'server' },
    });
    expect(seen.text).toMatch(expected);
  });

  test('leaves the status of an error that is known in time', async () => {
    await using provided = upstream(() => new Response('no', { status: 401 }));
    await using proxy = running({
      server: { early_head: '5s' },
      providers: [provider('p', provided.url, { models: ['m'], max_retries: 0 })],
    });
    expect((await proxy.post('/v1/chat/completions', { ...STREAM, model: 'none' })).status).toBe(404);
  });

  test('lets another target answer', async () => {
    const { script, go } = waiting(() => new Response('down', { status: 503 }));
    await using first = upstream(script);
    await using second = upstream(answer);
    await using proxy = running({
      server: EARLY,
      providers: [
        provider('one', first.url, { models: ['*'], max_retries: 0, priority: 0 }),
        provider('two', second.url, { models: ['*'], priority: 1 }),
      ],
    });
    const reply = await proxy.post('/v1/chat/completions', STREAM);
    go();
    expect(await reply.text()).toContain('"content":"Hi"');
    expect(await proxy.recorded(1)).toMatchObject([{ outcome: 'success', provider: 'two', attempts: 2 }]);
  });

  test('aborts the request if the client leaves before the answer', async () => {
    const { script, go } = waiting(answer);
    await using provided = upstream(script);
    await using proxy = running({
      server: EARLY,
      providers: [provider('p', provided.url, { models: ['*'] })],
    });
    const leaving = new AbortController();
    const reply = await proxy.post('/v1/chat/completions', STREAM, { signal: leaving.signal });
    expect(reply.status).toBe(200);
    leaving.abort();
    await until('the record', () => proxy.records.length, { is: 1 });
    expect(proxy.records).toMatchObject([{ outcome: 'client_abort' }]);
    go();
  });
});
