/** Requests to Anthropic and its answers, as far as they use features of its own API. */
import { describe, expect, test } from 'bun:test';
import type { ChatRequest } from '../../src/wire/chat.ts';
import type { JsonObject } from '../../src/wire/json.ts';
import { encodeAnthropicRequest } from '../../src/wire/anthropic/request.ts';
import { decodeAnthropicResponse } from '../../src/wire/anthropic/response.ts';
import { AnthropicReader } from '../../src/wire/anthropic/stream.ts';
import { ProxyError } from '../../src/errors.ts';
import { NO_MEMORY } from '../../src/wire/protocol.ts';

const options = { created: 1, memory: NO_MEMORY, newId: () => 'x' };
const encode = (more: Partial<ChatRequest>, model = 'claude-sonnet-4-5') =>
  encodeAnthropicRequest(
    { model, messages: [{ role: 'user', content: 'Hi' }], ...more },
    { model, memory: NO_MEMORY },
  );
const tools = [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }];

describe('thinking', () => {
  test('that is disabled leaves sampling parameters and the tool choice unchanged', () => {
    const { body, dropped } = encode({
      thinking: { type: 'disabled' },
      temperature: 0.5,
      tools,
      tool_choice: 'required',
    });
    expect(body).toMatchObject({
      thinking: { type: 'disabled' },
      temperature: 0.5,
      tool_choice: { type: 'any' },
    });
    expect(dropped).toEqual([]);
  });

  test('that is adaptive permits a forced tool call and a temperature of 1', () => {
    const thinking = { type: 'adaptive' };
    const { body, dropped } = encode(
      { thinking, temperature: 1, top_k: 5, tools, tool_choice: 'required' },
      'claude-opus-4-6',
    );
    expect(body).toMatchObject({ thinking, temperature: 1, tool_choice: { type: 'any' } });
    expect(dropped).toEqual(['top_k']);
  });

  test('with a budget turns a forced tool call into an optional one', () => {
    const thinking = { type: 'enabled', budget_tokens: 1024 };
    expect(encode({ thinking, tools, tool_choice: 'required' }).body.tool_choice).toEqual({ type: 'auto' });
  });

  test('is sent to Anthropic as the client configured it', () => {
    const thinking = { type: 'adaptive', display: 'omitted' };
    const output_config = { effort: 'max' };
    const { body } = encode({ thinking, output_config, reasoning_effort: 'max' }, 'claude-opus-4-6');
    expect([body.thinking, body.output_config]).toEqual([thinking, output_config]);
    expect(encode({ output_config, reasoning_effort: 'max' }).body).not.toHaveProperty('thinking');
  });

  test.each([
    // Models with budgets support nothing else.
    ['claude-sonnet-4-5', { type: 'adaptive' }, 'max', { type: 'enabled', budget_tokens: 32_000 }, undefined],
    [
      'claude-sonnet-4-5',
      { type: 'enabled', budget_tokens: 10 },
      undefined,
      { type: 'enabled', budget_tokens: 1_024 },
      undefined,
    ],
    [
      'claude-opus-4-5',
      { type: 'adaptive' },
      'max',
      { type: 'enabled', budget_tokens: 32_000 },
      { effort: 'high' },
    ],
    // Models that support both get what was requested.
    [
      'claude-opus-4-6',
      { type: 'enabled', budget_tokens: 2_000 },
      'xhigh',
      { type: 'enabled', budget_tokens: 2_000 },
      { effort: 'high' },
    ],
    // New models refuse budgets.
    [
      'claude-opus-4-8',
      { type: 'enabled', budget_tokens: 2_000 },
      undefined,
      { type: 'adaptive' },
      { effort: 'low' },
    ],
    ['claude-opus-4-8', { type: 'enabled' }, undefined, { type: 'adaptive' }, undefined],
    ['claude-opus-5', { type: 'disabled' }, 'max', { type: 'disabled' }, { effort: 'high' }],
  ])('is adapted to %s: %j with effort %p', (model, thinking, effort, asked, config) => {
    const { body, dropped } = encode({ thinking, ...(effort ? { output_config: { effort } } : {}) }, model);
    expect([body.thinking, body.output_config]).toEqual([asked, config]);
    expect(dropped).toEqual([]);
  });

  test('is dropped if the model does not support it', () => {
    const thinking = { type: 'enabled', budget_tokens: 2_000 };
    const { body, dropped } = encode({ thinking, output_config: { effort: 'low' } }, 'claude-3-5-haiku');
    expect(body).not.toHaveProperty('thinking');
    expect(dropped).toEqual(['thinking', 'reasoning_effort']);
    expect(encode({ reasoning_effort: 'high' }, 'claude-3-5-haiku').dropped).toEqual(['reasoning_effort']);
  });

  test('without a signature is not sent', () => {
    const signed = { type: 'thinking', thinking: 'H', signature: 's' };
    const thinking_blocks = [{ type: 'thinking', thinking: 'm', signature: '' }, signed];
    const { body } = encode({ messages: [{ role: 'assistant', content: 'A', thinking_blocks }] });
    expect(body.messages).toEqual([{ role: 'assistant', content: [signed, { type: 'text', text: 'A' }] }]);
  });

  test('without a signature is returned as reasoning text only', () => {
    const content = [{ type: 'thinking', thinking: 'H', signature: '' }];
    const { message } = decodeAnthropicResponse({ id: 'm', model: 'm', content }, options).choices[0]!;
    expect(message).toEqual({ role: 'assistant', content: null, refusal: null, reasoning_content: 'H' });
  });
});

