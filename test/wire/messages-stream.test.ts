import { expect, test } from 'bun:test';
import type { ChatChunk, ChatDelta } from '../../src/wire/chat.ts';
import type { JsonObject } from '../../src/wire/json.ts';
import type { Events } from '../../src/wire/long-events.ts';
import { messagesClient } from '../../src/wire/anthropic/client.ts';
import { eventsText } from '../../src/wire/long-events.ts';
import { streamOf } from '../helpers/written.ts';
import { encodeOpenaiUsage } from '../../src/wire/usage.ts';
import { framesOf } from '../helpers/grammar/frames.ts';
import { checkMessagesStream } from '../helpers/grammar/messages.ts';
import { NO_MEMORY } from '../../src/wire/protocol.ts';
import { usedMs } from '../helpers/cpu.ts';

const request = { model: 'asked', max_tokens: 1, messages: [{ role: 'user', content: 'x' }], stream: true };
let ids = 0;
const writer = () =>
  messagesClient.decode(request, { created: 1, newId: () => `${(ids += 1)}`, memory: NO_MEMORY }).stream();

const top = { id: 'msg_1', object: 'chat.completion.chunk', created: 1, model: 'm' } as const;
const chunk = (delta: ChatDelta, finish: string | null = null): ChatChunk => ({
  ...top,
  choices: [{ index: 0, delta, finish_reason: finish }],
});
const usage = encodeOpenaiUsage({ input: 10, cached: 4, cacheWrite: 0, output: 7, reasoning: 0 });
const counted: ChatChunk = { ...top, choices: [], usage };
const call = (index: number, piece: string, begin: JsonObject = {}) => {
  const { id, name } = begin as { id?: string; name?: string };
  const named = name === undefined ? {} : { name };
  const known = id === undefined ? {} : { id, type: 'function' as const };
  return { tool_calls: [{ index, ...known, function: { ...named, arguments: piece } }] };
};

/** The whole stream that is written for these chunks. */
function written(chunks: readonly ChatChunk[]): string {
  return streamOf(chunks, writer());
}

/** The types of the events, with their index and the content of their deltas. */
function told(events: Events): string[] {
  return framesOf(eventsText(events), []).map(({ value }) => {
    const { type, delta, index } = value as { type: string; delta?: JsonObject; index?: number };
    const said = delta?.text ?? delta?.thinking ?? delta?.partial_json ?? delta?.signature;
    return [type, index, said].filter((part) => part !== undefined).join(' ');
  });
}

test('stream() writes text as one block, with these exact events', () => {
  const chunks = [
    chunk({ role: 'assistant', content: '' }),
    chunk({ content: 'Hel' }),
    chunk({ content: 'lo' }),
    chunk({}, 'stop'),
    counted,
  ];
  const none = {
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
  const message = {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'm',
    container: null,
    diagnostics: null,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    stop_details: null,
    usage: none,
  };
  const events = [
    { type: 'message_start', message },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '', citations: [] } },
    { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hel' } },
    { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'lo' } },
    { type: 'content_block_stop', index: 0 },
    {
      type: 'message_delta',
      delta: { container: null, stop_reason: 'end_turn', stop_sequence: null, stop_details: null },
      usage: { ...none, input_tokens: 6, cache_read_input_tokens: 4, output_tokens: 7 },
    },
    { type: 'message_stop' },
  ];
  expect(written(chunks)).toBe(
    events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join(''),
  );
});

test('stream() writes text immediately, waits for the usage, and sends the stop event last', () => {
  const stream = writer();
  expect(told(stream.push({ ...top, id: '', model: '', choices: [] }))).toEqual([]);
  expect(told(stream.push(chunk({ role: 'assistant', content: '' })))).toEqual(['message_start']);
  expect(told(stream.push(chunk({ content: 'A' })))).toEqual([
    'content_block_start 0',
    'content_block_delta 0 A',
  ]);
  expect(told(stream.push(chunk({ content: '' })))).toEqual([]);
  expect(told(stream.push(chunk({}, 'stop')))).toEqual(['content_block_stop 0']);
  expect(told(stream.push(counted))).toEqual(['message_delta']);
  expect(told(stream.push(counted))).toEqual([]);
  expect(told(stream.end())).toEqual(['message_stop']);
});

