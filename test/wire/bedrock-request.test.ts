import { describe, expect, test } from 'bun:test';
import type { ChatMessage, ChatRequest } from '../../src/wire/chat.ts';
import type { JsonObject } from '../../src/wire/json.ts';
import { converseProtocol } from '../../src/wire/bedrock/protocol.ts';

const CLAUDE = 'us.anthropic.claude-sonnet-4-5-20250929-v1:0';
const NOVA = 'us.amazon.nova-pro-v1:0';
const LLAMA = 'us.meta.llama3-3-70b-instruct-v1:0';

function encode(request: Partial<ChatRequest>, model = CLAUDE, memory = new Map<string, JsonObject>()) {
  const whole = { model: 'any', messages: [{ role: 'user', content: 'Hi' }], ...request };
  const { body, dropped } = converseProtocol.encode(whole, {
    model,
    quirks: {},
    created: 1,
    newId: () => 'id',
    memory: { get: (id) => memory.get(id), set: (id, value) => void memory.set(id, value) },
  });
  return { body, dropped };
}

function turns(messages: ChatMessage[], model?: string, memory?: Map<string, JsonObject>) {
  return encode({ messages }, model, memory).body.messages;
}

const HI = { messages: [{ role: 'user', content: [{ text: 'Hi' }] }] };
/** What Claude gets if the client sets no limit. */
const ROOM = { inferenceConfig: { maxTokens: 64_000 } };
const weather = {
  type: 'function',
  function: {
    name: 'weather',
    description: 'Tells it',
    parameters: { type: 'object', properties: { city: {} } },
  },
};
const weatherSpec = {
  toolSpec: {
    name: 'weather',
    description: 'Tells it',
    inputSchema: { json: { type: 'object', properties: { city: {} } } },
  },
};
const call = (id: string, name = 'weather', json = '{"city":"Rome"}') => ({
  id,
  type: 'function',
  function: { name, arguments: json },
});

test('encode() turns one message into one turn, without the model and the stream flag', () => {
  expect(encode({ stream: true })).toEqual({ body: { ...HI, ...ROOM }, dropped: [] });
});

