/** The e2e tests depend on what counts as a complete answer, so that is tested here on handwritten answers. */
import { expect, test } from 'bun:test';
import type { Client } from './callers/speech.ts';
import { ask, errorOf, looksFinished, tokensOf } from './caller.ts';
import { upstream } from './upstream.ts';

/** A stream of this data; events are named by their types, except in chat. */
function sse(client: Client, ...data: (object | string)[]): string {
  return data
    .map((each) => {
      const text = typeof each === 'string' ? each : JSON.stringify(each);
      const type = typeof each === 'object' && 'type' in each ? String(each.type) : '';
      return client === 'chat' || type === '' ? `data: ${text}\n\n` : `event: ${type}\ndata: ${text}\n\n`;
    })
    .join('');
}

async function see(client: Client, body: string | object) {
  await using provider = upstream(() =>
    typeof body === 'string'
      ? new Response(body, { headers: { 'content-type': 'text/event-stream' } })
      : Response.json(body),
  );
  const seen = await ask(provider.url, 'm', { client, stream: typeof body === 'string' });
  return { ...seen, asked: provider.asked[0]! };
}

const USAGE = { input_tokens: 3, output_tokens: 5 };
const FN = { name: 'weather', arguments: '' };

/** By client: a text in two pieces, a call in two pieces, an end, the terminator, and errors. */
const SAYS = {
  chat: {
    text: ['Hel', 'lo'].map((content) => ({ choices: [{ index: 0, delta: { content } }] })),
    call: [{ id: 'c', function: FN }, { function: { arguments: '{"a' } }, { function: { arguments: '":1}' } }]
      .map((call) => ({ index: 0, ...call }))
      .map((call) => ({ choices: [{ index: 0, delta: { tool_calls: [call] } }] })),
    end: [
      { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] },
      { choices: [], usage: { prompt_tokens: 3, completion_tokens: 5 } },
    ],
    last: '[DONE]',
    errors: [{ error: { message: 'no', type: 't', code: 'c' } }],
    finish: 'stop',
    whole: {
      choices: [{ index: 0, message: { content: 'Hello' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 3, completion_tokens: 5 },
    },
  },
  messages: {
    text: [
      { type: 'message_start', message: { usage: { ...USAGE, output_tokens: 1 } } },
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      ...['Hel', 'lo'].map((text) => ({
        type: 'content_block_delta',
        index: 0,
        delta: { type: 'text_delta', text },
      })),
    ],
    call: [
      {
        type: 'content_block_start',
        index: 1,
        content_block: { type: 'tool_use', id: 'c', name: 'weather', input: {} },
      },
      ...['{"a', '":1}'].map((partial_json) => ({
        type: 'content_block_delta',
        index: 1,
        delta: { type: 'input_json_delta', partial_json },
      })),
    ],
    end: [{ type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 5 } }],
    last: { type: 'message_stop' },
    errors: [{ type: 'error', error: { type: 't', message: 'no' } }],
    finish: 'end_turn',
    whole: { content: [{ type: 'text', text: 'Hello' }], stop_reason: 'end_turn', usage: USAGE },
  },
  responses: {
    text: ['Hel', 'lo'].map((delta) => ({ type: 'response.output_text.delta', item_id: 'm', delta })),
    call: [
      {
        type: 'response.output_item.added',
        item: { id: 'f', type: 'function_call', name: 'weather', arguments: '' },
      },
      ...['{"a', '":1}'].map((delta) => ({
        type: 'response.function_call_arguments.delta',
        item_id: 'f',
        delta,
      })),
    ],
    end: [],
    last: { type: 'response.completed', response: { status: 'completed', output: [], usage: USAGE } },
    errors: [
      { type: 'error', message: 'no', code: 'c' },
      { type: 'error', error: { message: 'no', code: 'c' } },
      { type: 'response.failed', response: { status: 'failed', error: { message: 'no', code: 'c' } } },
    ],
    finish: 'completed',
    whole: {
      status: 'completed',
      output: [{ type: 'message', content: [{ type: 'output_text', text: 'Hello' }] }],
      usage: USAGE,
    },
  },
} as const;

const CLIENTS = Object.keys(SAYS) as (keyof typeof SAYS)[];

test.each(CLIENTS)('a client of %s reads unstreamed and streamed answers of its protocol', async (client) => {
  const { text, call, end, last, finish, whole } = SAYS[client];
  const stream = await see(client, sse(client, ...text, ...call, ...end, last));
  const { content, calls, done, garbage, error, streamed } = stream;
  expect({ content, calls, done, garbage, error, streamed, finish: stream.finish }).toEqual({
    content: 'Hello',
    calls: [{ name: 'weather', arguments: '{"a":1}' }],
    done: 1,
    garbage: [],
    error: undefined,
    streamed: true,
    finish,
  });
  const body = await see(client, whole);
  expect([body.content, body.finish, body.done, body.streamed]).toEqual(['Hello', finish, 0, false]);
  for (const seen of [stream, body]) {
    expect(tokensOf(seen)).toEqual({ input: 3, output: 5 });
    expect(looksFinished(seen)).toBe(true);
    expect(seen.asked.text).toContain('Tell me a tale.');
    expect(seen.asked.path).toBe(
      { chat: '/v1/chat/completions', messages: '/v1/messages', responses: '/v1/responses' }[client],
    );
  }
});

