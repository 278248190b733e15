/** Enumerated fields of a request that steer its translation, with values that are no strings or far too long. */
import { describe, expect, test } from 'bun:test';
import { provider, running } from '../helpers/proxy.ts';
import { SPEAKERS, speaker, speakerConfig } from '../helpers/speakers.ts';
import type { SpeakerName } from '../helpers/speakers.ts';

/** Values for places where a keyword is expected. */
const ODD: Readonly<Record<string, unknown>> = {
  'an object that becomes no text': { toString: 1, valueOf: 1 },
  'a list of one': [{ toString: 1, valueOf: 1 }],
  'a number': 5,
  'a long text': 'x'.repeat(100_000),
};

const user = (content: unknown) => ({ role: 'user', content });

/** Requests of each protocol with this value in every place where a keyword steers the translation. */
const REQUESTS: Readonly<Record<string, (word: unknown) => readonly object[]>> = {
  '/v1/chat/completions': (word) => [
    { messages: [{ role: word, content: 'hi' }] },
    { messages: [user(word), { role: 'assistant', content: word }, { role: 'tool', content: word }] },
    { messages: [user([{ type: word, x: 1 }])] },
    { messages: [user([{ type: 'input_audio', input_audio: { data: 'eA==', format: word } }])] },
    { messages: [user([{ type: 'image_url', image_url: word }])] },
    { messages: [user([{ type: 'file', file: { file_data: word, filename: word } }])] },
    { messages: [user('hi')], tools: [{ type: word, function: { name: word, parameters: {} } }] },
    {
      messages: [user('hi')],
      tools: [{ type: 'function', function: { name: 'f' } }],
      tool_choice: { type: word },
    },
    { messages: [user('hi')], service_tier: word, reasoning_effort: word, response_format: { type: word } },
    {
      messages: [
        {
          role: 'assistant',
          content: null,
          tool_calls: [{ id: word, type: word, function: { name: word, arguments: '{}' } }],
        },
        { role: 'tool', tool_call_id: word, content: [{ type: word }] },
      ],
    },
  ],
  '/v1/messages': (word) =>
    [
      { messages: [{ role: word, content: 'hi' }] },
      { messages: [user([{ type: word, x: 1 }])] },
      { messages: [user([{ type: 'image', source: { type: word, media_type: word, data: 'eA==' } }])] },
      { messages: [user([{ type: 'tool_result', tool_use_id: word, content: [{ type: word }] }])] },
      { messages: [user('hi'), { role: 'assistant', content: [{ type: word }] }] },
      {
        messages: [
          user('hi'),
          { role: 'system', content: [{ type: word, tool: { type: word, name: word } }] },
        ],
      },
      {
        messages: [user('hi')],
        tools: [{ type: word, name: word, input_schema: {} }],
        tool_choice: { type: word },
      },
    ].map((request) => ({ max_tokens: 9, ...request })),
  '/v1/responses': (word) => [
    { input: [{ role: word, content: 'hi' }] },
    { input: [user([{ type: word }])] },
    { input: [{ type: word, id: word }] },
    { input: [{ type: 'item_reference', id: word }] },
    { input: 'hi', tools: [{ type: word, name: word }], tool_choice: { type: word } },
    { input: 'hi', service_tier: word, reasoning: { effort: word }, text: { format: { type: word } } },
  ],
};

const SPEAKER_NAMES = Object.keys(SPEAKERS) as SpeakerName[];

describe.each(SPEAKER_NAMES)('a request for a %s provider', (name) => {
  test.each(Object.keys(ODD))('gets a 200 or a short 400 with %s for a keyword', async (what) => {
    await using provider = speaker(name, 'whole');
    await using proxy = running({ providers: [speakerConfig(name, provider.url)] });
    for (const [path, requests] of Object.entries(REQUESTS)) {
      for (const [at, request] of requests(ODD[what]).entries()) {
        const response = await proxy.post(path, { model: 'm', ...request });
        const text = await response.text();
        expect(proxy.problems).toEqual([]);
        const seen = {
          path,
          at,
          status: response.status,
          long: response.status !== 200 && text.length > 5_000,
        };
        expect(seen).toEqual({ path, at, status: response.status === 200 ? 200 : 400, long: false });
      }
    }
    expect(proxy.records.every(({ error }) => (error?.length ?? 0) < 1_000)).toBeTrue();
  });
});

test('embeddings ignore an input_type that is not a string', async () => {
  await using vendor = speaker('cohere', 'whole');
  await using proxy = running({
    providers: [{ ...provider('c', vendor.url), type: 'cohere', models: ['*'], api_key: 'k' }],
  });
  const odd = ODD['an object that becomes no text'];
  const response = await proxy.post('/v1/embeddings', { model: 'e', input: 'hi', input_type: odd });
  // The provider sends a chat answer, which has no vectors.
  expect(response.status).toBe(502);
  expect(proxy.problems).toEqual([]);
});

test.each([[[[]]], ['text'], [5], [{ toString: 1 }], [true]])(
  'a Responses field with the wrong type is not echoed: %j',
  async (odd) => {
    await using vendor = speaker('messages', 'whole');
    await using proxy = running({ providers: [speakerConfig('messages', vendor.url)] });
    const told = { metadata: odd, text: { format: odd }, truncation: odd, top_logprobs: odd };
    const response = await proxy.post('/v1/responses', { model: 'm', input: 'hi', ...told });
    expect(await response.json()).toMatchObject({
      metadata: {},
      text: { format: { type: 'text' } },
      truncation: 'disabled',
      top_logprobs: typeof odd === 'number' ? odd : 0,
    });
  },
);
