/** Answers whose parts must reach clients of other protocols. */
import type { Case } from './case.ts';
import type { Json } from '../read/json.ts';
import { expect } from 'bun:test';
import { objectOf, objectsOf } from '../read/json.ts';

const HI: Json = { messages: [{ role: 'user', content: 'Hi' }] };
const HI_MESSAGES: Json = { max_tokens: 1_000, ...HI };
const PIXEL = 'iVBORw0KGgo=';

const message = (content: readonly Json[]): Json => ({
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'm',
  content,
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: { input_tokens: 1, output_tokens: 1 },
});

const completion = (said: Json, more: Json = {}, finish = 'stop'): Json => ({
  id: 'c',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', ...said }, finish_reason: finish }],
  ...more,
});

const chunk = (delta: Json, finish: string | null = null): Json => ({
  id: 'c',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'm',
  choices: [{ index: 0, delta, finish_reason: finish }],
});

/** A chunk of the second choice. */
const other = (delta: Json, finish: string | null = null): Json => ({
  ...chunk(delta),
  choices: [{ index: 1, delta, finish_reason: finish }],
});

const generated = (candidate: Json): Json => ({
  candidates: [{ index: 0, ...candidate }],
  usageMetadata: { promptTokenCount: 5, candidatesTokenCount: 9, totalTokenCount: 14 },
  modelVersion: 'm',
});

const twoCalls: readonly Json[] = [
  chunk({ role: 'assistant', content: '' }),
  chunk(
    { tool_calls: [{ index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }] },
    'tool_calls',
  ),
  chunk({ tool_calls: [{ index: 1, id: 'b', type: 'function', function: { name: 'g', arguments: '' } }] }),
  chunk({ tool_calls: [{ index: 1, function: { arguments: '{"x":1}' } }] }, 'tool_calls'),
];

/** The sources of the first choice. */
const sourcesAre = (...urls: readonly string[]) =>
  (({ said }) => expect([...said.choice().sources]).toEqual([...urls])) satisfies Case['right'];

const bothCalls: Case['right'] = ({ said }) => {
  const calls = said.choice().parts.filter((part) => part.kind === 'call');
  expect(calls.map(({ id, name, input }) => [id, name, JSON.parse(input)])).toEqual([
    ['a', 'f', {}],
    ['b', 'g', { x: 1 }],
  ]);
};

/** Checks that a part of this kind reached the client, or that the client was told that it was left out. */
const saidOrTold = (kind: 'image' | 'audio'): Case['right'] => {
  return ({ said, told }) =>
    expect(told.includes(kind) || said.choice().parts.some((part) => part.kind === kind)).toBe(true);
};

