import { describe, expect, test } from 'bun:test';
import { STRANGE_ERRORS } from '../helpers/broken/endings.ts';
import { classifyBody } from '../../src/wire/classify.ts';
import { errorIn } from '../../src/wire/error-event.ts';
import { parseJson } from '../../src/wire/json.ts';
import { SseReader } from '../../src/wire/sse.ts';

describe('errorIn()', () => {
  test.each([...STRANGE_ERRORS])('recognizes %j as an error', (text) => {
    const [event] = new SseReader().push(new TextEncoder().encode(`${text}\n\n`));
    const found = classifyBody(errorIn(parseJson(event!.data) ?? event!.data, event!.event));
    expect([found?.fault, found?.upstream.message]).toEqual([
      'server',
      expect.stringContaining('upstream died'),
    ]);
  });

  test('keeps the error code in any shape', () => {
    const faultOf = (value: unknown) => classifyBody(errorIn(value))?.fault;
    expect(faultOf({ errors: [{ message: 'slow down', code: 429 }] })).toBe('rate_limited');
    expect(faultOf([{ error: { message: 'busy', code: 503 } }])).toBe('overloaded');
    expect(faultOf({ statusCode: 429, message: 'slow down' })).toBe('rate_limited');
    expect(faultOf({ choices: [{ error: { code: 'context_length_exceeded', message: 'long' } }] })).toBe(
      'context_length',
    );
  });
});

test.each([
  [1002, 'rate limit exceeded(RPM)', 'rate_limited'],
  [1004, 'login fail: Please carry the API secret key', 'auth'],
  [1008, 'insufficient balance', 'billing'],
  [1026, 'input new_sensitive', 'content_policy'],
  [1027, 'output new_sensitive', 'content_policy'],
  [1033, 'system error', 'server'],
  [2013, 'invalid params, messages is empty', 'invalid_request'],
  [2013, 'invalid params, context window exceeds limit', 'context_length'],
  [2049, 'invalid api key', 'auth'],
  [2056, 'usage limit exceeded', 'rate_limited'],
])('errorIn() finds MiniMax’s status %i (%s), which means %s', (code, told, fault) => {
  const body = { choices: null, model: '', usage: null, base_resp: { status_code: code, status_msg: told } };
  const found = classifyBody(errorIn(body));
  expect([found?.fault as string, found?.upstream.message]).toEqual([fault, told]);
});

/** Events and bodies that are not errors, whatever text they contain. */
const NONE: [what: string, value: unknown, name?: string][] = [
  ['a chunk', { choices: [{ index: 0, delta: { content: 'error' } }], error: null }],
  ['a chunk with a message for people', { message: 'ok', choices: [{ index: 0, delta: { content: 'x' } }] }],
  ['a chunk of usage alone', { choices: [], usage: { prompt_tokens: 1 } }],
  ['Azure’s first chunk', { choices: [], prompt_filter_results: [{ prompt_index: 0 }] }],
  ['MiniMax’s good status', { choices: [], base_resp: { status_code: 0, status_msg: '' } }],
  ['a ping', { type: 'ping' }, 'ping'],
  ['the start of a message', { type: 'message_start', message: { id: 'm', content: [] } }, 'message_start'],
  ['an event that nobody knows', { type: 'notice', message: 'a new model is here' }, 'notice'],
  ['a response in progress', { type: 'response.in_progress', response: { error: null, output: [] } }],
  [
    'an incomplete response',
    { type: 'response.incomplete', response: { status: 'incomplete', error: null } },
  ],
  ['Gemini’s answer', { candidates: [{ content: { parts: [{ text: 'x' }] } }] }],
  ['Gemini’s blocked prompt', { promptFeedback: { blockReason: 'SAFETY' } }],
  ['Cohere’s beginning', { type: 'message-start', id: 'c', delta: { message: { role: 'assistant' } } }],
  ['Converse’s answer', { output: { message: { content: [] } }, stopReason: 'end_turn' }],
  ['embeddings', { object: 'list', data: [], message: 'ok' }],
  ['a count', { input_tokens: 3 }],
  ['text that is no JSON', 'what?'],
  ['JSON that was cut', '{"type":"error","error":{"mess', 'error'],
  ['nothing', undefined],
];

test.each(NONE.map(([what, ...event]) => [what, event] as const))(
  'errorIn() finds no error in %s',
  (_, [value, name]) => {
    expect(errorIn(value, name)).toBeUndefined();
  },
);
