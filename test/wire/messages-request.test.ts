import { describe, expect, test } from 'bun:test';
import type { JsonObject } from '../../src/wire/json.ts';
import { messagesClient } from '../../src/wire/anthropic/client.ts';
import { ProxyError } from '../../src/errors.ts';
import { NO_MEMORY } from '../../src/wire/protocol.ts';

const context = { created: 1, newId: () => 'n', memory: NO_MEMORY };
const base = { model: 'claude', max_tokens: 100, messages: [{ role: 'user', content: 'Hi' }] };
const decode = (more: JsonObject) => {
  const { request, dropped } = messagesClient.decode({ ...base, ...more }, context);
  return { request, dropped };
};
const messages = (...turns: JsonObject[]) => decode({ messages: turns }).request.messages;
const fields = (more: JsonObject) => {
  const { model: _, messages: __, max_tokens: ___, ...rest } = decode(more).request;
  return rest;
};
const ephemeral = { type: 'ephemeral' };
const schema = { type: 'object', properties: {} };

test('decode() turns a minimal request into a minimal chat request', () => {
  expect(decode({})).toEqual({
    request: { model: 'claude', max_tokens: 100, messages: [{ role: 'user', content: 'Hi' }] },
    dropped: [],
  });
});

test('decode() turns system into the first message, and keeps cache_control of its blocks', () => {
  expect(decode({ system: 'Be brief.' }).request.messages[0]).toEqual({
    role: 'system',
    content: 'Be brief.',
  });
  const system = [
    { type: 'text', text: 'A' },
    { type: 'text', text: 'B', cache_control: ephemeral },
  ];
  expect(decode({ system }).request.messages[0]).toEqual({ role: 'system', content: system });
});

test('decode() keeps the position of a system message within the conversation', () => {
  const note = { type: 'text', text: 'From now on in French.' };
  const other = { type: 'tool_addition', tool: { type: 'tool_reference', name: 'f' } };
  const { request, dropped } = decode({
    messages: [
      { role: 'user', content: 'Hi' },
      { role: 'system', content: [note, other] },
    ],
  });
  expect(request.messages).toEqual([
    { role: 'user', content: 'Hi' },
    { role: 'system', content: 'From now on in French.' },
  ]);
  expect(dropped).toEqual(['content.tool_addition']);
});

test('decode() turns images and documents into content parts', () => {
  const content = [
    { type: 'text', text: 'Look:' },
    { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } },
    { type: 'image', source: { type: 'url', url: 'https://a.example/b.jpg' }, cache_control: ephemeral },
    { type: 'image', source: { type: 'file', file_id: 'file_1' } },
    { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'BBBB' } },
    { type: 'document', title: 'T.pdf', source: { type: 'url', url: 'https://a.example/c.pdf' } },
    { type: 'document', source: { type: 'file', file_id: 'file_2' } },
    { type: 'document', title: 'T', source: { type: 'text', media_type: 'text/plain', data: 'Words.' } },
    { type: 'document', source: { type: 'content', content: [{ type: 'text', text: 'Inner' }] } },
    { type: 'search_result', title: 'S', source: 'https://s', content: [{ type: 'text', text: 'Found' }] },
  ];
  expect(messages({ role: 'user', content })).toEqual([
    {
      role: 'user',
      content: [
        { type: 'text', text: 'Look:' },
        { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
        { type: 'image_url', image_url: { url: 'https://a.example/b.jpg' }, cache_control: ephemeral },
        { type: 'file', file: { file_id: 'file_1' }, image: true },
        {
          type: 'file',
          file: { file_data: 'data:application/pdf;base64,BBBB', filename: 'document.pdf' },
        },
        { type: 'file', file: { file_data: 'https://a.example/c.pdf', filename: 'T.pdf' } },
        { type: 'file', file: { file_id: 'file_2' } },
        { type: 'text', text: 'T\n\nWords.' },
        { type: 'text', text: 'Inner' },
        { type: 'text', text: 'S\n\nhttps://s\n\nFound' },
      ],
    },
  ]);
});

