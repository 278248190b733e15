/** Providers of every protocol with the same answer: some reasoning, a text, two calls, and the usage. */
import { EventStreamCodec } from '@smithy/eventstream-codec';
import type { ConfigInput } from '../../src/config/schema.ts';
import type { Upstream } from './upstream.ts';
import { upstream } from './upstream.ts';

/** The content of all answers. */
export const ANSWER = {
  reasoning: 'Let me see.',
  text: 'Looking it up.',
  calls: [
    ['weather', '{"city":"Paris"}'],
    ['time', '{}'],
  ],
  usage: { input: 20, output: 9 },
} as const;

export type Way = 'whole' | 'stream' | 'refused' | 'broken';

interface Speaker {
  readonly type: ConfigInput['providers'][number]['type'];
  /** The path of its requests, if it differs between streamed and unstreamed ones. */
  readonly path: (stream: boolean) => string;
  readonly whole: object;
  /** The events of the stream, and the number of them after which some text was sent. */
  readonly events: readonly (readonly [name: string, data: object])[];
  readonly said: number;
  /** An error that the caller caused. */
  readonly refusal: object;
  /** An error within the stream. */
  readonly failure: readonly [name: string, data: object];
  readonly end?: string;
}

const { reasoning, text } = ANSWER;

const chatChunk = (delta: object, finish: string | null = null, more: object = {}) =>
  [
    '',
    {
      id: 'chatcmpl-1',
      object: 'chat.completion.chunk',
      created: 5,
      model: 'm-1',
      choices: [{ index: 0, delta, finish_reason: finish }],
      ...more,
    },
  ] as const;
const chatUsage = { prompt_tokens: 20, completion_tokens: 9, total_tokens: 29 };
const chatCalls = [
  { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"city":"Paris"}' } },
  { id: 'call_2', type: 'function', function: { name: 'time', arguments: '{}' } },
];
const thinking = { type: 'thinking', thinking: reasoning, signature: 'c2ln' };
const messageUsage = { input_tokens: 20, output_tokens: 9 };
const response = (output: object[], status: string) => ({
  id: 'resp_1',
  object: 'response',
  created_at: 5,
  status,
  error: null,
  incomplete_details: null,
  model: 'm-1',
  output,
  ...(status === 'completed' ? { usage: { ...messageUsage, total_tokens: 29 } } : {}),
});
const responseItems = [
  { type: 'reasoning', id: 'rs_1', summary: [{ type: 'summary_text', text: reasoning }] },
  {
    type: 'message',
    id: 'msg_1',
    role: 'assistant',
    status: 'completed',
    content: [{ type: 'output_text', text, annotations: [] }],
  },
  { type: 'function_call', id: 'fc_1', call_id: 'call_1', name: 'weather', arguments: '{"city":"Paris"}' },
  { type: 'function_call', id: 'fc_2', call_id: 'call_2', name: 'time', arguments: '{}' },
];
const geminiChunk = (parts: object[], more: object = {}, candidate: object = {}) =>
  [
    '',
    {
      candidates: [{ content: { role: 'model', parts }, index: 0, ...candidate }],
      modelVersion: 'm-1',
      responseId: 'r1',
      ...more,
    },
  ] as const;
const geminiUsage = {
  usageMetadata: {
    promptTokenCount: 20,
    candidatesTokenCount: 5,
    thoughtsTokenCount: 4,
    totalTokenCount: 29,
  },
};
const geminiCalls = [
  { functionCall: { name: 'weather', args: { city: 'Paris' } }, thoughtSignature: 'c2ln' },
  { functionCall: { name: 'time', args: {} } },
];