test.each(['claude-sonnet-4-0', 'claude-opus-4-0', 'claude-sonnet-4@20250514', 'claude-opus-4-1-20250805'])(
  '%s accepts a temperature',
  (model) => expect(encode({ temperature: 0.5 }, model).body.temperature).toBe(0.5),
);

test('call ids that Anthropic refuses are replaced by unique ones', () => {
  const call = (id: string) => ({ id, type: 'function', function: { name: 'f', arguments: '{}' } });
  const { body } = encode({
    messages: [
      { role: 'user', content: 'Hi' },
      {
        role: 'assistant',
        content: null,
        tool_calls: [call('functions.f:0'), call('functions.f.0'), call('a-b_1')],
      },
      { role: 'tool', tool_call_id: 'functions.f:0', content: 'x' },
    ],
  });
  const use = (id: string) => ({ type: 'tool_use', id, name: 'f', input: {} });
  expect(body.messages).toEqual([
    { role: 'user', content: [{ type: 'text', text: 'Hi' }] },
    { role: 'assistant', content: [use('functions_2e_f_3a_0'), use('functions_2e_f_2e_0'), use('a-b_1')] },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'functions_2e_f_3a_0', content: 'x' }] },
  ]);
});

test('long call ids are replaced by short unique ones', () => {
  const ids = ['a', 'b'].map((end) => 'x'.repeat(1_000_000) + end);
  const calls = ids.map((id) => ({ id, type: 'function', function: { name: 'f', arguments: '{}' } }));
  const { body } = encode({
    messages: [
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: null, tool_calls: calls },
      { role: 'tool', tool_call_id: ids[1]!, content: 'x' },
    ],
  });
  const [, asked, answered] = body.messages as { content: { id?: string; tool_use_id?: string }[] }[];
  const [first, second] = asked!.content.map(({ id }) => id!);
  expect(first).not.toBe(second!);
  expect(answered!.content[0]!.tool_use_id).toBe(second!);
  expect(second!.length).toBeLessThan(300);
});

test('encodeAnthropicRequest() refuses a content part that Anthropic does not support', () => {
  const content = [{ type: 'input_audio', input_audio: {} }];
  const encoded = () => encode({ messages: [{ role: 'user', content }] });
  expect(encoded).toThrow(ProxyError);
  expect(encoded).toThrow('messages[0].content[0]');
});

test('the stop sequence that ended an answer is returned next to the finish reason', () => {
  const stopped = { stop_reason: 'stop_sequence', stop_sequence: 'END' };
  const whole = decodeAnthropicResponse({ id: 'm', model: 'm', content: [], ...stopped }, options);
  expect(whole.choices[0]).toMatchObject({ finish_reason: 'stop', stop_reason: 'END' });
  const reader = new AnthropicReader(options);
  const event = (value: JsonObject) => reader.push({ data: JSON.stringify(value) });
  event({ type: 'message_start', message: {} });
  expect(event({ type: 'message_delta', delta: stopped })).toEqual([]);
  const [chunk] = event({ type: 'message_stop' });
  expect(chunk?.choices[0]).toMatchObject({ finish_reason: 'stop', stop_reason: 'END' });
});

describe('schemas', () => {
  const open = { type: 'object', properties: { n: { type: 'integer', minimum: 1 } } };
  const closed = {
    type: 'object',
    properties: { n: { type: 'integer', description: '{minimum: 1}' } },
    additionalProperties: false,
  };
  const map = { type: 'object', additionalProperties: { type: 'integer' } };
  const asked = (schema: JsonObject) =>
    encode({ response_format: { type: 'json_schema', json_schema: { name: 'n', schema } } });
  const strict = (parameters: JsonObject) =>
    encode({ tools: [{ type: 'function', function: { name: 'f', parameters, strict: true } }] }).body.tools;

  test('of structured output are closed', () => {
    const { body, structuredTool } = asked(open);
    expect(body.output_config).toEqual({ format: { type: 'json_schema', schema: closed } });
    expect(structuredTool).toBeUndefined();
  });

  test('that cannot be closed are those of a tool that must be called', () => {
    const { body, structuredTool } = asked(map);
    expect(body).not.toHaveProperty('output_config');
    expect(body).toMatchObject({ tools: [{ name: 'n', input_schema: map }], tool_choice: { name: 'n' } });
    expect(structuredTool).toBe('n');
  });

  test('of strict tools are closed; a tool whose schema cannot be is not strict', () => {
    expect(strict(open)).toEqual([{ name: 'f', input_schema: closed, strict: true }]);
    expect(strict(map)).toEqual([{ name: 'f', input_schema: { ...map, properties: {} } }]);
  });
});