describe('messages', () => {
  test('moves system and developer messages to system, and merges neighbouring messages of one role', () => {
    const { body } = encode({
      messages: [
        { role: 'system', content: 'Be brief' },
        { role: 'developer', content: [{ type: 'text', text: 'Be kind' }] },
        { role: 'user', content: 'One' },
        { role: 'user', content: [{ type: 'text', text: 'Two' }] },
        { role: 'assistant', content: 'Three' },
        { role: 'assistant', content: null, refusal: 'No' },
        { role: 'user', content: 'Four' },
      ],
    });
    expect(body).toEqual({
      ...ROOM,
      system: [{ text: 'Be brief' }, { text: 'Be kind' }],
      messages: [
        { role: 'user', content: [{ text: 'One' }, { text: 'Two' }] },
        { role: 'assistant', content: [{ text: 'Three' }, { text: 'No' }] },
        { role: 'user', content: [{ text: 'Four' }] },
      ],
    });
  });

  test('omits empty texts, and turns with no other content', () => {
    const content = [{ type: 'text', text: '' }];
    expect(
      turns([
        { role: 'user', content: 'a' },
        { role: 'assistant', content: '' },
        { role: 'user', content },
      ]),
    ).toEqual([{ role: 'user', content: [{ text: 'a' }] }]);
  });

  test('accepts images as base64 data only', () => {
    const image = (url: string) => [{ role: 'user', content: [{ type: 'image_url', image_url: { url } }] }];
    expect(turns(image('data:image/jpg;base64,AAAA'))).toEqual([
      { role: 'user', content: [{ image: { format: 'jpeg', source: { bytes: 'AAAA' } } }] },
    ]);
    expect(() => turns(image('https://a.example/b.png'))).toThrow(
      expect.objectContaining({ fault: 'unsupported', param: 'messages[0].content[0]' }),
    );
    expect(() => turns(image('data:image/tiff;base64,AAAA'))).toThrow(
      expect.objectContaining({ fault: 'unsupported' }),
    );
    expect(() => turns(image('nonsense'))).toThrow(expect.objectContaining({ fault: 'invalid_request' }));
  });

  test('accepts videos as base64 data only', () => {
    const file = { type: 'file', file: { file_data: 'data:video/mp4;base64,AAAA' } };
    const video = (url: string) => ({ type: 'video_url', video_url: { url } });
    const rows = [
      [video('data:video/3gpp;base64,AAAA'), 'three_gp'],
      [video('data:video/quicktime;base64,AAAA'), 'mov'],
      [file, 'mp4'],
    ] as const;
    for (const [part, format] of rows) {
      const content = [part, { type: 'text', text: 'Hi' }] as ChatMessage['content'];
      expect(turns([{ role: 'user', content }], NOVA)).toEqual([
        { role: 'user', content: [{ video: { format, source: { bytes: 'AAAA' } } }, { text: 'Hi' }] },
      ]);
    }
    for (const url of ['data:video/avi;base64,AAAA', 's3://b/k.mp4', 'https://a.example/b.mp4']) {
      const content = [video(url)] as ChatMessage['content'];
      expect(() => turns([{ role: 'user', content }], NOVA)).toThrow('Bedrock');
    }
  });

  test('gives documents unique names that Bedrock accepts, and adds the text that it requires', () => {
    const file = (file_data: string, filename?: string) => ({ type: 'file', file: { file_data, filename } });
    const pdf = 'data:application/pdf;base64,AAAA';
    const content = [
      file(pdf, 'Q1_report: final!!.v2.pdf'),
      file(pdf, 'Q1 report final v2.pdf'),
      file('data:application/octet-stream;base64,AAAA', 'notes.md'),
      file('data:text/plain;charset=utf-8;base64,AAAA'),
    ];
    const document = (format: string, name: string) => ({
      document: { format, name, source: { bytes: 'AAAA' } },
    });
    expect(turns([{ role: 'user', content }])).toEqual([
      {
        role: 'user',
        content: [
          document('pdf', 'Q1 report final v2'),
          document('pdf', 'Q1 report final v2 (2)'),
          document('md', 'notes'),
          document('txt', 'document'),
          { text: 'See the document.' },
        ],
      },
    ]);
    expect(() => turns([{ role: 'user', content: [{ type: 'file', file: { file_id: 'f' } }] }])).toThrow(
      expect.objectContaining({ fault: 'unsupported' }),
    );
  });

  test('accepts audio only in formats that Bedrock supports', () => {
    const sound = (format: string) => [
      { role: 'user', content: [{ type: 'input_audio', input_audio: { data: 'AAAA', format } }] },
    ];
    expect(turns(sound('mp3'))).toEqual([
      { role: 'user', content: [{ audio: { format: 'mp3', source: { bytes: 'AAAA' } } }] },
    ]);
    expect(() => turns(sound('pcm16'))).toThrow(expect.objectContaining({ fault: 'unsupported' }));
  });

  test('puts the results of parallel calls together at the beginning of a turn', () => {
    expect(
      turns([
        { role: 'user', content: 'Weather?' },
        { role: 'assistant', content: 'Looking', tool_calls: [call('a'), call('b', 'time', '')] },
        { role: 'tool', tool_call_id: 'a', content: 'Sun' },
        { role: 'user', content: 'And?' },
        { role: 'tool', tool_call_id: 'b', content: [{ type: 'text', text: 'No' }], is_error: true },
      ]),
    ).toEqual([
      { role: 'user', content: [{ text: 'Weather?' }] },
      {
        role: 'assistant',
        content: [
          { text: 'Looking' },
          { toolUse: { toolUseId: 'a', name: 'weather', input: { city: 'Rome' } } },
          { toolUse: { toolUseId: 'b', name: 'time', input: {} } },
        ],
      },
      {
        role: 'user',
        content: [
          { toolResult: { toolUseId: 'a', content: [{ text: 'Sun' }] } },
          { toolResult: { toolUseId: 'b', content: [{ text: 'No' }], status: 'error' } },
          { text: 'And?' },
        ],
      },
    ]);
  });

  test('keeps images in tool results, and marks an empty result as empty', () => {
    const image = { type: 'image_url', image_url: 'data:image/png;base64,AAAA' };
    const result = (content: ChatMessage['content']) => turns([{ role: 'tool', tool_call_id: 'a', content }]);
    expect(result([image])).toEqual([
      {
        role: 'user',
        content: [
          {
            toolResult: {
              toolUseId: 'a',
              content: [{ image: { format: 'png', source: { bytes: 'AAAA' } } }],
            },
          },
        ],
      },
    ]);
    expect(result('')).toEqual([
      { role: 'user', content: [{ toolResult: { toolUseId: 'a', content: [{ text: '(empty)' }] } }] },
    ]);
  });

  test('replaces call ids that Bedrock refuses, consistently in calls and results', () => {
    const odd = 'call|1/ü';
    const [assistant, user] = turns([
      { role: 'assistant', content: null, tool_calls: [call(odd), call('call00001')] },
      { role: 'tool', tool_call_id: odd, content: 'x' },
    ]) as [{ content: JsonObject[] }, { content: JsonObject[] }];
    expect(assistant.content).toMatchObject([
      { toolUse: { toolUseId: 'call00001' } },
      { toolUse: { toolUseId: 'call00002' } },
    ]);
    expect(user.content).toMatchObject([{ toolResult: { toolUseId: 'call00001' } }]);
  });

  test('sends Mistral call ids of nine letters and digits, and results as JSON', () => {
    expect(
      turns(
        [
          { role: 'assistant', content: null, tool_calls: [call('tooluse_abc'), call('abcdefghi')] },
          { role: 'tool', tool_call_id: 'tooluse_abc', content: '{"sun":true}' },
        ],
        'mistral.mistral-large-2407-v1:0',
      ),
    ).toMatchObject([
      { content: [{ toolUse: { toolUseId: 'call00001' } }, { toolUse: { toolUseId: 'abcdefghi' } }] },
      { content: [{ toolResult: { toolUseId: 'call00001', content: [{ json: { sun: true } }] } }] },
    ]);
  });

  test('turns cache_control into a cache point after the block, but never directly after a document', () => {
    const cache_control = { type: 'ephemeral', ttl: '1h' };
    const pdf = { type: 'file', file: { file_data: 'data:application/pdf;base64,AAAA' }, cache_control };
    const messages = [
      { role: 'system', content: [{ type: 'text', text: 'Long', cache_control: { type: 'ephemeral' } }] },
      { role: 'user', content: [pdf, { type: 'text', text: 'Hi' }], cache_control },
    ];
    const document = { document: { format: 'pdf', name: 'document', source: { bytes: 'AAAA' } } };
    const hour = { cachePoint: { type: 'default', ttl: '1h' } };
    const mark = { cachePoint: { type: 'default' } };
    const tools = [{ ...weather, cache_control }];
    expect(encode({ messages, tools }).body).toEqual({
      ...ROOM,
      system: [{ text: 'Long' }, mark],
      messages: [
        { role: 'user', content: [document, { text: 'See the document.' }, hour, { text: 'Hi' }, hour] },
      ],
      toolConfig: { tools: [weatherSpec, hour] },
    });
    expect(encode({ messages, tools }, NOVA).body).toMatchObject({
      system: [{ text: 'Long' }, mark],
      toolConfig: { tools: [weatherSpec] },
    });
    expect(JSON.stringify(encode({ messages, tools }, LLAMA).body)).not.toContain('cachePoint');
  });

  test('puts signed reasoning first, taken from the message or from memory', () => {
    const thinking_blocks = [
      { type: 'thinking', thinking: 'Hm', signature: 'sig' },
      { type: 'redacted_thinking', data: 'xyz' },
      { type: 'thinking', thinking: 'Unsigned' },
    ];
    const content = [
      { reasoningContent: { reasoningText: { text: 'Hm', signature: 'sig' } } },
      { reasoningContent: { redactedContent: 'xyz' } },
      { toolUse: { toolUseId: 'a', name: 'weather', input: { city: 'Rome' } } },
    ];
    const bare = { role: 'assistant', content: null, tool_calls: [call('a')] };
    expect(turns([{ ...bare, thinking_blocks }])).toEqual([{ role: 'assistant', content }]);
    expect(turns([bare], CLAUDE, new Map([['a', { thinking_blocks }]]))).toEqual([
      { role: 'assistant', content },
    ]);
    expect(turns([{ ...bare, thinking_blocks }], NOVA)).toEqual([
      { role: 'assistant', content: content.slice(2) },
    ]);
  });

  test.each<[string, ChatMessage]>([
    ['an unknown role', { role: 'critic', content: 'x' }],
    ['a result without its call', { role: 'tool', content: 'x' }],
    ['an image in a system message', { role: 'system', content: [{ type: 'image_url', image_url: 'x' }] }],
  ])('refuses %s as an invalid request', (_, message) => {
    expect(() => turns([message])).toThrow(expect.objectContaining({ fault: 'invalid_request' }));
  });
});