export const ANSWERS: readonly Case[] = [
  {
    name: 'citations in an Anthropic text become annotations in chat',
    client: 'chat',
    vendor: 'anthropic',
    api: 'messages',
    request: HI,
    answer: message([
      {
        type: 'text',
        text: 'Bern',
        citations: [
          {
            type: 'web_search_result_location',
            url: 'https://a.example',
            title: 'A',
            cited_text: 'Bern is',
            encrypted_index: 'x',
          },
        ],
      },
    ]),
    right: sourcesAre('https://a.example'),
  },
  {
    name: 'the explanation of Anthropic’s refusal reaches chat clients',
    client: 'chat',
    vendor: 'anthropic',
    api: 'messages',
    request: { ...HI, stream: true },
    answer: [
      { type: 'message_start', message: { ...message([]), stop_reason: null } },
      {
        type: 'message_delta',
        delta: {
          stop_reason: 'refusal',
          stop_sequence: null,
          stop_details: { type: 'refusal', category: 'cyber', explanation: 'This was blocked.' },
        },
        usage: { output_tokens: 5 },
      },
      { type: 'message_stop' },
    ],
    right: ({ said }) =>
      expect(said.choice().parts).toEqual([{ kind: 'refusal', text: 'This was blocked.' }]),
  },
  {
    name: 'tokens that a chat gateway writes to and reads from its cache count once in Messages',
    client: 'messages',
    vendor: 'openai-compatible',
    api: 'chat',
    request: HI_MESSAGES,
    answer: completion(
      { content: 'ok' },
      {
        usage: {
          prompt_tokens: 2_168,
          completion_tokens: 100,
          total_tokens: 2_268,
          prompt_tokens_details: { cached_tokens: 2_161, cache_write_tokens: 2_161 },
        },
      },
    ),
    right({ said }) {
      const { input_tokens, cache_creation_input_tokens, cache_read_input_tokens } = objectOf(said.usage);
      const parts = [input_tokens, cache_creation_input_tokens, cache_read_input_tokens].map(Number);
      expect(parts.reduce((sum, each) => sum + each, 0)).toBe(2_168);
      // The model cannot have read as much from the cache as was written: there was not that much.
      expect(Number(cache_creation_input_tokens) + Number(cache_read_input_tokens)).toBe(2_161);
    },
  },
  {
    name: 'annotations in a chat stream become annotations in Responses',
    client: 'responses',
    vendor: 'openai-compatible',
    api: 'chat',
    request: { input: 'Hi', stream: true },
    answer: [
      chunk({ role: 'assistant', content: 'Bern' }),
      chunk(
        {
          annotations: [
            {
              type: 'url_citation',
              url_citation: { url: 'https://a.example', title: 'A', start_index: 0, end_index: 4 },
            },
          ],
        },
        'stop',
      ),
    ],
    right: sourcesAre('https://a.example'),
  },
  {
    name: 'calls with an empty finish reason end a message with tool_use',
    client: 'messages',
    vendor: 'mistral',
    api: 'chat',
    request: HI_MESSAGES,
    answer: completion(
      { content: '', tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }] },
      {},
      '',
    ),
    right({ status, said }) {
      expect([status, said.choice().finish]).toEqual([200, 'tool_use']);
      expect(said.choice().parts).toEqual([{ kind: 'call', id: 'a', name: 'f', input: '{}' }]);
    },
  },
  {
    name: 'Gemini’s grounding becomes annotations in chat',
    client: 'chat',
    vendor: 'gemini',
    api: 'gemini',
    request: HI,
    answer: generated({
      content: { role: 'model', parts: [{ text: 'Bern.' }] },
      finishReason: 'STOP',
      groundingMetadata: {
        groundingChunks: [{ web: { uri: 'https://a.example', title: 'A' } }],
        groundingSupports: [
          { segment: { startIndex: 0, endIndex: 5, text: 'Bern.' }, groundingChunkIndices: [0] },
        ],
        webSearchQueries: ['capital'],
      },
    }),
    right: sourcesAre('https://a.example'),
  },
  {
    name: 'an image by Gemini becomes an item of `images` in chat',
    client: 'chat',
    vendor: 'gemini',
    api: 'gemini',
    model: 'gemini-2.5-flash-image',
    request: { ...HI, modalities: ['text', 'image'] },
    answer: generated({
      content: { role: 'model', parts: [{ inlineData: { mimeType: 'image/png', data: PIXEL } }] },
      finishReason: 'STOP',
    }),
    right({ got }) {
      const [{ message: said } = {}] = objectsOf(got[0]?.choices);
      const [image] = objectsOf(objectOf(said).images);
      expect(objectOf(image?.image_url).url).toBe(`data:image/png;base64,${PIXEL}`);
    },
  },
  {
    name: 'a malformed call by Gemini is reported as a failure',
    client: 'chat',
    vendor: 'gemini',
    api: 'gemini',
    request: HI,
    answer: {
      candidates: [
        {
          content: {},
          finishReason: 'MALFORMED_FUNCTION_CALL',
          finishMessage: 'Malformed function call: print(f())',
          index: 0,
        },
      ],
      usageMetadata: { promptTokenCount: 5 },
    },
    right({ status, got }) {
      expect(status).toBe(502);
      expect(objectOf(got[0]?.error).code).toBe('failed_generation');
    },
  },
  {
    name: 'audio of a chat model reaches Messages as its transcript, or is reported as left out',
    client: 'messages',
    vendor: 'openai-compatible',
    api: 'chat',
    request: HI_MESSAGES,
    answer: completion({
      content: null,
      audio: { id: 'a', data: 'AAAA', transcript: 'Hello there', expires_at: 1 },
    }),
    right({ said, told }) {
      const words = said.choice().parts.map((part) => ('text' in part ? part.text : ''));
      expect(told.includes('audio') || words.join('') === 'Hello there').toBe(true);
    },
  },
  {
    name: 'images of a chat gateway are reported as left out to Messages, which cannot represent them',
    client: 'messages',
    vendor: 'openai-compatible',
    api: 'chat',
    request: HI_MESSAGES,
    answer: completion({
      content: '',
      images: [{ type: 'image_url', image_url: { url: `data:image/png;base64,${PIXEL}` } }],
    }),
    right: saidOrTold('image'),
  },
  {
    name: 'images of a chat gateway become image generation calls in Responses',
    client: 'responses',
    vendor: 'openai-compatible',
    api: 'chat',
    request: { input: 'Hi' },
    answer: completion({
      content: '',
      images: [{ type: 'image_url', image_url: { url: `data:image/png;base64,${PIXEL}` } }],
    }),
    right: ({ said }) => expect(said.choice().parts).toEqual([{ kind: 'image', data: PIXEL }]),
  },
  {
    name: 'the sources that Perplexity lists reach Messages',
    client: 'messages',
    vendor: 'perplexity-sonar',
    api: 'chat',
    request: HI_MESSAGES,
    answer: completion(
      { content: 'Bern[1]' },
      {
        citations: ['https://a.example'],
        search_results: [{ title: 'A', url: 'https://a.example' }],
        usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
      },
    ),
    right: sourcesAre('https://a.example'),
  },
  {
    name: 'a second call after a finish reason reaches Messages',
    client: 'messages',
    vendor: 'together',
    api: 'chat',
    request: { ...HI_MESSAGES, stream: true },
    answer: twoCalls,
    right: bothCalls,
  },
  {
    name: 'a second call after a finish reason reaches Responses',
    client: 'responses',
    vendor: 'openai-compatible',
    api: 'chat',
    request: { input: 'Hi', stream: true },
    answer: twoCalls,
    right: bothCalls,
  },
  {
    name: 'Anthropic’s thinking, calls and text keep their order in Responses',
    client: 'responses',
    vendor: 'anthropic',
    api: 'messages',
    request: { input: 'Hi' },
    answer: {
      ...message([
        { type: 'tool_use', id: 'toolu_1', name: 'f', input: {} },
        { type: 'text', text: 'and then' },
        { type: 'tool_use', id: 'toolu_2', name: 'g', input: {} },
      ]),
      stop_reason: 'tool_use',
    },
    right: ({ said }) =>
      expect(said.choice().parts.map(({ kind }) => kind)).toEqual(['call', 'text', 'call']),
  },
  {
    name: 'two choices of a chat stream are not mixed in Messages',
    client: 'messages',
    vendor: 'openai-compatible',
    api: 'chat',
    request: { ...HI_MESSAGES, stream: true },
    answer: [
      chunk({ role: 'assistant', content: 'Yes' }),
      other({ role: 'assistant', content: 'No' }),
      chunk({ content: '.' }),
      other({ content: '!' }),
      chunk({}, 'stop'),
      other({}, 'stop'),
    ],
    right: ({ said }) => expect(said.choice().parts).toEqual([{ kind: 'text', text: 'Yes.' }]),
  },
  {
    name: 'a legacy function call reaches Messages',
    client: 'messages',
    vendor: 'openai-compatible',
    api: 'chat',
    request: HI_MESSAGES,
    answer: completion(
      { content: null, function_call: { name: 'f', arguments: '{"a":1}' } },
      {},
      'function_call',
    ),
    right({ said }) {
      const [call] = said.choice().parts;
      expect(call).toMatchObject({ kind: 'call', name: 'f', input: '{"a":1}' });
    },
  },
];
