import { describe, expect, test } from 'bun:test';
import type { ChatResponse } from '../../src/wire/chat.ts';
import type { JsonObject } from '../../src/wire/json.ts';
import type { UpstreamError } from '../../src/errors.ts';
import type { Fault } from '../../src/faults.ts';
import { messagesErrorEvent } from '../../src/wire/anthropic/client-error.ts';
import { messagesClient } from '../../src/wire/anthropic/client.ts';
import { ProxyError } from '../../src/errors.ts';
import { NO_MEMORY } from '../../src/wire/protocol.ts';

const context = { created: 1, newId: () => 'new', memory: NO_MEMORY };
const request = { model: 'asked', max_tokens: 1, messages: [{ role: 'user', content: 'x' }] };
const { encode } = messagesClient.decode({ ...request, stop_sequences: ['END'] }, context);

const answer = (message: JsonObject, finish: string | null = 'stop', more: JsonObject = {}) =>
  ({
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1,
    model: 'm',
    choices: [{ index: 0, message: { role: 'assistant', ...message }, finish_reason: finish, ...more }],
  }) as ChatResponse;
const usage = {
  input_tokens: 0,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
  cache_creation: null,
  output_tokens: 0,
  output_tokens_details: { thinking_tokens: 0 },
  server_tool_use: null,
  service_tier: null,
  inference_geo: null,
  speed: null,
};

test('encode() turns a text answer into a message with one block', () => {
  expect(encode(answer({ content: 'Hello' }))).toEqual({
    id: 'msg_new',
    type: 'message',
    role: 'assistant',
    model: 'm',
    container: null,
    diagnostics: null,
    content: [{ type: 'text', text: 'Hello', citations: [] }],
    stop_reason: 'end_turn',
    stop_sequence: null,
    stop_details: null,
    usage,
  });
});

test('encode() keeps the id of a message, and uses the requested model if the answer has none', () => {
  expect(encode({ ...answer({}), id: 'msg_1' }).id).toBe('msg_1');
  expect(encode({ ...answer({}), model: '' }).model).toBe('asked');
});

const content = (message: JsonObject) => encode(answer(message)).content;

test('encode() adds an empty signature to unsigned reasoning', () => {
  expect(content({ reasoning_content: 'Hm', content: 'A' })).toEqual([
    { type: 'thinking', thinking: 'Hm', signature: '' },
    { type: 'text', text: 'A', citations: [] },
  ]);
});

test('encode() returns signed reasoning unchanged', () => {
  const thinking_blocks = [
    { type: 'thinking', thinking: 'Hm', signature: 's' },
    { type: 'redacted_thinking', data: 'r' },
  ];
  expect(content({ reasoning_content: 'Hm', thinking_blocks })).toEqual(thinking_blocks);
});

test('encode() turns calls into tool_use blocks with parsed input', () => {
  const call = (id: string, text: unknown) => ({
    id,
    type: 'function',
    function: { name: 'f', arguments: text },
  });
  const tool_calls = [
    call('a', '{"x":[1]}'),
    call('', ''),
    call('c', '{"cut'),
    call('d', { y: 2 }),
    call('e', 'null'),
  ];
  const caller = { type: 'direct' };
  const blocks = [
    { type: 'tool_use', id: 'a', name: 'f', input: { x: [1] } },
    { type: 'tool_use', id: 'toolu_new', name: 'f', input: {} },
    { type: 'tool_use', id: 'c', name: 'f', input: {} },
    { type: 'tool_use', id: 'd', name: 'f', input: { y: 2 } },
    { type: 'tool_use', id: 'e', name: 'f', input: {} },
  ];
  expect(content({ content: null, tool_calls })).toEqual(blocks.map((block) => ({ ...block, caller })));
});

const tool_calls = [{ id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }];
const declined = { type: 'refusal', category: null, explanation: null };

test.each<[string, JsonObject, string | null, JsonObject, unknown[]]>([
  ['stop', { content: 'A' }, 'stop', {}, ['end_turn', null, null]],
  ['no finish reason', { content: 'A' }, null, {}, ['end_turn', null, null]],
  ['an unknown finish reason', { content: 'A' }, 'new_word', {}, ['new_word', null, null]],
  ['length', { content: 'A' }, 'length', {}, ['max_tokens', null, null]],
  ['length within a call', { tool_calls }, 'length', {}, ['max_tokens', null, null]],
  ['tool_calls', { tool_calls }, 'tool_calls', {}, ['tool_use', null, null]],
  ['stop after calls', { tool_calls }, 'stop', {}, ['tool_use', null, null]],
  ['tool_calls without any', { content: 'A' }, 'tool_calls', {}, ['end_turn', null, null]],
  ['content_filter', { content: 'A' }, 'content_filter', {}, ['refusal', null, declined]],
  ['a refusal', { refusal: 'No.' }, 'stop', {}, ['refusal', null, declined]],
  ['a stop sequence', { content: 'A' }, 'stop', { stop_reason: 'END' }, ['stop_sequence', 'END', null]],
  ['a token', { content: 'A' }, 'stop', { stop_reason: 128_009 }, ['end_turn', null, null]],
  ['an unknown stop sequence', { content: 'A' }, 'stop', { stop_reason: '</s>' }, ['end_turn', null, null]],
])('encode() maps %s to a stop reason', (_, message, finish, more, wanted) => {
  const { stop_reason, stop_sequence, stop_details } = encode(answer(message, finish, more));
  expect([stop_reason, stop_sequence, stop_details]).toEqual(wanted);
});

