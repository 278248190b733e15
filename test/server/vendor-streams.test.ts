/**
 * Servers that speak nearly OpenAI's chat, as a Messages client receives them and as the record of a relayed answer
 * has them.
 */
import { describe, expect, test } from 'bun:test';
import { CHAT, provider, running } from '../helpers/proxy.ts';
import { sse, upstream } from '../helpers/upstream.ts';

type Json = Record<string, unknown>;
const stream = (...chunks: Json[]) =>
  `${chunks.map((chunk) => `data: ${JSON.stringify({ id: 'c', model: 'm', ...chunk })}\n\n`).join('')}data: [DONE]\n\n`;
const delta = (said: Json, finish: unknown = null, index = 0) => ({
  choices: [{ index, delta: said, finish_reason: finish }],
});
const calls = (...pieces: Json[]) => delta({ tool_calls: pieces });
const fn = (name: unknown, args?: unknown) => ({ function: { name, arguments: args } });
const END = delta({}, 'tool_calls');

const A = { type: 'tool_use', id: 'a', name: 'f', input: { x: 1 } };
const B = { type: 'tool_use', id: 'b', name: 'g', input: { y: 2 } };
const unnamed = (call: Json): Json => ({ type: 'tool_use', name: call.name, input: call.input });
const TEXT = { type: 'text', text: 'Hi' };
const THOUGHT = { type: 'thinking', thinking: 'hm' };
const X = '{"x":1}';
const Y = '{"y":2}';

/** What a server sends, and the blocks it means. */
const STREAMS: readonly (readonly [string, string, readonly Json[]])[] = [
  [
    'the name of a call in a later delta than its id',
    stream(
      calls({ index: 0, id: 'a', type: 'function', function: { name: null } }),
      calls({ index: 0, ...fn('f') }),
      calls({ index: 0, ...fn(undefined, X) }),
      END,
    ),
    [A],
  ],
  [
    'the name after the start of the arguments',
    stream(calls({ index: 0, id: 'a', ...fn('', '{"x"') }), calls({ index: 0, ...fn('f', ':1}') }), END),
    [A],
  ],
  [
    'calls with the same index and no ids',
    stream(calls({ index: 0, ...fn('f', X) }), calls({ index: 0, ...fn('g', Y) }), END),
    [unnamed(A), unnamed(B)],
  ],
  [
    'calls of one function with neither index nor ids',
    stream(calls(fn('f', X), fn('f', X)), calls(fn('g', '{"y"')), calls(fn('g', ':2}')), END),
    [unnamed(A), unnamed(A), unnamed(B)],
  ],
  [
    'calls with the same index and numbers for ids',
    stream(calls({ index: 0, id: 0, ...fn('f', X) }), calls({ index: 0, id: 1, ...fn('g', Y) }), END),
    [
      { ...A, id: '0' },
      { ...B, id: '1' },
    ],
  ],
  [
    'the text in one choice and the calls in another (Copilot)',
    stream(
      delta({ role: 'assistant', content: 'Hi' }),
      delta({ tool_calls: [{ index: 0, id: 'a', ...fn('f', X) }] }, null, 1),
      delta({}, 'tool_calls'),
      delta({}, 'tool_calls', 1),
    ),
    [TEXT, A],
  ],
  [
    'an empty reasoning_content beside reasoning',
    stream(delta({ reasoning_content: '', reasoning: 'hm' }), delta({ content: 'Hi' }), delta({}, 'stop')),
    [THOUGHT, TEXT],
  ],
  [
    'an empty finish reason after calls',
    stream(calls({ index: 0, id: 'a', ...fn('f', X) }), delta({}, '')),
    [A],
  ],
  [
    'a forced call that ends with "stop" (OpenAI)',
    stream(calls({ index: 0, id: 'a', ...fn('f', X) }), delta({}, 'stop')),
    [A],
  ],
  [
    'a message beside each delta (Writer)',
    stream(
      {
        choices: [
          {
            index: 0,
            finish_reason: null,
            message: { content: 'Hi', role: 'assistant' },
            delta: { content: 'Hi', tool_calls: [] },
          },
        ],
      },
      delta({ tool_calls: [{ index: 0, id: 'a', type: 'function', ...fn('f', '') }] }),
      delta({ tool_calls: [{ index: 0, id: '', type: 'function', ...fn('', X) }], content: '' }),
      END,
    ),
    [TEXT, A],
  ],
  [
    'only a message (Writer)',
    stream({ choices: [{ index: 0, message: { content: 'Hi', role: 'assistant' } }] }, delta({}, 'stop')),
    [TEXT],
  ],
  [
    'chunks without model and date, with the usage in the last one (Jamba)',
    'data: {"id":"c","choices":[{"index":0,"delta":{"role":"assistant"},"finish_reason":null}]}\n\n' +
      'data: {"id":"c","choices":[{"index":0,"delta":{"content":"Hi"},"logprobs":null,"finish_reason":null}]}\n\n' +
      'data: {"id":"c","choices":[{"index":0,"delta":{"content":""},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":1},"meta":{"requestDurationMillis":3}}\n\n' +
      'data: [DONE]\n\n',
    [TEXT],
  ],
  [
    'a call as Snowflake streams it',
    stream(
      {
        choices: [
          {
            delta: { type: 'text', content: 'Hi', content_list: [{ type: 'text', text: 'Hi' }], text: 'Hi' },
          },
        ],
      },
      {
        choices: [
          {
            delta: {
              type: 'tool_use',
              tool_use_id: 'a',
              name: 'f',
              content_list: [{ tool_use_id: 'a', name: 'f' }],
            },
          },
        ],
      },
      { choices: [{ delta: { type: 'tool_use', input: '{"x"', content_list: [{ input: '{"x"' }] } }] },
      { choices: [{ delta: { type: 'tool_use', content_list: [{ input: ':1}' }] } }] },
      { choices: [{ delta: { type: 'tool_use', tool_use_id: 'b', name: 'g' } }] },
      { choices: [{ delta: { type: 'tool_use', input: Y } }] },
      {
        choices: [{ delta: { type: 'text', content: '' }, finish_reason: 'tool_calls' }],
        usage: { prompt_tokens: 3, completion_tokens: 1 },
      },
    ),
    [TEXT, A, B],
  ],
];

