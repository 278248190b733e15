/** Chat requests as requests to the Responses API. */
import { describe, expect, test } from 'bun:test';
import type { ChatMessage, ChatRequest } from '../../src/wire/chat.ts';
import type { JsonObject } from '../../src/wire/json.ts';
import type { Quirks } from '../../src/wire/quirks.ts';
import { ProxyError } from '../../src/errors.ts';
import { encodeResponsesRequest } from '../../src/wire/responses/request.ts';
import { openapiProblems } from '../helpers/openapi.ts';

const hi: ChatMessage = { role: 'user', content: 'Hi' };
const said = { type: 'message', role: 'user', content: 'Hi' };

function encode(
  more: Partial<ChatRequest>,
  { model = 'gpt-4.1', quirks = {} as Quirks, remembered = undefined as JsonObject | undefined } = {},
) {
  const memory = { get: () => remembered, set: () => undefined };
  const encoded = encodeResponsesRequest({ model, messages: [hi], ...more }, { model, quirks, memory });
  expect(openapiProblems('CreateResponse', encoded.body)).toEqual([]);
  return encoded;
}
const body = (more: Partial<ChatRequest>) => encode(more).body;
const input = (...messages: ChatMessage[]) => body({ messages }).input;
const call = (id: string, name = 'f', text = '{"a":1}') => ({
  id,
  type: 'function',
  function: { name, arguments: text },
});

function refusal(more: Partial<ChatRequest>): Pick<ProxyError, 'fault' | 'param'> {
  try {
    encode(more);
  } catch (error) {
    if (error instanceof ProxyError) return { fault: error.fault, param: error.param };
  }
  throw new Error('nothing was refused');
}

test('encode() sends a plain question, with store set to false', () => {
  expect(encode({})).toEqual({ body: { model: 'gpt-4.1', input: [said], store: false }, dropped: [] });
});

describe('messages', () => {
  test('from the system become instructions at the beginning, and keep their position later on', () => {
    const messages = [
      { role: 'system', content: 'Be kind.' },
      {
        role: 'developer',
        content: [
          { type: 'text', text: 'Be ' },
          { type: 'text', text: 'short.' },
        ],
      },
      hi,
      { role: 'system', content: 'Now rhyme.' },
    ];
    expect(body({ messages })).toEqual({
      model: 'gpt-4.1',
      instructions: 'Be kind.\n\nBe short.',
      input: [said, { type: 'message', role: 'system', content: 'Now rhyme.' }],
      store: false,
    });
  });

  test('from the system alone are sent as a user message', () => {
    expect(body({ messages: [{ role: 'system', content: 'Say hello.' }] })).toMatchObject({
      input: [{ role: 'user', content: [{ type: 'input_text', text: 'Say hello.' }] }],
    });
  });

  test('keep their order, with calls and results as items of their own', () => {
    expect(
      input(
        hi,
        { role: 'assistant', content: 'Looking', tool_calls: [call('a'), call('b', 'g', '')] },
        { role: 'tool', tool_call_id: 'a', content: '1' },
        { role: 'tool', tool_call_id: 'b', content: [{ type: 'text', text: '2' }] },
        { role: 'assistant', content: null, refusal: 'No.' },
        { role: 'assistant', content: [{ type: 'refusal', refusal: 'Never.' }] },
      ),
    ).toEqual([
      said,
      { type: 'message', role: 'assistant', content: 'Looking' },
      { type: 'function_call', call_id: 'a', name: 'f', arguments: '{"a":1}' },
      { type: 'function_call', call_id: 'b', name: 'g', arguments: '{}' },
      { type: 'function_call_output', call_id: 'a', output: '1' },
      { type: 'function_call_output', call_id: 'b', output: '2' },
      { type: 'message', role: 'assistant', content: 'No.' },
      { type: 'message', role: 'assistant', content: 'Never.' },
    ]);
  });

  test('can contain images and files by URL, as data and by id', () => {
    const content = [
      { type: 'text', text: 'See' },
      { type: 'image_url', image_url: { url: 'https://x.test/a.png', detail: 'low' } },
      { type: 'image_url', image_url: 'data:image/png;base64,AA==' },
      { type: 'file', file: { file_data: 'data:application/pdf;base64,AA==', filename: 'a.pdf' } },
      { type: 'file', file: { file_id: 'file_1' } },
      { type: 'file', file: { file_data: 'https://x.test/a.pdf' } },
    ];
    expect(input({ role: 'user', content })).toEqual([
      {
        type: 'message',
        role: 'user',
        content: [
          { type: 'input_text', text: 'See' },
          { type: 'input_image', image_url: 'https://x.test/a.png', detail: 'low' },
          { type: 'input_image', image_url: 'data:image/png;base64,AA==', detail: 'auto' },
          { type: 'input_file', filename: 'a.pdf', file_data: 'data:application/pdf;base64,AA==' },
          { type: 'input_file', file_id: 'file_1' },
          { type: 'input_file', file_url: 'https://x.test/a.pdf' },
        ],
      },
    ]);
  });

  test('keep images in results', () => {
    const content = [
      { type: 'text', text: 'a' },
      { type: 'image_url', image_url: { url: 'https://x.test/a.png' } },
    ];
    expect(input(hi, { role: 'tool', tool_call_id: 'a', content })).toContainEqual({
      type: 'function_call_output',
      call_id: 'a',
      output: [
        { type: 'input_text', text: 'a' },
        { type: 'input_image', image_url: 'https://x.test/a.png', detail: 'auto' },
      ],
    });
  });

  test('with long call ids get short ones, the same in calls and results', () => {
    const ids = [`${'x'.repeat(100)}1`, `${'x'.repeat(100)}2`];
    const items = input(
      hi,
      { role: 'assistant', content: null, tool_calls: ids.map((id) => call(id)) },
      ...ids.map((id) => ({ role: 'tool', tool_call_id: id, content: '' })),
    ) as JsonObject[];
    const [first, second, ...results] = items.slice(1).map(({ call_id }) => String(call_id));
    expect(results).toEqual([first!, second!]);
    expect(first).toHaveLength(64);
    expect(second).not.toBe(first!);
  });

  test.each([
    ['no messages', { messages: [] }, 'invalid_request', 'messages'],
    ['an unknown role', { messages: [{ role: 'narrator', content: '' }] }, 'invalid_request', 'messages[0]'],
    [
      'a result without a call id',
      { messages: [hi, { role: 'tool', content: '' }] },
      'invalid_request',
      'messages[1]',
    ],
    [
      'audio',
      { messages: [{ role: 'user', content: [{ type: 'input_audio' }] }] },
      'unsupported',
      'messages[0].content[0]',
    ],
  ] as const)('with %s are refused', (_, more, fault, param) => {
    expect(refusal(structuredClone(more) as unknown as ChatRequest)).toEqual({ fault, param });
  });
});

