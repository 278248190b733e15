/** Requests of Responses clients as chat requests. */
import { describe, expect, test } from 'bun:test';
import type { JsonObject } from '../../src/wire/json.ts';
import { ProxyError } from '../../src/errors.ts';
import { NO_MEMORY } from '../../src/wire/protocol.ts';
import { responsesClient } from '../../src/wire/responses/client.ts';
import { usedMs } from '../helpers/cpu.ts';

const context = { created: 1, newId: () => 'new', memory: NO_MEMORY };
const decode = (body: JsonObject) => responsesClient.decode({ model: 'm', input: 'Hi', ...body }, context);
const messages = (...input: unknown[]) => decode({ input }).request.messages;
const hi = { role: 'user', content: 'Hi' };

const fn = (id: string, more: JsonObject = {}) => ({
  type: 'function_call',
  call_id: id,
  name: 'f',
  arguments: '{"a":1}',
  ...more,
});
const output = (id: string, value: unknown) => ({ type: 'function_call_output', call_id: id, output: value });
const call = (id: string) => ({ id, type: 'function', function: { name: 'f', arguments: '{"a":1}' } });

test('decode() turns a text into one user message', () => {
  expect(decode({})).toMatchObject({ request: { model: 'm', messages: [hi] }, dropped: [] });
  expect(decode({}).request).toEqual({ model: 'm', messages: [hi] });
});

describe('input', () => {
  test('comes after the instructions', () => {
    expect(decode({ instructions: 'Be kind.' }).request.messages).toEqual([
      { role: 'system', content: 'Be kind.' },
      hi,
    ]);
  });

  test('can contain messages of every role, with and without a type', () => {
    expect(
      messages(
        { role: 'developer', content: 'd' },
        { type: 'message', role: 'system', content: [{ type: 'input_text', text: 's' }] },
        { role: 'user', content: [{ type: 'input_text', text: 'u' }] },
        {
          type: 'message',
          role: 'assistant',
          content: [{ type: 'output_text', text: 'a', annotations: [] }],
        },
        { role: 'user', content: 'v' },
        { role: 'assistant', content: [{ type: 'refusal', refusal: 'No.' }] },
      ),
    ).toEqual([
      { role: 'developer', content: 'd' },
      { role: 'system', content: 's' },
      { role: 'user', content: 'u' },
      { role: 'assistant', content: 'a' },
      { role: 'user', content: 'v' },
      { role: 'assistant', content: '', refusal: 'No.' },
    ]);
  });

  test('can contain images and files', () => {
    const content = [
      { type: 'input_text', text: 'See' },
      { type: 'input_image', image_url: 'https://x.test/a.png', detail: 'high' },
      { type: 'input_image', image_url: 'data:image/png;base64,AA==' },
      { type: 'input_file', file_data: 'data:application/pdf;base64,AA==', filename: 'a.pdf' },
      { type: 'input_file', file_id: 'file_1', filename: null },
      { type: 'input_file', file_url: 'https://x.test/a.pdf' },
    ];
    expect(messages({ role: 'user', content })).toEqual([
      {
        role: 'user',
        content: [
          { type: 'text', text: 'See' },
          { type: 'image_url', image_url: { url: 'https://x.test/a.png', detail: 'high' } },
          { type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } },
          { type: 'file', file: { file_data: 'data:application/pdf;base64,AA==', filename: 'a.pdf' } },
          { type: 'file', file: { file_id: 'file_1' } },
          { type: 'file', file: { file_data: 'https://x.test/a.pdf' } },
        ],
      },
    ]);
  });

  test('of one turn becomes one message with its calls, followed by their results', () => {
    const reasoning = {
      type: 'reasoning',
      id: 'rs_1',
      summary: [{ type: 'summary_text', text: 'Hm.' }],
      encrypted_content: 'E',
    };
    const said = { role: 'assistant', content: [{ type: 'output_text', text: 'Looking' }] };
    const all = messages(hi, reasoning, said, fn('a'), fn('b'), output('a', '1'), output('b', null), fn('c'));
    expect(all).toEqual([
      hi,
      {
        role: 'assistant',
        content: 'Looking',
        reasoning_content: 'Hm.',
        thinking_blocks: [
          { type: 'encrypted', id: 'rs_1', summary: reasoning.summary, encrypted_content: 'E' },
        ],
        tool_calls: [call('a'), call('b')],
      },
      { role: 'tool', tool_call_id: 'a', content: '1' },
      { role: 'tool', tool_call_id: 'b', content: '' },
      { role: 'assistant', content: null, tool_calls: [call('c')] },
    ]);
  });

  test('keeps images in results', () => {
    const picture = { type: 'input_image', image_url: 'https://x.test/a.png' };
    const url = { type: 'image_url', image_url: { url: 'https://x.test/a.png' } };
    const results = [output('a', [picture]), output('b', [{ type: 'input_text', text: 'b' }, picture])];
    expect(messages(fn('a'), fn('b'), ...results, hi).slice(1)).toEqual([
      { role: 'tool', tool_call_id: 'a', content: [url] },
      { role: 'tool', tool_call_id: 'b', content: [{ type: 'text', text: 'b' }, url] },
      hi,
    ]);
  });

  test('omits empty reasoning', () => {
    expect(messages(hi, { type: 'reasoning', summary: [] })).toEqual([hi]);
  });

  test('drops items of other types and reports them', () => {
    const { request, dropped } = decode({
      input: [hi, { type: 'compaction' }, { type: 'local_shell_call' }],
    });
    expect([request.messages, dropped]).toEqual([
      [hi],
      ['input[1] (compaction)', 'input[2] (local_shell_call)'],
    ]);
  });

  test('with many calls and much reasoning is decoded quickly', () => {
    const many = Array.from({ length: 30_000 }, (_, index) => [
      { type: 'reasoning', summary: [{ text: 'x' }], encrypted_content: 'E' },
      fn(`a${index}`, { namespace: 'n' }),
    ]);
    const tools = Array.from({ length: 30_000 }, (_, index) => ({ type: 'function', name: `f${index}` }));
    const begun = usedMs();
    decode({ input: many.flat(), tools: [{ type: 'namespace', name: 'n', tools }] });
    expect(usedMs() - begun).toBeLessThan(2_000);
  });
});

