/** What chat's clients send beyond OpenAI's API, for providers of other protocols, which know it by these names. */
import { expect, test } from 'bun:test';
import type { ChatMessage } from '../../src/wire/chat.ts';
import { CHAT, running } from '../helpers/proxy.ts';
import { speaker, speakerConfig } from '../helpers/speakers.ts';

type Protocol = Parameters<typeof speaker>[0];

/** What a provider receives for a chat request with these fields, and what is named as left out. */
async function sent(protocol: Protocol, fields: object) {
  await using provider = speaker(protocol, 'whole');
  await using proxy = running({ providers: [speakerConfig(protocol, provider.url)] });
  const reply = await proxy.post('/v1/chat/completions', { ...CHAT, ...fields });
  expect(reply.status).toBe(200);
  return { body: JSON.parse(provider.asked[0]!.text), dropped: reply.headers.get('x-llmproxy-dropped') };
}

const GUARDRAIL = { guardrailIdentifier: 'g', guardrailVersion: '1' };
const SAFETY = [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'BLOCK_NONE' }];

test.each<[Protocol, object, object]>([
  ['gemini', { safety_settings: SAFETY }, { safetySettings: SAFETY }],
  ['gemini', { safetySettings: SAFETY }, { safetySettings: SAFETY }],
  ['gemini', { google: { cached_content: 'cachedContents/1' } }, { cachedContent: 'cachedContents/1' }],
  [
    'gemini',
    { image_config: { aspect_ratio: '16:9' }, max_tokens: 5 },
    { generationConfig: { imageConfig: { aspect_ratio: '16:9' }, maxOutputTokens: 5 } },
  ],
  [
    'gemini',
    { extra_body: { google: { thinking_config: { thinking_budget: 0 } } } },
    { generationConfig: { thinkingConfig: { thinking_budget: 0 } } },
  ],
  ['converse', { guardrailConfig: GUARDRAIL }, { guardrailConfig: GUARDRAIL }],
  ['converse', { guardrail_config: GUARDRAIL }, { guardrailConfig: GUARDRAIL }],
  ['converse', { additionalModelRequestFields: { seed: 1 } }, { additionalModelRequestFields: { seed: 1 } }],
  ['cohere', { documents: ['d'], safety_mode: 'STRICT' }, { documents: ['d'], safety_mode: 'STRICT' }],
  ['messages', { inference_geo: 'us' }, { inference_geo: 'us' }],
])('%s receives its own fields: %j', async (protocol, fields, expected) => {
  const { body, dropped } = await sent(protocol, fields);
  expect(body).toMatchObject(expected);
  expect(dropped).toBeNull();
});

test('fields of another API are left out and named', async () => {
  const { body, dropped } = await sent('messages', { safety_settings: SAFETY, guardrailConfig: GUARDRAIL });
  expect(dropped).toBe('safety_settings, guardrailConfig');
  expect(Object.keys(body)).not.toContainAnyValues(['safety_settings', 'guardrailConfig']);
});

test('what the proxy sets itself stays as it is', async () => {
  const { body } = await sent('gemini', {
    reasoning_effort: 'low',
    google: { thinking_config: { includeThoughts: false, extra: 1 } },
  });
  expect(body.generationConfig.thinkingConfig).toMatchObject({ includeThoughts: true, extra: 1 });
});

test('the URL of a file may be in a field of its own', async () => {
  const url = 'https://example.com/a.pdf';
  const messages = [{ role: 'user', content: [{ type: 'file', file: { file_url: url } }] }];
  const { body } = await sent('messages', { messages });
  expect(body.messages[0].content).toEqual([{ type: 'document', source: { type: 'url', url } }]);
});

test('signed reasoning may be part of the content that is sent back', async () => {
  await using provider = speaker('messages', 'whole');
  await using proxy = running({ providers: [speakerConfig('messages', provider.url)] });
  const reply = await proxy.post('/v1/chat/completions', CHAT);
  const { choices } = (await reply.json()) as { choices: { message: ChatMessage }[] };
  const { message } = choices[0]!;
  const [block] = message.thinking_blocks as object[];
  const content = [block, { type: 'text', text: message.content }];
  const messages = [...CHAT.messages, { role: 'assistant', content }, { role: 'user', content: 'Go on' }];
  await proxy.post('/v1/chat/completions', { ...CHAT, messages });
  expect(JSON.parse(provider.asked[1]!.text).messages[1].content).toEqual([block, content[1]]);
});