export const SPEAKERS = {
  chat: {
    type: 'openai-compatible',
    path: () => '/chat/completions',
    whole: {
      id: 'chatcmpl-1',
      object: 'chat.completion',
      created: 5,
      model: 'm-1',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: text, reasoning_content: reasoning, tool_calls: chatCalls },
          finish_reason: 'tool_calls',
        },
      ],
      usage: chatUsage,
    },
    events: [
      chatChunk({ role: 'assistant', content: '' }),
      chatChunk({ reasoning_content: reasoning }),
      chatChunk({ content: 'Looking ' }),
      chatChunk({ content: 'it up.' }),
      ...chatCalls.flatMap(({ function: fn, ...call }, index) => [
        chatChunk({ tool_calls: [{ index, ...call, function: { name: fn.name, arguments: '' } }] }),
        chatChunk({ tool_calls: [{ index, function: { arguments: fn.arguments } }] }),
      ]),
      chatChunk({}, 'tool_calls'),
      chatChunk({}, null, { choices: [], usage: chatUsage }),
    ],
    said: 3,
    refusal: {
      error: { message: 'Bad temperature', type: 'invalid_request_error', param: 'temperature', code: null },
    },
    failure: ['', { error: { message: 'The server broke', type: 'server_error', code: null } }],
    end: 'data: [DONE]\n\n',
  },
  messages: {
    type: 'anthropic',
    path: () => '/v1/messages',
    whole: {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: 'm-1',
      content: [
        thinking,
        { type: 'text', text },
        { type: 'tool_use', id: 'call_1', name: 'weather', input: { city: 'Paris' } },
        { type: 'tool_use', id: 'call_2', name: 'time', input: {} },
      ],
      stop_reason: 'tool_use',
      stop_sequence: null,
      usage: messageUsage,
    },
    events: [
      [
        'message_start',
        {
          type: 'message_start',
          message: {
            id: 'msg_1',
            type: 'message',
            role: 'assistant',
            model: 'm-1',
            content: [],
            stop_reason: null,
            stop_sequence: null,
            usage: { input_tokens: 20, output_tokens: 1 },
          },
        },
      ],
      ['ping', { type: 'ping' }],
      ...block(0, { type: 'thinking', thinking: '', signature: '' }, [
        { type: 'thinking_delta', thinking: reasoning },
        { type: 'signature_delta', signature: 'c2ln' },
      ]),
      ...block(1, { type: 'text', text: '' }, [
        { type: 'text_delta', text: 'Looking ' },
        { type: 'text_delta', text: 'it up.' },
      ]),
      ...block(2, { type: 'tool_use', id: 'call_1', name: 'weather', input: {} }, [
        { type: 'input_json_delta', partial_json: '{"city":' },
        { type: 'input_json_delta', partial_json: '"Paris"}' },
      ]),
      ...block(3, { type: 'tool_use', id: 'call_2', name: 'time', input: {} }, []),
      [
        'message_delta',
        {
          type: 'message_delta',
          delta: { stop_reason: 'tool_use', stop_sequence: null },
          usage: messageUsage,
        },
      ],
      ['message_stop', { type: 'message_stop' }],
    ],
    said: 8,
    refusal: { type: 'error', error: { type: 'invalid_request_error', message: 'Bad temperature' } },
    failure: ['error', { type: 'error', error: { type: 'api_error', message: 'The server broke' } }],
  },
  responses: {
    type: 'perplexity',
    path: () => '/responses',
    whole: response(responseItems, 'completed'),
    events: [
      ['response.created', { type: 'response.created', response: response([], 'in_progress') }],
      added(0, { type: 'reasoning', id: 'rs_1', summary: [] }),
      delta('response.reasoning_summary_text', 0, 'rs_1', reasoning, { summary_index: 0 }),
      done(0, responseItems[0]!),
      added(1, { type: 'message', id: 'msg_1', role: 'assistant', content: [] }),
      delta('response.output_text', 1, 'msg_1', 'Looking ', { content_index: 0 }),
      delta('response.output_text', 1, 'msg_1', 'it up.', { content_index: 0 }),
      done(1, responseItems[1]!),
      added(2, { ...responseItems[2]!, arguments: '' }),
      delta('response.function_call_arguments', 2, 'fc_1', '{"city":"Paris"}', {}),
      done(2, responseItems[2]!),
      added(3, { ...responseItems[3]!, arguments: '' }),
      done(3, responseItems[3]!),
      ['response.completed', { type: 'response.completed', response: response(responseItems, 'completed') }],
    ],
    said: 6,
    refusal: {
      error: { message: 'Bad temperature', type: 'invalid_request_error', param: 'temperature', code: null },
    },
    failure: [
      'response.failed',
      {
        type: 'response.failed',
        response: { status: 'failed', error: { code: 'server_error', message: 'The server broke' } },
      },
    ],
  },
  gemini: {
    type: 'gemini',
    path: (stream) => (stream ? ':streamGenerateContent?alt=sse' : ':generateContent'),
    whole: geminiChunk([{ text: reasoning, thought: true }, { text }, ...geminiCalls], geminiUsage, {
      finishReason: 'STOP',
    })[1],
    events: [
      geminiChunk([{ text: reasoning, thought: true }]),
      geminiChunk([{ text: 'Looking ' }]),
      geminiChunk([{ text: 'it up.' }]),
      geminiChunk([geminiCalls[0]!]),
      geminiChunk([geminiCalls[1]!], geminiUsage, { finishReason: 'STOP' }),
    ],
    said: 2,
    refusal: { error: { code: 400, message: 'Bad temperature', status: 'INVALID_ARGUMENT' } },
    failure: ['', { error: { code: 500, message: 'The server broke', status: 'INTERNAL' } }],
  },
  converse: {
    type: 'bedrock',
    path: (stream) => (stream ? '/converse-stream' : '/converse'),
    whole: {
      output: {
        message: {
          role: 'assistant',
          content: [
            { reasoningContent: { reasoningText: { text: reasoning, signature: 'c2ln' } } },
            { text },
            { toolUse: { toolUseId: 'call_1', name: 'weather', input: { city: 'Paris' } } },
            { toolUse: { toolUseId: 'call_2', name: 'time', input: {} } },
          ],
        },
      },
      stopReason: 'tool_use',
      usage: { inputTokens: 20, outputTokens: 9, totalTokens: 29 },
    },
    events: [
      ['messageStart', { role: 'assistant' }],
      ['contentBlockDelta', { contentBlockIndex: 0, delta: { reasoningContent: { text: reasoning } } }],
      ['contentBlockDelta', { contentBlockIndex: 0, delta: { reasoningContent: { signature: 'c2ln' } } }],
      ['contentBlockStop', { contentBlockIndex: 0 }],
      ['contentBlockDelta', { contentBlockIndex: 1, delta: { text: 'Looking ' } }],
      ['contentBlockDelta', { contentBlockIndex: 1, delta: { text: 'it up.' } }],
      ['contentBlockStop', { contentBlockIndex: 1 }],
      [
        'contentBlockStart',
        { contentBlockIndex: 2, start: { toolUse: { toolUseId: 'call_1', name: 'weather' } } },
      ],
      ['contentBlockDelta', { contentBlockIndex: 2, delta: { toolUse: { input: '{"city":"Paris"}' } } }],
      ['contentBlockStop', { contentBlockIndex: 2 }],
      [
        'contentBlockStart',
        { contentBlockIndex: 3, start: { toolUse: { toolUseId: 'call_2', name: 'time' } } },
      ],
      ['contentBlockStop', { contentBlockIndex: 3 }],
      ['messageStop', { stopReason: 'tool_use' }],
      [
        'metadata',
        { usage: { inputTokens: 20, outputTokens: 9, totalTokens: 29 }, metrics: { latencyMs: 5 } },
      ],
    ],
    said: 5,
    refusal: { message: 'Bad temperature' },
    failure: ['internalServerException', { message: 'The server broke' }],
  },
  cohere: {
    type: 'cohere',
    path: () => '/v2/chat',
    whole: {
      id: 'co-1',
      message: {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: reasoning },
          { type: 'text', text },
        ],
        tool_calls: chatCalls,
      },
      finish_reason: 'TOOL_CALL',
      usage: { tokens: { input_tokens: 20, output_tokens: 9 } },
    },
    events: [
      ['message-start', { type: 'message-start', id: 'co-1', delta: { message: { role: 'assistant' } } }],
      cohere('content-start', 0, { content: { type: 'thinking', thinking: '' } }),
      cohere('content-delta', 0, { content: { thinking: reasoning } }),
      cohere('content-end', 0, {}),
      cohere('content-start', 1, { content: { type: 'text', text: '' } }),
      cohere('content-delta', 1, { content: { text: 'Looking ' } }),
      cohere('content-delta', 1, { content: { text: 'it up.' } }),
      cohere('content-end', 1, {}),
      ...chatCalls.flatMap(({ function: fn, ...call }, index) => [
        cohere('tool-call-start', index, {
          tool_calls: { ...call, function: { name: fn.name, arguments: '' } },
        }),
        cohere('tool-call-delta', index, { tool_calls: { function: { arguments: fn.arguments } } }),
        cohere('tool-call-end', index, {}),
      ]),
      [
        'message-end',
        {
          type: 'message-end',
          delta: { finish_reason: 'TOOL_CALL', usage: { tokens: { input_tokens: 20, output_tokens: 9 } } },
        },
      ],
    ],
    said: 6,
    refusal: { id: 'e', message: 'Bad temperature' },
    failure: [
      'message-end',
      { type: 'message-end', delta: { finish_reason: 'ERROR', error: 'The server broke' } },
    ],
    end: 'data: [DONE]\n\n',
  },
} as const satisfies Record<string, Speaker>;