test('encode() returns a refusal as text', () => {
  expect(content({ refusal: 'No.' })).toEqual([{ type: 'text', text: 'No.', citations: [] }]);
});

test('encode() counts cached tokens separately', () => {
  const encoded = {
    prompt_tokens: 100,
    completion_tokens: 20,
    total_tokens: 120,
    prompt_tokens_details: { cached_tokens: 60, cache_write_tokens: 30 },
    completion_tokens_details: { reasoning_tokens: 5 },
  };
  expect(encode({ ...answer({ content: 'A' }), usage: encoded }).usage).toMatchObject({
    input_tokens: 10,
    cache_creation_input_tokens: 30,
    cache_read_input_tokens: 60,
    output_tokens: 20,
    output_tokens_details: { thinking_tokens: 5 },
  });
});

test('encode() returns no negative count if more tokens are cached than there were in total', () => {
  const odd = {
    prompt_tokens: 5,
    prompt_tokens_details: { cached_tokens: 8 },
  } as unknown as ChatResponse['usage'];
  expect(encode({ ...answer({ content: 'A' }), usage: odd }).usage).toMatchObject({ input_tokens: 0 });
});

test.each([
  {},
  { choices: [] },
  { choices: [{}] },
  { choices: null },
  { choices: [{ message: { content: 5 } }] },
])('encode() turns the malformed answer %j into an empty message', (odd) => {
  expect(encode(odd as unknown as ChatResponse)).toMatchObject({
    content: [],
    stop_reason: 'end_turn',
    usage,
  });
});

describe('errorBody()', () => {
  const upstream = (type: string, status = 400): UpstreamError => ({
    status,
    headers: new Headers(),
    body: '',
    verbatim: false,
    message: 'm',
    type,
  });
  const typeOf = (fault: Fault, from?: UpstreamError) => {
    const error = new ProxyError(fault, 'Cannot do it', from ? { upstream: from } : {});
    return (messagesClient.errorBody(error, 'r').error as JsonObject).type;
  };

  test.each<[Fault, string]>([
    ['invalid_request', 'invalid_request_error'],
    ['unsupported', 'invalid_request_error'],
    ['content_policy', 'invalid_request_error'],
    ['unauthenticated', 'authentication_error'],
    ['billing', 'billing_error'],
    ['unknown_model', 'not_found_error'],
    ['unknown_route', 'not_found_error'],
    ['too_large', 'request_too_large'],
    ['rate_limited', 'rate_limit_error'],
    ['timeout_idle', 'timeout_error'],
    ['deadline', 'timeout_error'],
    ['overloaded', 'overloaded_error'],
    ['unavailable', 'overloaded_error'],
    ['auth', 'api_error'],
    ['server', 'api_error'],
    ['internal', 'api_error'],
  ])('maps %s to %s', (fault, type) => expect(typeOf(fault)).toBe(type));

  test('keeps a provider’s error type if Anthropic has it', () => {
    expect(typeOf('server', upstream('overloaded_error', 529))).toBe('overloaded_error');
    expect(typeOf('auth', upstream('permission_error', 403))).toBe('permission_error');
    expect(typeOf('rate_limited', upstream('tokens', 429))).toBe('rate_limit_error');
  });

  test('contains the message, the request id and the attempts', () => {
    const error = new ProxyError('server', 'Cannot use a/b: down');
    expect(messagesClient.errorBody(error, 'req-1', [{ target: 'a/b' }])).toEqual({
      type: 'error',
      error: { type: 'api_error', message: 'Cannot use a/b: down', details: [{ target: 'a/b' }] },
      request_id: 'req-1',
    });
  });

  test('reports a prompt that is too long with the text that clients look for', () => {
    const body = (message: string) =>
      messagesClient.errorBody(new ProxyError('context_length', message), 'r').error as JsonObject;
    expect(body('maximum context length is 5').message).toBe(
      'prompt is too long: maximum context length is 5',
    );
    expect(body('a: prompt is too long: 6 > 5').message).toBe('a: prompt is too long: 6 > 5');
  });

  test('is sent as an error event within a stream', () => {
    expect(messagesErrorEvent(new ProxyError('overloaded', 'Cannot go on'), 'r')).toBe(
      'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Cannot go on"},"request_id":"r"}\n\n',
    );
  });
});
