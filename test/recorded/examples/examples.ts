/**
 * Handwritten exchanges, in the shapes that providers send: a small set that every test run compares, and that each
 * mutation must break. Known failures are in `GAPS`.
 */
import type { Client } from '../answers/compare.ts';
import type { Recorded } from '../read/exchange.ts';
import type { Json } from '../read/json.ts';
import type { Asker } from '../requests/asking.ts';
import { stream, whole } from './recording.ts';
import { REQUESTS } from './requests.ts';

const CALLS = [
  { id: 'call_1', name: 'weather', input: { city: 'Zürich', days: 3 } },
  { id: 'call_2', name: 'clock', input: {} },
] as const;

const chatUsage = {
  prompt_tokens: 120,
  completion_tokens: 45,
  total_tokens: 165,
  prompt_tokens_details: { cached_tokens: 100 },
  completion_tokens_details: { reasoning_tokens: 15 },
};

const chatCall = ({ id, name, input }: (typeof CALLS)[number], index?: number): Json => ({
  ...(index === undefined ? {} : { index }),
  id,
  type: 'function',
  function: { name, arguments: JSON.stringify(input) },
});

const completion = (choices: readonly Json[], more: Json = {}): Json => ({
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices,
  usage: chatUsage,
  ...more,
});

const chunk = (delta: Json, finish: string | null = null, more: Json = {}): Json => ({
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'm',
  choices: [{ index: 0, delta, logprobs: null, finish_reason: finish, ...more }],
});

const logprobs = {
  content: [
    { token: 'Yes', logprob: -0.25, bytes: [89, 101, 115], top_logprobs: [] },
    { token: '.', logprob: -0.5, bytes: [46], top_logprobs: [] },
  ],
  refusal: null,
};

const CHAT: readonly Recorded[] = [
  whole(
    'chat: thoughts, words and calls',
    'chat',
    completion([
      {
        index: 0,
        message: {
          role: 'assistant',
          reasoning_content: 'First the weather.',
          content: 'I look it up.',
          refusal: null,
          tool_calls: CALLS.map((call) => chatCall(call)),
        },
        logprobs: null,
        finish_reason: 'tool_calls',
      },
    ]),
  ),
  stream('chat stream: thoughts, words and calls', 'chat', [
    chunk({ role: 'assistant', content: '' }),
    chunk({ reasoning_content: 'First ' }),
    chunk({ reasoning_content: 'the weather.' }),
    chunk({ content: 'I look ' }),
    chunk({ content: 'it up.' }),
    chunk({ tool_calls: [{ ...chatCall(CALLS[0], 0), function: { name: 'weather', arguments: '' } }] }),
    chunk({ tool_calls: [{ index: 0, function: { arguments: '{"city":"Zürich",' } }] }),
    chunk({ tool_calls: [{ index: 0, function: { arguments: '"days":3}' } }] }),
    chunk({ tool_calls: [chatCall(CALLS[1], 1)] }),
    chunk({}, 'tool_calls'),
    { ...chunk({}), choices: [], usage: chatUsage },
  ]),
  whole(
    'chat: cut by its limit',
    'chat',
    completion([{ index: 0, message: { role: 'assistant', content: 'And then' }, finish_reason: 'length' }]),
  ),
  whole(
    'chat: a refusal',
    'chat',
    completion([
      {
        index: 0,
        message: { role: 'assistant', content: null, refusal: 'I would rather not.' },
        finish_reason: 'stop',
      },
    ]),
  ),
  stream('chat stream: an error after some words', 'chat', [
    chunk({ role: 'assistant', content: 'So far' }),
    { error: { message: 'The engine stopped', type: 'server_error', param: null, code: null } },
  ]),
];

const message = (content: readonly Json[], stop: string): Json => ({
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'm',
  content,
  stop_reason: stop,
  stop_sequence: null,
  usage: {
    input_tokens: 20,
    cache_read_input_tokens: 70,
    cache_creation_input_tokens: 10,
    output_tokens: 45,
  },
});

const thought = { type: 'thinking', thinking: 'First the weather.', signature: 'c2lnbmF0dXJl' };
const uses = CALLS.map(({ id, name, input }) => ({
  type: 'tool_use',
  id: id.replace('call', 'toolu'),
  name,
  input,
}));
const block = (index: number, begin: Json, ...deltas: readonly Json[]): Json[] => [
  { type: 'content_block_start', index, content_block: begin },
  ...deltas.map((delta) => ({ type: 'content_block_delta', index, delta })),
  { type: 'content_block_stop', index },
];