export type SpeakerName = keyof typeof SPEAKERS;

function block(index: number, content: object, deltas: readonly object[]) {
  return [
    ['content_block_start', { type: 'content_block_start', index, content_block: content }],
    ...deltas.map(
      (each) => ['content_block_delta', { type: 'content_block_delta', index, delta: each }] as const,
    ),
    ['content_block_stop', { type: 'content_block_stop', index }],
  ] as const;
}

function added(place: number, item: object) {
  return [
    'response.output_item.added',
    { type: 'response.output_item.added', output_index: place, item },
  ] as const;
}

function done(place: number, item: object) {
  return [
    'response.output_item.done',
    { type: 'response.output_item.done', output_index: place, item },
  ] as const;
}

function delta(type: string, place: number, id: string, piece: string, more: object) {
  const name = `${type}.delta`;
  return [name, { type: name, output_index: place, item_id: id, delta: piece, ...more }] as const;
}

function cohere(type: string, index: number, message: object) {
  return [type, { type, index, delta: { message } }] as const;
}

const codec = new EventStreamCodec(
  (bytes) => (typeof bytes === 'string' ? bytes : new TextDecoder().decode(bytes)),
  (given) => new TextEncoder().encode(given),
);

/** An event as an AWS frame. */
export function eventFrame([name, data]: readonly [string, object | string]): Uint8Array {
  const exception = name.endsWith('Exception');
  return codec.encode({
    headers: {
      ':message-type': { type: 'string', value: exception ? 'exception' : 'event' },
      [exception ? ':exception-type' : ':event-type']: { type: 'string', value: name },
      ':content-type': { type: 'string', value: 'application/json' },
    },
    body: new TextEncoder().encode(jsonOf(data)),
  });
}

