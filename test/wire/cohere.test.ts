import { describe, expect, test } from 'bun:test';
import type { ChatMessage, ChatRequest } from '../../src/wire/chat.ts';
import type { JsonObject } from '../../src/wire/json.ts';
import type { Quirks } from '../../src/wire/quirks.ts';
import { classifyBody } from '../../src/wire/classify.ts';
import { cohereProtocol } from '../../src/wire/cohere/protocol.ts';
import { NO_MEMORY } from '../../src/wire/protocol.ts';

const MODEL = 'command-a-03-2025';
const REASONING = 'command-a-reasoning-08-2025';

function encode(request: Partial<ChatRequest> = {}, model = MODEL, quirks: Quirks = {}) {
  const whole = { model: 'any', messages: [{ role: 'user', content: 'Hi' }], ...request };
  return cohereProtocol.encode(whole, { model, quirks, created: 1, newId: () => 'abc', memory: NO_MEMORY });
}

const HI = { model: MODEL, messages: [{ role: 'user', content: 'Hi' }], stream: false };
const tool = (name: string, strict?: boolean) => ({
  type: 'function',
  function: { name, parameters: { type: 'object', properties: { a: {} }, required: ['a'] }, strict },
});
const spec = (name: string) => ({
  type: 'function',
  function: { name, parameters: { type: 'object', properties: { a: {} }, required: ['a'] } },
});
const call = (id: string, json = '{"a":1}') => ({
  id,
  type: 'function',
  function: { name: 'f', arguments: json },
});

describe('messages', () => {
  const messages = (list: ChatMessage[], model?: string, quirks?: Quirks) =>
    encode({ messages: list }, model, quirks).body.messages;

  test('keep their order, with developer messages as system messages', () => {
    const image = { type: 'image_url', image_url: { url: 'https://a.example/b.png', detail: 'low' } };
    expect(
      messages([
        {
          role: 'developer',
          content: [
            { type: 'text', text: 'Be' },
            { type: 'text', text: 'brief' },
          ],
        },
        {
          role: 'user',
          content: [{ type: 'text', text: 'See' }, image, { type: 'image_url', image_url: 'data:x' }],
        },
        { role: 'assistant', content: 'Nice', refusal: null },
        { role: 'assistant', content: null, refusal: 'No' },
        { role: 'assistant', content: '' },
        { role: 'user', content: 'Bye' },
      ]),
    ).toEqual([
      { role: 'system', content: 'Be\nbrief' },
      {
        role: 'user',
        content: [{ type: 'text', text: 'See' }, image, { type: 'image_url', image_url: { url: 'data:x' } }],
      },
      { role: 'assistant', content: 'Nice' },
      { role: 'assistant', content: 'No' },
      { role: 'user', content: 'Bye' },
    ]);
  });

  test('send text before calls as their plan, and each result with the id of its call', () => {
    expect(
      messages([
        { role: 'assistant', content: 'I will look', tool_calls: [call('a'), call('b', '')] },
        { role: 'tool', tool_call_id: 'a', content: 'One' },
        { role: 'tool', tool_call_id: 'b', content: [{ type: 'text', text: 'Two' }] },
      ]),
    ).toEqual([
      { role: 'assistant', tool_plan: 'I will look', tool_calls: [call('a'), call('b', '{}')] },
      { role: 'tool', tool_call_id: 'a', content: 'One' },
      { role: 'tool', tool_call_id: 'b', content: 'Two' },
    ]);
  });

  test('send reasoning back to models that reason, unless it is configured to be left out', () => {
    const list = [
      { role: 'assistant', content: 'So', reasoning_content: 'Hm' },
      { role: 'assistant', content: null, reasoning_content: 'Oh', tool_calls: [call('a')] },
    ];
    const plain = [
      { role: 'assistant', content: 'So' },
      { role: 'assistant', tool_calls: [call('a')] },
    ];
    expect(messages(list, REASONING)).toEqual([
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: 'Hm' },
          { type: 'text', text: 'So' },
        ],
      },
      { role: 'assistant', content: [{ type: 'thinking', thinking: 'Oh' }], tool_calls: [call('a')] },
    ]);
    expect(messages(list)).toEqual(plain);
    expect(messages(list, REASONING, { reasoning: 'left_out' })).toEqual(plain);
  });

  test.each<[string, string, ChatMessage]>([
    ['a file', 'unsupported', { role: 'user', content: [{ type: 'file', file: { file_data: 'x' } }] }],
    [
      'an image in a result',
      'unsupported',
      { role: 'tool', tool_call_id: 'a', content: [{ type: 'image_url' }] },
    ],
    ['a result without its call', 'invalid_request', { role: 'tool', content: 'x' }],
    ['an unknown role', 'invalid_request', { role: 'critic', content: 'x' }],
    ['an image without a URL', 'invalid_request', { role: 'user', content: [{ type: 'image_url' }] }],
    [
      'a call without a function',
      'invalid_request',
      { role: 'assistant', tool_calls: [{ id: 'a' } as never] },
    ],
  ])('refuse %s as %s', (_, fault, message) => {
    expect(() => messages([message])).toThrow(expect.objectContaining({ fault }));
  });
});

