/** What clients send of earlier turns, and of files, in forms that other providers reject. */
import { describe, expect, test } from 'bun:test';
import type { JsonObject } from '../../src/wire/json.ts';
import { CHAT, running } from '../helpers/proxy.ts';
import { speaker, speakerConfig } from '../helpers/speakers.ts';

type Protocol = Parameters<typeof speaker>[0];

const PATHS = {
  chat: '/v1/chat/completions',
  messages: '/v1/messages',
  responses: '/v1/responses',
  gemini: `/v1beta/models/${CHAT.model}:generateContent`,
} as const;

const USUAL = { chat: CHAT, messages: {}, responses: { model: CHAT.model }, gemini: {} };

/** What a provider receives for a request. */
async function sent(protocol: Protocol, client: keyof typeof PATHS, body: object): Promise<JsonObject> {
  await using provider = speaker(protocol, 'whole');
  await using proxy = running({ providers: [speakerConfig(protocol, provider.url)] });
  const reply = await proxy.post(PATHS[client], { ...USUAL[client], ...body });
  expect([reply.status, await reply.text()]).toEqual([200, expect.any(String)]);
  return JSON.parse(provider.asked[0]!.text) as JsonObject;
}

const user = { role: 'user', content: 'Hello' };
const call = (id: string) => ({ id, type: 'function', function: { name: 'look', arguments: '{}' } });
const result = (tool_call_id: string, content: string) => ({ role: 'tool', tool_call_id, content });

describe('several results of one call become one', () => {
  const CHATS = {
    messages: [
      user,
      { role: 'assistant', content: null, tool_calls: [call('a'), call('b')] },
      result('a', 'one'),
      result('b', 'other'),
      result('a', 'two'),
    ],
  };
  const response = (id: string, content: string) => ({
    functionResponse: { id, name: 'look', response: { name: 'look', content } },
  });
  const GEMINIS = {
    contents: [
      { role: 'user', parts: [{ text: 'Hello' }] },
      {
        role: 'model',
        parts: ['a', 'b'].map((id) => ({ functionCall: { id, name: 'look', args: {} } })),
      },
      { role: 'user', parts: [response('a', 'one'), response('a', 'two'), response('b', 'other')] },
    ],
  };

  test.each([
    ['chat', CHATS],
    ['gemini', GEMINIS],
  ] as const)('from a %s client', async (client, body) => {
    const { messages } = await sent('messages', client, body);
    const texts = ['one', 'two'].map((text) => ({ type: 'text', text }));
    expect((messages as JsonObject[])[2]!.content).toEqual([
      { type: 'tool_result', tool_use_id: 'a', content: texts },
      { type: 'tool_result', tool_use_id: 'b', content: 'other' },
    ]);
    const { messages: turns } = await sent('converse', client, body);
    expect((turns as JsonObject[])[2]!.content).toMatchObject([
      { toolResult: { toolUseId: 'a', content: [{ text: 'one' }, { text: 'two' }] } },
      { toolResult: { toolUseId: 'b', content: [{ text: 'other' }] } },
    ]);
  });
});

test.each([
  [{ name: 'look', content: { t: 20 } }, '{"t":20}'],
  [{ name: 'look', content: [1, 2] }, '[1,2]'],
  [{ name: 'look', content: 'sun' }, 'sun'],
  [{ content: { t: 20 } }, '{"content":{"t":20}}'],
  [{ name: 'another', content: 1 }, '{"name":"another","content":1}'],
])('the result %j of a Gemini client is %s', async (response, expected) => {
  const { messages } = await sent('messages', 'gemini', {
    contents: [
      { role: 'user', parts: [{ text: 'Hello' }] },
      { role: 'model', parts: [{ functionCall: { name: 'look', args: {} } }] },
      { role: 'user', parts: [{ functionResponse: { name: 'look', response } }] },
    ],
  });
  expect((messages as JsonObject[])[2]!.content).toMatchObject([{ content: expected }]);
});