test('decode() puts each tool result into its own message before the user message, with its images', () => {
  const image = { type: 'image', source: { type: 'url', url: 'https://a.example/b.png' } };
  const content = [
    { type: 'tool_result', tool_use_id: 'a', content: 'sunny' },
    { type: 'text', text: 'And?' },
    {
      type: 'tool_result',
      tool_use_id: 'b',
      content: [
        { type: 'text', text: 'one' },
        image,
        { type: 'text', text: 'two', cache_control: ephemeral },
      ],
      is_error: true,
    },
    { type: 'tool_result', tool_use_id: 'c', content: [image], cache_control: ephemeral },
    { type: 'tool_result', tool_use_id: 'd' },
  ];
  const part = { type: 'image_url', image_url: { url: 'https://a.example/b.png' } };
  expect(messages({ role: 'user', content })).toEqual([
    { role: 'tool', tool_call_id: 'a', content: 'sunny' },
    {
      role: 'tool',
      tool_call_id: 'b',
      content: [{ type: 'text', text: 'one' }, part, { type: 'text', text: 'two', cache_control: ephemeral }],
      is_error: true,
      cache_control: ephemeral,
    },
    {
      role: 'tool',
      tool_call_id: 'c',
      content: [part],
      cache_control: ephemeral,
    },
    { role: 'tool', tool_call_id: 'd', content: '' },
    { role: 'user', content: 'And?' },
  ]);
});

test('decode() keeps the reasoning, text and calls of an assistant message', () => {
  const content = [
    { type: 'thinking', thinking: 'Hm, ', signature: 's1' },
    { type: 'redacted_thinking', data: 'r' },
    { type: 'thinking', thinking: 'unsigned', signature: '' },
    { type: 'text', text: 'Let me ' },
    { type: 'text', text: 'see.' },
    { type: 'tool_use', id: 'a', name: 'f', input: { x: 1 }, cache_control: ephemeral },
    { type: 'tool_use', id: 'b', name: 'g', input: {} },
  ];
  const calls = [
    { id: 'a', type: 'function', function: { name: 'f', arguments: '{"x":1}' }, cache_control: ephemeral },
    { id: 'b', type: 'function', function: { name: 'g', arguments: '{}' } },
  ];
  expect(messages({ role: 'user', content: 'Hi' }, { role: 'assistant', content })[1]).toEqual({
    role: 'assistant',
    content: 'Let me see.',
    reasoning_content: 'Hm, unsigned',
    thinking_blocks: content.slice(0, 2),
    parts: [
      { type: 'thinking', text: 'Hm, ', seal: content[0] },
      { type: 'thinking', text: '', seal: content[1] },
      { type: 'thinking', text: 'unsigned' },
      { type: 'text', text: 'Let me see.' },
      { type: 'call', call: calls[0] },
      { type: 'call', call: calls[1] },
    ],
    tool_calls: calls,
  });
});

test('decode() sets the content of a message with only calls to null, and leaves out empty assistant messages', () => {
  const use = { type: 'tool_use', id: 'a', name: 'f', input: {} };
  const user = { role: 'user', content: 'Hi' };
  expect(messages(user, { role: 'assistant', content: [use] })[1]?.content).toBeNull();
  expect(messages(user, { role: 'assistant', content: '' })).toEqual([user]);
  expect(messages(user, { role: 'assistant', content: [{ type: 'text', text: '' }] }, user)).toHaveLength(2);
});

test('decode() keeps assistant text with cache_control as a part', () => {
  const content = [{ type: 'text', text: 'A', cache_control: ephemeral }];
  expect(messages({ role: 'user', content: 'Hi' }, { role: 'assistant', content })[1]?.content).toEqual(
    content,
  );
});

test('decode() turns tools that Anthropic ran into parts, and reports unsupported fields as dropped', () => {
  const content = [
    { type: 'server_tool_use', id: 's', name: 'web_search', input: {} },
    { type: 'web_search_tool_result', tool_use_id: 's', content: [] },
    { type: 'server_tool_use', id: 't', name: 'web_search', input: {} },
    { type: 'text', text: 'Found.' },
  ];
  const turns = [
    { role: 'user', content: 'Hi' },
    { role: 'assistant', content },
  ];
  const { request, dropped } = decode({
    messages: turns,
    container: 'c',
    mcp_servers: [{ name: 'm' }],
    metadata: null,
  });
  expect(request.messages[1]).toMatchObject({
    content: 'Found.',
    parts: [
      { type: 'hosted_call', id: 's', name: 'web_search' },
      { type: 'hosted_result', id: 's' },
      { type: 'hosted_call', id: 't' },
      { type: 'text', text: 'Found.' },
    ],
  });
  expect(dropped).toEqual(['container', 'mcp_servers']);
});

