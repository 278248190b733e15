/**
 * What single vendors and models refuse in a request is changed for them, relayed or translated, and named where
 * dropped.
 */
import { describe, expect, test } from 'bun:test';
import type { Json } from '../helpers/sent-requests.ts';
import { requestSentTo } from '../helpers/sent-requests.ts';
import { CHAT } from '../helpers/proxy.ts';

const U = { role: 'user', content: 'Hi' };
const A = { role: 'assistant', content: 'Yes' };
const MODEL = 'claude-sonnet-4-5';
const messagesOf = ({ body }: { body: Json }) => (body.messages ?? body.contents) as Json[];
const image = (url: string) => ({ role: 'user', content: [{ type: 'image_url', image_url: { url } }] });

describe('roles', () => {
  test.each(['deepseek', 'mistral', 'lmstudio', 'perplexity-sonar', 'ollama', 'vllm', 'zai'] as const)(
    'developer messages become system messages for %s',
    async (type) => {
      const asked = await requestSentTo(type, {
        model: 'm',
        messages: [{ role: 'developer', content: 'S' }, U],
      });
      expect(messagesOf(asked)).toEqual([{ role: 'system', content: 'S' }, U]);
    },
  );

  test('developer messages stay unchanged for OpenAI', async () => {
    const messages = [{ role: 'developer', content: 'S' }, U];
    expect(messagesOf(await requestSentTo('openai', { messages }))).toEqual(messages);
  });

  test('developer messages become system messages for an unknown server, unless they are relayed', async () => {
    const input = [{ role: 'developer', content: 'S' }, U];
    const path = '/v1/responses';
    const roles = async (type: 'openai-compatible' | 'azure') =>
      messagesOf(await requestSentTo(type, { model: 'm', input }, { path, api: 'chat' })).map(
        ({ role }) => role,
      );
    expect(await roles('openai-compatible')).toEqual(['system', 'user']);
    expect(await roles('azure')).toEqual(['developer', 'user']);
    const messages = [{ role: 'developer', content: 'S' }, U];
    expect(messagesOf(await requestSentTo('openai-compatible', { messages }))).toEqual(messages);
  });

  test('system messages in mid-conversation become user messages where they must come first', async () => {
    const late = { role: 'system', content: 'T' };
    const messages = [{ role: 'system', content: 'S' }, U, A, late, U];
    expect(messagesOf(await requestSentTo('perplexity-sonar', { model: 'sonar', messages }))).toEqual([
      ...messages.slice(0, 3),
      { role: 'user', content: 'T' },
      U,
    ]);
    expect(messagesOf(await requestSentTo('openai', { messages }))).toEqual(messages);
  });
});