const MESSAGES: readonly Recorded[] = [
  whole(
    'messages: thoughts, words and calls',
    'messages',
    message([thought, { type: 'text', text: 'I look it up.' }, ...uses], 'tool_use'),
  ),
  stream('messages stream: thoughts, words and calls', 'messages', [
    { type: 'message_start', message: { ...message([], ''), stop_reason: null } },
    ...block(
      0,
      { type: 'thinking', thinking: '', signature: '' },
      { type: 'thinking_delta', thinking: 'First ' },
      { type: 'thinking_delta', thinking: 'the weather.' },
      { type: 'signature_delta', signature: 'c2lnbmF0dXJl' },
    ),
    { type: 'ping' },
    ...block(
      1,
      { type: 'text', text: '' },
      { type: 'text_delta', text: 'I look ' },
      { type: 'text_delta', text: 'it up.' },
    ),
    ...block(
      2,
      { ...uses[0], input: {} },
      { type: 'input_json_delta', partial_json: '' },
      { type: 'input_json_delta', partial_json: '{"city": "Zürich", ' },
      { type: 'input_json_delta', partial_json: '"days": 3}' },
    ),
    ...block(3, { ...uses[1], input: {} }, { type: 'input_json_delta', partial_json: '{}' }),
    {
      type: 'message_delta',
      delta: { stop_reason: 'tool_use', stop_sequence: null },
      usage: { output_tokens: 45 },
    },
    { type: 'message_stop' },
  ]),
  whole(
    'messages: cut by its limit',
    'messages',
    message([{ type: 'text', text: 'And then' }], 'max_tokens'),
  ),
];

const responsesUsage = {
  input_tokens: 120,
  input_tokens_details: { cached_tokens: 100 },
  output_tokens: 45,
  output_tokens_details: { reasoning_tokens: 15 },
  total_tokens: 165,
};
const response = (output: readonly Json[], more: Json = {}): Json => ({
  id: 'resp_1',
  object: 'response',
  created_at: 1,
  status: 'completed',
  error: null,
  incomplete_details: null,
  model: 'm',
  output,
  usage: responsesUsage,
  ...more,
});
const reasoning = {
  id: 'rs_1',
  type: 'reasoning',
  summary: [{ type: 'summary_text', text: 'First the weather.' }],
};
const spoken = {
  id: 'msg_1',
  type: 'message',
  status: 'completed',
  role: 'assistant',
  content: [
    {
      type: 'output_text',
      text: 'I look it up.',
      annotations: [],
      logprobs: [],
    },
  ],
};
const functionCalls = CALLS.map(({ id, name, input }, at) => ({
  id: `fc_${at}`,
  type: 'function_call',
  status: 'completed',
  call_id: id,
  name,
  arguments: JSON.stringify(input),
}));
const items = [reasoning, spoken, ...functionCalls];
const added = (item: Json, index: number, ...between: readonly Json[]): Json[] => [
  { type: 'response.output_item.added', output_index: index, item: { ...item, status: 'in_progress' } },
  ...between.map((event) => ({ ...event, output_index: index, item_id: item.id })),
  { type: 'response.output_item.done', output_index: index, item },
];
const numbered = (events: readonly Json[]): Json[] =>
  events.map((event, at) => ({ ...event, sequence_number: at }));

const RESPONSES: readonly Recorded[] = [
  whole('responses: thoughts, words and calls', 'responses', response(items)),
  stream(
    'responses stream: thoughts, words and calls',
    'responses',
    numbered([
      { type: 'response.created', response: response([], { status: 'in_progress', usage: null }) },
      ...added(
        { ...reasoning, summary: [] },
        0,
        {
          type: 'response.reasoning_summary_part.added',
          summary_index: 0,
          part: { type: 'summary_text', text: '' },
        },
        { type: 'response.reasoning_summary_text.delta', summary_index: 0, delta: 'First the ' },
        { type: 'response.reasoning_summary_text.delta', summary_index: 0, delta: 'weather.' },
        { type: 'response.reasoning_summary_text.done', summary_index: 0, text: 'First the weather.' },
      ).toSpliced(-1, 1, { type: 'response.output_item.done', output_index: 0, item: reasoning }),
      ...added(
        { ...spoken, content: [] },
        1,
        {
          type: 'response.content_part.added',
          content_index: 0,
          part: { ...spoken.content[0], text: '', annotations: [] },
        },
        { type: 'response.output_text.delta', content_index: 0, delta: 'I look ' },
        { type: 'response.output_text.delta', content_index: 0, delta: 'it up.' },
        { type: 'response.output_text.done', content_index: 0, text: 'I look it up.' },
      ).toSpliced(-1, 1, { type: 'response.output_item.done', output_index: 1, item: spoken }),
      ...functionCalls.flatMap((call, at) =>
        added(
          { ...call, arguments: '' },
          2 + at,
          { type: 'response.function_call_arguments.delta', delta: call.arguments },
          { type: 'response.function_call_arguments.done', arguments: call.arguments },
        ).toSpliced(-1, 1, { type: 'response.output_item.done', output_index: 2 + at, item: call }),
      ),
      { type: 'response.completed', response: response(items) },
    ]),
  ),
  whole(
    'responses: cut by its limit',
    'responses',
    response([spoken], {
      status: 'incomplete',
      incomplete_details: { reason: 'max_output_tokens' },
    }),
  ),
];