describe('requests', () => {
  test('use Cohere’s parameter names and ranges', () => {
    const { body, dropped } = encode({
      stream: true,
      max_tokens: 9,
      temperature: 1.5,
      top_p: 1,
      top_k: 900,
      seed: 4,
      presence_penalty: -1,
      frequency_penalty: 0.5,
      stop: ['a', ''],
      logprobs: true,
      top_logprobs: 3,
      user: 'u',
    });
    expect(body).toEqual({
      ...HI,
      stream: true,
      max_tokens: 9,
      temperature: 1,
      p: 0.99,
      k: 500,
      seed: 4,
      frequency_penalty: 0.5,
      stop_sequences: ['a'],
      logprobs: true,
    });
    expect(dropped).toEqual(['top_logprobs', 'user', 'presence_penalty']);
  });

  test('map tool_choice to Cohere’s values, and send only the named tool if one is named', () => {
    const tools = [tool('f'), tool('g')];
    const specs = [spec('f'), spec('g')];
    const asked = (tool_choice: ChatRequest['tool_choice']) => encode({ tools, tool_choice }).body;
    expect(asked('auto')).toEqual({ ...HI, tools: specs });
    expect(asked('none')).toEqual({ ...HI, tools: specs, tool_choice: 'NONE' });
    expect(asked('required')).toEqual({ ...HI, tools: specs, tool_choice: 'REQUIRED' });
    expect(asked({ type: 'function', function: { name: 'g' } })).toEqual({
      ...HI,
      tools: [spec('g')],
      tool_choice: 'REQUIRED',
    });
  });

  test('set strict_tools if every tool is strict, and drop tools that are not functions', () => {
    expect(encode({ tools: [tool('f', true)] }).body.strict_tools).toBe(true);
    expect(encode({ tools: [tool('f', true), tool('g')] }).body.strict_tools).toBeUndefined();
    const odd = encode({ tools: [{ type: 'web_search' } as never], parallel_tool_calls: false });
    expect([odd.body, odd.dropped]).toEqual([HI, ['tools[0]']]);
    expect(encode({ tools: [tool('f')], parallel_tool_calls: false }).dropped).toEqual([
      'parallel_tool_calls',
    ]);
  });

  test('ask for JSON by response_format, or by an instruction if there are tools', () => {
    const schema = { type: 'object' };
    const response_format = { type: 'json_schema', json_schema: { name: 'x', schema } };
    expect(encode({ response_format }).body).toEqual({
      ...HI,
      response_format: { type: 'json_object', json_schema: schema },
    });
    expect(encode({ response_format: { type: 'json_object' } }).body).toEqual({
      ...HI,
      response_format: { type: 'json_object' },
    });
    expect(encode({ response_format: { type: 'text' } }).body).toEqual(HI);
    const { body } = encode({ response_format, tools: [tool('f')] });
    expect(body.response_format).toBeUndefined();
    expect(body.messages).toMatchObject([
      { role: 'system', content: expect.stringContaining('{"type":"object"}') },
      { role: 'user', content: 'Hi' },
    ]);
  });

  test.each<[Partial<ChatRequest>, unknown]>([
    [{}, undefined],
    [{ reasoning_effort: 'none' }, { type: 'disabled' }],
    [{ reasoning_effort: 'low' }, { type: 'enabled', token_budget: 1_024 }],
    [{ reasoning_effort: 'high' }, { type: 'enabled' }],
    [{ thinking: { type: 'enabled', budget_tokens: 2_000 } }, { type: 'enabled', token_budget: 2_000 }],
    [{ thinking: { type: 'disabled' } }, { type: 'disabled' }],
  ])('map %j to the thinking parameter %j for models that reason', (request, thinking) => {
    expect(encode(request, REASONING).body.thinking).toEqual(thinking);
  });

  test('drop the reasoning effort for models that do not reason', () => {
    const { body, dropped } = encode({ reasoning_effort: 'high' });
    expect([body, dropped]).toEqual([HI, ['reasoning_effort']]);
  });

  test('drop n, and are refused without messages', () => {
    expect(encode({ n: 2 }).dropped).toEqual(['n']);
    expect(() => encode({ messages: [] })).toThrow(expect.objectContaining({ fault: 'invalid_request' }));
  });
});

