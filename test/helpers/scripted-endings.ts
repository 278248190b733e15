/** Providers of every protocol whose answers, and their endings, are chosen by the test. */
import type { SpeakerName } from './speakers.ts';
import { eventStream, sseOf, SPEAKERS } from './speakers.ts';

/** An answer. Parts of its end that are omitted are not sent. */
export interface ScriptedEnding {
  readonly pieces?: readonly string[];
  /** A block of thinking before everything else. Messages only. */
  readonly thought?: object;
  /** The arguments of a call of `weather`, in pieces. */
  readonly call?: readonly string[];
  /** The provider's finish reason; omitted if the answer breaks off before that. */
  readonly finish?: string | number | undefined;
  /** Whether the end marker of the stream is sent. */
  readonly terminated?: boolean;
  readonly usage?: { readonly input: number; readonly output: number };
}

type Event = readonly [name: string, data: object];

interface Teller {
  readonly events: (tale: ScriptedEnding) => readonly Event[];
  readonly whole: (tale: ScriptedEnding) => object;
  readonly end?: string;
}

const named = (type: string, data: object = {}): Event => [type, { type, ...data }];
const when = <T>(condition: unknown, ...events: readonly T[]): readonly T[] => (condition ? events : []);

const chatUsage = ({ usage }: ScriptedEnding) =>
  usage && {
    prompt_tokens: usage.input,
    completion_tokens: usage.output,
    total_tokens: usage.input + usage.output,
  };
const tokens = ({ usage }: ScriptedEnding) =>
  usage && { input_tokens: usage.input, output_tokens: usage.output };
const chatChunk = (choices: readonly object[], more: object = {}): Event => [
  '',
  { id: 'c-1', object: 'chat.completion.chunk', created: 5, model: 'm-1', choices, ...more },
];
const choice = (delta: object, finish: unknown = null) =>
  chatChunk([{ index: 0, delta, finish_reason: finish }]);
const head = { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '' } };
const joined = (pieces: readonly string[] = []) => pieces.join('');

const messageEvents = (tale: ScriptedEnding): readonly Event[] => {
  const { thought, pieces, call, finish, terminated } = tale;
  const grow = (index: number, delta: object) => named('content_block_delta', { index, delta });
  const first = thought ? 1 : 0;
  const at = first + (pieces ? 1 : 0);
  return [
    named('message_start', {
      message: {
        id: 'msg_1',
        type: 'message',
        role: 'assistant',
        model: 'm-1',
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage: { input_tokens: tale.usage?.input ?? 0, output_tokens: 1 },
      },
    }),
    ...when(
      thought,
      named('content_block_start', { index: 0, content_block: { ...thought, thinking: '', signature: '' } }),
      grow(0, { ...thought, type: 'thinking_delta', signature: undefined }),
      grow(0, { ...thought, type: 'signature_delta', thinking: undefined }),
      named('content_block_stop', { index: 0 }),
    ),
    ...when(
      pieces,
      named('content_block_start', { index: first, content_block: { type: 'text', text: '' } }),
    ),
    ...(pieces ?? []).map((text) => grow(first, { type: 'text_delta', text })),
    ...when(pieces && (call ?? finish), named('content_block_stop', { index: first })),
    ...when(
      call,
      named('content_block_start', {
        index: at,
        content_block: { type: 'tool_use', id: 'call_1', name: 'weather', input: {} },
      }),
    ),
    ...(call ?? []).map((partial_json) => grow(at, { type: 'input_json_delta', partial_json })),
    ...when(call && finish, named('content_block_stop', { index: at })),
    ...when(
      finish !== undefined,
      named('message_delta', {
        delta: { stop_reason: finish, stop_sequence: null },
        usage: tokens(tale) ?? {},
      }),
    ),
    ...when(terminated, named('message_stop')),
  ];
};

const responseOf = (tale: ScriptedEnding, output: readonly object[]) => {
  const { finish } = tale;
  const whole = finish === 'completed' || finish === 'failed' || finish === 'cancelled';
  return {
    id: 'resp_1',
    object: 'response',
    created_at: 5,
    status: finish === undefined ? 'in_progress' : whole ? finish : 'incomplete',
    error: null,
    incomplete_details: finish === undefined || whole ? null : { reason: finish },
    model: 'm-1',
    output,
    ...(finish === undefined ? {} : { usage: tokens(tale) }),
  };
};

