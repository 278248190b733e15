import type { ScriptedEnding } from '../scripted-endings.ts';
import type { ErrorAnswer } from './errors.ts';
import type { Wire, WireOptions } from './wire.ts';
import { USAGE } from './wire.ts';

const line = (data: object) => `${JSON.stringify(data)}\n`;

/**
 * Ollama's own chat API: lines of JSON, of which the last says `done`, and why. @see https://docs.ollama.com/api/chat
 */
export function ollamaWire({ model }: WireOptions): Wire {
  const frame = { model, created_at: '2025-01-01T00:00:00Z' };
  const said = (message: object) =>
    line({ ...frame, message: { role: 'assistant', content: '', ...message }, done: false });
  const errorBody = ({ message }: ErrorAnswer) => ({ error: message });
  return {
    opening: said({}),
    piece: (content) => said({ content }),
    // A call comes in one line: to cut the call, the line is cut.
    toolCall: (args) =>
      `{"model":"m","message":{"role":"assistant","content":"","tool_calls":[{"function":{"name":"weather","arguments":${args}`,
    thinking: said({ thinking: 'Let me see.' }),
    closing: '',
    terminator: ollamaText(frame, { finish: 'stop', terminated: true, usage: USAGE }, true),
    malformed: '{"message":{"content":\n',
    pause: '\n',
    whole: (text) =>
      ollamaText(frame, { pieces: [text], finish: 'stop', terminated: true, usage: USAGE }, false),
    errorBody: (error) => JSON.stringify(errorBody(error)),
    errorEvent: (error) => line(errorBody(error)),
  };
}

/** A tale as lines, or as one body. @param frame the fields that each of them has */
export function ollamaText(frame: object, tale: ScriptedEnding, stream: boolean): string {
  const { pieces = [], call, finish, usage, terminated } = tale;
  const message = (content: string, more: object = {}) => ({ role: 'assistant', content, ...more });
  const calls = call && {
    tool_calls: [{ id: 'call_1', function: { name: 'weather', arguments: { text: call.join('') } } }],
  };
  const last = {
    done: terminated === true,
    ...(finish === undefined ? {} : { done_reason: finish }),
    total_duration: 5_000_000,
    ...(usage ? { prompt_eval_count: usage.input, eval_count: usage.output } : {}),
  };
  if (!stream) return line({ ...frame, message: message(pieces.join(''), calls), ...last });
  const lines = [
    ...pieces.map((text) => ({ message: message(text), done: false })),
    ...(calls ? [{ message: message('', calls), done: false }] : []),
    ...(terminated || finish !== undefined ? [{ message: message(''), ...last }] : []),
  ];
  return lines.map((each) => line({ ...frame, ...each })).join('');
}
