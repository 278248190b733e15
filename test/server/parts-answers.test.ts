/**
 * Parts of answers beside text and calls, in order, unstreamed and streamed, as clients of each protocol receive
 * them.
 */
import { describe, expect, test } from 'bun:test';
import type { ConfigInput } from '../../src/config/schema.ts';
import type { JsonObject } from '../../src/wire/json.ts';
import { listOf, objectOf } from '../../src/wire/json.ts';
import { chatAssembler } from '../../src/wire/openai/assemble.ts';
import { CLIENTS } from '../helpers/clients.ts';
import { framesOf } from '../helpers/grammar/frames.ts';
import { publishedProblems } from '../helpers/published/problems.ts';
import { publishedStreamProblems } from '../helpers/published/stream.ts';
import { running } from '../helpers/proxy.ts';
import { eventStream } from '../helpers/speakers.ts';
import { upstream } from '../helpers/upstream.ts';

type ClientName = keyof typeof CLIENTS;
type Type = ConfigInput['providers'][number]['type'];
type Events = readonly (readonly [name: string, data: object])[];

interface Said {
  readonly type: Type;
  readonly model?: string;
  readonly whole: object;
  readonly events: Events;
  /** What each client receives, without random values, and what the translation drops. */
  readonly expected: Readonly<Partial<Record<ClientName, { said: unknown; lost?: string }>>>;
}

/** The part of an answer that is compared: the message of chat, the blocks of Messages, the items of Responses. */
function saidIn(client: ClientName, answer: JsonObject): unknown {
  if (client === 'chat') return withoutNothing(objectOf(objectOf(listOf(answer.choices)[0]).message));
  if (client === 'messages') return listOf(answer.content).map((block) => withoutNothing(objectOf(block)));
  return listOf(answer.output).map((item) => {
    const { id: _, status: _s, ...rest } = objectOf(item);
    return rest;
  });
}

/** Leaves out the fields that are always present and carry nothing; the published schemas check those. */
function withoutNothing(said: JsonObject): JsonObject {
  const { annotations, citations, caller, ...rest } = said;
  return {
    ...rest,
    ...(listOf(annotations).length > 0 ? { annotations } : {}),
    ...(listOf(citations).length > 0 ? { citations } : {}),
    ...(caller && !Bun.deepEquals(caller, { type: 'direct' }) ? { caller } : {}),
  };
}

/** What the comments of a stream name as dropped. */
function lostIn(sse: string): string | undefined {
  return /^: llmproxy-answer-dropped: (.*)$/m.exec(sse)?.[1];
}

/** The complete answer that the chunks make, with the fields that vendors add to OpenAI's. */
function assembled(sse: string): JsonObject {
  const assembler = chatAssembler();
  for (const { value } of framesOf(sse, [])) if (value) assembler.push(value);
  return assembler.result();
}

async function answers(
  client: ClientName,
  { type, model = 'm', whole, events }: Said,
): Promise<{ said: unknown; lost: string | undefined }[]> {
  let stream = false;
  await using provider = upstream(() => (stream ? eventStream(type, events) : Response.json(whole)));
  await using proxy = running({
    providers: [{ name: 'p', type, base_url: provider.url, api_key: 'k', models: ['*'], max_retries: 0 }],
  });
  const { path, request, check, published } = CLIENTS[client];
  const { tools: _, ...plain } = request;
  const reply = await proxy.post(path, { ...plain, model });
  const answer = (await reply.json()) as JsonObject;
  stream = true;
  const sse = await (await proxy.post(path, { ...plain, model, stream: true })).text();
  const { value: told, problems } = check(sse);
  expect(problems).toEqual([]);
  expect(publishedProblems(published, answer)).toEqual([]);
  expect(publishedStreamProblems(client, sse)).toEqual([]);
  const value = client === 'chat' ? assembled(sse) : told;
  const [first, second] = await proxy.recorded(2);
  const lost = reply.headers.get('x-llmproxy-answer-dropped') ?? undefined;
  expect(first?.answer_dropped?.join(', ')).toBe(lost);
  expect(second?.answer_dropped?.join(', ')).toBe(lostIn(sse));
  return [
    { said: saidIn(client, answer), lost },
    { said: saidIn(client, value), lost: lostIn(sse) },
  ];
}

const chatChunk = (delta: object, finish: string | null = null, more: object = {}) =>
  [
    '',
    {
      id: 'c',
      object: 'chat.completion.chunk',
      created: 1,
      model: 'm',
      choices: [{ index: 0, delta, finish_reason: finish }],
      ...more,
    },
  ] as const;