describe('decode() refuses', () => {
  test.each([
    [{ previous_response_id: 'resp_1' }, 'previous_response_id', 'stateless'],
    [{ conversation: 'conv_1' }, 'conversation', 'stateless'],
    [{ background: true }, 'background', 'stateless'],
    [{ prompt: { id: 'p' } }, 'prompt', 'stateless'],
    [{ input: undefined }, 'input', 'invalid_request'],
    [{ input: 5 }, 'input', 'invalid_request'],
    [{ input: ['Hi'] }, 'input[0]', 'invalid_request'],
    [{ input: [{ role: 'narrator', content: '' }] }, 'input[0].role', 'invalid_request'],
    [{ input: [{ role: 'user' }] }, 'input[0].content', 'invalid_request'],
    [
      { input: [{ role: 'user', content: [{ type: 'input_audio' }] }] },
      'input[0].content[0]',
      'invalid_request',
    ],
    [{ input: [{ type: 'function_call', name: 'f' }] }, 'input[0].call_id', 'invalid_request'],
    [{ input: [{ type: 'function_call_output', output: '' }] }, 'input[0].call_id', 'invalid_request'],
    [{ input: [{ type: 'item_reference', id: 'x' }] }, 'input[0]', 'invalid_request'],
  ] as const)('%j', (body, param, kind) => {
    let found: unknown;
    try {
      decode(body as unknown as JsonObject);
    } catch (error) {
      found = error;
    }
    expect(found).toBeInstanceOf(ProxyError);
    const { fault, param: at } = found as ProxyError;
    expect([fault, at]).toEqual([kind, param]);
  });

  test('nothing if the fields of unsupported features are off', () => {
    const off = { previous_response_id: null, conversation: null, background: false, prompt: null };
    expect(decode(off).dropped).toEqual([]);
  });
});

