import { eventsText } from '../../src/wire/long-events.ts';
import { describe, expect, test } from 'bun:test';
import type { ChatRequest } from '../../src/wire/chat.ts';
import type { JsonObject } from '../../src/wire/json.ts';
import type { Quirks } from '../../src/wire/quirks.ts';
import { QUIRKS } from '../../src/providers/quirks.ts';
import { chatClient } from '../../src/wire/openai/client.ts';
import { fittingRelayed } from '../../src/wire/facts/relayed.ts';
import { chatProtocol } from '../../src/wire/openai/protocol.ts';
import { applyQuirks, nineOf } from '../../src/wire/quirks.ts';

const kept = new Map<string, JsonObject>();

function context(quirks: Quirks = {}) {
  let ids = 0;
  return { model: 'm', quirks, created: 7, newId: () => `id${(ids += 1)}`, memory: kept };
}

function encoded(request: Partial<ChatRequest>, quirks?: Quirks) {
  const messages = [{ role: 'user', content: 'Hi' }];
  return chatProtocol.encode({ model: 'alias', messages, ...request }, context(quirks));
}

/** The chunks that the reader makes of these events. */
function read(events: readonly unknown[], quirks?: Quirks) {
  const reader = encoded({ stream: true }, quirks).stream();
  const chunks = events.flatMap((event) =>
    reader.push({ data: typeof event === 'string' ? event : JSON.stringify(event) }),
  );
  return { reader, chunks: [...chunks, ...reader.end()] };
}

const piece = (delta: object, finish: string | null = null, more: object = {}) => ({
  id: 'c1',
  created: 5,
  model: 'real',
  choices: [{ index: 0, delta, finish_reason: finish }],
  ...more,
});

describe('encode() of a chat request', () => {
  test('uses the model name of the provider, and asks for usage in streams', () => {
    expect(encoded({ stream: true }).body).toEqual({
      model: 'm',
      stream: true,
      stream_options: { include_usage: true },
      messages: [{ role: 'user', content: 'Hi' }],
    });
  });

  test('removes fields that only other protocols have', () => {
    const cached = { type: 'text', text: 'Hi', cache_control: { type: 'ephemeral' } };
    const call = {
      id: 'a',
      type: 'function',
      function: { name: 'f', arguments: '{}' },
      extra_content: { g: 1 },
    };
    const { body, dropped } = encoded({
      thinking: { type: 'enabled', budget_tokens: 9 },
      top_k: 4,
      messages: [
        { role: 'user', content: [cached] },
        {
          role: 'assistant',
          content: 'x',
          thinking_blocks: [{}],
          reasoning_content: 'hm',
          tool_calls: [call],
        },
        { role: 'tool', tool_call_id: 'a', content: 'no', is_error: true },
      ],
    });
    expect(dropped).toEqual(['top_k']);
    expect(body).toEqual({
      model: 'm',
      messages: [
        { role: 'user', content: [{ type: 'text', text: 'Hi' }] },
        {
          role: 'assistant',
          content: 'x',
          tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }],
        },
        { role: 'tool', tool_call_id: 'a', content: 'no' },
      ],
    });
  });

  test.each([
    ['every_turn', ['', 'hm']],
    ['where_known', [undefined, 'hm']],
    ['left_out', [undefined, undefined]],
  ] as const)('sends reasoning back with the setting %s', (reasoning, shown) => {
    const { body } = encoded(
      {
        messages: [
          { role: 'assistant', content: 'a' },
          { role: 'assistant', content: 'b', reasoning_content: 'hm' },
        ],
      },
      { reasoning },
    );
    const messages = body.messages as { reasoning_content?: string }[];
    expect(messages.map(({ reasoning_content }) => reasoning_content)).toEqual([...shown]);
  });

  test('restores a signature that the client omitted, if the provider needs it', () => {
    kept.set('call_1', { extra_content: { google: { thought_signature: 's' } } });
    const call = { id: 'call_1', type: 'function', function: { name: 'f', arguments: '{}' } };
    const messages = [{ role: 'assistant', content: null, tool_calls: [call] }];
    const { body } = encoded({ messages }, { keeps: ['extra_content'] });
    const [{ tool_calls }] = body.messages as [{ tool_calls: unknown[] }];
    expect(tool_calls).toEqual([{ ...call, extra_content: { google: { thought_signature: 's' } } }]);
  });
});

