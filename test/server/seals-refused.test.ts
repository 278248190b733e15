/** Providers that unexpectedly refuse the reasoning returned to them are asked once more without it. */
import { expect, test } from 'bun:test';
import type { ConfigInput } from '../../src/config/schema.ts';
import type { JsonObject } from '../../src/wire/json.ts';
import { running } from '../helpers/proxy.ts';
import { SPEAKERS } from '../helpers/speakers.ts';
import { upstream } from '../helpers/upstream.ts';

type Type = ConfigInput['providers'][number]['type'];

const thinking = { type: 'thinking', thinking: 'Hm.', signature: 'RXZlcnkgb3RoZXIga2V5' };
const use = { type: 'tool_use', id: 'a', name: 'f', input: {} };
const result = { type: 'tool_result', tool_use_id: 'a', content: 'x' };
const turns = [
  { role: 'user', content: 'go' },
  { role: 'assistant', content: [thinking, use] },
  { role: 'user', content: [result] },
];
const messages = {
  model: 'claude-sonnet-4-5',
  max_tokens: 4_096,
  thinking: { type: 'enabled', budget_tokens: 1_024 },
  messages: turns,
};
const responses = {
  model: 'gpt-5',
  input: [
    { role: 'user', content: 'go' },
    { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'gAAAAA' },
    { type: 'function_call', id: 'fc_1', call_id: 'a', name: 'f', arguments: '{}' },
    { type: 'function_call_output', call_id: 'a', output: 'x' },
  ],
};

/** A provider that refuses requests which match this pattern. */
const refusing = (type: Type, words: RegExp, refusal: object) =>
  upstream(({ text }) => {
    const { whole } = Object.values(SPEAKERS).find((speaker) => speaker.type === type)!;
    return words.test(text) ? Response.json(refusal, { status: 400 }) : Response.json(whole);
  });

const at = (type: Type, url: string) => ({
  providers: [{ name: 'p', type, base_url: url, api_key: 'k', models: ['*'], max_retries: 0 }],
});

const anthropics = (message: string) => ({
  type: 'error',
  error: { type: 'invalid_request_error', message },
});
const SIGNATURE = 'messages.1.content.0: Invalid `signature` in `thinking` block';

test.each<[string, Type, RegExp, object, string, object, (body: JsonObject) => unknown, unknown]>([
  [
    'relayed to Anthropic',
    'anthropic',
    /signature/,
    anthropics(SIGNATURE),
    '/v1/messages',
    messages,
    ({ messages: said, thinking: asked }) => [said, asked],
    // Claude refuses to think in a turn that does not begin with thinking, so thinking is off as well.
    [[turns[0], { role: 'assistant', content: [use] }, turns[2]], undefined],
  ],
  [
    'translated for Bedrock',
    'bedrock',
    /signature/,
    {
      message:
        'The model returned the following errors: messages.1.content.0: Invalid `signature` in `thinking` block',
    },
    '/v1/messages',
    { ...messages, thinking: undefined },
    ({ messages: said }) => (said as JsonObject[])[1]!.content,
    [{ toolUse: { toolUseId: 'a', name: 'f', input: {} } }],
  ],
  [
    'relayed to a Responses server',
    'perplexity',
    /encrypted_content/,
    {
      error: {
        message: 'The encrypted content gAAA... could not be verified.',
        type: 'invalid_request_error',
        param: null,
        code: 'invalid_encrypted_content',
      },
    },
    '/v1/responses',
    responses,
    ({ input }) => input,
    [
      responses.input[0],
      { type: 'function_call', call_id: 'a', name: 'f', arguments: '{}' },
      responses.input[3],
    ],
  ],
])(
  '%s: the second request has no reasoning',
  async (_, type, words, refusal, path, request, taken, wanted) => {
    await using provider = refusing(type, words, refusal);
    await using proxy = running(at(type, provider.url));
    expect((await proxy.post(path, request)).status).toBe(200);
    expect(taken(JSON.parse(provider.asked[1]!.text) as JsonObject)).toEqual(wanted);
    const [record] = await proxy.recorded(1);
    expect(record?.attempt_log.map(({ fault }) => fault)).toEqual(['seals_refused', null]);
  },
);

