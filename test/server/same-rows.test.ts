/** The same conversation becomes the same row of training data for clients of every protocol. */
import { expect, test } from 'bun:test';
import type { JsonObject } from '../../src/wire/json.ts';
import type { SpeakerName } from '../helpers/speakers.ts';
import { conversationOf } from '../../src/export/conversation/extract.ts';
import { entryOf } from '../../src/export/read/entry.ts';
import { parseJson } from '../../src/wire/json.ts';
import { running } from '../helpers/proxy.ts';
import { speaker, speakerConfig } from '../helpers/speakers.ts';

const PNG = 'iVBORw0KGgoAAAANSUhEUg==';
const PARAMETERS = { type: 'object', properties: { city: { type: 'string' } } };
const NAMES = ['weather', 'time'];

/** The same request in each client's protocol, with an earlier turn that called a tool. */
const ASKING: Readonly<Record<string, readonly [path: string, body: JsonObject]>> = {
  chat: [
    '/v1/chat/completions',
    {
      messages: [
        { role: 'system', content: 'Be brief.' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Where is it?' },
            { type: 'image_url', image_url: { url: `data:image/png;base64,${PNG}` } },
          ],
        },
        {
          role: 'assistant',
          content: 'Let me look.',
          tool_calls: [
            { id: 'call_0', type: 'function', function: { name: 'weather', arguments: '{"city":"Rome"}' } },
          ],
        },
        { role: 'tool', tool_call_id: 'call_0', content: 'sunny' },
      ],
      tools: NAMES.map((name) => ({ type: 'function', function: { name, parameters: PARAMETERS } })),
    },
  ],
  gemini: [
    '/v1beta/models/{model}:generateContent',
    {
      systemInstruction: { parts: [{ text: 'Be brief.' }] },
      contents: [
        {
          role: 'user',
          parts: [{ text: 'Where is it?' }, { inlineData: { mimeType: 'image/png', data: PNG } }],
        },
        {
          role: 'model',
          parts: [
            { text: 'Let me look.' },
            { functionCall: { id: 'call_0', name: 'weather', args: { city: 'Rome' } } },
          ],
        },
        {
          role: 'user',
          parts: [{ functionResponse: { id: 'call_0', name: 'weather', response: { output: 'sunny' } } }],
        },
      ],
      tools: [{ functionDeclarations: NAMES.map((name) => ({ name, parametersJsonSchema: PARAMETERS })) }],
      generationConfig: { thinkingConfig: { includeThoughts: true } },
    },
  ],
  ollama: [
    '/api/chat',
    {
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Where is it?', images: [PNG] },
        {
          role: 'assistant',
          content: 'Let me look.',
          tool_calls: [{ id: 'call_0', function: { name: 'weather', arguments: { city: 'Rome' } } }],
        },
        { role: 'tool', tool_name: 'weather', content: 'sunny' },
      ],
      tools: NAMES.map((name) => ({ type: 'function', function: { name, parameters: PARAMETERS } })),
    },
  ],
};

test.each([
  ['chat', 'whole'],
  ['chat', 'stream'],
  ['messages', 'whole'],
  ['messages', 'stream'],
] as const)('with a %s provider that answers with: %s', async (name: SpeakerName, way) => {
  await using provided = speaker(name, way);
  await using proxy = running({ providers: [speakerConfig(name, provided.url)] });
  for (const [path, body] of Object.values(ASKING))
    await (await proxy.post(path, { ...body, model: 'm-1', stream: way === 'stream' })).text();
  const rows = (await proxy.recorded(3)).map((record) => {
    const line = { ...record, request: parseJson(record.request!), response: parseJson(record.response!) };
    return conversationOf(entryOf(line as JsonObject)!, {
      refusals: 'exclude',
      images: 'keep',
      providerTools: 'exclude',
    });
  });
  expect(rows[0]!.prompt).toHaveLength(4);
  for (const row of rows.slice(1)) expect(row).toEqual(rows[0]!);
});