describe('blank content', () => {
  test.each([
    [
      'anthropic',
      [
        { type: 'text', text: 'Hi' },
        { type: 'text', text: 'x' },
      ],
    ],
    ['bedrock', [{ text: 'Hi' }, { text: 'x' }]],
  ] as const)('is dropped for %s', async (type, content) => {
    const messages = [
      { role: 'user', content: ' \n' },
      { role: 'assistant', content: ' ' },
      U,
      {
        role: 'user',
        content: [
          { type: 'text', text: '\t' },
          { type: 'text', text: 'x' },
        ],
      },
    ];
    expect(messagesOf(await requestSentTo(type, { model: MODEL, messages }))).toEqual([
      { role: 'user', content: [...content] },
    ]);
  });

  test.each(['anthropic', 'bedrock'] as const)('is replaced for %s if nothing is left', async (type) => {
    const [message] = messagesOf(
      await requestSentTo(type, { model: MODEL, messages: [{ role: 'user', content: '' }] }),
    );
    expect(JSON.stringify(message)).toContain('"text":"."');
  });

  test.each([[[]], [null], ['']])(
    'of %j is not sent, and system messages still reach the model',
    async (content) => {
      const messages = [
        { role: 'system', content: 'S' },
        { role: 'user', content },
      ];
      for (const type of ['anthropic', 'bedrock', 'gemini', 'cohere', 'perplexity'] as const) {
        const { text } = await requestSentTo(type, { model: 'm', messages });
        expect([type, text]).toEqual([type, expect.stringContaining('"S"')]);
        expect(text).not.toMatch(/"(?:text|content)":(?:""|\[\])/);
      }
    },
  );

  test('of an answer with nothing but reasoning is dropped', async () => {
    const messages = [U, { role: 'assistant', content: null, reasoning_content: 'hm' }, U];
    for (const type of ['anthropic', 'bedrock', 'gemini', 'cohere'] as const) {
      const asked = messagesOf(await requestSentTo(type, { model: MODEL, messages }));
      expect(asked.every(({ role }) => role === 'user')).toBe(true);
    }
  });

  test('is put before an answer that comes first for Bedrock', async () => {
    const asked = messagesOf(await requestSentTo('bedrock', { model: MODEL, messages: [A, U] }));
    expect(asked.map(({ role }) => role)).toEqual(['user', 'assistant', 'user']);
    const kept = messagesOf(await requestSentTo('anthropic', { model: MODEL, messages: [A, U] }));
    expect(kept.map(({ role }) => role)).toEqual(['assistant', 'user']);
  });
});

describe('media', () => {
  test.each([
    'data:image/jpg;base64,AAAA',
    'data:image/JPEG;charset=utf-8;base64,AAAA',
    'data:image/jpeg;base64,AAAA',
  ])('has a media type that providers know: %s', async (url) => {
    for (const type of ['anthropic', 'gemini'] as const) {
      const asked = await requestSentTo(type, { model: MODEL, messages: [image(url)] });
      expect([asked.status, JSON.stringify(messagesOf(asked))]).toEqual([
        asked.status,
        expect.stringContaining('"image/jpeg"'),
      ]);
      expect(JSON.stringify(messagesOf(asked))).toContain('"AAAA"');
    }
  });
});

describe('tools', () => {
  test('without a type become functions', async () => {
    const tools = [{ function: { name: 'f', parameters: { type: 'object' } } }];
    const asked = await requestSentTo('anthropic', { model: MODEL, tools });
    expect([(asked.body.tools as Json[])[0]!.name, asked.dropped]).toEqual(['f', null]);
  });

  test.each([
    ['anthropic', MODEL, { tool_choice: { type: 'any' } }],
    ['perplexity', 'perplexity/sonar', { tool_choice: 'required' }],
  ] as const)('are made mandatory by the tool_choice of %s', async (type, model, wanted) => {
    const tools = [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }];
    expect((await requestSentTo(type, { model, tools, tool_choice: 'any' })).body).toMatchObject(wanted);
  });
});

test('stop sequences beyond a provider’s maximum are dropped and named', async () => {
  const stop = ['a', 'b', 'c', 'd', 'e', 'f'];
  const body = { model: 'gemini-x', max_tokens: 9, messages: [U], stop_sequences: stop };
  const chat = await requestSentTo('openai-compatible', body, { path: '/v1/messages' });
  expect([chat.body.stop, chat.dropped]).toEqual([stop.slice(0, 4), 'stop']);
  const { body: asked } = await requestSentTo('gemini', { model: 'gemini-x', stop });
  expect((asked.generationConfig as Json).stopSequences).toEqual(stop.slice(0, 5));
  const named = await requestSentTo('anthropic', { model: MODEL, messages: [{ ...U, name: 'ann' }] });
  expect(named.dropped).toBe('messages.name');
});

test('models that Azure serves only by the Responses API are requested there', async () => {
  expect((await requestSentTo('azure', { model: 'gpt-5-codex' })).path).toBe('/responses');
  expect((await requestSentTo('azure', { model: 'gpt-5' })).path).toBe('/chat/completions');
});