test('a provider that refuses the second request too is not asked a third time', async () => {
  await using provider = refusing('anthropic', /./, anthropics(SIGNATURE));
  await using proxy = running(at('anthropic', provider.url));
  const reply = await proxy.post('/v1/messages', messages);
  expect([reply.status, provider.asked.length]).toEqual([400, 2]);
  expect(await reply.json()).toMatchObject({
    error: { message: expect.stringContaining('Invalid `signature`') },
  });
});

test('a request that returns no reasoning is not repeated when it is refused', async () => {
  await using provider = refusing('anthropic', /./, anthropics('the signature of the tool is wrong'));
  await using proxy = running(at('anthropic', provider.url));
  const reply = await proxy.post('/v1/messages', { ...messages, messages: turns.slice(0, 1) });
  expect([reply.status, provider.asked.length]).toEqual([400, 1]);
});

test('thinking without Anthropic’s signature is not sent to Anthropic after a failover', async () => {
  let down = false;
  await using first = upstream(() => {
    if (down) return new Response('', { status: 503 });
    const message = {
      role: 'assistant',
      content: null,
      reasoning_content: 'Hm.',
      tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }],
    };
    return Response.json({ id: 'c', choices: [{ index: 0, message, finish_reason: 'tool_calls' }] });
  });
  await using second = upstream(() => Response.json(SPEAKERS.messages.whole));
  await using proxy = running({
    providers: [
      { name: 'a', type: 'openai-compatible', base_url: first.url, models: ['m'], max_retries: 0 },
      {
        name: 'b',
        type: 'anthropic',
        base_url: second.url,
        api_key: 'k',
        models: [{ name: 'm', upstream: 'claude-sonnet-4-5' }],
        priority: 2,
      },
    ],
  });
  const ask = (said: object[]) => proxy.post('/v1/messages', { ...messages, model: 'm', messages: said });
  const { content } = (await (await ask(turns.slice(0, 1))).json()) as { content: JsonObject[] };
  expect(content).toMatchObject([
    { type: 'thinking', signature: '' },
    { type: 'tool_use', id: 'a' },
  ]);
  down = true;
  expect((await ask([turns[0]!, { role: 'assistant', content }, turns[2]!])).status).toBe(200);
  expect(JSON.parse(second.asked[0]!.text)).toMatchObject({
    messages: [turns[0], { role: 'assistant', content: [{ type: 'tool_use', id: 'a' }] }, turns[2]],
  });
});

const LACKED = {
  error: {
    code: 400,
    message: 'Function call is missing a thought_signature in functionCall parts.',
    status: 'INVALID_ARGUMENT',
  },
};
const CALLED = [
  { role: 'user', content: 'go' },
  {
    role: 'assistant',
    content: null,
    tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }],
  },
  { role: 'tool', tool_call_id: 'a', content: 'x' },
];
const PARTS = [
  { role: 'user', parts: [{ text: 'go' }] },
  { role: 'model', parts: [{ functionCall: { name: 'f', args: {} } }] },
  { role: 'user', parts: [{ functionResponse: { name: 'f', response: { result: 'x' } } }] },
];

test.each([
  ['translated', '/v1/chat/completions', { model: 'gemini-2.5-flash', messages: CALLED }],
  ['relayed', '/v1beta/models/gemini-2.5-flash:generateContent', { contents: PARTS }],
])(
  'a model before Gemini 3 that demands signatures gets placeholders from then on: %s',
  async (_, path, body) => {
    const PLACEHOLDER = 'skip_thought_signature_validator';
    await using a = upstream(({ text }) =>
      text.includes(PLACEHOLDER)
        ? Response.json(SPEAKERS.gemini.whole)
        : Response.json(LACKED, { status: 400 }),
    );
    await using proxy = running(at('gemini', a.url));
    for (const asked of [2, 3]) {
      expect((await proxy.post(path, body)).status).toBe(200);
      expect(a.asked).toHaveLength(asked);
    }
  },
);