describe('tools', () => {
  const asked = (tool_choice: ChatRequest['tool_choice'], more: Partial<ChatRequest> = {}) =>
    encode({ tools: [weather], tool_choice, ...more }).body.toolConfig;

  test('maps tool_choice to toolChoice, and sends no tools for none', () => {
    expect(asked(undefined)).toEqual({ tools: [weatherSpec] });
    expect(asked('auto')).toEqual({ tools: [weatherSpec], toolChoice: { auto: {} } });
    expect(asked('required')).toEqual({ tools: [weatherSpec], toolChoice: { any: {} } });
    expect(asked({ type: 'function', function: { name: 'weather' } })).toEqual({
      tools: [weatherSpec],
      toolChoice: { tool: { name: 'weather' } },
    });
    expect(asked('none')).toBeUndefined();
  });

  test('keeps the tools if the conversation contains calls', () => {
    const messages = [
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: null, tool_calls: [call('a')] },
      { role: 'tool', tool_call_id: 'a', content: 'x' },
    ];
    const none = encode({ messages, tools: [weather], tool_choice: 'none' });
    expect(none.body.toolConfig).toEqual({ tools: [weatherSpec] });
    expect(none.dropped).toEqual(['tool_choice']);
    expect(encode({ messages }).body.toolConfig).toEqual({
      tools: [{ toolSpec: { name: 'weather', inputSchema: { json: { type: 'object', properties: {} } } } }],
    });
  });

  test('sends strict only to models with structured output', () => {
    const tools = [{ type: 'function', function: { name: 'f', strict: true } }];
    const json = { type: 'object', properties: {} };
    const closed = { json: { ...json, additionalProperties: false } };
    const specs = (model: string) => encode({ tools }, model).body.toolConfig;
    expect(specs(CLAUDE)).toEqual({
      tools: [{ toolSpec: { name: 'f', inputSchema: closed, strict: true } }],
    });
    expect(specs(NOVA)).toEqual({ tools: [{ toolSpec: { name: 'f', inputSchema: { json } } }] });
  });

  test('drops tools that are not functions', () => {
    const { body, dropped } = encode({
      tools: [{ type: 'web_search' } as never, weather],
      parallel_tool_calls: false,
    });
    expect(body.toolConfig).toEqual({ tools: [weatherSpec] });
    expect(dropped).toEqual(['tools[0]']);
  });

  test.each([
    [CLAUDE, undefined, { type: 'auto', disable_parallel_tool_use: true }, []],
    [CLAUDE, 'required' as const, { disable_parallel_tool_use: true }, []],
    [NOVA, undefined, undefined, ['parallel_tool_calls']],
  ])('asks %s for one call at a time, with the choice %s', (model, tool_choice, field, left) => {
    const request = { tools: [weather], parallel_tool_calls: false, ...(tool_choice ? { tool_choice } : {}) };
    const { body, dropped } = encode(request, model);
    const { tool_choice: sent } = (body.additionalModelRequestFields ?? {}) as Record<string, unknown>;
    expect(sent).toEqual(field);
    expect(dropped).toEqual(left);
  });
});