const USAGE = {
  billed_units: { input_tokens: 1, output_tokens: 2 },
  tokens: { input_tokens: 10, output_tokens: 5, reasoning_tokens: 3 },
  cached_tokens: 4,
};
const usage = {
  prompt_tokens: 10,
  completion_tokens: 5,
  total_tokens: 15,
  prompt_tokens_details: { cached_tokens: 4, cache_write_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: 3 },
};

describe('decode() of a Cohere answer', () => {
  const choice = (message: JsonObject, finish_reason = 'COMPLETE', more = {}) =>
    encode().decode({ id: 'c1', message, finish_reason, ...more }).choices[0];

  test('returns reasoning and text', () => {
    const content = [
      { type: 'thinking', thinking: 'Hm' },
      { type: 'text', text: 'So' },
    ];
    const body = {
      id: 'c1',
      message: { role: 'assistant', content },
      finish_reason: 'COMPLETE',
      usage: USAGE,
    };
    expect(encode().decode(body)).toEqual({
      id: 'c1',
      object: 'chat.completion',
      created: 1,
      model: MODEL,
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'So', refusal: null, reasoning_content: 'Hm' },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage,
    });
  });

  test('returns the plan as content, and null arguments as an empty object', () => {
    const message = { role: 'assistant', tool_plan: 'Look', tool_calls: [call('a'), call('b', 'null')] };
    expect(choice(message, 'TOOL_CALL')).toEqual({
      index: 0,
      message: {
        role: 'assistant',
        content: 'Look',
        refusal: null,
        tool_calls: [call('a'), call('b', '{}')],
      },
      logprobs: null,
      finish_reason: 'tool_calls',
    });
  });

  test('returns one log probability for each piece of text', () => {
    const logprobs = [{ token_ids: [1, 2], text: 'Hi', logprobs: [-0.5, -0.25] }];
    expect(choice({ content: [{ text: 'Hi' }] }, 'COMPLETE', { logprobs })?.logprobs).toEqual({
      content: [{ token: 'Hi', logprob: -0.75, bytes: null, top_logprobs: [] }],
      refusal: null,
    });
  });

  test.each([
    ['STOP_SEQUENCE', 'stop'],
    ['MAX_TOKENS', 'length'],
    ['TOOL_CALL', 'tool_calls'],
    ['ERROR', 'ERROR'],
    ['TIMEOUT', 'TIMEOUT'],
    ['NEW', 'NEW'],
  ])('maps the finish reason %s to %s', (reason, finish) => {
    expect(choice({ content: [{ text: 'x' }] }, reason)?.finish_reason).toBe(finish);
  });

  test('skips content that it cannot read, and refuses a body without a message', () => {
    const message = { content: [null, 1, { text: 'ok' }], tool_calls: ['x', { function: null }] };
    expect(choice(message)?.message).toEqual({
      role: 'assistant',
      content: 'ok',
      refusal: null,
      tool_calls: [{ id: 'call_abc', type: 'function', function: { name: '', arguments: '{}' } }],
    });
    expect(() => encode().decode({ id: 'x', message: 'no' })).toThrow(
      expect.objectContaining({ fault: 'malformed' }),
    );
  });
});

type Event = JsonObject & { type?: string };
const first: Event = { type: 'message-start', id: 'c1', delta: { message: { role: 'assistant' } } };
const content = (part: JsonObject, type = 'content-delta'): Event => ({
  type,
  index: 0,
  delta: { message: { content: part } },
});
const toolStart = (index: number, id: string): Event => ({
  type: 'tool-call-start',
  index,
  delta: { message: { tool_calls: { id, type: 'function', function: { name: 'f', arguments: '' } } } },
});
const toolDelta = (index: number, json: string): Event => ({
  type: 'tool-call-delta',
  index,
  delta: { message: { tool_calls: { function: { arguments: json } } } },
});
const end = (finish_reason = 'COMPLETE', more = {}): Event => ({
  type: 'message-end',
  delta: { finish_reason, usage: USAGE, ...more },
});

