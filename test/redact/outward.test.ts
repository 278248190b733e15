/** Requests on their way to a provider: what is found in them, where, and what is unchanged. */
import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { OutwardRule } from '../../src/config/schema/redaction.ts';
import type { JsonObject } from '../../src/wire/json.ts';
import { REDACT_KINDS } from '../../src/config/redact-kinds.ts';
import { redactRequest } from '../../src/redact/outward/redact-request.ts';
import { Unsearchable } from '../../src/redact/outward/request-walk.ts';
import { bothRules } from '../../src/redact/outward/rule.ts';

const RULE: OutwardRule = {
  kinds: REDACT_KINDS,
  patterns: [{ name: 'ticket', pattern: 'TCK-\\d+' }],
  restore: false,
  media: 'refuse',
  timeout: 5_000,
};

function redacted(request: object, rule: Partial<OutwardRule> = {}) {
  const { bytes, values, counts } = redactRequest(new TextEncoder().encode(JSON.stringify(request)), {
    ...RULE,
    ...rule,
  });
  const value = bytes ? (JSON.parse(new TextDecoder().decode(bytes)) as JsonObject) : undefined;
  return { value, values: Object.fromEntries(values), counts };
}

/** Requests of every protocol with an address in each place that can contain one, as they are sent. */
const MAIL = 'ann@corp.example.com';
const PLACES: readonly (readonly [string, (mail: string) => object])[] = [
  [
    'chat',
    (mail) => ({
      model: 'gpt-4o',
      messages: [
        { role: 'system', content: `Help ${mail}.` },
        { role: 'user', name: mail, content: [{ type: 'text', text: `I am ${mail}` }] },
        {
          role: 'assistant',
          content: null,
          reasoning_content: `It is ${mail}`,
          tool_calls: [
            { id: 'call_1', type: 'function', function: { name: 'send', arguments: `{"to": "${mail}"}` } },
          ],
        },
        { role: 'tool', tool_call_id: 'call_1', content: `Sent to ${mail}` },
      ],
      tools: [
        {
          type: 'function',
          function: {
            name: 'send',
            description: `Not for ${mail}`,
            parameters: { type: 'object', properties: { to: { enum: [mail] } } },
          },
        },
      ],
      stop: [mail],
      user: mail,
      metadata: { owner: mail },
      prediction: { type: 'content', content: mail },
    }),
  ],
  ['completions', (mail) => ({ model: 'm', prompt: `Write to ${mail}`, suffix: mail })],
  ['completions of several', (mail) => ({ model: 'm', prompt: [`Write to ${mail}`, 'x'] })],
  [
    'messages',
    (mail) => ({
      model: 'claude',
      max_tokens: 10,
      system: [{ type: 'text', text: mail, cache_control: { type: 'ephemeral' } }],
      messages: [
        { role: 'user', content: mail },
        {
          role: 'assistant',
          content: [
            { type: 'thinking', thinking: mail, signature: '' },
            { type: 'tool_use', id: 'toolu_1', name: 'send', input: { to: mail, [mail]: 1 } },
          ],
        },
        {
          role: 'user',
          content: [
            { type: 'tool_result', tool_use_id: 'toolu_1', content: [{ type: 'text', text: mail }] },
            {
              type: 'document',
              title: mail,
              context: mail,
              source: { type: 'text', media_type: 'text/plain', data: mail },
            },
            { type: 'search_result', source: mail, title: mail, content: [{ type: 'text', text: mail }] },
          ],
        },
      ],
      tools: [
        {
          name: 'send',
          description: mail,
          input_schema: { type: 'object', properties: { to: { description: mail } } },
        },
      ],
      metadata: { user_id: mail },
    }),
  ],
  [
    'responses',
    (mail) => ({
      model: 'gpt-5',
      instructions: mail,
      input: [
        { role: 'user', content: [{ type: 'input_text', text: mail }] },
        { type: 'reasoning', id: 'rs_1', summary: [{ type: 'summary_text', text: mail }] },
        { type: 'function_call', id: 'fc_1', call_id: 'c', name: 'f', arguments: `{"a":"${mail}"}` },
        { type: 'function_call_output', call_id: 'c', output: mail },
        { type: 'custom_tool_call', call_id: 'd', name: 'g', input: mail },
      ],
      tools: [{ type: 'function', name: 'f', description: mail, parameters: { type: 'object' } }],
      text: { format: { type: 'json_schema', name: 's', schema: { description: mail } } },
      safety_identifier: mail,
    }),
  ],
  ['responses in one text', (mail) => ({ model: 'gpt-5', input: mail })],
  [
    'gemini',
    (mail) => ({
      systemInstruction: { parts: [{ text: mail }] },
      contents: [
        { role: 'user', parts: [{ text: mail }] },
        { role: 'model', parts: [{ functionCall: { name: 'f', args: { to: mail } } }] },
        {
          role: 'user',
          parts: [{ functionResponse: { name: 'f', response: { text: mail, [mail]: true } } }],
        },
      ],
      tools: [
        { functionDeclarations: [{ name: 'f', description: mail, parameters: { description: mail } }] },
      ],
    }),
  ],
  [
    'ollama',
    (mail) => ({
      model: 'm',
      messages: [
        { role: 'user', content: mail },
        {
          role: 'assistant',
          content: '',
          tool_calls: [{ function: { name: 'f', arguments: { to: mail } } }],
        },
        { role: 'tool', tool_name: 'f', content: mail },
      ],
      format: { type: 'object', properties: { to: { description: mail } } },
    }),
  ],
  ['ollama generate', (mail) => ({ model: 'm', system: mail, prompt: mail, suffix: mail })],
  ['embeddings', (mail) => ({ model: 'e', input: ['x', mail] })],
  ['embeddings of Gemini', (mail) => ({ requests: [{ model: 'e', content: { parts: [{ text: mail }] } }] })],
  ['moderations', (mail) => ({ model: 'e', input: [{ type: 'text', text: mail }] })],
  ['rerank', (mail) => ({ model: 'e', query: mail, documents: [mail, { text: mail }] })],
  ['speech', (mail) => ({ model: 'e', input: mail, voice: 'alloy', instructions: mail })],
  [
    'a field that nobody knows',
    (mail) => ({ model: 'm', input: 'x', brand_new: { deep: [{ er: mail, [mail]: 1 }] }, [mail]: 2 }),
  ],
];