test('decode() maps sampling parameters, stop sequences, service tier and cache_control', () => {
  expect(
    fields({
      temperature: 0.5,
      top_p: 0.9,
      top_k: 40,
      stop_sequences: ['END'],
      stream: true,
      service_tier: 'standard_only',
      cache_control: ephemeral,
    }),
  ).toEqual({
    temperature: 0.5,
    top_p: 0.9,
    top_k: 40,
    stop: ['END'],
    stream: true,
    stream_options: { include_usage: true },
    service_tier: 'default',
    cache_control: ephemeral,
  });
  expect(fields({ top_p: -1, top_k: -1, stream: false, stop_sequences: [], temperature: null })).toEqual({});
});

test('decode() passes on a short user id as user, and keeps a long one in the metadata', () => {
  expect(fields({ metadata: { user_id: 'u' } })).toEqual({ user: 'u', safety_identifier: 'u' });
  const long = 'u'.repeat(65);
  expect(fields({ metadata: { user_id: long } })).toEqual({ metadata: { user_id: long } });
});

describe('tools', () => {
  const own = { name: 'f', description: 'F', input_schema: schema, strict: true, cache_control: ephemeral };
  const tool = {
    type: 'function',
    function: { name: 'f', description: 'F', parameters: schema, strict: true },
    cache_control: ephemeral,
  };

  test('of the client become functions, and tools that Anthropic runs become hosted tools', () => {
    const search = { type: 'web_search_20250305', name: 'web_search' };
    const { request, dropped } = decode({
      tools: [own, search, { ...own, type: 'custom', defer_loading: true }],
    });
    expect(request.tools).toEqual([tool, tool]);
    expect(dropped).toEqual(['tools.defer_loading']);
    expect(request.hosted_tools).toMatchObject([{ name: 'web_search' }]);
  });

  test.each<[JsonObject, JsonObject]>([
    [{ type: 'auto' }, { tool_choice: 'auto' }],
    [{ type: 'any' }, { tool_choice: 'required' }],
    [{ type: 'none' }, { tool_choice: 'none' }],
    [{ type: 'tool', name: 'f' }, { tool_choice: { type: 'function', function: { name: 'f' } } }],
    [
      { type: 'auto', disable_parallel_tool_use: true },
      { tool_choice: 'auto', parallel_tool_calls: false },
    ],
  ])('map tool_choice %j to %j', (tool_choice, wanted) => {
    expect<JsonObject>(fields({ tools: [own], tool_choice })).toEqual({ tools: [tool], ...wanted });
  });

  test('that are all dropped drop the tool choice as well', () => {
    const tools = [{ type: 'bash_20250124', name: 'bash' }];
    const dropped = ['tools.bash_20250124', 'tool_choice'];
    expect(decode({ tools, tool_choice: { type: 'any' } })).toMatchObject({ dropped });
    expect(fields({ tools, tool_choice: { type: 'any' } })).toEqual({});
    expect(decode({ tools: [own, ...tools], tool_choice: { type: 'tool', name: 'bash' } })).toMatchObject({
      dropped,
    });
  });
});

test.each<[JsonObject, JsonObject]>([
  [{ thinking: { type: 'enabled', budget_tokens: 1024 } }, { reasoning_effort: 'low' }],
  [{ thinking: { type: 'enabled', budget_tokens: 8192 } }, { reasoning_effort: 'medium' }],
  [
    { thinking: { type: 'enabled', budget_tokens: 31_999, display: 'omitted' } },
    { reasoning_effort: 'high' },
  ],
  [{ thinking: { type: 'adaptive' } }, {}],
  [
    { thinking: { type: 'adaptive' }, output_config: { effort: 'max' } },
    { reasoning_effort: 'max', output_config: { effort: 'max' } },
  ],
  [{ output_config: { effort: 'low' } }, { reasoning_effort: 'low', output_config: { effort: 'low' } }],
  [{ thinking: { type: 'disabled' } }, {}],
  [
    { thinking: { type: 'disabled' }, output_config: { effort: 'low' } },
    { output_config: { effort: 'low' } },
  ],
])('decode() maps %j to %j and keeps thinking unchanged', (asked, wanted) => {
  expect(fields(asked)).toEqual({ ...(asked.thinking ? { thinking: asked.thinking } : {}), ...wanted });
});