const chatWhole = (message: object, more: object = {}, finish = 'stop') => ({
  id: 'c',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: null, ...message }, finish_reason: finish }],
  ...more,
});
const geminiWhole = (parts: object[], more: object = {}) => ({
  candidates: [{ content: { role: 'model', parts }, finishReason: 'STOP', index: 0, ...more }],
  modelVersion: 'm',
});
const page = (start = 0, end = 0, url = 'https://a.example', title = 'A') => ({
  type: 'url_citation',
  url_citation: { url, title, start_index: start, end_index: end },
});
const noted = (start = 0, end = 0) => ({
  type: 'url_citation',
  url: 'https://a.example',
  title: 'A',
  start_index: start,
  end_index: end,
});
const message = (text: string, annotations: object[] = []) => ({
  type: 'message',
  role: 'assistant',
  content: [{ type: 'output_text', text, annotations, logprobs: [] }],
});
const search = (query: string, urls: string[] = []) => ({
  type: 'web_search_call',
  action: {
    type: 'search',
    query,
    ...(urls.length > 0 ? { sources: urls.map((url) => ({ type: 'url', url })) } : {}),
  },
});
const webCitation = (cited_text: string) => ({
  type: 'web_search_result_location',
  cited_text,
  encrypted_index: '',
  title: 'A',
  url: 'https://a.example',
});

const PNG = 'iVBORw0KGgo=';
const DATA = `data:image/png;base64,${PNG}`;
const picture = { type: 'image_generation_call', result: PNG, output_format: 'png' };
const images = [{ type: 'image_url', index: 0, image_url: { url: DATA } }];

const block = (index: number, content_block: object, ...deltas: object[]) => [
  ['content_block_start', { type: 'content_block_start', index, content_block }] as const,
  ...deltas.map((delta) => ['content_block_delta', { type: 'content_block_delta', index, delta }] as const),
  ['content_block_stop', { type: 'content_block_stop', index }] as const,
];
const messageEvents = (blocks: Events, delta: object = { stop_reason: 'end_turn' }): Events => [
  [
    'message_start',
    {
      type: 'message_start',
      message: {
        id: 'msg_1',
        type: 'message',
        role: 'assistant',
        model: 'm',
        content: [],
        usage: { input_tokens: 1, output_tokens: 1 },
      },
    },
  ],
  ...blocks,
  ['message_delta', { type: 'message_delta', delta, usage: { output_tokens: 1 } }],
  ['message_stop', { type: 'message_stop' }],
];
const messageWhole = (content: object[], more: object = { stop_reason: 'end_turn' }) => ({
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'm',
  content,
  usage: { input_tokens: 1, output_tokens: 1 },
  ...more,
});

const sealed = (data: object) => `llmproxy.${btoa(JSON.stringify(data))}`;
const thought = (thinking: string, signature: string) => ({ type: 'thinking', thinking, signature });
const reasoning = (text: string, signature: string) => ({
  type: 'reasoning',
  summary: [{ type: 'summary_text', text }],
  encrypted_content: sealed(thought(text, signature)),
});
const fn = (call_id: string, args = '{}') => ({ type: 'function_call', call_id, name: 'f', arguments: args });

/** `[think, call, think, text, call]`, as Claude sends it. */
const interleaved = {
  content: [
    thought('One.', 's1'),
    { type: 'tool_use', id: 'a', name: 'f', input: {} },
    thought('Two.', 's2'),
    { type: 'text', text: 'Now.' },
    { type: 'tool_use', id: 'b', name: 'f', input: {} },
  ],
  events: [
    ...block(
      0,
      { type: 'thinking', thinking: '', signature: '' },
      { type: 'thinking_delta', thinking: 'One.' },
      { type: 'signature_delta', signature: 's1' },
    ),
    ...block(1, { type: 'tool_use', id: 'a', name: 'f', input: {} }),
    ...block(
      2,
      { type: 'thinking', thinking: '', signature: '' },
      { type: 'thinking_delta', thinking: 'Two.' },
      { type: 'signature_delta', signature: 's2' },
    ),
    ...block(3, { type: 'text', text: '' }, { type: 'text_delta', text: 'Now.' }),
    ...block(4, { type: 'tool_use', id: 'b', name: 'f', input: {} }),
  ],
};
const converseBlocks = [
  { reasoningContent: { reasoningText: { text: 'One.', signature: 's1' } } },
  { toolUse: { toolUseId: 'a', name: 'f', input: {} } },
  { reasoningContent: { reasoningText: { text: 'Two.', signature: 's2' } } },
  { text: 'Now.' },
  { toolUse: { toolUseId: 'b', name: 'f', input: {} } },
];
const converseEvent = (contentBlockIndex: number, delta: object) =>
  ['contentBlockDelta', { contentBlockIndex, delta }] as const;