describe('reasoning', () => {
  const block = { type: 'encrypted', id: 'rs_1', summary: [], encrypted_content: 'E' };
  const item = { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'E' };

  test('is sent before the output that it led to, if it was encrypted by OpenAI', () => {
    const thinking_blocks = [block, { type: 'thinking', thinking: 'x', signature: 'y' }];
    expect(input(hi, { role: 'assistant', content: 'a', thinking_blocks })).toEqual([
      said,
      item,
      { type: 'message', role: 'assistant', content: 'a' },
    ]);
  });

  test('is taken from memory, by the call that it led to', () => {
    const messages = [hi, { role: 'assistant', content: null, tool_calls: [call('a')] }];
    const { body: asked } = encode({ messages }, { remembered: { thinking_blocks: [block] } });
    expect((asked.input as JsonObject[])[1]).toEqual(item);
  });

  test('without an id gets a unique one', () => {
    const { id: _, ...anonymous } = block;
    const turn = { role: 'assistant', content: 'a', thinking_blocks: [anonymous, anonymous] };
    const items = input(hi, turn, hi, turn) as JsonObject[];
    const ids = items.filter(({ type }) => type === 'reasoning').map(({ id }) => id);
    expect(new Set(ids).size).toBe(4);
  });

  test('that led to no output is omitted', () => {
    expect(input(hi, { role: 'assistant', content: null, thinking_blocks: [block] })).toEqual([said]);
  });

  test.each([
    ['o3', true],
    ['gpt-5.2', true],
    ['gpt-5.1-codex', true],
    ['gpt-5-chat-latest', false],
    ['gpt-4.1', false],
    ['perplexity/sonar', false],
  ])('is requested in encrypted form if the model reasons: %s %p', (model, thinks) => {
    const { body: asked } = encode({}, { model });
    expect(asked.include).toEqual(thinks ? ['reasoning.encrypted_content'] : undefined);
  });

  test.each([
    ['high', { effort: 'high', summary: 'auto' }],
    ['none', { effort: 'none' }],
    [null, undefined],
  ])('has the configuration for effort %p', (effort, reasoning) => {
    expect(body({ reasoning_effort: effort }).reasoning).toEqual(reasoning);
  });
});