describe('an output format', () => {
  const closed = {
    type: 'object',
    properties: {
      a: { type: 'array', items: { type: 'object', properties: {}, additionalProperties: false } },
    },
    required: ['a'],
    additionalProperties: false,
  };
  const asked = (of: JsonObject) => ({ output_config: { format: { type: 'json_schema', schema: of } } });

  test('is strict if it meets OpenAI’s rules for strict schemas', () => {
    const json_schema = { name: 'answer', schema: closed, strict: true };
    const wanted = { response_format: { type: 'json_schema', json_schema } };
    expect(fields(asked(closed))).toEqual(wanted);
    expect(fields({ output_format: { type: 'json_schema', schema: closed } })).toEqual(wanted);
  });

  test.each([
    [{ ...closed, required: [] }],
    [{ ...closed, additionalProperties: true }],
    [{ type: 'object' }],
    [{ anyOf: [{ type: 'string' }, { type: 'object', properties: { b: {} } }] }],
  ])('is not strict: %j', (of) => {
    const json_schema = { name: 'answer', schema: of };
    expect(fields(asked(of))).toEqual({ response_format: { type: 'json_schema', json_schema } });
  });
});

const user = (...content: unknown[]) => ({ messages: [{ role: 'user', content }] });
const assistant = (...content: unknown[]) => ({
  messages: [base.messages[0], { role: 'assistant', content }],
});

