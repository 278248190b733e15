/** The stream checkers that other tests rely on find every fault. */
import { describe, expect, test } from 'bun:test';
import type { JsonObject } from '../../src/wire/json.ts';
import { checkChatStream } from '../helpers/grammar/chat.ts';
import { checkMessagesStream } from '../helpers/grammar/messages.ts';

describe('checkMessagesStream()', () => {
  const usage = { input_tokens: 1, output_tokens: 1 };
  const message = {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'm',
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage,
  };
  const start = { type: 'message_start', message };
  const open = { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } };
  const text = { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'A' } };
  const close = { type: 'content_block_stop', index: 0 };
  const end = { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage };
  const stop = { type: 'message_stop' };
  const tool = { ...open, content_block: { type: 'tool_use', id: 't', name: 'f', input: {} } };
  const json = (partial_json: string) => ({ ...text, delta: { type: 'input_json_delta', partial_json } });
  const thought = { ...open, content_block: { type: 'thinking', thinking: '', signature: '' } };
  const signature = { ...text, delta: { type: 'signature_delta', signature: 's' } };
  const thinking = { ...text, delta: { type: 'thinking_delta', thinking: 'H' } };
  const error = { type: 'error', error: { type: 'api_error', message: 'm' } };
  const sse = (...events: { type: string }[]) =>
    events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('');
  const problems = (...events: { type: string }[]) => checkMessagesStream(sse(...events)).problems;

  test.each<[string, { type: string }[]]>([
    ['text', [start, { type: 'ping' }, open, text, close, end, stop]],
    ['an empty message', [start, end, stop]],
    ['a tool', [start, tool, json(''), json('{"x":1}'), close, end, stop]],
    ['thinking', [start, thought, thinking, signature, close, end, stop]],
    ['an error', [start, open, text, error]],
  ])('accepts %s', (_, events) => expect(problems(...events)).toEqual([]));

  test.each<[string, { type: string }[]]>([
    ['no message_start', [open, text, close, end, stop]],
    ['two message_starts', [start, start, end, stop]],
    ['another id', [{ ...start, message: { ...message, id: 'x' } } as { type: string }, end, stop]],
    ['a block within a block', [start, open, open, close, end, stop]],
    ['a wrong index', [start, { ...open, index: 1 } as { type: string }, text, close, end, stop]],
    ['a delta for another block', [start, open, { ...text, index: 1 } as { type: string }, close, end, stop]],
    ['a delta outside of blocks', [start, text, end, stop]],
    ['a delta of another kind', [start, open, thinking, close, end, stop]],
    ['text after a signature', [start, thought, signature, thinking, close, end, stop]],
    ['arguments that are not JSON', [start, tool, json('{"x'), close, end, stop]],
    ['a block that does not stop', [start, open, text, end, stop]],
    ['no message_delta', [start, open, text, close, stop]],
    ['no message_stop', [start, open, text, close, end]],
    ['more after the end', [start, end, stop, end]],
    ['more after an error', [start, error, end]],
    ['an unknown stop reason', [start, { ...end, delta: { stop_reason: 'x' } } as { type: string }, stop]],
    ['no usage', [start, { ...end, usage: {} } as { type: string }, stop]],
  ])('finds %s', (_, events) => expect(problems(...events)).not.toEqual([]));

  test('finds events with a wrong name, truncated events and data that is not JSON', () => {
    const whole = sse(start, end, stop);
    expect(checkMessagesStream(whole.replace('event: message_stop', 'event: ping')).problems).not.toEqual([]);
    expect(checkMessagesStream(whole.trimEnd()).problems).not.toEqual([]);
    expect(checkMessagesStream(`${whole}data: [DONE]\n\n`).problems).not.toEqual([]);
    expect(checkMessagesStream('').problems).not.toEqual([]);
  });
});