describe('tools', () => {
  const tool = {
    type: 'function',
    function: { name: 'f', description: 'F', parameters: { type: 'object' } },
  };
  const plain = {
    type: 'function',
    name: 'f',
    description: 'F',
    parameters: { type: 'object', properties: {} },
    strict: false,
  };

  test('are sent without a nested function object, and are strict only if requested', () => {
    const bare = { type: 'function', function: { name: 'g', strict: true } };
    expect(body({ tools: [tool, bare], parallel_tool_calls: false })).toEqual({
      model: 'gpt-4.1',
      input: [said],
      parallel_tool_calls: false,
      tools: [
        plain,
        { type: 'function', name: 'g', parameters: { type: 'object', properties: {} }, strict: true },
      ],
      store: false,
    });
  });

  test('of other types are dropped, along with a choice of them', () => {
    const custom = { type: 'custom', custom: { name: 'c' } };
    const { body: asked, dropped } = encode({
      tools: [tool, custom],
      tool_choice: { type: 'custom', custom: { name: 'c' } },
    } as unknown as ChatRequest);
    expect([asked.tools, asked.tool_choice, dropped]).toEqual([
      [plain],
      undefined,
      ['tools[1]', 'tool_choice'],
    ]);
  });

  test.each([
    ['auto', 'auto'],
    ['none', 'none'],
    ['required', 'required'],
    [
      { type: 'function', function: { name: 'f' } },
      { type: 'function', name: 'f' },
    ],
    [
      {
        type: 'allowed_tools',
        allowed_tools: { mode: 'required', tools: [{ type: 'function', function: { name: 'f' } }] },
      },
      { type: 'allowed_tools', mode: 'required', tools: [{ type: 'function', name: 'f' }] },
    ],
    [null, undefined],
  ])('are selected by the tool choice %j', (choice, tool_choice) => {
    expect(body({ tools: [tool], tool_choice: choice as never }).tool_choice).toEqual(tool_choice);
  });

  test('are required for a tool choice', () => {
    expect(body({ tool_choice: 'auto' })).not.toHaveProperty('tool_choice');
  });
});

describe('parameters', () => {
  test.each([
    [{ type: 'text' }, { format: { type: 'text' } }],
    [{ type: 'json_object' }, { format: { type: 'json_object' } }],
    [
      { type: 'json_schema', json_schema: { name: 'n', schema: { type: 'object' }, strict: true } },
      { format: { type: 'json_schema', name: 'n', schema: { type: 'object' }, strict: true } },
    ],
    [
      { type: 'json_schema', json_schema: { schema: { type: 'object' } } },
      { format: { type: 'json_schema', name: 'answer', schema: { type: 'object' }, strict: false } },
    ],
  ])('include the format %j', (response_format, text) => {
    expect(body({ response_format }).text).toEqual(text);
  });

  test('include the output limit, raised to the minimum of the API, and the verbosity', () => {
    expect(body({ max_completion_tokens: 100, max_tokens: 5, verbosity: 'low' })).toMatchObject({
      max_output_tokens: 100,
      text: { verbosity: 'low' },
    });
    expect(body({ max_tokens: 1 }).max_output_tokens).toBe(16);
  });

  test('that both APIs have are sent, and the others are dropped', () => {
    const same = {
      temperature: 0.5,
      top_p: 0.5,
      metadata: { a: 'b' },
      user: 'u',
      safety_identifier: 's',
      prompt_cache_key: 'k',
      service_tier: 'flex',
      stream: true,
    };
    const other = {
      stop: ['x'],
      seed: 1,
      presence_penalty: 1,
      frequency_penalty: 1,
      logit_bias: { 7: 1 },
      top_k: 5,
    };
    const { body: asked, dropped } = encode({
      ...same,
      ...other,
      logprobs: true,
      top_logprobs: 2,
      n: 1,
      stream_options: { include_usage: true },
    });
    const told = { include: ['message.output_text.logprobs'], top_logprobs: 2 };
    expect(asked).toEqual({ model: 'gpt-4.1', input: [said], ...same, ...told, store: false });
    expect(dropped.toSorted()).toEqual(Object.keys(other).toSorted());
  });

  test('that the model refuses are dropped', () => {
    const { body: asked, dropped } = encode(
      { temperature: 1, top_p: null },
      { quirks: { drops: ['temperature', 'top_p'] } },
    );
    expect([asked.temperature, dropped]).toEqual([undefined, ['temperature']]);
  });

  test('include store if the client sets it', () => {
    expect(body({ store: true }).store).toBeTrue();
  });
});
