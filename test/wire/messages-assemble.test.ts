import { expect, test } from 'bun:test';
import type { JsonObject } from '../../src/wire/json.ts';
import { messageAssembler } from '../../src/wire/anthropic/assemble.ts';

const start = (usage: JsonObject = { input_tokens: 5, cache_read_input_tokens: 2, output_tokens: 1 }) => ({
  type: 'message_start',
  message: {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'm',
    content: [],
    stop_reason: null,
    usage,
  },
});
const open = (index: number, content_block: JsonObject) => ({
  type: 'content_block_start',
  index,
  content_block,
});
const delta = (index: number, piece: JsonObject) => ({ type: 'content_block_delta', index, delta: piece });
const close = (index: number) => ({ type: 'content_block_stop', index });
const end = (stop_reason: string, output_tokens = 9) => ({
  type: 'message_delta',
  delta: { stop_reason, stop_sequence: null },
  usage: { output_tokens },
});

function assembled(...events: JsonObject[]) {
  const assembler = messageAssembler();
  for (const event of events) assembler.push(event);
  return assembler;
}

test('messageAssembler() builds the message that the answer would have been without streaming', () => {
  const assembler = assembled(
    start(),
    { type: 'ping' },
    open(0, { type: 'thinking', thinking: '', signature: '' }),
    delta(0, { type: 'thinking_delta', thinking: 'H' }),
    delta(0, { type: 'thinking_delta', thinking: 'm' }),
    delta(0, { type: 'signature_delta', signature: 's' }),
    close(0),
    open(1, { type: 'redacted_thinking', data: 'r' }),
    close(1),
    open(2, { type: 'text', text: '' }),
    delta(2, { type: 'text_delta', text: 'A' }),
    delta(2, { type: 'citations_delta', citation: { cited_text: 'c' } }),
    close(2),
    open(3, { type: 'tool_use', id: 't', name: 'f', input: {} }),
    delta(3, { type: 'input_json_delta', partial_json: '' }),
    delta(3, { type: 'input_json_delta', partial_json: '{"x":' }),
    delta(3, { type: 'input_json_delta', partial_json: '1}' }),
    close(3),
    end('tool_use'),
    { type: 'message_stop' },
  );
  expect(assembler.result()).toEqual({
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'm',
    content: [
      { type: 'thinking', thinking: 'Hm', signature: 's' },
      { type: 'redacted_thinking', data: 'r' },
      { type: 'text', text: 'A', citations: [{ cited_text: 'c' }] },
      { type: 'tool_use', id: 't', name: 'f', input: { x: 1 } },
    ],
    stop_reason: 'tool_use',
    stop_sequence: null,
    usage: { input_tokens: 5, cache_read_input_tokens: 2, output_tokens: 9 },
  });
  const { content, finish, finished, seen, usage } = assembler;
  expect({ content, finish, finished, seen }).toEqual({
    content: true,
    finish: 'tool_calls',
    finished: true,
    seen: 1,
  });
  expect(usage).toEqual({ input: 7, cached: 2, cacheWrite: 0, output: 9, reasoning: 0 });
  expect(assembler.begun()).toBeUndefined();
});

test('messageAssembler() accepts the streams of llama.cpp: mixed blocks, late stops and missing input', () => {
  const assembler = assembled(
    start({ input_tokens: 68, cache_read_input_tokens: 0, output_tokens: 0 }),
    open(0, { type: 'text', text: '' }),
    delta(0, { type: 'text_delta', text: 'A' }),
    open(1, { type: 'tool_use', id: 't', name: 'f' }),
    delta(1, { type: 'input_json_delta', partial_json: '{' }),
    delta(0, { type: 'text_delta', text: 'B' }),
    delta(1, { type: 'input_json_delta', partial_json: '}' }),
    open(2, { type: 'tool_use', id: 'u', name: 'g' }),
    delta(0, { type: 'signature_delta', signature: '' }),
    close(0),
    close(1),
    end('end_turn', 3),
  );
  expect(assembler.result()).toMatchObject({
    content: [
      { type: 'text', text: 'AB' },
      { type: 'tool_use', id: 't', input: {} },
      { type: 'tool_use', id: 'u', input: {} },
    ],
    usage: { input_tokens: 68, output_tokens: 3 },
  });
});