const converseCall = (contentBlockIndex: number, toolUseId: string) =>
  ['contentBlockStart', { contentBlockIndex, start: { toolUse: { toolUseId, name: 'f' } } }] as const;
const converseStop = (contentBlockIndex: number) => ['contentBlockStop', { contentBlockIndex }] as const;
const converseEnd = (stopReason: string): Events => [
  ['messageStop', { stopReason }],
  ['metadata', { usage: { inputTokens: 1, outputTokens: 1 } }],
];

const grounding = {
  groundingMetadata: {
    groundingChunks: [{ web: { uri: 'https://a.example', title: 'A' } }],
    groundingSupports: [
      { segment: { startIndex: 6, endIndex: 12, text: 'Paris.' }, groundingChunkIndices: [0] },
    ],
    webSearchQueries: ['capital'],
  },
};

const cohereCitation = {
  start: 0,
  end: 5,
  text: 'Paris',
  sources: [{ type: 'tool', id: 't:0', tool_output: { url: 'https://a.example', title: 'A' } }],
  content_index: 0,
};

const SAID: Readonly<Record<string, Said>> = {
  'thinking between calls from Anthropic': {
    type: 'anthropic',
    whole: messageWhole(interleaved.content, { stop_reason: 'tool_use' }),
    events: messageEvents(interleaved.events as Events, { stop_reason: 'tool_use' }),
    expected: {
      responses: {
        said: [reasoning('One.', 's1'), fn('a'), reasoning('Two.', 's2'), message('Now.'), fn('b')],
      },
    },
  },
  'thinking between calls from Bedrock': {
    type: 'bedrock',
    whole: {
      output: { message: { role: 'assistant', content: converseBlocks } },
      stopReason: 'tool_use',
      usage: { inputTokens: 1, outputTokens: 1 },
    },
    events: [
      ['messageStart', { role: 'assistant' }],
      converseEvent(0, { reasoningContent: { text: 'One.' } }),
      converseEvent(0, { reasoningContent: { signature: 's1' } }),
      converseStop(0),
      converseCall(1, 'a'),
      converseStop(1),
      converseEvent(2, { reasoningContent: { text: 'Two.' } }),
      converseEvent(2, { reasoningContent: { signature: 's2' } }),
      converseStop(2),
      converseEvent(3, { text: 'Now.' }),
      converseStop(3),
      converseCall(4, 'b'),
      converseStop(4),
      ...converseEnd('tool_use'),
    ],
    expected: {
      messages: { said: interleaved.content },
      responses: {
        said: [reasoning('One.', 's1'), fn('a'), reasoning('Two.', 's2'), message('Now.'), fn('b')],
      },
    },
  },
  'an image from Gemini': {
    type: 'gemini',
    model: 'gemini-2.5-flash-image',
    whole: geminiWhole([{ text: 'See: ' }, { inlineData: { mimeType: 'image/png', data: PNG } }]),
    events: [
      ['', geminiWhole([{ text: 'See: ' }], { finishReason: undefined })],
      ['', geminiWhole([{ inlineData: { mimeType: 'image/png', data: PNG } }])],
    ],
    expected: {
      chat: { said: { role: 'assistant', content: 'See: ', refusal: null, images } },
      messages: { said: [{ type: 'text', text: 'See: ' }], lost: 'image' },
      responses: { said: [message('See: '), picture] },
    },
  },
  'an image from OpenRouter': {
    type: 'openai-compatible',
    whole: chatWhole({ content: '', images: [{ type: 'image_url', image_url: { url: DATA } }] }),
    events: [
      chatChunk({
        role: 'assistant',
        content: '',
        images: [{ type: 'image_url', image_url: { url: DATA } }],
      }),
      chatChunk({}, 'stop'),
    ],
    expected: {
      messages: { said: [], lost: 'image' },
      responses: { said: [picture] },
    },
  },
  'page citations from Gemini': {
    type: 'gemini',
    whole: geminiWhole([{ text: 'Déja Paris.' }], grounding),
    events: [
      ['', geminiWhole([{ text: 'Déja ' }], { finishReason: undefined })],
      ['', geminiWhole([{ text: 'Paris.' }], grounding)],
    ],
    expected: {
      chat: {
        said: { role: 'assistant', content: 'Déja Paris.', refusal: null, annotations: [page(5, 11)] },
        lost: 'hosted_tool',
      },
      responses: { said: [message('Déja Paris.', [noted(5, 11)]), search('capital', ['https://a.example'])] },
    },
  },
  'page citations from Perplexity': {
    type: 'perplexity-sonar',
    whole: chatWhole(
      { content: 'Paris[1]' },
      { citations: ['https://a.example'], search_results: [{ title: 'A', url: 'https://a.example' }] },
    ),
    events: [
      chatChunk({ role: 'assistant', content: 'Paris[1]' }, null, {
        citations: ['https://a.example'],
        search_results: [{ title: 'A', url: 'https://a.example' }],
      }),
      chatChunk({}, 'stop', {
        citations: ['https://a.example'],
        search_results: [{ title: 'A', url: 'https://a.example' }],
      }),
    ],
    expected: {
      messages: { said: [{ type: 'text', text: 'Paris[1]', citations: [webCitation('')] }] },
      responses: { said: [message('Paris[1]', [noted()])] },
    },
  },
  'page citations from a chat server': {
    type: 'openai-compatible',
    whole: chatWhole({ content: 'Paris', annotations: [page(0, 5)] }),
    events: [
      chatChunk({ role: 'assistant', content: 'Paris' }),
      chatChunk({ annotations: [page(0, 5)] }, 'stop'),
    ],
    expected: {
      messages: { said: [{ type: 'text', text: 'Paris', citations: [webCitation('Paris')] }] },
      responses: { said: [message('Paris', [noted(0, 5)])] },
    },
  },
  'page citations from Cohere': {
    type: 'cohere',
    whole: {
      id: 'co',
      message: { role: 'assistant', content: [{ type: 'text', text: 'Paris' }], citations: [cohereCitation] },
      finish_reason: 'COMPLETE',
      usage: { tokens: { input_tokens: 1, output_tokens: 1 } },
    },
    events: [
      ['message-start', { type: 'message-start', id: 'co', delta: { message: { role: 'assistant' } } }],
      [
        'content-start',
        { type: 'content-start', index: 0, delta: { message: { content: { type: 'text', text: '' } } } },
      ],
      [
        'content-delta',
        { type: 'content-delta', index: 0, delta: { message: { content: { text: 'Paris' } } } },
      ],
      [
        'citation-start',
        { type: 'citation-start', index: 0, delta: { message: { citations: cohereCitation } } },
      ],
      ['content-end', { type: 'content-end', index: 0 }],
      [
        'message-end',
        {
          type: 'message-end',
          delta: { finish_reason: 'COMPLETE', usage: { tokens: { input_tokens: 1, output_tokens: 1 } } },
        },
      ],
    ],
    expected: {
      chat: { said: { role: 'assistant', content: 'Paris', refusal: null, annotations: [page(0, 5)] } },
      messages: { said: [{ type: 'text', text: 'Paris', citations: [webCitation('Paris')] }] },
      responses: { said: [message('Paris', [noted(0, 5)])] },
    },
  },
  'page citations from Bedrock': {
    type: 'bedrock',
    whole: {
      output: {
        message: {
          role: 'assistant',
          content: [
            {
              citationsContent: {
                content: [{ text: 'Paris' }],
                citations: [
                  {
                    title: 'A',
                    location: { web: { url: 'https://a.example' } },
                    sourceContent: [{ text: 'Paris is' }],
                  },
                ],
              },
            },
          ],
        },
      },
      stopReason: 'end_turn',
      usage: { inputTokens: 1, outputTokens: 1 },
    },
    events: [
      ['messageStart', { role: 'assistant' }],
      converseEvent(0, { text: 'Paris' }),
      converseEvent(0, {
        citation: {
          title: 'A',
          location: { web: { url: 'https://a.example' } },
          sourceContent: [{ text: 'Paris is' }],
        },
      }),
      converseStop(0),
      ...converseEnd('end_turn'),
    ],
    expected: {
      chat: { said: { role: 'assistant', content: 'Paris', refusal: null, annotations: [page(0, 5)] } },
      messages: { said: [{ type: 'text', text: 'Paris', citations: [webCitation('Paris is')] }] },
      responses: { said: [message('Paris', [noted(0, 5)])] },
    },
  },
  'a search and its citations from Anthropic': {
    type: 'anthropic',
    whole: messageWhole([
      { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: { query: 'capital' } },
      {
        type: 'web_search_tool_result',
        tool_use_id: 'srvtoolu_1',
        content: [
          { type: 'web_search_result', url: 'https://a.example', title: 'A', encrypted_content: 'E' },
        ],
      },
      { type: 'text', text: 'So: ' },
      { type: 'text', text: 'Paris', citations: [{ ...webCitation('Paris is'), encrypted_index: 'x' }] },
    ]),
    events: messageEvents([
      ...block(
        0,
        { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: {} },
        { type: 'input_json_delta', partial_json: '{"query":"capital"}' },
      ),
      ...block(1, {
        type: 'web_search_tool_result',
        tool_use_id: 'srvtoolu_1',
        content: [
          { type: 'web_search_result', url: 'https://a.example', title: 'A', encrypted_content: 'E' },
        ],
      }),
      ...block(2, { type: 'text', text: '' }, { type: 'text_delta', text: 'So: ' }),
      ...block(
        3,
        { type: 'text', text: '', citations: [] },
        { type: 'citations_delta', citation: { ...webCitation('Paris is'), encrypted_index: 'x' } },
        { type: 'text_delta', text: 'Paris' },
      ),
    ]),
    expected: {
      chat: {
        said: { role: 'assistant', content: 'So: Paris', refusal: null, annotations: [page(4, 9)] },
        lost: 'hosted_tool',
      },
      responses: { said: [search('capital', ['https://a.example']), message('So: Paris', [noted(4, 9)])] },
    },
  },
  'document citations from Anthropic': {
    type: 'anthropic',
    whole: messageWhole([
      {
        type: 'text',
        text: 'Paris',
        citations: [
          {
            type: 'char_location',
            cited_text: 'Paris is',
            document_index: 0,
            document_title: 'T',
            start_char_index: 0,
            end_char_index: 8,
          },
        ],
      },
    ]),
    events: messageEvents([
      ...block(
        0,
        { type: 'text', text: '' },
        { type: 'text_delta', text: 'Paris' },
        {
          type: 'citations_delta',
          citation: {
            type: 'char_location',
            cited_text: 'Paris is',
            document_index: 0,
            document_title: 'T',
            start_char_index: 0,
            end_char_index: 8,
          },
        },
      ),
    ]),
    expected: {
      chat: { said: { role: 'assistant', content: 'Paris', refusal: null }, lost: 'citation' },
      responses: { said: [message('Paris')], lost: 'citation' },
    },
  },
  'a refusal and its explanation from Anthropic': {
    type: 'anthropic',
    whole: messageWhole([], {
      stop_reason: 'refusal',
      stop_details: { type: 'refusal', category: 'cyber', explanation: 'It was blocked.' },
    }),
    events: messageEvents([], {
      stop_reason: 'refusal',
      stop_details: { type: 'refusal', category: 'cyber', explanation: 'It was blocked.' },
    }),
    expected: {
      chat: { said: { role: 'assistant', content: null, refusal: 'It was blocked.' } },
      responses: {
        said: [
          { type: 'message', role: 'assistant', content: [{ type: 'refusal', refusal: 'It was blocked.' }] },
        ],
      },
    },
  },
  'audio from OpenAI': {
    type: 'openai-compatible',
    whole: chatWhole({ audio: { id: 'a', data: 'AAAA', transcript: 'Hello there', expires_at: 1 } }),
    events: [
      chatChunk({ role: 'assistant', audio: { id: 'a', transcript: 'Hello ' } }),
      chatChunk({ audio: { id: 'a', data: 'AAAA' } }),
      chatChunk({ audio: { id: 'a', transcript: 'there' } }),
      chatChunk({ audio: { expires_at: 1 } }, 'stop'),
    ],
    expected: {
      messages: { said: [{ type: 'text', text: 'Hello there' }], lost: 'audio' },
      responses: { said: [message('Hello there')], lost: 'audio' },
    },
  },
};