const whole = (...choices: Json[]) => ({ id: 'c', model: 'm', created: 1, choices });
const said = (message: Json, finish: unknown = 'tool_calls') => ({
  index: 0,
  message: { role: 'assistant', ...message },
  finish_reason: finish,
});
const callOf = (id: unknown, name: string, args: unknown) => ({
  id,
  type: 'function',
  function: { name, arguments: args },
});

const ANSWERS: readonly (readonly [string, Json, readonly Json[]])[] = [
  [
    'text and calls in two choices (Copilot)',
    whole(
      { message: { role: 'assistant', content: 'Hi' }, finish_reason: 'tool_calls' },
      { message: { role: 'assistant', tool_calls: [callOf('a', 'f', X)] }, finish_reason: 'tool_calls' },
    ),
    [TEXT, A],
  ],
  [
    'numbers for ids',
    whole(said({ content: null, tool_calls: [callOf(0, 'f', X), callOf(1, 'g', Y)] })),
    [
      { ...A, id: '0' },
      { ...B, id: '1' },
    ],
  ],
  [
    'an empty finish reason beside calls',
    whole(said({ content: '', tool_calls: [callOf('a', 'f', X)] }, '')),
    [A],
  ],
  [
    'a forced call that ends with "stop" (OpenAI)',
    whole(said({ content: null, tool_calls: [callOf('a', 'f', X)] }, 'stop')),
    [A],
  ],
  [
    'an empty reasoning_content beside reasoning',
    whole(said({ content: 'Hi', reasoning_content: '', reasoning: 'hm' }, 'stop')),
    [THOUGHT, TEXT],
  ],
  [
    'a requested JSON object as an object (Cloudflare)',
    whole(said({ content: { name: 'Ada', age: 36 }, refusal: null }, 'stop')),
    [{ type: 'text', text: '{"name":"Ada","age":36}' }],
  ],
  [
    'a list of texts and calls (Snowflake)',
    whole(
      said({
        content: '',
        content_list: [
          { type: 'text', text: 'Hi' },
          { type: 'tool_use', tool_use: { tool_use_id: 'a', name: 'f', input: { x: 1 } } },
        ],
      }),
    ),
    [TEXT, A],
  ],
];

const REQUEST = { ...CHAT, max_tokens: 100 };

describe('a Messages client receives', () => {
  const plain = (blocks: readonly Json[]) =>
    blocks.map(({ id, signature, citations, caller, ...block }) => {
      expect([signature ?? '', citations ?? []]).toEqual(['', []]);
      expect(caller ?? { type: 'direct' }).toEqual({ type: 'direct' });
      return /^[ab01]$/.test(String(id)) ? { ...block, id } : block;
    });

  test.each(STREAMS.map(([name, sent, blocks]) => ({ name, sent, blocks })))(
    '$name',
    async ({ sent, blocks }) => {
      await using a = upstream(() => sse(sent));
      await using proxy = running({ providers: [provider('a', a.url)] });
      const response = await proxy.post('/v1/messages', { ...REQUEST, stream: true });
      const text = await response.text();
      expect(text).toContain('event: message_stop');
      expect(text).toContain(
        `"stop_reason":"${blocks.some(({ type }) => type === 'tool_use') ? 'tool_use' : 'end_turn'}"`,
      );
      const [record] = await proxy.recorded(1);
      expect(record).toMatchObject({ outcome: 'success', lane: 'translate' });
      expect(plain((JSON.parse(record!.response!) as { content: Json[] }).content)).toEqual(plain(blocks));
    },
  );

  test.each(ANSWERS.map(([name, sent, blocks]) => ({ name, sent, blocks })))(
    '$name',
    async ({ sent, blocks }) => {
      await using a = upstream(() => Response.json(sent));
      await using proxy = running({ providers: [provider('a', a.url)] });
      const response = await proxy.post('/v1/messages', REQUEST);
      const { content } = (await response.json()) as { content: Json[] };
      expect(plain(content)).toEqual(plain(blocks));
      expect((await proxy.recorded(1))[0]).toMatchObject({
        outcome: 'success',
        finish: blocks.some(({ type }) => type === 'tool_use') ? 'tool_calls' : 'stop',
      });
    },
  );
});