describe('redactRequest() searches the text in', () => {
  test.each(PLACES)('%s', (_name, request) => {
    const { value, values } = redacted(request(MAIL));
    expect(value).toEqual(request('[EMAIL_1]') as JsonObject);
    expect(values).toEqual({ '[EMAIL_1]': MAIL });
  });
});

test('redactRequest() leaves no address in any text of a request, whatever its shape, or rejects the request', () => {
  const FIELDS =
    'messages content role text type input output arguments args parts contents tools function parameters system source url image_url metadata schema x thinking summary';
  const field = fc.constantFrom(MAIL, ...FIELDS.split(' '));
  const type = fc.constantFrom(
    'text',
    'image',
    'tool_use',
    'tool_result',
    'document',
    'message',
    'reasoning',
    'thinking',
  );
  const text = fc.oneof(
    fc.constantFrom(
      MAIL,
      `to ${MAIL}.`,
      `{"to": "${MAIL}"}`,
      `[[{"a":"{\\"b\\":\\"${MAIL}\\"}"}]]`,
      'ann@cor',
      'p.example.com',
      'hi',
    ),
    fc.string({ maxLength: 5 }),
  );
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 5 },
      text,
      fc.array(tie('value'), { maxLength: 4 }),
      fc
        .tuple(fc.dictionary(field, tie('value'), { maxKeys: 4 }), fc.option(type, { nil: undefined }))
        .map(([object, kind]) => (kind === undefined ? object : { ...object, type: kind })),
    ),
  }));
  fc.assert(
    fc.property(fc.dictionary(field, value, { maxKeys: 4 }), (request) => {
      let left: string;
      try {
        const { bytes } = redactRequest(new TextEncoder().encode(JSON.stringify(request)), {
          ...RULE,
          kinds: ['email'],
        });
        left = bytes ? new TextDecoder().decode(bytes) : JSON.stringify(request);
      } catch (error) {
        expect(error).toBeInstanceOf(Unsearchable);
        return;
      }
      expect(left).not.toContain(MAIL);
    }),
    { numRuns: 2_000 },
  );
});