describe('reasoning fields of other vendors', () => {
  const budget = (value: number) => ({ thinking: { type: 'enabled', budget_tokens: value } });

  test.each([
    ['thinking without a budget', { thinking: { type: 'enabled' } }, budget(8_192)],
    ['reasoning by an effort', { reasoning: { effort: 'medium' } }, budget(8_192)],
    ['reasoning by a budget', { reasoning: { max_tokens: 2_000 } }, budget(2_000)],
    ['reasoning that is on', { reasoning: { enabled: true } }, budget(8_192)],
    ['reasoning that is off', { reasoning: { enabled: false } }, { thinking: undefined }],
  ])('for %s become Claude’s own', async (_, body, wanted) => {
    const asked = await requestSentTo('anthropic', { model: MODEL, ...body });
    expect(asked.body.thinking).toEqual(wanted.thinking as object);
    expect([asked.body.reasoning, asked.dropped]).toEqual([undefined, null]);
  });

  test('are named as dropped where they have no counterpart', async () => {
    const body = { provider: { order: ['x'] }, reasoning_format: 'parsed', min_p: 0.1 };
    expect((await requestSentTo('anthropic', { model: MODEL, ...body })).dropped).toBe(
      'provider, reasoning_format, min_p',
    );
    expect((await requestSentTo('openrouter', { model: MODEL, ...body })).body).toMatchObject(body);
  });
});

describe('parameters', () => {
  test.each(['anthropic', 'bedrock', 'vertex'] as const)(
    'of sampling are reduced to one for Claude 4.5 on %s',
    async (type) => {
      const location = type === 'vertex' ? { project: 'p' } : {};
      const asked = await requestSentTo(type, { model: MODEL, temperature: 0.5, top_p: 0.9 }, location);
      expect(JSON.stringify(asked.body)).toContain('"temperature":0.5');
      expect(JSON.stringify(asked.body)).not.toMatch(/top_?p/i);
      expect(asked.dropped).toBe('top_p');
    },
  );

  test('of sampling are reduced to one for Claude 4.5 in relayed Messages too', async () => {
    const asked = await requestSentTo(
      'anthropic',
      { model: MODEL, max_tokens: 9, temperature: 0.5, top_p: 0.9 },
      { path: '/v1/messages' },
    );
    expect(asked.body).toEqual({ ...CHAT, model: MODEL, max_tokens: 9, temperature: 0.5 });
    expect(asked.dropped).toBe('top_p');
  });

  test('of sampling are both sent to older Claude models', async () => {
    const { body } = await requestSentTo('anthropic', {
      model: 'claude-3-5-haiku-latest',
      temperature: 0.5,
      top_p: 0.9,
    });
    expect(body).toMatchObject({ temperature: 0.5, top_p: 0.9 });
  });

  test.each([
    ['gpt-4o', 'high', undefined],
    ['gpt-5', 'max', 'high'],
    ['gpt-5', 'none', 'minimal'],
    ['gpt-5.1', 'minimal', 'none'],
    ['o3', 'xhigh', 'high'],
    ['o3', 'low', 'low'],
    ['gpt-5.9', 'max', 'max'],
  ])('for %s with effort %s send %p', async (model, reasoning_effort, wanted) => {
    const asked = await requestSentTo('openai', { model, reasoning_effort });
    expect(asked.body.reasoning_effort).toBe(wanted!);
    expect(asked.dropped).toBe(wanted === undefined ? 'reasoning_effort' : null);
  });
});

test('tokens are counted for the request that would be sent', async () => {
  const input = [
    { role: 'user', content: ' ' },
    U,
    { role: 'user', content: [{ type: 'input_text', text: '\n' }] },
  ];
  const { body } = await requestSentTo(
    'anthropic',
    { model: MODEL, input },
    { path: '/v1/responses/input_tokens' },
  );
  expect(body.messages).toEqual([{ role: 'user', content: [{ type: 'text', text: 'Hi' }] }]);
});