describe('structured output', () => {
  const schema = { type: 'object', properties: { a: { type: 'string' } } };
  const response_format = { type: 'json_schema', json_schema: { name: 'thing', schema, strict: true } };
  const tool = {
    toolSpec: {
      name: 'thing',
      description: 'Gives the answer. Call it exactly once.',
      inputSchema: { json: schema },
    },
  };

  test.each([CLAUDE, 'openai.gpt-oss-120b-1:0', 'qwen.qwen3-32b-v1:0', 'nvidia.nemotron-nano-12b-v2'])(
    'is sent as an output format to %s',
    (model) => {
      const closed = { ...schema, additionalProperties: false };
      const jsonSchema = { schema: JSON.stringify(closed), name: 'thing' };
      expect(encode({ response_format }, model).body).toEqual({
        ...HI,
        ...(model === CLAUDE ? ROOM : {}),
        outputConfig: { textFormat: { type: 'json_schema', structure: { jsonSchema } } },
      });
    },
  );

  test('is sent as a tool that must be called if an output format cannot express the schema', () => {
    const open = { type: 'object', additionalProperties: { type: 'string' } };
    const { body } = encode({
      response_format: { type: 'json_schema', json_schema: { name: 'n', schema: open } },
    });
    expect(body).not.toHaveProperty('outputConfig');
    expect(body.toolConfig).toMatchObject({
      tools: [{ toolSpec: { name: 'n', inputSchema: { json: open } } }],
    });
  });

  test('is sent as a tool that must be called if the model has no output format', () => {
    expect(encode({ response_format }, NOVA).body).toEqual({
      ...HI,
      toolConfig: { tools: [tool], toolChoice: { tool: { name: 'thing' } } },
    });
    expect(encode({ response_format, tools: [weather] }, NOVA).body).toEqual({
      ...HI,
      toolConfig: { tools: [weatherSpec, tool], toolChoice: { any: {} } },
    });
    expect(encode({ response_format }, 'mistral.mistral-large-2402-v1:0').body.toolConfig).toEqual({
      tools: [tool],
      toolChoice: { any: {} },
    });
  });

  test('is requested by an instruction if the model cannot be forced to call a tool', () => {
    const text = `Answer with one valid JSON value and nothing else. It has to fit this schema: ${JSON.stringify(schema)}`;
    expect(encode({ response_format }, LLAMA).body).toEqual({ ...HI, system: [{ text }] });
  });

  test('is requested by an instruction for json_object', () => {
    expect(encode({ response_format: { type: 'json_object' } }).body).toEqual({
      ...HI,
      ...ROOM,
      system: [{ text: 'Answer with one valid JSON object and nothing else.' }],
    });
  });
});