test('messageAssembler() sees content from the first text, thought or tool call on', () => {
  const text = open(0, { type: 'text', text: '' });
  expect(assembled(start(), text).content).toBeFalse();
  expect(assembled(start(), text, delta(0, { type: 'text_delta', text: '' })).content).toBeFalse();
  expect(assembled(start(), text, delta(0, { type: 'text_delta', text: 'A' })).content).toBeTrue();
  expect(assembled(start(), open(0, { type: 'text', text: 'A' })).content).toBeTrue();
  expect(assembled(start(), open(0, { type: 'tool_use', id: 't', name: 'f' })).content).toBeTrue();
  const thought = open(0, { type: 'thinking', thinking: '' });
  expect(
    assembled(start(), thought, delta(0, { type: 'signature_delta', signature: 's' })).content,
  ).toBeFalse();
  expect(assembled(start(), thought, delta(0, { type: 'thinking_delta', thinking: 'H' })).content).toBeTrue();
});

test.each([
  ['end_turn', 'stop'],
  ['stop_sequence', 'stop'],
  ['max_tokens', 'length'],
  ['tool_use', 'tool_calls'],
  ['refusal', 'content_filter'],
])('messageAssembler() maps the stop reason %s to %s', (reason, finish) => {
  const assembler = assembled(start());
  expect([assembler.finish, assembler.finished]).toEqual([null, false]);
  assembler.push(end(reason));
  expect([assembler.finish, assembler.finished]).toEqual([finish, true]);
});

test('messageAssembler() keeps truncated input as partial JSON', () => {
  const cut = [
    open(0, { type: 'tool_use', id: 't', name: 'f', input: {} }),
    delta(0, { type: 'input_json_delta', partial_json: '{"x' }),
  ];
  expect(assembled(start(), ...cut, end('max_tokens')).result().content).toEqual([
    { type: 'tool_use', id: 't', name: 'f', input: {}, partial_json: '{"x' },
  ]);
});

test('messageAssembler() starts over at a second message_start', () => {
  const again = assembled(
    start(),
    open(0, { type: 'text', text: 'A' }),
    start(),
    open(0, { type: 'text', text: 'B' }),
  );
  expect(again.result().content).toEqual([{ type: 'text', text: 'B' }]);
});

test('messageAssembler() ignores malformed events', () => {
  const odd = [
    {},
    { type: 5 },
    { type: 'content_block_delta' },
    { type: 'content_block_delta', index: 7, delta: { type: 'text_delta', text: 'A' } },
    { type: 'content_block_delta', index: 8, delta: { type: 'new_delta', x: 1 } },
    { type: 'message_delta' },
    { type: 'content_block_start', index: 'x' },
  ];
  expect(assembled(...odd).result()).toMatchObject({
    content: [{}, { type: 'text', text: 'A' }],
    stop_reason: null,
  });
});

test('messageAssembler() limits the number of content blocks', () => {
  const many = Array.from({ length: 5_000 }, (_, index) => open(index, { type: 'text', text: '' }));
  expect(assembled(start(), ...many).result().content).toHaveLength(1_024);
});

test('messageAssembler() keeps a count if a later event has an invalid one', () => {
  const again = { ...end('end_turn'), usage: { input_tokens: '3', output_tokens: 9 } };
  expect(assembled(start(), again).usage).toMatchObject({ input: 7, cached: 2, output: 9 });
});

test('messageAssembler().fresh() keeps the input tokens of message_start', () => {
  const rest = assembled(start()).fresh();
  rest.push(end('end_turn'));
  expect(rest.usage).toMatchObject({ input: 7, cached: 2, output: 9 });
});
