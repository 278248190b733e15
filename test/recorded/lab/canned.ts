/** A plain answer in each API, for checks of the request only. */
import type { Api } from '../read/exchange.ts';
import type { Json } from '../read/json.ts';
import type { Reply } from './replay.ts';
import { frameOf } from '../read/frames.ts';

const utf8 = new TextEncoder();

const WHOLE: Readonly<Record<Api, Json>> = {
  chat: {
    id: 'c',
    object: 'chat.completion',
    created: 1,
    model: 'm',
    choices: [{ index: 0, message: { role: 'assistant', content: 'ok' }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
  },
  messages: {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'm',
    content: [{ type: 'text', text: 'ok' }],
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: { input_tokens: 1, output_tokens: 1 },
  },
  responses: {
    id: 'resp_1',
    object: 'response',
    created_at: 1,
    status: 'completed',
    model: 'm',
    output: [
      {
        id: 'msg_1',
        type: 'message',
        status: 'completed',
        role: 'assistant',
        content: [{ type: 'output_text', text: 'ok', annotations: [] }],
      },
    ],
    usage: { input_tokens: 1, output_tokens: 1, total_tokens: 2 },
  },
  gemini: {
    candidates: [{ content: { role: 'model', parts: [{ text: 'ok' }] }, finishReason: 'STOP', index: 0 }],
    usageMetadata: { promptTokenCount: 1, candidatesTokenCount: 1, totalTokenCount: 2 },
  },
  converse: {
    output: { message: { role: 'assistant', content: [{ text: 'ok' }] } },
    stopReason: 'end_turn',
    usage: { inputTokens: 1, outputTokens: 1, totalTokens: 2 },
  },
  cohere: {
    id: 'c',
    message: { role: 'assistant', content: [{ type: 'text', text: 'ok' }] },
    finish_reason: 'COMPLETE',
    usage: { tokens: { input_tokens: 1, output_tokens: 1 } },
  },
};

const EVENTS: Readonly<Record<Exclude<Api, 'converse'>, readonly Json[]>> = {
  chat: [
    {
      id: 'c',
      object: 'chat.completion.chunk',
      created: 1,
      model: 'm',
      choices: [{ index: 0, delta: { role: 'assistant', content: 'ok' }, finish_reason: 'stop' }],
    },
  ],
  messages: [
    { type: 'message_start', message: { ...WHOLE.messages, content: [], stop_reason: null } },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'ok' } },
    { type: 'content_block_stop', index: 0 },
    {
      type: 'message_delta',
      delta: { stop_reason: 'end_turn', stop_sequence: null },
      usage: { output_tokens: 1 },
    },
    { type: 'message_stop' },
  ],
  responses: [
    { type: 'response.created', response: { ...WHOLE.responses, output: [], status: 'in_progress' } },
    { type: 'response.output_text.delta', item_id: 'msg_1', output_index: 0, content_index: 0, delta: 'ok' },
    { type: 'response.completed', response: WHOLE.responses },
  ],
  gemini: [WHOLE.gemini],
  cohere: [
    { type: 'message-start', id: 'c', delta: { message: { role: 'assistant' } } },
    { type: 'content-start', index: 0, delta: { message: { content: { type: 'text', text: '' } } } },
    { type: 'content-delta', index: 0, delta: { message: { content: { text: 'ok' } } } },
    { type: 'content-end', index: 0 },
    {
      type: 'message-end',
      delta: { finish_reason: 'COMPLETE', usage: { tokens: { input_tokens: 1, output_tokens: 1 } } },
    },
  ],
};

const FRAMES: readonly (readonly [string, Json])[] = [
  ['messageStart', { role: 'assistant' }],
  ['contentBlockDelta', { contentBlockIndex: 0, delta: { text: 'ok' } }],
  ['contentBlockStop', { contentBlockIndex: 0 }],
  ['messageStop', { stopReason: 'end_turn' }],
  ['metadata', { usage: WHOLE.converse.usage }],
];

/** The answer of a provider of the API, unstreamed or streamed. */
export function canned(api: Api, stream: boolean): Reply {
  if (!stream) return reply('application/json', utf8.encode(JSON.stringify(WHOLE[api])));
  if (api === 'converse') {
    const frames = FRAMES.map(([name, payload]) => frameOf(name, payload));
    return reply('application/vnd.amazon.eventstream', Buffer.concat(frames));
  }
  const events = EVENTS[api].map((event) => {
    const name = typeof event.type === 'string' ? `event: ${event.type}\n` : '';
    return `${name}data: ${JSON.stringify(event)}\n\n`;
  });
  const end = api === 'chat' ? 'data: [DONE]\n\n' : '';
  return reply('text/event-stream', utf8.encode(events.join('') + end));
}

function reply(type: string, body: Uint8Array): Reply {
  return { status: 200, headers: new Headers({ 'content-type': type }), body };
}