describe('documents and sounds at Mistral', () => {
  const pdf = 'data:application/pdf;base64,JVBERi0xLjQK';
  const file = { type: 'file', file: { file_data: pdf, filename: 'a.pdf' } };
  const document = { type: 'document_url', document_url: pdf, document_name: 'a.pdf' };
  const said = (...content: object[]) => [{ role: 'user', content }];

  test.each([
    ['with a name', file, document],
    [
      'without a type',
      { type: 'file', file: { file_data: 'JVBERi0xLjQK' } },
      { type: 'document_url', document_url: pdf },
    ],
    [
      'by its URL',
      { type: 'file', file: { file_url: 'https://a.example/b.pdf' } },
      { type: 'document_url', document_url: 'https://a.example/b.pdf' },
    ],
    ['stored there', { type: 'file', file: { file_id: '3f2a' } }, { type: 'file', file_id: '3f2a' }],
  ])('a file %s is sent in its form', async (_, given, sent) => {
    const { body } = await requestSentTo('mistral', { model: 'm', messages: said(given) });
    expect(body.messages).toEqual(said(sent));
  });

  test('a file from another API is sent in its form', async () => {
    const source = { type: 'base64', media_type: 'application/pdf', data: 'JVBERi0xLjQK' };
    const messages = said({ type: 'document', source, title: 'a.pdf' });
    const { body } = await requestSentTo(
      'mistral',
      { model: 'm', max_tokens: 9, messages },
      { path: '/v1/messages' },
    );
    expect(body.messages).toEqual(said(document));
  });

  test.each(['openai', 'openai-compatible', 'groq'] as const)(
    'those of its clients reach %s in OpenAI’s form',
    async (type) => {
      const sound = { type: 'input_audio', input_audio: 'UklGRgAAAAA=' };
      const messages = said(document, sound);
      const { body } = await requestSentTo(type, { model: 'm', messages });
      const heard = { type: 'input_audio', input_audio: { data: 'UklGRgAAAAA=', format: 'wav' } };
      expect(body.messages).toEqual(said(file, heard));
      const same = await requestSentTo('mistral', { model: 'm', messages });
      expect(same.body.messages).toEqual(messages);
    },
  );

  test('those of its clients reach Gemini', async () => {
    const messages = said(document, { type: 'input_audio', input_audio: '//uQxAAAAAA=' });
    const { body } = await requestSentTo('gemini', { model: 'gemini-3.5-flash', messages });
    expect(body.contents).toEqual([
      {
        role: 'user',
        parts: [
          { inlineData: { mimeType: 'application/pdf', data: 'JVBERi0xLjQK' } },
          { inlineData: { mimeType: 'audio/mp3', data: '//uQxAAAAAA=' } },
        ],
      },
    ]);
  });
});

test('requests of Mistral’s clients reach other chat servers in OpenAI’s words', async () => {
  const tools = [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }];
  const url = 'data:image/png;base64,iVBORw0KGgo=';
  const thought = { type: 'thinking', thinking: [{ type: 'text', text: 'Hm.' }] };
  const text = { type: 'text', text: 'Hi' };
  const messages = [
    { role: 'user', content: [text, { type: 'image_url', image_url: url }] },
    { role: 'assistant', content: [thought, text] },
    { role: 'assistant', content: [thought] },
    U,
  ];
  const given = { model: 'm', tools, tool_choice: 'any', messages };
  for (const type of ['openai', 'openai-compatible', 'groq'] as const) {
    const { body, dropped } = await requestSentTo(type, given);
    expect([body.tool_choice, dropped]).toEqual(['required', null]);
    expect(body.messages).toEqual([
      { role: 'user', content: [text, { type: 'image_url', image_url: { url } }] },
      { role: 'assistant', content: [text] },
      { role: 'assistant', content: '' },
      U,
    ]);
  }
  expect((await requestSentTo('mistral', given)).body).toEqual(given);
});