describe('a chat client receives unchanged', () => {
  test.each(STREAMS.map(([name, sent, blocks]) => ({ name, sent, blocks })))(
    '$name',
    async ({ name, sent, blocks }) => {
      await using a = upstream(() => sse(sent));
      await using proxy = running({ providers: [provider('a', a.url)] });
      const response = await proxy.post('/v1/chat/completions', { ...CHAT, stream: true });
      expect(await response.text()).toBe(sent);
      const [record] = await proxy.recorded(1);
      const called = blocks.filter(({ type }) => type === 'tool_use');
      expect(record).toMatchObject({
        outcome: 'success',
        lane: 'relay',
        finish: called.length > 0 ? 'tool_calls' : 'stop',
      });
      // The record keeps Snowflake's own fields, which differ from OpenAI's.
      if (name.includes('Snowflake')) return;
      const { choices } = JSON.parse(record!.response!) as {
        choices: { message: { tool_calls?: { function: { name: string; arguments: string } }[] } }[];
      };
      const kept = choices.flatMap(({ message }) => message.tool_calls ?? []);
      expect(
        kept.map(({ function: { name: called, arguments: args } }) => [called, JSON.parse(args)]),
      ).toEqual(called.map(({ name: wanted, input }) => [wanted, input]));
    },
  );

  test.each(ANSWERS.map(([name, sent, blocks]) => ({ name, sent, blocks })))(
    '$name',
    async ({ name, sent, blocks }) => {
      await using a = upstream(() => Response.json(sent));
      await using proxy = running({ providers: [provider('a', a.url)] });
      const response = await proxy.post('/v1/chat/completions', CHAT);
      expect(await response.json()).toEqual(sent);
      const [record] = await proxy.recorded(1);
      expect(record).toMatchObject({ outcome: 'success' });
      if (name.includes('Snowflake')) return;
      expect(record!.finish).toBe(blocks.some(({ type }) => type === 'tool_use') ? 'tool_calls' : 'stop');
    },
  );

  test.each([false, true])(
    'a forced function call as OpenAI used to have it, streamed: %p',
    async (isStream) => {
      const called = { role: 'assistant', content: null, function_call: { name: 'f', arguments: X } };
      const sent = isStream ? stream(delta(called), delta({}, 'stop')) : whole(said(called, 'stop'));
      await using a = upstream(() => (typeof sent === 'string' ? sse(sent) : Response.json(sent)));
      await using proxy = running({ providers: [provider('a', a.url)] });
      const functions = [{ name: 'f', parameters: { type: 'object', properties: {} } }];
      await (
        await proxy.post('/v1/chat/completions', {
          ...CHAT,
          stream: isStream,
          functions,
          function_call: { name: 'f' },
        })
      ).text();
      expect((await proxy.recorded(1))[0]).toMatchObject({ outcome: 'success', finish: 'tool_calls' });
    },
  );

  test('a custom tool call, and the record keeps its input', async () => {
    const sent = stream(
      calls({ index: 0, id: 'a', type: 'custom', custom: { name: 'f', input: '' } }),
      calls({ index: 0, custom: { input: 'free ' } }),
      calls({ index: 0, custom: { input: 'text {' } }),
      END,
    );
    await using a = upstream(() => sse(sent));
    await using proxy = running({ providers: [provider('a', a.url)] });
    const response = await proxy.post('/v1/chat/completions', { ...CHAT, stream: true });
    expect(await response.text()).toBe(sent);
    const [record] = await proxy.recorded(1);
    expect(record).toMatchObject({ outcome: 'success', finish: 'tool_calls' });
    const { choices } = JSON.parse(record!.response!) as { choices: { message: Json }[] };
    expect(choices[0]!.message.tool_calls).toEqual([
      { id: 'a', type: 'custom', custom: { name: 'f', input: 'free text {' } },
    ]);
  });
});

test('a call that never receives its name is an error, as no client could run it', async () => {
  await using a = upstream(() => sse(stream(calls({ index: 0, id: 'a', ...fn(null, X) }), END)));
  await using proxy = running({ providers: [provider('a', a.url, { max_retries: 0 })] });
  const response = await proxy.post('/v1/messages', { ...REQUEST, stream: true });
  expect(await response.text()).toContain('error');
  expect((await proxy.recorded(1))[0]!.outcome).not.toBe('success');
});