/** The events of a response, with each item in one event. */
const responseEvents = (output: JsonObject[]): Events => [
  [
    'response.created',
    { type: 'response.created', response: { id: 'resp_1', status: 'in_progress', model: 'm', output: [] } },
  ],
  ...output.map(
    (item, output_index) =>
      ['response.output_item.done', { type: 'response.output_item.done', output_index, item }] as const,
  ),
  [
    'response.completed',
    { type: 'response.completed', response: { id: 'resp_1', status: 'completed', model: 'm', output } },
  ],
];
const responseWhole = (output: JsonObject[]) => ({
  id: 'resp_1',
  object: 'response',
  status: 'completed',
  model: 'm',
  output,
});

const drawn = [
  {
    type: 'web_search_call',
    id: 'ws_1',
    status: 'completed',
    action: { type: 'search', query: 'capital', sources: [{ type: 'url', url: 'https://a.example' }] },
  },
  { type: 'image_generation_call', id: 'ig_1', status: 'completed', result: PNG },
  {
    type: 'message',
    id: 'msg_1',
    role: 'assistant',
    status: 'completed',
    content: [
      {
        type: 'output_text',
        text: 'See.',
        annotations: [noted(0, 4), { type: 'file_citation', file_id: 'f', filename: 'T', index: 1 }],
      },
    ],
  },
];
const details = [{ type: 'reasoning.text', text: 'Hm. So.', index: 0, format: 'x', signature: 'S' }];
const gateway = { type: 'function', id: 'a', function: { name: 'f', arguments: '{}' } };