const geminiUsage = {
  promptTokenCount: 120,
  cachedContentTokenCount: 100,
  candidatesTokenCount: 30,
  thoughtsTokenCount: 15,
  totalTokenCount: 165,
};
const functionParts = CALLS.map(({ name, input }) => ({ functionCall: { name, args: input } }));
const candidate = (parts: readonly Json[], finish: string | undefined, more: Json = {}): Json => ({
  content: { role: 'model', parts },
  ...(finish === undefined ? {} : { finishReason: finish }),
  index: 0,
  ...more,
});
const generated = (candidates: readonly Json[]): Json => ({
  candidates,
  usageMetadata: geminiUsage,
  modelVersion: 'm',
  responseId: 'r1',
});

const GEMINI: readonly Recorded[] = [
  whole(
    'gemini: thoughts, words and calls',
    'gemini',
    generated([
      candidate(
        [{ text: 'First the weather.', thought: true }, { text: 'I look it up.' }, ...functionParts],
        'STOP',
      ),
    ]),
  ),
  stream('gemini stream: thoughts, words and calls', 'gemini', [
    generated([candidate([{ text: 'First the weather.', thought: true }], undefined)]),
    generated([candidate([{ text: 'I look ' }], undefined)]),
    generated([candidate([{ text: 'it up.' }, functionParts[0]!], undefined)]),
    generated([candidate([functionParts[1]!], 'STOP')]),
  ]),
  whole('gemini: kept back', 'gemini', generated([candidate([{ text: 'It' }], 'SAFETY')])),
];

const converseUsage = {
  inputTokens: 20,
  cacheReadInputTokens: 70,
  cacheWriteInputTokens: 10,
  outputTokens: 45,
  totalTokens: 145,
};

const CONVERSE: readonly Recorded[] = [
  whole('converse: thoughts, words and calls', 'converse', {
    output: {
      message: {
        role: 'assistant',
        content: [
          { reasoningContent: { reasoningText: { text: 'First the weather.', signature: 'c2ln' } } },
          { text: 'I look it up.' },
          ...CALLS.map(({ id, name, input }) => ({ toolUse: { toolUseId: id, name, input } })),
        ],
      },
    },
    stopReason: 'tool_use',
    usage: converseUsage,
  }),
  stream('converse stream: thoughts, words and calls', 'converse', [
    { messageStart: { role: 'assistant' } },
    {
      contentBlockDelta: {
        contentBlockIndex: 0,
        delta: { reasoningContent: { text: 'First the weather.' } },
      },
    },
    { contentBlockDelta: { contentBlockIndex: 0, delta: { reasoningContent: { signature: 'c2ln' } } } },
    { contentBlockStop: { contentBlockIndex: 0 } },
    { contentBlockDelta: { contentBlockIndex: 1, delta: { text: 'I look ' } } },
    { contentBlockDelta: { contentBlockIndex: 1, delta: { text: 'it up.' } } },
    { contentBlockStop: { contentBlockIndex: 1 } },
    ...CALLS.flatMap(({ id, name, input }, at) => [
      { contentBlockStart: { contentBlockIndex: 2 + at, start: { toolUse: { toolUseId: id, name } } } },
      {
        contentBlockDelta: {
          contentBlockIndex: 2 + at,
          delta: { toolUse: { input: JSON.stringify(input) } },
        },
      },
      { contentBlockStop: { contentBlockIndex: 2 + at } },
    ]),
    { messageStop: { stopReason: 'tool_use' } },
    { metadata: { usage: converseUsage, metrics: { latencyMs: 9 } } },
  ]),
];

const cohereUsage = {
  billed_units: { input_tokens: 9, output_tokens: 9 },
  tokens: { input_tokens: 120, output_tokens: 45 },
};
const cohereCalls = CALLS.map((call) => chatCall(call));

const COHERE: readonly Recorded[] = [
  whole('cohere: a plan and calls', 'cohere', {
    id: 'c1',
    message: { role: 'assistant', tool_plan: 'I look it up.', tool_calls: cohereCalls },
    finish_reason: 'TOOL_CALL',
    usage: cohereUsage,
  }),
  stream('cohere stream: thoughts and words', 'cohere', [
    { type: 'message-start', id: 'c1', delta: { message: { role: 'assistant', content: [] } } },
    { type: 'content-start', index: 0, delta: { message: { content: { type: 'thinking', thinking: '' } } } },
    { type: 'content-delta', index: 0, delta: { message: { content: { thinking: 'First the weather.' } } } },
    { type: 'content-end', index: 0 },
    { type: 'content-start', index: 1, delta: { message: { content: { type: 'text', text: '' } } } },
    { type: 'content-delta', index: 1, delta: { message: { content: { text: 'It is mild.' } } } },
    { type: 'content-end', index: 1 },
    { type: 'message-end', delta: { finish_reason: 'COMPLETE', usage: cohereUsage } },
  ]),
];