const message = (text: string) => ({
  type: 'message',
  id: 'msg_1',
  role: 'assistant',
  status: 'completed',
  content: [{ type: 'output_text', text, annotations: [] }],
});
const responseCall = (text: string) => ({
  type: 'function_call',
  id: 'fc_1',
  call_id: 'call_1',
  name: 'weather',
  arguments: text,
  status: 'completed',
});
const outputOf = ({ pieces, call }: ScriptedEnding) => [
  ...when(pieces, message(joined(pieces))),
  ...when(call, responseCall(joined(call))),
];

const responseEvents = (tale: ScriptedEnding): readonly Event[] => {
  const { pieces, call, finish } = tale;
  const response = responseOf(tale, outputOf(tale));
  const at = pieces ? 1 : 0;
  const text = { output_index: 0, item_id: 'msg_1', content_index: 0 };
  const part = { type: 'output_text', text: joined(pieces), annotations: [] };
  const events = [
    named('response.created', { response: responseOf({}, []) }),
    named('response.in_progress', { response: responseOf({}, []) }),
    ...when(
      pieces,
      named('response.output_item.added', {
        output_index: 0,
        item: { ...message(''), status: 'in_progress', content: [] },
      }),
      named('response.content_part.added', { ...text, part: { ...part, text: '' } }),
      ...(pieces ?? []).map((delta) => named('response.output_text.delta', { ...text, delta })),
    ),
    ...when(
      pieces && (call ?? finish),
      named('response.output_text.done', { ...text, text: joined(pieces) }),
      named('response.content_part.done', { ...text, part }),
      named('response.output_item.done', { output_index: 0, item: message(joined(pieces)) }),
    ),
    ...when(
      call,
      named('response.output_item.added', {
        output_index: at,
        item: { ...responseCall(''), status: 'in_progress' },
      }),
      ...(call ?? []).map((delta) =>
        named('response.function_call_arguments.delta', { output_index: at, item_id: 'fc_1', delta }),
      ),
    ),
    ...when(
      call && finish,
      named('response.output_item.done', { output_index: at, item: responseCall(joined(call)) }),
    ),
    ...when(finish !== undefined, named(`response.${response.status}`, { response })),
  ];
  return events.map(([name, data], sequence_number) => [name, { ...data, sequence_number }]);
};

const geminiAnswer = (tale: ScriptedEnding, parts: readonly object[], finishReason?: unknown): object => ({
  candidates: [
    {
      content: { role: 'model', parts },
      index: 0,
      ...(finishReason === undefined ? {} : { finishReason }),
    },
  ],
  modelVersion: 'm-1',
  responseId: 'r1',
  ...(tale.usage && finishReason !== undefined
    ? {
        usageMetadata: { promptTokenCount: tale.usage.input, candidatesTokenCount: tale.usage.output },
      }
    : {}),
});
const geminiParts = ({ pieces = [], call }: ScriptedEnding) => [
  ...pieces.map((text) => ({ text })),
  ...when(call, { functionCall: { name: 'weather', args: { text: joined(call) } } }),
];

