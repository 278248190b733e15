/**
 * What the operator or a vendor's facts say that a model does not support is dropped or replaced, and named, relayed
 * or translated.
 */
import type { Json } from '../helpers/sent-requests.ts';
import { describe, expect, test } from 'bun:test';
import { ABILITIES } from '../../src/wire/facts/abilities.ts';
import { abilities as config } from '../../src/config/schema/request-changes.ts';
import { PROTOCOL_FACTS } from '../../src/wire/facts/protocols.ts';
import { QUIRKS, quirksOf } from '../../src/providers/quirks.ts';
import { mergeQuirks } from '../../src/wire/quirks.ts';
import { factsOf } from '../../src/providers/facts-text.ts';
import { requestSentTo } from '../helpers/sent-requests.ts';
import { provider, running } from '../helpers/proxy.ts';
import { completion, upstream } from '../helpers/upstream.ts';

const U = { role: 'user', content: 'Hi' };
const tool = { type: 'function', function: { name: 'f', parameters: { type: 'object' } } };
const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } };
const file = { type: 'file', file: { file_data: 'data:application/pdf;base64,JVBERi0=', filename: 'a.pdf' } };
const shape = { type: 'json_schema', json_schema: { name: 'n', schema: { type: 'object', title: 'T' } } };

/** A provider that is relayed to, and one that is translated for. */
const LANES = ['openai-compatible', 'anthropic'] as const;

describe.each(LANES)('a model of %s', (type) => {
  const asked = (body: Json, abilities: Json) =>
    requestSentTo(type, { model: 'claude-sonnet-4-5', ...body }, { abilities: abilities as never });

  test('receives no images and files if it supports none', async () => {
    const messages = [{ role: 'user', content: [{ type: 'text', text: 'Look' }, image, file] }];
    const { body, dropped } = await asked({ messages }, { vision: false, files: false });
    expect(dropped).toBe('image, file');
    expect(JSON.stringify(body)).not.toMatch(/iVBOR|JVBER/);
    expect(JSON.stringify(body)).toContain('[image left out: the model does not accept it]');
    const kept = await asked({ messages }, {});
    expect([kept.dropped, JSON.stringify(kept.body).includes('iVBOR')]).toEqual([null, true]);
  });

  test('receives no functions if it supports none, and earlier calls as text', async () => {
    const call = { id: 'c', type: 'function', function: { name: 'f', arguments: '{"a":1}' } };
    const messages = [
      U,
      { role: 'assistant', content: null, tool_calls: [call] },
      { role: 'tool', tool_call_id: 'c', content: '42' },
    ];
    const { body, dropped } = await asked({ messages, tools: [tool], tool_choice: 'auto' }, { tools: false });
    expect(dropped).toBe('tools, tool_choice');
    expect(body).not.toHaveProperty('tools');
    expect(JSON.stringify(body.messages)).toContain('[called f with');
    expect(JSON.stringify(body.messages)).not.toContain('tool_');
    expect(JSON.stringify(body.messages)).toContain('42');
  });

  test('receives no reasoning or sampling parameters if it supports none', async () => {
    const given = { reasoning_effort: 'high', temperature: 0.5, top_p: 0.5 };
    const { body, dropped } = await asked(given, { reasoning: false, sampling: false });
    expect(dropped).toBe('reasoning_effort, temperature, top_p');
    for (const name of ['reasoning_effort', 'thinking', 'temperature', 'top_p'])
      expect(body).not.toHaveProperty(name);
    expect((await asked({ reasoning_effort: 'none' }, { reasoning: false })).dropped).toBeNull();
  });

  test('receives a JSON schema in the form that it supports', async () => {
    const { body } = await asked({ response_format: shape }, { json_schema: false });
    expect(JSON.stringify(body)).toContain('"title"'.replaceAll('"', type === 'anthropic' ? '"' : '\\"'));
    expect(body).not.toHaveProperty('output_config');
    if (type !== 'anthropic') expect(body.response_format).toEqual({ type: 'json_object' });
  });
});

test('abilities set by the operator override the known facts of a model', async () => {
  const models = [{ name: 'claude-3-5-*', abilities: { reasoning: true } }, '*'];
  const extra = { models, abilities: { vision: false } };
  const asked = await requestSentTo('anthropic', { model: 'claude-3-5-x', reasoning_effort: 'low' }, extra);
  expect(asked.body.thinking).toEqual({ type: 'enabled', budget_tokens: 1_024 });
  const kept = await requestSentTo(
    'openai',
    { model: 'gpt-5', temperature: 0.2 },
    { abilities: { sampling: true } },
  );
  expect([kept.body.temperature, kept.dropped]).toEqual([0.2, null]);
});

test('a prompt that is too long goes to a provider with a larger context window', async () => {
  const words =
    "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.";
  const error = { message: words, type: 'invalid_request_error', code: 'context_length_exceeded' };
  await using small = upstream(() => Response.json({ error }, { status: 400 }));
  await using alike = upstream(() => completion('no'));
  await using large = upstream(() => completion('yes'));
  const at = (name: string, url: string, priority: number, context_window?: number) =>
    provider(name, url, { models: ['m'], priority, max_retries: 0, context_window });
  await using proxy = running({
    providers: [at('a', small.url, 1), at('b', alike.url, 2, 8_192), at('c', large.url, 3, 200_000)],
  });
  const reply = await proxy.post('/v1/chat/completions', { model: 'm', messages: [U] });
  expect([reply.status, alike.asked.length, large.asked.length]).toEqual([200, 0, 1]);
});