test('redactRequest() counts replacements by kind, and leaves a request without values to hide unchanged', () => {
  const { counts } = redacted({ input: `${MAIL}, ${MAIL}, TCK-7, +49 151 23456789` });
  expect(counts).toEqual({ email: 2, ticket: 1, phone: 1 });
  expect(redacted({ input: 'hello' })).toEqual({ value: undefined, values: {}, counts: {} });
});

test('redactRequest() leaves ids, names and other protocol fields unchanged, whatever they look like', () => {
  const number = '4111111111111111';
  const request = {
    model: number,
    input: [{ type: 'function_call', id: number, call_id: number, name: number, arguments: '{}' }],
    temperature: 0.5,
    seed: Number(number),
    previous: 'x',
  };
  expect(redacted(request).value).toBeUndefined();
});

test('redactRequest() hides numbers in content, and keeps the digits of other numbers', () => {
  const text =
    '{"model":"m","messages":[{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{"card":4111111111111111,"n":12345678901234567890}}]}]}';
  const { bytes } = redactRequest(new TextEncoder().encode(text), RULE);
  expect(new TextDecoder().decode(bytes)).toBe(text.replace('4111111111111111', '"[CARD_1]"'));
});

test('redactRequest() searches JSON within a text field by field, and keeps its formatting', () => {
  const json =
    '{ "to" : "ann\\u0040corp.example.com",\n  "password":\t"geheim99", "n": 1.50, "in": "{\\"to\\": \\"bob@corp.example.com\\"}" }';
  const { value, values } = redacted({ input: json });
  expect(value!.input).toBe(
    '{ "to" : "[EMAIL_1]",\n  "password":\t"[KEY_1]", "n": 1.50, "in": "{\\"to\\": \\"[EMAIL_2]\\"}" }',
  );
  expect(values).toEqual({ '[EMAIL_1]': MAIL, '[KEY_1]': 'geheim99', '[EMAIL_2]': 'bob@corp.example.com' });
});

test('redactRequest() hides a value that spans several parts as a whole, and leaves no part empty', () => {
  const parts = ['Write to ann@cor', 'p.example.com', ' now'].map((text) => ({ type: 'text', text }));
  const { value } = redacted({ messages: [{ role: 'user', content: parts }] });
  expect(value!.messages).toEqual([
    {
      role: 'user',
      content: [
        { type: 'text', text: 'Write to [EMAIL_1]' },
        { type: 'text', text: ' now' },
      ],
    },
  ]);
});

test('redactRequest() hides a value recognized by its context in places without that context too', () => {
  const messages = [
    { role: 'user', content: 'My BSN is 123456782.' },
    { role: 'assistant', content: 'So it ends on 2: 123456782x' },
  ];
  const { value, counts } = redacted({ messages });
  expect(value!.messages).toEqual([
    { role: 'user', content: 'My BSN is [NATIONAL_ID_1].' },
    { role: 'assistant', content: 'So it ends on 2: [NATIONAL_ID_1]x' },
  ]);
  expect(counts).toEqual({ national_id: 2 });
});

test('redactRequest() leaves a short secret unchanged in other places, where it may be an ordinary word', () => {
  const { value } = redacted({
    messages: [{ content: '{"password":"admin"}' }, { content: 'the admin says' }],
  });
  expect(value!.messages).toEqual([{ content: '{"password":"[KEY_1]"}' }, { content: 'the admin says' }]);
});