test('stream() ends with the stop reason if there is no usage', () => {
  const stream = writer();
  stream.push(chunk({ role: 'assistant', content: 'A' }));
  stream.push(chunk({}, 'length'));
  const rest = stream.end();
  expect(told(rest)).toEqual(['message_delta', 'message_stop']);
  expect(rest).toContain('"stop_reason":"max_tokens"');
});

test('stream() accepts usage in the chunk with the finish reason', () => {
  const sse = written([chunk({ role: 'assistant', content: 'A' }), { ...chunk({}, 'stop'), usage }]);
  expect(checkMessagesStream(sse).message.usage).toMatchObject({ output_tokens: 7 });
});

test('stream() writes a signature before its thinking block stops, and redacted thinking as one block', () => {
  const sse = written([
    chunk({ role: 'assistant', content: '' }),
    chunk({ reasoning_content: 'H' }),
    chunk({ reasoning_content: 'm' }),
    chunk({ thinking_blocks: [{ type: 'thinking', thinking: 'Hm', signature: 's1' }] }),
    chunk({ thinking_blocks: [{ type: 'redacted_thinking', data: 'r' }] }),
    chunk({ thinking_blocks: [{ type: 'thinking', thinking: '', signature: 's2' }] }),
    chunk({ content: 'A' }, 'stop'),
  ]);
  expect(told(sse).slice(1, -2)).toEqual([
    'content_block_start 0',
    'content_block_delta 0 H',
    'content_block_delta 0 m',
    'content_block_delta 0 s1',
    'content_block_stop 0',
    'content_block_start 1',
    'content_block_stop 1',
    'content_block_start 2',
    'content_block_delta 2 s2',
    'content_block_stop 2',
    'content_block_start 3',
    'content_block_delta 3 A',
    'content_block_stop 3',
  ]);
  const { message, problems } = checkMessagesStream(sse);
  expect(problems).toEqual([]);
  expect(message.content).toEqual([
    { type: 'thinking', thinking: 'Hm', signature: 's1' },
    { type: 'redacted_thinking', data: 'r' },
    { type: 'thinking', thinking: '', signature: 's2' },
    { type: 'text', text: 'A', citations: [] },
  ]);
});

test('stream() writes parallel calls one after the other', () => {
  const stream = writer();
  stream.push(chunk({ role: 'assistant', content: 'A' }));
  expect(told(stream.push(chunk(call(0, '', { id: 'a', name: 'f' }))))).toEqual([
    'content_block_stop 0',
    'content_block_start 1',
  ]);
  expect(told(stream.push(chunk(call(0, '{"x":"}"'))))).toEqual(['content_block_delta 1 {"x":"}"']);
  // The first call is not complete, so the second one waits.
  expect(told(stream.push(chunk(call(1, '{', { id: 'b', name: 'g' }))))).toEqual([]);
  expect(told(stream.push(chunk({ content: 'B' })))).toEqual([]);
  expect(told(stream.push(chunk(call(0, '}'))))).toEqual([
    'content_block_delta 1 }',
    'content_block_stop 1',
    'content_block_start 2',
    'content_block_delta 2 {',
  ]);
  expect(told(stream.push(chunk(call(1, '}'))))).toEqual([
    'content_block_delta 2 }',
    'content_block_stop 2',
    'content_block_start 3',
    'content_block_delta 3 B',
  ]);
  expect(told(stream.push(chunk({}, 'tool_calls')))).toEqual(['content_block_stop 3']);
  expect(stream.end()).toContain('"stop_reason":"tool_use"');
});