const openaiError = (message: string, code: string): Json => ({
  error: { message, type: 'invalid_request_error', param: null, code },
});

const FAILURES: readonly Recorded[] = [
  whole(
    'chat: too many requests',
    'chat',
    openaiError('Rate limit reached for m', 'rate_limit_exceeded'),
    429,
  ),
  whole(
    'chat: too long',
    'chat',
    openaiError("This model's maximum context length is 8 tokens", 'context_length_exceeded'),
    400,
  ),
  whole('chat: another key', 'chat', openaiError('Incorrect API key provided: k', 'invalid_api_key'), 401),
  whole(
    'messages: overloaded',
    'messages',
    { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } },
    529,
  ),
  whole(
    'gemini: a wrong argument',
    'gemini',
    { error: { code: 400, message: 'Invalid value at contents', status: 'INVALID_ARGUMENT' } },
    400,
  ),
];

/** An answer that only some clients can receive completely. */
export interface ForSome {
  readonly recorded: Recorded;
  readonly clients: readonly Client[];
}

const TWO_CANDIDATES = whole(
  'gemini: two candidates',
  'gemini',
  generated([
    candidate([{ text: 'Yes.' }], 'STOP', {
      logprobsResult: {
        chosenCandidates: logprobs.content.map(({ token, logprob }) => ({
          token,
          logProbability: logprob,
        })),
      },
    }),
    candidate([{ text: 'No.' }], 'STOP', { index: 1 }),
  ]),
);

const PAGES = whole(
  'chat: pages that it rests on',
  'chat',
  completion([
    {
      index: 0,
      message: {
        role: 'assistant',
        content: 'Bern.',
        annotations: [
          {
            type: 'url_citation',
            url_citation: { url: 'https://a.example/', title: 'A', start_index: 0, end_index: 4 },
          },
        ],
      },
      finish_reason: 'stop',
    },
  ]),
);

const LARGE_NUMBERS = whole(
  'chat: large whole numbers in arguments',
  'chat',
  completion([
    {
      index: 0,
      message: {
        role: 'assistant',
        content: null,
        tool_calls: [
          {
            id: 'call_9',
            type: 'function',
            function: { name: 'find', arguments: '{"id":9007199254740993}' },
          },
        ],
      },
      finish_reason: 'tool_calls',
    },
  ]),
);

export const FOR_SOME: readonly ForSome[] = [
  { recorded: TWO_CANDIDATES, clients: ['chat', 'messages', 'responses'] },
  { recorded: PAGES, clients: ['chat', 'messages', 'responses'] },
  { recorded: LARGE_NUMBERS, clients: ['chat', 'messages', 'responses'] },
];

/** What clients do not receive today of an answer above: each is a test that is expected to fail until it is fixed. */
export const GAPS: readonly (ForSome & { readonly reason: string })[] = [];

const BESIDE: readonly Recorded[] = [
  {
    ...whole('gemini: embeddings', 'gemini', {
      embeddings: [{ values: [0.5, -0.25] }, { values: [0.125, 1] }],
    }),
    url: '/v1beta/models/m:batchEmbedContents',
  },
  {
    ...whole('gemini: tokens counted', 'gemini', { totalTokens: 17 }),
    url: '/v1beta/models/m:countTokens',
  },
];

/** The paths of APIs of which only requests are compared. */
const ASKED_AT: Readonly<Record<Exclude<Asker, Client>, string>> = {
  ollama: '/api/chat',
  interactions: '/v1beta/interactions',
};

function askedBy(name: string, api: Asker): Recorded {
  return api === 'ollama' || api === 'interactions'
    ? { ...whole(name, 'gemini', {}), url: ASKED_AT[api] }
    : whole(name, api, {});
}

const asked: readonly Recorded[] = REQUESTS.map(({ name, api, request, provider }) => ({
  ...askedBy(name, api),
  ...(provider === undefined ? {} : { provider }),
  request,
  body: new Uint8Array(),
}));

export const EXAMPLES: readonly Recorded[] = [
  ...CHAT,
  ...MESSAGES,
  ...RESPONSES,
  ...GEMINI,
  ...CONVERSE,
  ...COHERE,
  ...FAILURES,
  ...BESIDE,
  ...asked,
];