test('a model that is declared like another has its facts', async () => {
  const models = [{ name: 'house', like: 'gpt-5' }, { name: 'plain' }];
  const given = { temperature: 0.2, max_tokens: 5 };
  const like = await requestSentTo('azure', { model: 'house', ...given }, { models });
  expect([like.body.max_completion_tokens, like.dropped]).toEqual([5, 'temperature']);
  expect((await requestSentTo('azure', { model: 'plain', ...given }, { models })).body).toMatchObject(given);
  const profile = [{ name: 'arn', like: 'claude-sonnet-4-5' }];
  const bedrock = await requestSentTo(
    'bedrock',
    { model: 'arn', reasoning_effort: 'low' },
    { models: profile },
  );
  expect(bedrock.body.additionalModelRequestFields).toEqual({
    thinking: { type: 'enabled', budget_tokens: 1_024 },
  });
});

test.each([
  [
    '/v1/messages',
    'anthropic',
    {
      max_tokens: 2_000,
      tools: [{ name: 'f', input_schema: { type: 'object' } }],
      messages: [
        {
          role: 'user',
          content: [{ type: 'image', source: { type: 'url', url: 'https://a.example/x.png' } }],
        },
      ],
    },
    'tools, image',
  ],
  [
    '/v1/responses',
    'openai',
    {
      tools: [{ type: 'function', name: 'f', parameters: {} }],
      text: { format: { type: 'json_schema', name: 'n', schema: { type: 'object' } } },
      input: [{ role: 'user', content: [{ type: 'input_image', image_url: 'https://a.example/x.png' }] }],
    },
    // The provider's answer here is not a valid response, so no header is expected.
    null,
  ],
  [
    '/v1beta/models/gemini-3-pro:generateContent',
    'gemini',
    {
      contents: [
        { role: 'user', parts: [{ inlineData: { mimeType: 'image/png', data: 'x.png' } }, { text: 'Hi' }] },
      ],
      tools: [{ functionDeclarations: [{ name: 'f' }] }],
      generation_config: { response_mime_type: 'application/json', response_schema: { type: 'object' } },
    },
    null,
  ],
] as const)('abilities also apply to relayed requests to %s', async (path, type, body, dropped) => {
  const abilities = { vision: false, tools: false, json_schema: false };
  const asked = await requestSentTo(type, { model: 'm', ...body }, { path, abilities });
  expect(asked.dropped).toBe(dropped);
  expect(asked.body).not.toHaveProperty('tools');
  expect(JSON.stringify(asked.body)).not.toContain('x.png');
  expect(JSON.stringify(asked.body)).not.toMatch(/"(?:response_schema|json_schema)"/);
});

describe('facts of models and vendors', () => {
  test('each name a page as their source', () => {
    const rows = Object.entries(QUIRKS).flatMap(([type, { models = [], source }]) => [
      [type, source],
      ...models.map(({ match, quirks }) => [`${type} ${match.source}`, quirks.source]),
    ]);
    const pages = [...rows, ...PROTOCOL_FACTS.map(({ protocols, source }) => [protocols.join(), source])];
    for (const [what, source] of pages)
      expect([what, source]).toEqual([what, expect.stringMatching(/^https:\/\//)]);
  });

  test('combine those of the protocol, the model’s name and the vendor', () => {
    const facts = factsOf('messages', 'claude-3-haiku', quirksOf('anthropic'));
    const texts = facts.map(({ text }) => text).join('\n');
    for (const words of ['does not support: blank_text', 'max_tokens 4096', 'function names'])
      expect(texts).toContain(words);
    for (const { source } of facts) expect(source).toMatch(/^https:\/\//);
  });

  test('set by the operator have the configuration as their source', () => {
    const known = quirksOf('openai');
    const { models = [], ...vendor } = known;
    const row = models.find(({ match }) => match.test('gpt-5.1'))!;
    const merged = mergeQuirks(vendor, row.quirks);
    const quirks = {
      ...merged,
      abilities: { ...merged.abilities, vision: false },
      override: { drop: ['x'] },
    };
    const facts = factsOf('chat', 'gpt-5.1', quirks, known);
    expect(facts.find(({ text }) => text.startsWith('does not support: sampling'))!.source).toBe(
      row.quirks.source,
    );
    expect(facts.filter(({ source }) => source === 'the configuration').map(({ text }) => text)).toEqual([
      'does not support: vision',
      'left out: x',
    ]);
  });

  test('can all be overridden by the operator, each under its name', () => {
    expect(Object.keys(config.unwrap().shape)).toEqual(Object.keys(ABILITIES));
  });

  test('of an openai-compatible server follow from its address', () => {
    const google = quirksOf('openai-compatible', 'https://generativelanguage.googleapis.com/v1beta/openai');
    expect(google.keeps).toContain('extra_content');
    expect(quirksOf('openai-compatible', 'https://api.deepseek.com/v1')).toBe(quirksOf('deepseek'));
    expect(quirksOf('openai-compatible', 'http://localhost:1234/v1')).toEqual({});
  });
});