test.each<[JsonObject, string]>([
  [{ max_tokens: undefined }, 'max_tokens'],
  [{ max_tokens: '5' }, 'max_tokens'],
  [{ max_tokens: 1.5 }, 'max_tokens'],
  [{ max_tokens: -1 }, 'max_tokens'],
  [{ model: undefined }, 'model'],
  [{ model: '' }, 'model'],
  [{ messages: undefined }, 'messages'],
  [{ messages: [] }, 'messages'],
  [{ messages: 'Hi' }, 'messages'],
  [{ messages: ['Hi'] }, 'messages.0'],
  [{ messages: [{ content: 'Hi' }] }, 'messages.0.role'],
  [{ messages: [{ role: 'tool', content: 'Hi' }] }, 'messages.0.role'],
  [{ messages: [{ role: 'user' }] }, 'messages.0.content'],
  [{ messages: [{ role: 'user', content: 5 }] }, 'messages.0.content'],
  [{ messages: [{ role: 'user', content: '' }] }, 'messages.0'],
  [{ messages: [{ role: 'assistant', content: [] }, ...base.messages] }, 'messages.0'],
  [user('Hi'), 'messages.0.content.0'],
  [user({ text: 'Hi' }), 'messages.0.content.0.type'],
  [user({ type: 'text' }), 'messages.0.content.0.text'],
  [user({ type: 'image' }), 'messages.0.content.0.source'],
  [user({ type: 'image', source: { type: 'disk' } }), 'messages.0.content.0.source.type'],
  [user({ type: 'image', source: { type: 'url' } }), 'messages.0.content.0.source.url'],
  [user({ type: 'image', source: { type: 'base64', data: '' } }), 'messages.0.content.0.source.media_type'],
  [user({ type: 'document' }), 'messages.0.content.0.source'],
  [user({ type: 'search_result', title: 'T', source: 's' }), 'messages.0.content.0.content'],
  [user({ type: 'tool_result', content: 'x' }), 'messages.0.content.0.tool_use_id'],
  [user({ type: 'tool_result', tool_use_id: 'a', content: 5 }), 'messages.0.content.0.content'],
  [user({ type: 'tool_result', tool_use_id: 'a', is_error: 'no' }), 'messages.0.content.0.is_error'],
  [assistant({ type: 'tool_use', name: 'f', input: {} }), 'messages.1.content.0.id'],
  [assistant({ type: 'tool_use', id: 'a', input: {} }), 'messages.1.content.0.name'],
  [assistant({ type: 'tool_use', id: 'a', name: 'f', input: '{}' }), 'messages.1.content.0.input'],
  [assistant({ type: 'thinking', signature: 's' }), 'messages.1.content.0.thinking'],
  [assistant({ type: 'redacted_thinking' }), 'messages.1.content.0.data'],
  [{ system: 5 }, 'system'],
  [{ system: [{ type: 'image' }] }, 'system.0.type'],
  [{ stream: 'yes' }, 'stream'],
  [{ temperature: 1.5 }, 'temperature'],
  [{ temperature: -1 }, 'temperature'],
  [{ top_p: 2 }, 'top_p'],
  [{ top_k: 0.5 }, 'top_k'],
  [{ stop_sequences: 'END' }, 'stop_sequences'],
  [{ stop_sequences: [5] }, 'stop_sequences.0'],
  [{ metadata: 'u' }, 'metadata'],
  [{ metadata: { user_id: 5 } }, 'metadata.user_id'],
  [{ tools: {} }, 'tools'],
  [{ tools: [{ input_schema: schema }] }, 'tools.0.name'],
  [{ tools: [{ name: 'f' }] }, 'tools.0.input_schema'],
  [{ tools: [{ name: 'f', input_schema: schema, description: 5 }] }, 'tools.0.description'],
  [{ tool_choice: 'auto' }, 'tool_choice'],
  [{ tool_choice: { type: 'some' } }, 'tool_choice.type'],
  [{ tool_choice: { type: 'tool' } }, 'tool_choice.name'],
  [{ thinking: true }, 'thinking'],
  [{ thinking: {} }, 'thinking.type'],
  [{ thinking: { type: 'enabled' } }, 'thinking.budget_tokens'],
  [{ thinking: { type: 'enabled', budget_tokens: 1000 } }, 'thinking.budget_tokens'],
  [{ output_config: { format: { type: 'json' } } }, 'output_config.format.type'],
  [{ output_config: { format: { type: 'json_schema' } } }, 'output_config.format.schema'],
  [{ output_format: 'json' }, 'output_format'],
])('decode() refuses %j and names %s', (more, param) => {
  let thrown: unknown;
  try {
    decode(more);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(ProxyError);
  const { fault, message, param: named } = thrown as ProxyError;
  expect([fault, named]).toEqual(['invalid_request', param]);
  expect(message).toStartWith(`Cannot read ${param}: `);
});

describe('tools that are added and removed within a conversation:', () => {
  const tool = (name: string) => ({ name, input_schema: schema });
  const fn = (name: string) => ({ type: 'function', function: { name, parameters: schema } });
  const reference = (name: string) => ({ type: 'tool_reference', name });
  const add = (added: JsonObject) => ({ type: 'tool_addition', tool: added });
  const remove = (name: string) => ({ type: 'tool_removal', tool: reference(name) });
  const after = (...content: JsonObject[]) => {
    const turns = [
      { role: 'user', content: 'Hi' },
      { role: 'system', content },
      { role: 'user', content: 'Go on' },
    ];
    const { request, dropped } = decode({ tools: [tool('a'), tool('b')], messages: turns });
    return { tools: request.tools, messages: request.messages.length, dropped };
  };
  const definition = (name: string) => add({ type: 'tool_definition', definition: tool(name) });

  test.each([
    ['a definition adds a tool', [definition('c')], ['a', 'b', 'c']],
    ['a removed tool is not sent', [remove('a')], ['b']],
    ['a tool that is added again is sent', [remove('a'), add(reference('a'))], ['b', 'a']],
    [
      'a defined tool can be removed and added again',
      [definition('c'), remove('c'), add(reference('c'))],
      ['a', 'b', 'c'],
    ],
    ['a reference to an existing tool has no effect', [add(reference('b'))], ['a', 'b']],
  ])('%s', (_, content, names) => {
    expect(after(...content)).toEqual({ tools: names.map(fn) as never, messages: 2, dropped: [] });
  });

  test('references to tools of MCP servers are reported as dropped', () => {
    const mcp = add({ type: 'mcp_tool_reference', server_name: 's', name: 'a' });
    expect(after(mcp).dropped).toEqual(['content.tool_addition']);
  });

  test('an error names the position of the invalid tool', () => {
    const wrong = add({ type: 'tool_definition', definition: { name: 'c' } });
    expect(() => after(wrong)).toThrow('messages.1.content.0.tool.definition.input_schema');
  });
});

describe('the thread field', () => {
  const refusal = (thread: unknown) => {
    try {
      return decode({ thread });
    } catch (error) {
      return error as ProxyError;
    }
  };

  test.each([{ type: 'create' }, { type: 'continue', previous_message_id: 'msg_1' }])(
    'is refused with the code that makes clients send full conversations: %j',
    (thread) => {
      const error = refusal(thread) as ProxyError;
      expect([error.fault, error.param]).toEqual(['unsupported', 'thread']);
      expect(messagesClient.errorBody(error, 'req_1', [{ target: 'p/m' }])).toEqual({
        type: 'error',
        error: {
          type: 'invalid_request_error',
          message: error.message,
          details: { error_code: 'thread_unsupported_request' },
        },
        request_id: 'req_1',
      });
    },
  );

  test('is ignored if it is null', () => {
    expect(refusal(null)).toEqual(decode({}));
  });
});
