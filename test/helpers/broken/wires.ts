import type { ErrorAnswer } from './errors.ts';
import type { Protocol, Wire, WireOptions } from './wire.ts';
import { geminiWire } from './gemini-wire.ts';
import { ollamaWire } from './ollama-wire.ts';
import { responsesWire } from './responses-wire.ts';
import { MALFORMED, USAGE } from './wire.ts';

const OPENAI_USAGE = {
  prompt_tokens: USAGE.input,
  completion_tokens: USAGE.output,
  total_tokens: USAGE.input + USAGE.output,
};

function openaiWire({ id, model, usage }: WireOptions): Wire {
  const event = (data: unknown) => `data: ${JSON.stringify(data)}\n\n`;
  const frame = { id, object: 'chat.completion.chunk', created: 1, model };
  const chunk = (delta: object, finish: string | null = null) =>
    event({ ...frame, choices: [{ index: 0, delta, finish_reason: finish }] });
  const call = { index: 0, id: 'call_1', type: 'function', function: { name: 'weather', arguments: '' } };
  const errorBody = ({ openai: [type, code], message }: ErrorAnswer) => ({
    error: { message, type, param: null, code },
  });
  return {
    opening: chunk({ role: 'assistant', content: '' }),
    piece: (content) => chunk({ content }),
    toolCall: (args) =>
      chunk({ tool_calls: [call] }) + chunk({ tool_calls: [{ index: 0, function: { arguments: args } }] }),
    thinking: chunk({ reasoning_content: 'Let me see.' }),
    closing: chunk({}, 'stop') + (usage ? event({ ...frame, choices: [], usage: OPENAI_USAGE }) : ''),
    terminator: 'data: [DONE]\n\n',
    malformed: MALFORMED,
    pause: ': still here\n\n',
    whole: (content) =>
      JSON.stringify({
        ...frame,
        object: 'chat.completion',
        choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
        usage: OPENAI_USAGE,
      }),
    errorBody: (error) => JSON.stringify(errorBody(error)),
    // The HTTP status that a gateway means is in the `code` of an event.
    errorEvent: (error) =>
      event({ error: { ...errorBody(error).error, code: error.openai[1] ?? error.status } }),
  };
}

function anthropicWire({ id, model }: WireOptions): Wire {
  const event = (type: string, data: object) =>
    `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`;
  const message = { id, type: 'message', role: 'assistant', model, stop_sequence: null };
  const open = (index: number, block: object) =>
    event('content_block_start', { index, content_block: block });
  const grow = (index: number, delta: object) => event('content_block_delta', { index, delta });
  const errorBody = ({ anthropic: type, message, anthropicMessage }: ErrorAnswer) => ({
    type: 'error',
    error: { type, message: anthropicMessage ?? message },
    request_id: id,
  });
  return {
    opening:
      event('message_start', {
        message: {
          ...message,
          content: [],
          stop_reason: null,
          usage: { input_tokens: USAGE.input, output_tokens: 1 },
        },
      }) + open(0, { type: 'text', text: '' }),
    piece: (text) => grow(0, { type: 'text_delta', text }),
    toolCall: (args) =>
      open(1, { type: 'tool_use', id: 'toolu_1', name: 'weather', input: {} }) +
      grow(1, { type: 'input_json_delta', partial_json: args }),
    thinking:
      open(2, { type: 'thinking', thinking: '', signature: '' }) +
      grow(2, { type: 'thinking_delta', thinking: 'Let me see.' }) +
      grow(2, { type: 'signature_delta', signature: 'c2lnbmVk' }) +
      event('content_block_stop', { index: 2 }),
    closing:
      event('content_block_stop', { index: 0 }) +
      event('message_delta', {
        delta: { stop_reason: 'end_turn', stop_sequence: null },
        usage: { output_tokens: USAGE.output },
      }),
    terminator: event('message_stop', {}),
    malformed: MALFORMED,
    pause: event('ping', {}),
    whole: (text) =>
      JSON.stringify({
        ...message,
        content: [{ type: 'text', text }],
        stop_reason: 'end_turn',
        usage: { input_tokens: USAGE.input, output_tokens: USAGE.output },
      }),
    errorBody: (error) => JSON.stringify(errorBody(error)),
    errorEvent: (error) => event('error', errorBody(error)),
  };
}

export const WIRES: Readonly<Record<Protocol, (options: WireOptions) => Wire>> = {
  openai: openaiWire,
  anthropic: anthropicWire,
  responses: responsesWire,
  gemini: geminiWire,
  ollama: ollamaWire,
};