describe('parameters', () => {
  test('are sent in inferenceConfig, clamped to their ranges', () => {
    const { body, dropped } = encode(
      { max_tokens: 5, temperature: 1.5, top_p: 0.5, top_k: 7, stop: ['a', '\n', ''], service_tier: 'flex' },
      NOVA,
    );
    expect(body).toEqual({
      ...HI,
      inferenceConfig: { maxTokens: 5, temperature: 1, topP: 0.5, stopSequences: ['a', '\n'] },
      additionalModelRequestFields: { inferenceConfig: { topK: 7 } },
      serviceTier: { type: 'flex' },
    });
    expect(dropped).toEqual([]);
  });

  test.each([
    [CLAUDE, 64_000],
    ['global.anthropic.claude-opus-4-8', 64_000],
    ['us.anthropic.claude-opus-4-6-v1', 128_000],
    // Its input and `maxTokens` must fit into the context window together.
    ['us.anthropic.claude-sonnet-4-20250514-v1:0', undefined],
    [NOVA, undefined],
    [LLAMA, undefined],
  ])('let an answer of %s have %p tokens unless the client sets a limit', (model, maxTokens) => {
    expect(encode({}, model).body.inferenceConfig).toEqual(
      maxTokens === undefined ? undefined : { maxTokens },
    );
    expect(encode({ max_tokens: 7 }, model).body.inferenceConfig).toEqual({ maxTokens: 7 });
  });

  test('include top_k for Claude, but no stop sequence of white space', () => {
    const { body, dropped } = encode({
      max_completion_tokens: 5,
      temperature: 0,
      top_k: 7,
      stop: '\n',
    });
    expect(body).toEqual({
      ...HI,
      inferenceConfig: { maxTokens: 5, temperature: 0 },
      additionalModelRequestFields: { top_k: 7 },
    });
    expect(dropped).toEqual(['stop']);
    expect(encode({ temperature: 0, top_p: 0.5 }, 'global.anthropic.claude-opus-4-8').dropped).toEqual([
      'temperature',
      'top_p',
    ]);
  });

  test('that Bedrock lacks are reported as dropped', () => {
    const { body, dropped } = encode(
      { seed: 1, presence_penalty: 1, logprobs: true, user: 'u', top_k: 3 },
      LLAMA,
    );
    expect(body).toEqual(HI);
    expect(dropped).toEqual(['logprobs', 'seed', 'presence_penalty', 'user', 'top_k']);
  });

  test('for several answers are dropped, and a request without messages is refused', () => {
    expect(encode({ n: 2 }).dropped).toEqual(['n']);
    expect(() => encode({ messages: [] })).toThrow(expect.objectContaining({ fault: 'invalid_request' }));
  });
});