function streamed({ type, events, said, failure, end = '' }: Speaker, way: Way): Response {
  const sent = way === 'broken' ? [...events.slice(0, said), failure] : events;
  return eventStream(type, sent, way === 'broken' ? '' : end);
}

/** Strings are JSON already. */
const jsonOf = (data: object | string) => (typeof data === 'string' ? data : JSON.stringify(data));

/** Events as a provider of this type sends them. @param end what follows the last of them */
export function eventStream(
  type: Speaker['type'],
  sent: readonly (readonly [name: string, data: object | string])[],
  end = '',
): Response {
  if (type === 'bedrock') {
    return new Response(Buffer.concat(sent.map(eventFrame)), {
      headers: { 'content-type': 'application/vnd.amazon.eventstream' },
    });
  }
  return new Response(sseOf(sent) + end, {
    headers: { 'content-type': 'text/event-stream' },
  });
}

/** Events as text. */
export function sseOf(events: readonly (readonly [name: string, data: object | string])[]): string {
  return events
    .map(([name, data]) => `${name === '' ? '' : `event: ${name}\n`}data: ${jsonOf(data)}\n\n`)
    .join('');
}

/** A provider of a protocol on a socket, which always answers in the same way. */
export function speaker(name: SpeakerName, way: Way): Upstream {
  const speaking: Speaker = SPEAKERS[name];
  return upstream(() => {
    if (way === 'refused') return Response.json(speaking.refusal, { status: 400 });
    return way === 'whole' ? Response.json(speaking.whole) : streamed(speaking, way);
  });
}

/** Its entry in a configuration. */
export function speakerConfig(name: SpeakerName, url: string): ConfigInput['providers'][number] {
  const { type } = SPEAKERS[name];
  return { name, type, base_url: url, api_key: 'k-test', models: ['*'], max_retries: 0 };
}