test('stream() writes incomplete and empty calls at the end, in order', () => {
  const sse = written([
    chunk({ role: 'assistant', ...call(0, '', { id: 'a', name: 'f' }) }),
    chunk(call(1, '{"cut', { id: 'b', name: 'g' })),
    chunk(call(2, '{}', { id: 'c', name: 'h' })),
    chunk({}, 'length'),
  ]);
  expect(told(sse).slice(1, -2)).toEqual([
    'content_block_start 0',
    'content_block_stop 0',
    'content_block_start 1',
    'content_block_delta 1 {"cut',
    'content_block_stop 1',
    'content_block_start 2',
    'content_block_delta 2 {}',
    'content_block_stop 2',
  ]);
  expect(checkMessagesStream(sse).problems).toEqual([]);
});

test('stream() distinguishes calls with the same index or none by their id, and adds missing ids', () => {
  const plain = (id: string | undefined, name: string, piece: string) =>
    chunk({ tool_calls: [{ id, function: { name, arguments: piece } }] } as unknown as ChatDelta);
  const sse = written([
    chunk({ role: 'assistant', ...call(0, '{}', { id: 'a', name: 'f' }) }),
    chunk(call(0, '{}', { id: 'b', name: 'g' })),
    plain('c', 'h', '{"x"'),
    plain(undefined, '', ':1}'),
    chunk(call(5, '{}', { name: 'i' }), 'tool_calls'),
  ]);
  const { message, problems } = checkMessagesStream(sse);
  expect(problems).toEqual([]);
  expect(message.content).toMatchObject([
    { id: 'a', name: 'f', input: {} },
    { id: 'b', name: 'g', input: {} },
    { id: 'c', name: 'h', input: { x: 1 } },
    { id: expect.stringMatching(/^toolu_\d+$/), name: 'i', input: {} },
  ]);
});

test('stream() ignores other choices and chunks after the finish reason', () => {
  const sse = written([
    {
      ...top,
      choices: [{ index: 1, delta: { role: 'assistant', content: 'other' }, finish_reason: 'stop' }],
    },
    chunk({ role: 'assistant', content: 'A' }, 'stop'),
    chunk({ content: 'late' }),
  ]);
  expect(checkMessagesStream(sse)).toMatchObject({ message: { content: [{ text: 'A' }] }, problems: [] });
});

test('stream() writes a refusal as text with the stop reason refusal', () => {
  const sse = written([
    chunk({ role: 'assistant', refusal: 'N' }),
    chunk({ refusal: 'o.' }),
    chunk({}, 'stop'),
  ]);
  expect(checkMessagesStream(sse)).toMatchObject({
    message: { content: [{ type: 'text', text: 'No.' }], stop_reason: 'refusal' },
    problems: [],
  });
});

test('stream() writes a valid empty message for an empty answer', () => {
  expect(checkMessagesStream(eventsText(writer().end()))).toMatchObject({
    message: { content: [], model: 'asked' },
    problems: [],
  });
});

test('checkMessagesStream() accepts an error at any position', () => {
  const stream = writer();
  const begin = stream.push(chunk({ role: 'assistant', content: 'A' }));
  const error = 'event: error\ndata: {"type":"error","error":{"type":"api_error","message":"m"}}\n\n';
  expect(checkMessagesStream(eventsText(begin) + error).problems).toEqual([]);
  expect(checkMessagesStream(eventsText(begin)).problems).toEqual(['the stream ends while block']);
});

test('stream() takes little time for a hundred thousand calls that wait for the first one', () => {
  const stream = writer();
  stream.push(chunk({ role: 'assistant', ...call(0, '{', { id: 'a', name: 'f' }) }));
  const begin = usedMs();
  for (let index = 1; index < 100_000; index += 1)
    stream.push(chunk(call(index, '{}', { id: `c${index}`, name: 'g' })));
  stream.push(chunk(call(0, '}')));
  expect(usedMs() - begin).toBeLessThan(5_000);
});