const TELLERS: Readonly<Record<SpeakerName, Teller>> = {
  chat: {
    events: (tale) => [
      choice({ role: 'assistant', content: '' }),
      ...(tale.pieces ?? []).map((content) => choice({ content })),
      ...when(tale.call, choice({ tool_calls: [{ index: 0, ...head }] })),
      ...(tale.call ?? []).map((text) =>
        choice({ tool_calls: [{ index: 0, function: { arguments: text } }] }),
      ),
      ...when(tale.finish !== undefined, choice({}, tale.finish)),
      ...when(tale.usage && tale.terminated, chatChunk([], { usage: chatUsage(tale) })),
    ],
    whole: (tale) => ({
      id: 'c-1',
      object: 'chat.completion',
      created: 5,
      model: 'm-1',
      choices: [
        {
          index: 0,
          message: {
            role: 'assistant',
            content: tale.pieces ? joined(tale.pieces) : null,
            ...(tale.call
              ? { tool_calls: [{ ...head, function: { name: 'weather', arguments: joined(tale.call) } }] }
              : {}),
          },
          finish_reason: tale.finish,
        },
      ],
      usage: chatUsage(tale),
    }),
    end: 'data: [DONE]\n\n',
  },
  messages: {
    events: messageEvents,
    whole: (tale) => ({
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: 'm-1',
      content: [
        ...when(tale.pieces, { type: 'text', text: joined(tale.pieces) }),
        ...when(tale.call, { type: 'tool_use', id: 'call_1', name: 'weather', input: {} }),
      ],
      stop_reason: tale.finish,
      stop_sequence: null,
      usage: tokens(tale) ?? {},
    }),
  },
  responses: { events: responseEvents, whole: (tale) => responseOf(tale, outputOf(tale)) },
  gemini: {
    events: (tale) => [
      ...(tale.pieces ?? []).map((text): Event => ['', geminiAnswer(tale, [{ text }])]),
      ...when<Event>(tale.call, ['', geminiAnswer(tale, geminiParts({ call: tale.call ?? [] }))]),
      ...when<Event>(tale.finish !== undefined, ['', geminiAnswer(tale, [], tale.finish)]),
    ],
    whole: (tale) => geminiAnswer(tale, geminiParts(tale), tale.finish),
  },
  converse: {
    events: ({ pieces, call, finish, usage }) => [
      ['messageStart', { role: 'assistant' }],
      ...(pieces ?? []).map((text): Event => [
        'contentBlockDelta',
        { contentBlockIndex: 0, delta: { text } },
      ]),
      ...when<Event>(call, [
        'contentBlockStart',
        { contentBlockIndex: 1, start: { toolUse: { toolUseId: 'call_1', name: 'weather' } } },
      ]),
      ...(call ?? []).map((input): Event => [
        'contentBlockDelta',
        { contentBlockIndex: 1, delta: { toolUse: { input } } },
      ]),
      ...when<Event>(finish !== undefined, ['messageStop', { stopReason: finish }]),
      ...when<Event>(finish !== undefined && usage, [
        'metadata',
        { usage: { inputTokens: usage?.input, outputTokens: usage?.output } },
      ]),
    ],
    whole: ({ pieces = [], call, finish, usage }) => ({
      output: {
        message: {
          role: 'assistant',
          content: [
            ...pieces.map((text) => ({ text })),
            ...when(call, { toolUse: { toolUseId: 'call_1', name: 'weather', input: {} } }),
          ],
        },
      },
      stopReason: finish,
      usage: { inputTokens: usage?.input, outputTokens: usage?.output },
    }),
  },
  cohere: {
    events: ({ pieces = [], call, finish, usage }) => [
      named('message-start', { id: 'co-1', delta: { message: { role: 'assistant' } } }),
      ...pieces.map((text) =>
        named('content-delta', { index: 0, delta: { message: { content: { text } } } }),
      ),
      ...when(
        call,
        named('tool-call-start', { index: 0, delta: { message: { tool_calls: head } } }),
        ...(call ?? []).map((text) =>
          named('tool-call-delta', {
            index: 0,
            delta: { message: { tool_calls: { function: { arguments: text } } } },
          }),
        ),
      ),
      ...when(
        finish !== undefined,
        named('message-end', {
          delta: {
            finish_reason: finish,
            usage: { tokens: { input_tokens: usage?.input, output_tokens: usage?.output } },
          },
        }),
      ),
    ],
    whole: ({ pieces = [], call, finish, usage }) => ({
      id: 'co-1',
      message: {
        role: 'assistant',
        content: pieces.map((text) => ({ type: 'text', text })),
        ...(call
          ? { tool_calls: [{ ...head, function: { name: 'weather', arguments: joined(call) } }] }
          : {}),
      },
      finish_reason: finish,
      usage: { tokens: { input_tokens: usage?.input, output_tokens: usage?.output } },
    }),
  },
};

/** The answer of a provider as text: the events of a stream, or a body. */
export function textOf(name: SpeakerName, tale: ScriptedEnding, stream: boolean): string {
  const { events, whole, end = '' }: Teller = TELLERS[name];
  return stream ? sseOf(events(tale)) + (tale.terminated ? end : '') : JSON.stringify(whole(tale));
}

/** The answer of a provider. */
export function scriptedResponse(name: SpeakerName, tale: ScriptedEnding, stream: boolean): Response {
  const { events, whole, end = '' }: Teller = TELLERS[name];
  if (!stream) return Response.json(whole(tale));
  return eventStream(SPEAKERS[name].type, events(tale), tale.terminated ? end : '');
}