describe('tools', () => {
  const flat = {
    type: 'function',
    name: 'f',
    description: 'F',
    parameters: { type: 'object' },
    strict: true,
  };
  const other = { type: 'function', name: 'g', description: null, parameters: null };
  const tool = {
    type: 'function',
    function: { name: 'f', description: 'F', parameters: { type: 'object' }, strict: true },
  };
  const bare = { type: 'function', function: { name: 'g' } };

  test('that run at OpenAI become hosted tools, or are dropped and reported', () => {
    const tools = [flat, { type: 'web_search' }, { type: 'mcp' }, other, { type: 'computer_use_preview' }];
    const { request, dropped } = decode({ tools });
    expect(request.tools).toEqual([tool, bare]);
    expect(dropped).toEqual(['tools[2] (mcp)', 'tools[4] (computer_use_preview)']);
    expect(request.hosted_tools).toMatchObject([{ name: 'web_search' }]);
  });

  test.each([
    ['auto', [tool, bare], 'auto', []],
    ['none', [tool, bare], 'none', []],
    ['required', [tool, bare], 'required', []],
    [null, [tool, bare], undefined, []],
    [{ type: 'function', name: 'g' }, [tool, bare], { type: 'function', function: { name: 'g' } }, []],
    [
      { type: 'allowed_tools', mode: 'required', tools: [{ type: 'function', name: 'g' }] },
      [bare],
      'required',
      [],
    ],
    [{ type: 'allowed_tools', mode: 'auto', tools: [] }, undefined, undefined, []],
    [{ type: 'web_search' }, [tool, bare], undefined, ['tool_choice']],
  ])('are selected by the tool choice %j', (tool_choice, left, choice, named) => {
    const { request, dropped } = decode({ tools: [flat, other], tool_choice });
    expect([request.tools, request.tool_choice, dropped]).toEqual([left, choice, named] as never);
  });

  test('are required for a tool choice', () => {
    expect(decode({ tool_choice: 'auto' }).request).not.toHaveProperty('tool_choice');
    expect(decode({ tool_choice: 'required' }).dropped).toEqual(['tool_choice']);
  });
});

describe('parameters', () => {
  test('that chat has as well are kept', () => {
    const same = {
      temperature: 0.5,
      top_p: 0.5,
      parallel_tool_calls: false,
      metadata: { a: 'b' },
      user: 'u',
      safety_identifier: 's',
      prompt_cache_key: 'k',
      prompt_cache_retention: '24h',
      service_tier: 'flex',
    };
    const { request, dropped } = decode({
      ...same,
      max_output_tokens: 100,
      reasoning: { effort: 'high', summary: 'auto' },
      text: { verbosity: 'low', format: { type: 'json_object' } },
      include: ['reasoning.encrypted_content', 'message.output_text.logprobs'],
      top_logprobs: 3,
      stream: true,
      store: false,
      truncation: 'disabled',
    });
    expect(request).toEqual({
      model: 'm',
      messages: [hi],
      ...same,
      max_completion_tokens: 100,
      reasoning_effort: 'high',
      verbosity: 'low',
      response_format: { type: 'json_object' },
      logprobs: true,
      top_logprobs: 3,
      stream: true,
      stream_options: { include_usage: true },
    });
    expect(dropped).toEqual([]);
  });

  test('for the response format are kept', () => {
    const schema = { name: 'n', schema: { type: 'object' }, strict: true, description: 'N' };
    expect(decode({ text: { format: { type: 'json_schema', ...schema } } }).request.response_format).toEqual({
      type: 'json_schema',
      json_schema: schema,
    });
    expect(decode({ text: { format: { type: 'text' } } }).request).not.toHaveProperty('response_format');
  });

  test('that chat does not have are reported as dropped', () => {
    const { request, dropped } = decode({
      truncation: 'auto',
      max_tool_calls: 3,

      max_output_tokens: null,
    });
    expect(dropped.toSorted()).toEqual(['max_tool_calls', 'truncation']);
    expect(request).toEqual({ model: 'm', messages: [hi] });
  });
});