test('redactRequest() gives values the same placeholders as a conversation continues', () => {
  const system = 'Support: help@corp.example.com';
  const first = [{ role: 'user', content: `${MAIL} and bob@corp.example.com` }];
  const later = [
    ...first,
    { role: 'assistant', content: `Hello ${MAIL}` },
    { role: 'user', content: 'and eve@corp.example.com' },
  ];
  const ask = (messages: object[]) => redacted({ model: 'm', messages, system });
  const [one, two] = [ask(first), ask(later)];
  expect(two.value!.system).toBe(one.value!.system as string);
  expect((two.value!.messages as object[])[0]).toEqual((one.value!.messages as object[])[0]!);
  expect(two.values).toMatchObject(one.values);
  expect((two.value!.messages as object[])[2]).toEqual({ role: 'user', content: 'and [EMAIL_4]' });
});

test('redactRequest() gives each spelling of a value its own placeholder, so that it is restored exactly', () => {
  const { values } = redacted({ input: 'Ann@corp.example.com, ann@corp.example.com' });
  expect(values).toEqual({ '[EMAIL_1]': 'Ann@corp.example.com', '[EMAIL_2]': MAIL });
});

test('redactRequest() does not reuse the client’s own placeholders, but reuses one that a model repeats in its reasoning', () => {
  const ask = (message: object) =>
    redacted(
      {
        messages: [
          { role: 'user', content: MAIL },
          { role: 'assistant', ...message },
        ],
      },
      { restore: true },
    ).values;
  expect(ask({ content: 'see [EMAIL_1]' })).toEqual({ '[EMAIL_2]': MAIL });
  expect(
    ask({
      content: [
        { type: 'text', text: 'see [EMA' },
        { type: 'text', text: 'IL_1]' },
      ],
    }),
  ).toEqual({ '[EMAIL_2]': MAIL });
  for (const reasoning of [
    { reasoning_content: '[EMAIL_1]' },
    { reasoning_details: [{ type: 'reasoning.text', text: '[EMAIL_1]' }] },
    { content: [{ type: 'thinking', thinking: '[EMAIL_1]', signature: '' }] },
    { content: [{ type: 'reasoning', summary: [{ text: '[EMAIL_1]' }] }] },
  ])
    expect(ask(reasoning)).toEqual({ '[EMAIL_1]': MAIL });
});

test('redactRequest() leaves blocks that a provider signed or encrypted unchanged, but not those that llmproxy sealed', () => {
  const signed = { type: 'thinking', thinking: MAIL, signature: 'RXZl' };
  const sealed = { type: 'thinking', thinking: MAIL, signature: 'llmproxy:e30=' };
  const encrypted = { type: 'reasoning', id: 'rs', summary: [{ text: MAIL }], encrypted_content: 'gAAAAA' };
  const detail = { type: 'reasoning.text', text: MAIL, signature: 'RXZl' };
  const { value } = redacted({ messages: [{ content: [signed, sealed, encrypted, detail] }] });
  expect((value!.messages as { content: object[] }[])[0]!.content).toEqual([
    signed,
    { ...sealed, thinking: '[EMAIL_1]' },
    encrypted,
    detail,
  ]);
});