describe('a file of text is sent as text', () => {
  const data = (type: string) => `data:${type};base64,${Buffer.from('# Über').toString('base64')}`;
  const files = (file: object) => ({
    messages: [{ role: 'user', content: [{ type: 'file', file }] }],
  });

  test.each(['text/plain', 'text/markdown; charset=utf-8', 'application/json', 'application/ld+json'])(
    'if its type is %s',
    async (type) => {
      const body = files({ file_data: data(type), filename: 'a.md' });
      const { messages } = await sent('cohere', 'chat', body);
      expect(messages).toEqual([{ role: 'user', content: [{ type: 'text', text: 'a.md\n\n# Über' }] }]);
    },
  );

  test('if only its name tells the type', async () => {
    const { messages } = await sent('messages', 'chat', files({ file_data: 'YSxi', filename: 'a.csv' }));
    expect(messages).toMatchObject([{ content: [{ type: 'text', text: 'a.csv\n\na,b' }] }]);
  });

  test('by a Gemini client', async () => {
    const inlineData = { mimeType: 'text/csv', data: Buffer.from('a,b').toString('base64') };
    const { messages } = await sent('messages', 'gemini', { contents: [{ parts: [{ inlineData }] }] });
    expect(JSON.stringify(messages)).toContain('a,b');
    expect(JSON.stringify(messages)).not.toContain('base64');
  });

  test('unless it is in another encoding', async () => {
    const latin = `data:text/plain;base64,${Buffer.from('# Über', 'latin1').toString('base64')}`;
    const { messages } = await sent('messages', 'chat', files({ file_data: latin }));
    expect(messages).toMatchObject([{ content: [{ type: 'document' }] }]);
  });

  test('unless it is a document of another kind', async () => {
    const { messages } = await sent('messages', 'chat', files({ file_data: data('application/pdf') }));
    expect(messages).toMatchObject([{ content: [{ type: 'document', source: { type: 'base64' } }] }]);
  });
});

describe('an earlier refusal is sent back', () => {
  const refused = (protocol: Protocol) => (protocol === 'gemini' ? 'parts' : 'content');
  const turn = async (protocol: Protocol, client: 'chat' | 'responses', body: object) => {
    const request = await sent(protocol, client, body);
    return ((request.messages ?? request.contents) as JsonObject[])[1]![refused(protocol)];
  };

  test.each(['messages', 'converse', 'gemini'] as const)('to %s', async (protocol) => {
    for (const content of [null, '', []]) {
      const messages = [user, { role: 'assistant', content, refusal: 'I must not.' }, user];
      expect(await turn(protocol, 'chat', { messages })).toMatchObject([{ text: 'I must not.' }]);
    }
    const answer = {
      type: 'message',
      role: 'assistant',
      content: [{ type: 'refusal', refusal: 'I must not.' }],
    };
    expect(await turn(protocol, 'responses', { input: [user, answer, user] })).toMatchObject([
      { text: 'I must not.' },
    ]);
  });
});

test('a cache mark on a call reaches only APIs that have it', async () => {
  const cache_control = { type: 'ephemeral' };
  const messages = [
    user,
    {
      role: 'assistant',
      content: [{ type: 'tool_use', id: 'toolu_1', name: 'look', input: {}, cache_control }],
    },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'Red' }] },
  ];
  const turn = async (protocol: Protocol, model: string) => {
    const request = await sent(protocol, 'messages', { model, max_tokens: 9, messages });
    return (request.messages as JsonObject[])[1]!;
  };
  expect((await turn('chat', 'gpt')).tool_calls).toEqual([call('toolu_1')]);
  expect((await turn('converse', 'anthropic.claude-sonnet-4-5')).content).toMatchObject([
    { toolUse: { toolUseId: 'toolu_1' } },
    { cachePoint: { type: 'default' } },
  ]);
});

test('the beginning of an answer loses the white space at its end where Claude continues it', async () => {
  const begun = { messages: [user, { role: 'assistant', content: 'It is  \n' }] };
  for (const protocol of ['messages', 'converse'] as const) {
    const { messages } = await sent(protocol, 'chat', { ...begun, model: 'anthropic.claude-sonnet-4-5' });
    expect((messages as JsonObject[])[1]!.content).toMatchObject([{ text: 'It is' }]);
  }
  const { contents } = await sent('gemini', 'chat', begun);
  expect((contents as JsonObject[])[1]!.parts).toEqual([{ text: 'It is  \n' }]);
});