test.each(CLIENTS)(
  'an error makes an answer to a client of %s look unfinished, unless it comes too late',
  async (client) => {
    const { text, end, last, errors } = SAYS[client];
    for (const error of errors) {
      const cut = await see(client, sse(client, ...text, ...end, error));
      expect([cut.done, cut.error!.message, looksFinished(cut)]).toEqual([0, 'no', false]);
      expect(errorOf(client, cut.events.at(-1)!)).toBeDefined();
      const before = await see(client, sse(client, ...text, error, ...end, last));
      expect([before.done, looksFinished(before)]).toEqual([1, false]);
      const after = await see(client, sse(client, ...text, ...end, last, error));
      expect([after.error!.message, looksFinished(after)]).toEqual(['no', true]);
      if (!('response' in error)) expect(looksFinished(await see(client, error))).toBe(false);
    }
  },
);

test.each(CLIENTS)(
  'a client of %s counts invalid events as garbage, and counts each terminator',
  async (client) => {
    const { text, end, last } = SAYS[client];
    const seen = await see(client, `: hello\n\n${sse(client, ...text, '{"half', ...end, last, last)}`);
    expect([seen.garbage, seen.done]).toEqual([['{"half'], 2]);
  },
);

test('clients of Messages and Responses require events named by their types', async () => {
  for (const client of ['messages', 'responses'] as const) {
    const { text, end, last } = SAYS[client];
    const seen = await see(client, sse('chat', ...text, ...end, last));
    expect([seen.done, seen.events, looksFinished(seen)]).toEqual([0, [], false]);
  }
});

test('only clients of chat treat a body that just ends as finished', async () => {
  for (const client of CLIENTS) {
    const { text, end } = SAYS[client];
    for (const body of [sse(client, ...text), sse(client, ...text, ...end)])
      expect(looksFinished(await see(client, body))).toBe(client === 'chat');
  }
});

test.each([
  [{ status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } }, 'max_output_tokens', true],
  [{ status: 'failed', error: { message: 'no', code: 'server_error' } }, null, false],
  [{ status: 'in_progress' }, null, false],
] as const)('a response of %j ends in %p', async (response, finish, finished) => {
  const whole = await see('responses', { output: [], ...response });
  expect([whole.finish, looksFinished(whole)]).toEqual([finish, finished]);
  const type = `response.${response.status}`;
  const stream = await see('responses', sse('responses', { type, response }));
  expect([stream.finish, looksFinished(stream)]).toEqual([finish, finished]);
});

const candidate = (text: string, finishReason?: string) => ({
  candidates: [{ content: { role: 'model', parts: [{ text }] }, index: 0, finishReason }],
});
const GEMINI_USAGE = { usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 5 } };

test('a client of Gemini treats a stream as finished if it has a finish reason and no error', async () => {
  const end = { ...candidate('lo', 'STOP'), ...GEMINI_USAGE };
  const error = {
    error: {
      code: 503,
      message: 'no',
      status: 'UNAVAILABLE',
      details: [
        { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'OVERLOADED', domain: 'llmproxy' },
        {
          '@type': 'type.googleapis.com/google.rpc.DebugInfo',
          stackEntries: ['a/m: overloaded (503)', 'b/m: network'],
        },
      ],
    },
  };
  const whole = await see('gemini', sse('gemini', candidate('Hel'), end));
  expect([whole.content, whole.finish, whole.done, looksFinished(whole)]).toEqual(['Hello', 'STOP', 1, true]);
  expect([whole.asked.path, tokensOf(whole)]).toEqual([
    '/v1beta/models/m:streamGenerateContent?alt=sse',
    { input: 3, output: 5 },
  ]);
  const body = await see('gemini', { ...candidate('Hello', 'STOP'), ...GEMINI_USAGE });
  expect([body.content, body.asked.path, looksFinished(body)]).toEqual([
    'Hello',
    '/v1beta/models/m:generateContent',
    true,
  ]);
  for (const events of [[candidate('Hel')], [candidate('Hel'), end, error], [error, end]]) {
    const cut = await see('gemini', sse('gemini', ...events));
    expect([cut.done, looksFinished(cut)]).toEqual([0, false]);
  }
  const failed = await see('gemini', error);
  expect([failed.error!.message, failed.error!.type, failed.error!.code]).toEqual([
    'no',
    'UNAVAILABLE',
    'overloaded',
  ]);
  expect(failed.error!.details).toEqual([
    { target: 'a/m', fault: 'overloaded', status: 503, ms: 0 },
    { target: 'b/m', fault: 'network', status: null, ms: 0 },
  ]);
});

test('a client of Ollama reads lines, of which the last says done', async () => {
  const lines = (...values: object[]) => values.map((value) => `${JSON.stringify(value)}\n`).join('');
  const said = (content: string) => ({ message: { role: 'assistant', content }, done: false });
  const last = { ...said(''), done: true, done_reason: 'stop', prompt_eval_count: 3, eval_count: 5 };
  const whole = await see('ollama', lines(said('Hel'), said('lo'), last));
  expect([whole.content, whole.finish, whole.done, looksFinished(whole)]).toEqual(['Hello', 'stop', 1, true]);
  expect([whole.asked.path, tokensOf(whole)]).toEqual(['/api/chat', { input: 3, output: 5 }]);
  const body = await see('ollama', { ...last, message: { role: 'assistant', content: 'Hello' } });
  expect([body.content, body.finish, looksFinished(body)]).toEqual(['Hello', 'stop', true]);
  for (const text of [lines(said('Hel')), lines(said('Hel'), { error: 'no' })])
    expect(looksFinished(await see('ollama', text))).toBe(false);
  expect((await see('ollama', { error: 'no' })).error!.message).toBe('no');
});