describe('decode() of a chat answer', () => {
  test('normalizes list content, object arguments, missing ids and finish reasons', () => {
    const thinking = { type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] };
    const answer = encoded({}).decode({
      choices: [
        {
          message: {
            content: [thinking, { type: 'text', text: 'Hi' }],
            tool_calls: [
              { function: { name: 'f', arguments: { a: 1 } } },
              { function: { name: 'g', arguments: '' } },
            ],
          },
          finish_reason: 'stop',
        },
      ],
      usage: { prompt_tokens: 3, completion_tokens: 4 },
    });
    expect(answer.choices[0]).toEqual({
      index: 0,
      message: {
        role: 'assistant',
        content: 'Hi',
        refusal: null,
        reasoning_content: 'hm',
        tool_calls: [
          { id: 'call_id2', type: 'function', function: { name: 'f', arguments: '{"a":1}' } },
          { id: 'call_id3', type: 'function', function: { name: 'g', arguments: '{}' } },
        ],
      },
      logprobs: null,
      finish_reason: 'tool_calls',
    });
    expect(answer).toMatchObject({ id: 'chatcmpl-id1', created: 7, usage: { total_tokens: 7 } });
  });

  test.each([
    ['eos', 'stop'],
    ['model_length', 'length'],
    ['insufficient_system_resource', 'insufficient_system_resource'],
    ['content_filter', 'content_filter'],
  ])('maps the finish reason %s to %s', (given, finish) => {
    const { choices } = encoded({}).decode({ choices: [{ message: { content: '' }, finish_reason: given }] });
    expect(choices[0]?.finish_reason).toBe(finish);
  });

  test('adds reasoning to the output tokens if the provider does not include it', () => {
    const usage = {
      prompt_tokens: 12,
      completion_tokens: 1,
      completion_tokens_details: { reasoning_tokens: 228 },
    };
    const body = { choices: [{ message: { content: 'x' }, finish_reason: 'stop' }], usage };
    expect(encoded({}, QUIRKS.xai).decode(body).usage).toMatchObject({
      completion_tokens: 229,
      total_tokens: 241,
    });
    expect(encoded({}).decode(body).usage).toMatchObject({ completion_tokens: 1 });
  });

  test('refuses an answer without choices', () => {
    expect(() => encoded({}).decode({ choices: [] })).toThrow('it has no choices');
  });
});

describe('stream() of a chat answer', () => {
  test('normalizes the chunks', () => {
    const { chunks, reader } = read([
      piece({ role: 'assistant', content: null }),
      piece({ reasoning: 'hm' }),
      piece({ content: 'Hi' }),
      piece({ tool_calls: [{ id: 'a', function: { name: 'f', arguments: '' } }] }),
      piece({ tool_calls: [{ function: { name: '', arguments: '{}' } }] }),
      piece({ tool_calls: [{ index: 0, id: 'b', function: { name: 'g', arguments: '{"x":1}' } }] }),
      piece({}, 'stop'),
      piece({}, 'stop', { usage: { prompt_tokens: 1, completion_tokens: 2 } }),
      '[DONE]',
    ]);
    expect(chunks.map(({ choices, usage }) => choices[0]?.delta ?? usage?.total_tokens)).toEqual([
      { role: 'assistant', content: '' },
      { reasoning_content: 'hm' },
      { content: 'Hi' },
      { tool_calls: [{ index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: '' } }] },
      { tool_calls: [{ index: 0, function: { arguments: '{}' } }] },
      {
        tool_calls: [{ index: 1, id: 'b', type: 'function', function: { name: 'g', arguments: '{"x":1}' } }],
      },
      {},
      3,
    ]);
    expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe('tool_calls');
    expect(reader.done).toBeTrue();
  });

  test('is complete with a finish reason, even without [DONE]', () => {
    const usage = { x_groq: { usage: { prompt_tokens: 1, completion_tokens: 1 } } };
    const { chunks } = read([piece({ content: 'Hi' }), piece({}, 'stop', usage)]);
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: 2 } });
  });

  test('adds no finish reason if [DONE] comes without one', () => {
    const call = { tool_calls: [{ index: 0, id: 'a', function: { name: 'f', arguments: '' } }] };
    const { chunks, reader } = read([piece(call), '[DONE]']);
    expect(chunks.slice(-1).map(({ choices }) => [choices[0]?.delta, choices[0]?.finish_reason])).toEqual([
      [{ tool_calls: [{ index: 0, function: { arguments: '{}' } }] }, null],
    ]);
    expect(reader.done).toBeTrue();
    expect(read(['[DONE]']).chunks).toEqual([]);
  });

  const called = (index: number, id: string) => ({
    tool_calls: [{ index, id, function: { name: 'f', arguments: '{}' } }],
  });

  test.each([
    ['the first of two calls', [piece(called(0, 'a'), 'tool_calls'), piece(called(1, 'b'), 'tool_calls')], 2],
    ['some text', [piece({ content: 'Hi' }, 'stop'), piece({ content: ' there' })], 2],
    ['nothing more', [piece({ content: 'Hi' }, 'stop'), piece({ content: '' }, 'stop')], 1],
    ['a call', [piece({ content: 'Hi' }, 'stop'), piece(called(0, 'a'))], 2],
  ])(
    'loses nothing if the finish reason comes before %s, and sends the finish reason last',
    (_, events, said) => {
      const { chunks } = read([...events, '[DONE]']);
      const finishes = chunks.map(({ choices }) => choices[0]?.finish_reason);
      expect(finishes.slice(0, -1).every((finish) => finish === null)).toBe(true);
      const calls = chunks.some(({ choices }) => choices[0]?.delta.tool_calls);
      expect(finishes.at(-1)).toBe(calls ? 'tool_calls' : 'stop');
      expect(chunks).toHaveLength(1 + said + 1);
    },
  );

  test('passes on the finish reason error immediately, without the content of that event', () => {
    const { chunks, reader } = read([piece({ content: 'Hi' }), piece({ content: 'x' }, 'error')]);
    expect(chunks.at(-1)?.choices).toEqual([{ index: 0, delta: {}, logprobs: null, finish_reason: 'error' }]);
    expect(reader.finished).toBe(false);
  });

  test('is not done if the stream is cut off', () => {
    const { chunks, reader } = read([piece({ content: 'Hi' })]);
    expect(chunks).toHaveLength(2);
    expect(reader.done).toBeFalse();
  });

  test('returns an error event as its error', () => {
    const { reader } = read([piece({ content: 'Hi' }), { error: { code: 502, message: 'gone' } }]);
    expect(reader.error).toMatchObject({ error: { message: 'gone' } });
  });

  test('counts and skips an event that is not JSON', () => {
    const { reader, chunks } = read(['{"choices', piece({ content: 'Hi' }, 'stop')]);
    expect(reader.malformed).toBe(1);
    expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe('stop');
  });
});