describe('checkChatStream()', () => {
  const top = { id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm' };
  const piece = (delta: JsonObject, finish_reason: string | null = null, index = 0) => ({
    ...top,
    choices: [{ index, delta, finish_reason }],
  });
  const role = piece({ role: 'assistant', content: '' });
  const stop = piece({}, 'stop');
  const usage = { ...top, choices: [], usage: { prompt_tokens: 1 } };
  const call = (index: number, more: JsonObject) => piece({ tool_calls: [{ index, ...more }] });
  const begun = (index: number, text: string) =>
    call(index, { id: `c${index}`, type: 'function', function: { name: 'f', arguments: text } });
  const grown = (index: number, text: string) => call(index, { function: { arguments: text } });
  const calls = piece({}, 'tool_calls');
  const done = '[DONE]';
  const error = { error: { message: 'm', type: 't', param: null, code: null } };
  const sse = (...data: (object | string)[]) =>
    data.map((each) => `data: ${typeof each === 'string' ? each : JSON.stringify(each)}\n\n`).join('');
  const problems = (...data: (object | string)[]) => checkChatStream(sse(...data)).problems;

  test.each<[string, (object | string)[]]>([
    ['text', [role, piece({ content: 'A' }), stop, usage, done]],
    ['no usage', [role, stop, done]],
    ['calls', [role, begun(0, ''), grown(0, '{}'), begun(1, '{'), grown(1, '}'), calls, done]],
    ['several choices', [role, piece({ role: 'assistant' }, null, 1), piece({}, 'stop', 1), stop, done]],
    ['an error', [role, error]],
  ])('accepts %s', (_, data) => expect(problems(...data)).toEqual([]));

  test.each<[string, (object | string)[]]>([
    ['no role', [piece({ content: 'A' }), stop, done]],
    ['a role again', [role, role, stop, done]],
    ['no finish reason', [role, done]],
    ['two finish reasons', [role, stop, stop, done]],
    ['text after the finish reason', [role, stop, piece({ content: 'A' }), done]],
    ['an unknown finish reason', [role, piece({}, 'end_turn'), done]],
    ['usage beside choices', [role, { ...stop, usage: {} }, done]],
    ['chunks after the usage', [role, usage, stop, done]],
    ['another id', [role, { ...stop, id: 'd' }, done]],
    ['another object', [{ ...role, object: 'chat.completion' }, stop, done]],
    ['a call without its name', [role, call(0, { function: { arguments: '{}' } }), calls, done]],
    ['a call named twice', [role, begun(0, '{}'), begun(0, ''), calls, done]],
    ['a call left out', [role, begun(1, '{}'), calls, done]],
    ['arguments that are not JSON', [role, begun(0, '{"x'), calls, done]],
    ['tool_calls without a call', [role, calls, done]],
    ['no end', [role, stop]],
    ['two ends', [role, stop, done, done]],
    ['an end after an error', [role, error, done]],
    ['an error of another shape', [role, { error: 'm' }]],
    ['no choice', [done]],
    ['no JSON', [role, '{', stop, done]],
  ])('finds %s', (_, data) => expect(problems(...data)).not.toEqual([]));

  test('returns the answer that the chunks add up to', () => {
    const { answer } = checkChatStream(
      sse(
        role,
        piece({ reasoning_content: 'H' }),
        piece({ content: 'A' }),
        begun(0, '{'),
        grown(0, '}'),
        calls,
        usage,
        done,
      ),
    );
    expect(answer).toEqual({
      id: 'c',
      object: 'chat.completion',
      created: 1,
      model: 'm',
      choices: [
        {
          index: 0,
          message: {
            role: 'assistant',
            content: 'A',
            reasoning_content: 'H',
            tool_calls: [{ id: 'c0', type: 'function', function: { name: 'f', arguments: '{}' } }],
          },
          finish_reason: 'tool_calls',
        },
      ],
      usage: { prompt_tokens: 1 },
    });
  });
});