function read(events: Event[]) {
  const reader = encode().stream();
  const chunks = events.flatMap((event) => reader.push({ event: event.type, data: JSON.stringify(event) }));
  chunks.push(...reader.push({ data: '[DONE]' }), ...reader.end());
  const said: unknown = chunks.map(({ choices: [one], usage: counted }) =>
    one ? [one.delta, one.finish_reason] : counted,
  );
  return { reader, chunks, said };
}

const ROLE = [{ role: 'assistant', content: '' }, null];

describe('stream() of a Cohere answer', () => {
  test('begins with the role, passes on reasoning and text, and ends with the usage', () => {
    const { reader, chunks, said } = read([
      first,
      content({ type: 'thinking', thinking: 'H' }, 'content-start'),
      content({ thinking: 'm' }),
      { type: 'content-end', index: 0 },
      content({ type: 'text', text: '' }, 'content-start'),
      content({ text: 'So' }),
      { type: 'citation-start', index: 0, delta: {} },
      end(),
    ]);
    expect(said).toEqual([
      ROLE,
      [{ reasoning_content: 'H' }, null],
      [{ reasoning_content: 'm' }, null],
      [{ content: 'So' }, null],
      [{}, 'stop'],
      usage,
    ]);
    expect(chunks[0] as unknown).toEqual({
      id: 'c1',
      object: 'chat.completion.chunk',
      created: 1,
      model: MODEL,
      choices: [{ index: 0, delta: ROLE[0], logprobs: null, finish_reason: null }],
    });
    expect(chunks.at(-1)?.choices).toEqual([]);
    expect([reader.done, reader.error, reader.malformed]).toEqual([true, undefined, 0]);
  });

  test('sends the plan as content, and null arguments as an empty object', () => {
    const { said } = read([
      first,
      { type: 'tool-plan-delta', delta: { message: { tool_plan: 'Look' } } },
      toolStart(0, 'a'),
      toolDelta(0, '{"n"'),
      toolDelta(0, ':null}'),
      { type: 'tool-call-end', index: 0 },
      toolStart(1, 'b'),
      toolDelta(1, 'nu'),
      toolDelta(1, 'll'),
      { type: 'tool-call-end', index: 1 },
      toolStart(2, 'c'),
      end('TOOL_CALL'),
    ]);
    const named = (index: number, id: string) => [
      { tool_calls: [{ index, id, type: 'function', function: { name: 'f', arguments: '' } }] },
      null,
    ];
    const args = (index: number, json: string) => [
      { tool_calls: [{ index, function: { arguments: json } }] },
      null,
    ];
    expect(said).toEqual([
      ROLE,
      [{ content: 'Look' }, null],
      named(0, 'a'),
      args(0, '{"n"'),
      args(0, ':null}'),
      named(1, 'b'),
      args(1, '{}'),
      named(2, 'c'),
      args(2, '{}'),
      [{}, 'tool_calls'],
      usage,
    ]);
  });

  test('is not done without a message-end event', () => {
    const { reader, said } = read([first, content({ text: 'x' })]);
    expect(reader.done).toBeFalse();
    expect(said).toEqual([ROLE, [{ content: 'x' }, null]]);
  });

  test('returns the error of a failed stream', () => {
    const failed = read([first, end('ERROR', { error: 'out of memory' })]);
    expect(failed.reader.error).toEqual({
      type: 'error',
      error: { type: 'api_error', message: 'out of memory' },
    });
    expect(classifyBody(failed.reader.error)?.fault).toBe('server');
    expect(failed.reader.usage).toMatchObject({ input: 10, output: 5 });
    expect(failed.reader.done).toBeFalse();
    const bare = read([first, { id: 'x', message: 'too many tokens', error_type: 'TOO_MANY_TOKENS' }]);
    expect(classifyBody(bare.reader.error)?.fault).toBe('context_length');
    expect(read([first, end('TIMEOUT')]).said).toEqual([ROLE, [{}, 'TIMEOUT'], usage]);
  });

  test('counts events that it cannot parse', () => {
    const reader = encode().stream();
    expect(reader.push({ data: '{"x' })).toEqual([]);
    expect(reader.push({ data: '{"type":"debug"}' })).toEqual([]);
    expect(reader.malformed).toBe(1);
  });
});