describe('decode() of a chat client’s request', () => {
  test('reads reasoning in the form that Mistral returns it', () => {
    const thinking = { type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] };
    const content = [thinking, { type: 'text', text: 'Hi' }];
    const said = { role: 'user', content: 'so?' };
    const body = { model: 'm', messages: [{ role: 'assistant', content }, said] };
    expect(chatClient.decode(body, context()).request.messages).toEqual([
      { role: 'assistant', content: [{ type: 'text', text: 'Hi' }], reasoning_content: 'hm' },
      said,
    ]);
  });

  test.each([[[null]], [[{ type: 'text', text: 'other words' }]], [7], [null]])(
    'drops parts that are not its own: %j',
    (parts) => {
      const messages = [{ role: 'user', content: 'Hi', parts }];
      const { request, dropped } = chatClient.decode({ model: 'm', messages }, context());
      expect([request.messages, dropped]).toEqual([
        [{ role: 'user', content: 'Hi' }],
        ['messages.parts'],
      ] as never);
      const shown = fittingRelayed({ messages }, 'chat', { abilities: { blank_text: false } }, 'm');
      expect(JSON.parse(JSON.stringify(shown.body))).toEqual({ messages: [{ role: 'user', content: 'Hi' }] });
    },
  );

  test.each([
    [undefined, ['data: {"id":"chatcmpl-1","choices":[{"index":0}]}\n\n', '']],
    [
      true,
      [
        'data: {"id":"chatcmpl-1","choices":[{"index":0}],"usage":null}\n\n',
        'data: {"id":"chatcmpl-1","choices":[],"usage":{"a":1}}\n\n',
      ],
    ],
  ])('and its stream() follow include_usage %p', (include_usage, written) => {
    const body = { messages: [], ...(include_usage ? { stream_options: { include_usage } } : {}) };
    const writer = chatClient.decode(body, context()).stream();
    const chunks = [
      { id: '1', choices: [{ index: 0 }] },
      { id: '1', choices: [], usage: { a: 1 } },
    ];
    expect(chunks.map((chunk) => eventsText(writer.push(chunk as never)))).toEqual(written);
    expect(eventsText(writer.end())).toBe('data: [DONE]\n\n');
  });
});

describe('applyQuirks()', () => {
  test('returns nothing if a request needs no change', () => {
    expect(applyQuirks({ temperature: 1, messages: [] }, QUIRKS.mistral!)).toBeUndefined();
  });

  test('renames, clamps, replaces values, sets and drops fields', () => {
    const quirks: Quirks = {
      drops: ['logprobs'],
      renames: { seed: 'random_seed' },
      clamps: { temperature: [0, 1.5] },
      words: { tool_choice: { required: 'any' } },
      sets: { safe: true },
    };
    const request = { seed: 3, temperature: 2, tool_choice: 'required', logprobs: true, stop: 'x' };
    expect(applyQuirks(request, quirks)).toEqual({
      request: { random_seed: 3, temperature: 1.5, tool_choice: 'any', safe: true, stop: 'x' },
      dropped: ['logprobs'],
    });
    expect(request).toEqual({ seed: 3, temperature: 2, tool_choice: 'required', logprobs: true, stop: 'x' });
  });

  test('gives a call and its result the same id of nine characters for Mistral', () => {
    const request = {
      messages: [
        { role: 'assistant', tool_calls: [{ id: 'call_abcdefghijkl', function: {} }, { id: 'abcDEF123' }] },
        { role: 'tool', tool_call_id: 'call_abcdefghijkl' },
      ],
    };
    const id = nineOf('call_abcdefghijkl');
    expect(id).toMatch(/^[a-z0-9]{9}$/);
    expect(applyQuirks(request, QUIRKS.mistral!)?.request.messages).toEqual([
      { role: 'assistant', tool_calls: [{ id, function: {} }, { id: 'abcDEF123' }] },
      { role: 'tool', tool_call_id: id },
    ]);
  });
});