describe('reasoning', () => {
  test('becomes a budget below max_tokens, or adaptive thinking, for Claude', () => {
    expect(
      encode({
        reasoning_effort: 'high',
        max_tokens: 100,
        temperature: 0.2,
        tools: [weather],
        tool_choice: 'required',
      }),
    ).toEqual({
      body: {
        ...HI,
        inferenceConfig: { maxTokens: 25_600 },
        toolConfig: { tools: [weatherSpec] },
        additionalModelRequestFields: { thinking: { type: 'enabled', budget_tokens: 24_576 } },
      },
      dropped: ['temperature'],
    });
    expect(encode({ reasoning_effort: 'low' }).body.inferenceConfig).toEqual({ maxTokens: 64_000 });
    expect(encode({ reasoning_effort: 'medium' }, 'us.anthropic.claude-sonnet-4-6').body).toEqual({
      ...HI,
      inferenceConfig: { maxTokens: 128_000 },
      additionalModelRequestFields: { thinking: { type: 'adaptive' }, output_config: { effort: 'medium' } },
    });
  });

  test('is passed on unchanged if it has Anthropic’s format', () => {
    const thinking = { type: 'enabled', budget_tokens: 2_000, display: 'omitted' };
    expect(encode({ thinking, max_tokens: 4_000 }).body).toEqual({
      ...HI,
      inferenceConfig: { maxTokens: 4_000 },
      additionalModelRequestFields: { thinking },
    });
  });

  test.each(['none', 'minimal'])('is not requested from Claude for effort %s', (reasoning_effort) => {
    expect(encode({ reasoning_effort })).toEqual({ body: { ...HI, ...ROOM }, dropped: [] });
  });

  test('becomes an effort for gpt-oss and a configuration for Nova 2', () => {
    expect(encode({ reasoning_effort: 'minimal' }, 'openai.gpt-oss-20b-1:0').body).toEqual({
      ...HI,
      additionalModelRequestFields: { reasoning_effort: 'low' },
    });
    const asked = { temperature: 0.5, max_tokens: 9 };
    expect(encode({ reasoning_effort: 'medium', ...asked }, 'us.amazon.nova-2-lite-v1:0')).toEqual({
      body: {
        ...HI,
        inferenceConfig: { maxTokens: 9, temperature: 0.5 },
        additionalModelRequestFields: { reasoningConfig: { type: 'enabled', maxReasoningEffort: 'medium' } },
      },
      dropped: [],
    });
    expect(encode({ reasoning_effort: 'xhigh', ...asked }, 'us.amazon.nova-2-lite-v1:0')).toEqual({
      body: {
        ...HI,
        additionalModelRequestFields: { reasoningConfig: { type: 'enabled', maxReasoningEffort: 'high' } },
      },
      dropped: ['temperature', 'max_tokens'],
    });
  });

  test('is dropped if the model has none or must call a tool', () => {
    expect(encode({ reasoning_effort: 'high' }, LLAMA)).toEqual({ body: HI, dropped: ['reasoning_effort'] });
    const response_format = { type: 'json_schema', json_schema: { name: 'x', schema: {} } };
    const { body, dropped } = encode(
      { reasoning_effort: 'high', response_format },
      'anthropic.claude-3-7-sonnet-20250219-v1:0',
    );
    expect(body.additionalModelRequestFields).toBeUndefined();
    expect(dropped).toEqual(['reasoning_effort']);
  });
});