const MORE: Readonly<Record<string, Said>> = {
  'a search, an image and a file citation from a Responses server': {
    type: 'perplexity',
    whole: responseWhole(drawn),
    events: responseEvents(drawn),
    expected: {
      chat: {
        said: { role: 'assistant', content: 'See.', refusal: null, annotations: [page(0, 4)], images },
        lost: 'hosted_tool, citation',
      },
      messages: {
        said: [
          {
            type: 'server_tool_use',
            id: 'srvtoolu_llmproxy_ws_1',
            name: 'web_search',
            input: { query: 'capital' },
          },
          {
            type: 'web_search_tool_result',
            tool_use_id: 'srvtoolu_llmproxy_ws_1',
            content: [
              {
                type: 'web_search_result',
                url: 'https://a.example',
                title: '',
                encrypted_content: '',
                page_age: null,
              },
            ],
          },
          {
            type: 'text',
            text: 'See.',
            citations: [
              webCitation('See.'),
              {
                type: 'char_location',
                cited_text: '',
                document_index: 0,
                document_title: 'T',
                file_id: null,
                start_char_index: 0,
                end_char_index: 0,
              },
            ],
          },
        ],
        lost: 'image',
      },
    },
  },
  'reasoning details from a chat gateway': {
    type: 'openai-compatible',
    whole: chatWhole(
      { reasoning: 'Hm. So.', reasoning_details: details, tool_calls: [gateway] },
      {},
      'tool_calls',
    ),
    events: [
      chatChunk({
        role: 'assistant',
        content: '',
        reasoning: 'Hm. ',
        reasoning_details: [{ ...details[0], text: 'Hm. ', signature: undefined }],
      }),
      chatChunk({
        reasoning: 'So.',
        reasoning_details: [{ ...details[0], text: 'So.', signature: undefined }],
      }),
      chatChunk({ reasoning_details: [{ type: 'reasoning.text', index: 0, signature: 'S' }] }),
      chatChunk({ tool_calls: [{ index: 0, ...gateway }] }, 'tool_calls'),
    ],
    expected: {
      messages: {
        said: [
          { type: 'thinking', thinking: 'Hm. So.', signature: '' },
          { type: 'redacted_thinking', data: `llmproxy:${JSON.stringify({ type: 'details', details })}` },
          { type: 'tool_use', id: 'a', name: 'f', input: {} },
        ],
      },
      responses: {
        said: [
          {
            type: 'reasoning',
            summary: [{ type: 'summary_text', text: 'Hm. So.' }],
            encrypted_content: sealed({ type: 'details', details }),
          },
          fn('a'),
        ],
      },
    },
  },
};

const rows = Object.entries({ ...SAID, ...MORE }).flatMap(([name, said]) =>
  (Object.keys(said.expected) as ClientName[]).map((client) => [name, client, said] as const),
);

describe.each(rows)('%s', (_, client, said) => {
  test(`reaches ${client} clients`, async () => {
    const { said: wanted, lost } = said.expected[client]!;
    const [whole, streamed] = await answers(client, said);
    expect(whole).toEqual({ said: wanted, lost });
    // A stream leaves out a null refusal, and its content begins as an empty string.
    const { refusal, content, ...told } = wanted as JsonObject;
    const words = { content: content ?? '', ...(refusal ? { refusal } : {}) };
    const heard = client === 'chat' ? { ...told, ...words } : wanted;
    expect(streamed?.said as unknown).toMatchObject(heard as object);
    expect(streamed?.lost).toBe(lost);
  });
});