describe('content that cannot be searched', () => {
  const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } };
  const media: readonly (readonly [string, object, string])[] = [
    ['chat image', { messages: [{ content: [image] }] }, 'an image in messages[0].content[0]'],
    [
      'chat recording',
      { messages: [{ content: [{ type: 'input_audio', input_audio: { data: 'AA', format: 'wav' } }] }] },
      'a recording in messages[0].content[0]',
    ],
    [
      'chat file',
      { messages: [{ content: [{ type: 'file', file: { file_id: 'file_1' } }] }] },
      'a file in messages[0].content[0]',
    ],
    [
      'messages image in a tool result',
      {
        messages: [
          {
            content: [
              {
                type: 'tool_result',
                content: [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AA' } }],
              },
            ],
          },
        ],
      },
      'an image in messages[0].content[0].content[0]',
    ],
    [
      'messages document',
      { messages: [{ content: [{ type: 'document', source: { type: 'base64', data: 'AA' } }] }] },
      'a document in messages[0].content[0]',
    ],
    [
      'responses image',
      { input: [{ role: 'user', content: [{ type: 'input_image', image_url: 'https://a.example/b.png' }] }] },
      'an image in input[0].content[0]',
    ],
    [
      'gemini data',
      { contents: [{ parts: [{ inlineData: { mimeType: 'image/png', data: 'AA' } }] }] },
      'a file in contents[0].parts[0].inlineData',
    ],
    ['ollama images', { messages: [{ content: 'x', images: ['AA'] }] }, 'an image in messages[0].images'],
    ['images to be edited', { prompt: 'x', image: 'data:image/png;base64,AA' }, 'an image in image'],
  ];
  test.each(media)('is rejected with its position: %s', (_name, request, what) => {
    expect(() => redacted(request)).toThrow(what);
  });

  test.each(media)(
    'is passed on unchanged with media: pass, but its name is searched: %s',
    (_name, request) => {
      expect(redacted(request, { media: 'pass' }).value).toBeUndefined();
    },
  );

  test('has its file names searched', () => {
    const file = {
      type: 'file',
      file: { file_data: 'data:text/plain;base64,AAAA', filename: `CV of ${MAIL}` },
    };
    const { value } = redacted({ messages: [{ content: [file] }] }, { media: 'pass' });
    expect(JSON.stringify(value)).toContain('"filename":"CV of [EMAIL_1]"');
  });

  test.each([
    ['a response that the provider has stored', { previous_response_id: 'resp_1', input: 'x' }],
    ['a conversation that the provider has stored', { conversation: 'conv_1', input: 'x' }],
    ['an item that the provider has stored', { input: [{ type: 'item_reference', id: 'msg_1' }] }],
    ['tokens in place of text', { prompt: [1, 2, 3] }],
    ['tokens in place of text', { input: [[1, 2], [3]] }],
    ['the tokens of an earlier answer', { prompt: 'x', context: [1, 2] }],
  ])('is rejected even with media: pass: %s', (what, request) => {
    expect(() => redacted(request, { media: 'pass' })).toThrow(what);
  });
});

test('redactRequest() passes on no unsearched value of a duplicate key', () => {
  const text = '{"model":"m","messages":[{"content":"ann@corp.example.com","content":"hi"}],"user":":"}';
  const { bytes, counts } = redactRequest(new TextEncoder().encode(text), RULE);
  expect(new TextDecoder().decode(bytes)).toBe('{"model":"m","messages":[{"content":"hi"}],"user":":"}');
  expect(counts).toEqual({});
});

test('redactRequest() hides a secret that looks like a placeholder of another redaction', () => {
  const content = '{"password": "HUNTER_42", "card": "[A_4111111111111111]"}';
  const { value } = redacted({ messages: [{ content }] });
  expect(value!.messages).toEqual([{ content: '{"password": "[KEY_1]", "card": "[A_[CARD_1]]"}' }]);
});

test('redactRequest() takes time in proportion to the size of the request', () => {
  const LINES = 8_000;
  /** The CPU time for all lines, with this many in each request. */
  const ask = (count: number) => {
    const lines = Array.from({ length: count }, (_, n) => `${n}: ann${n}@corp.example.com is not ann@x`);
    const messages = [
      { role: 'user', content: lines.join('\n') },
      { role: 'user', content: lines.join(' ') },
    ];
    const before = process.threadCpuUsage();
    for (let done = 0; done < LINES; done += count) redacted({ messages });
    return process.threadCpuUsage(before).user;
  };
  const best = (count: number) => Math.min(...Array.from({ length: 3 }, () => ask(count)));
  // Quadratic work would take 16 times as long.
  expect(best(LINES) / best(LINES / 16)).toBeLessThan(6);
});

test('bothRules() hides what either rule hides, and otherwise uses the stricter setting', () => {
  const route: OutwardRule = { kinds: ['email'], patterns: [], restore: true, media: 'pass', timeout: 9_000 };
  const provider: OutwardRule = { ...RULE, kinds: ['card'], media: 'refuse' };
  expect(bothRules(route, provider)).toEqual({
    kinds: ['email', 'card'],
    patterns: RULE.patterns,
    restore: true,
    media: 'refuse',
    timeout: 5_000,
  });
  expect(bothRules(undefined, provider)).toBe(provider);
});
