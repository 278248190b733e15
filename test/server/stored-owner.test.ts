/** What one key had a provider store cannot be reached by other keys, even where llmproxy stores nothing. */
import { describe, expect, test } from 'bun:test';
import { running } from '../helpers/proxy.ts';

const ALICE = { authorization: 'Bearer alice-key-000000000000' };
const BOB = { authorization: 'Bearer bob-key-00000000000000' };
const AUTH = {
  keys: [
    { name: 'alice', key: 'alice-key-000000000000' },
    { name: 'bob', key: 'bob-key-00000000000000' },
  ],
};

const said = { type: 'model_output', content: [{ type: 'text', text: 'what Alice was told' }] };
const usage = { total_tokens: 2, total_input_tokens: 1, total_output_tokens: 1 };
/** The id comes after all content, which itself contains other ids. */
const interaction = (id: string) => ({
  steps: [{ type: 'function_call', id: 'call', name: 'f', arguments: { id: 'v1_named' } }, said],
  object: 'interaction',
  model: 'gemini-x',
  status: 'completed',
  usage,
  id,
});
const event = (value: { event_type: string }) =>
  `event: ${value.event_type}\ndata: ${JSON.stringify(value)}\n\n`;
const streamed = (id: string) =>
  [
    event({ event_type: 'interaction.created', interaction: { id, model: 'gemini-x' } } as never),
    event({ event_type: 'step.start', index: 0, step: { type: 'model_output' } } as never),
    event({ event_type: 'step.delta', index: 0, delta: { type: 'text', text: 'hi' } } as never),
    event({ event_type: 'step.stop', index: 0 } as never),
    event({
      event_type: 'interaction.completed',
      interaction: { id, model: 'gemini-x', status: 'completed', usage },
    } as never),
  ].join('');

const response = (id: string) => ({
  id,
  object: 'response',
  created_at: 1,
  status: 'completed',
  model: 'gpt-5',
  store: true,
  output: [
    {
      type: 'message',
      id: 'msg_1',
      role: 'assistant',
      status: 'completed',
      content: [{ type: 'output_text', text: 'hi', annotations: [] }],
    },
  ],
});

/** A provider that stores its answers, and answers every request for a stored object. */
function storing() {
  const asked: string[] = [];
  let made = 0;
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    async fetch(request) {
      const path = new URL(request.url).pathname;
      const body = await request.text();
      asked.push(`${request.method} ${path} ${body}`);
      if (request.method !== 'POST' || path.endsWith('cancel')) return Response.json({ told: true });
      made += 1;
      if (path.endsWith('/responses')) return Response.json(response(`resp_${made}`));
      return body.includes('"stream":true')
        ? new Response(streamed(`v1_${made}`), { headers: { 'content-type': 'text/event-stream' } })
        : Response.json(interaction(`v1_${made}`));
    },
  });
  const url = `http://127.0.0.1:${server.port}`;
  return { url, asked, [Symbol.asyncDispose]: () => server.stop(true) };
}

describe.each([
  ['interactions', '/v1beta/interactions', 'previous_interaction_id', {}],
  ['streamed interactions', '/v1beta/interactions', 'previous_interaction_id', { stream: true }],
  ['responses', '/v1/responses', 'previous_response_id', {}],
])('%s', (_, path, param, more) => {
  test('of one key are neither shown, deleted nor continued for another key', async () => {
    await using provider = storing();
    const shared = { base_url: provider.url, api_key: 'none-at-all', models: ['m'], max_retries: 0 };
    await using proxy = running({
      auth: AUTH,
      responses: { store: 'never' },
      providers: [
        path === '/v1/responses'
          ? { name: 'p', type: 'openai', ...shared, base_url: `${provider.url}/v1` }
          : { name: 'p', type: 'gemini', ...shared },
      ],
    });
    const create = (headers: Record<string, string>, previous?: string) =>
      proxy.post(
        path,
        { model: 'm', input: 'hello', ...more, ...(previous && { [param]: previous }) },
        { headers },
      );
    const first = await create(ALICE);
    const id = /"((?:v1|resp)_1)"/.exec(await first.text())![1]!;
    await proxy.recorded(1);
    const stored = (method: string, below: string, headers: Record<string, string>) =>
      fetch(`${proxy.url}${path}/${below}`, { method, headers });
    const before = provider.asked.length;
    for (const [method, below] of [
      ['GET', id],
      ['DELETE', id],
      ['POST', `${id}/cancel`],
    ] as const)
      expect([method, (await stored(method, below, BOB)).status]).toEqual([method, 404]);
    expect((await create(BOB, id)).status).toBeOneOf([400, 404]);
    expect(provider.asked.length).toBe(before);
    expect((await stored('GET', id, ALICE)).status).toBe(200);
    expect((await create(ALICE, id)).status).toBe(200);
  });
});

test('a conversation that a provider has created for one key is out of reach for others', async () => {
  const asked: string[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    async fetch(request) {
      const path = new URL(request.url).pathname;
      asked.push(`${request.method} ${path} ${await request.text()}`);
      return path.endsWith('/responses')
        ? Response.json(response('resp_9'))
        : Response.json({ id: 'conv_1', object: 'conversation', created_at: 1, metadata: {} });
    },
  });
  await using provider = { [Symbol.asyncDispose]: () => server.stop(true) };
  void provider;
  await using proxy = running({
    auth: AUTH,
    responses: { store: 'never' },
    providers: [
      {
        name: 'p',
        type: 'openai',
        base_url: `http://127.0.0.1:${server.port}/v1`,
        api_key: 'none-at-all',
        models: ['m'],
        max_retries: 0,
      },
    ],
  });
  const created = await proxy.post('/v1/conversations', {}, { headers: ALICE });
  expect(await created.json()).toMatchObject({ id: 'conv_1' });
  const before = asked.length;
  const at = `${proxy.url}/v1/conversations/conv_1`;
  for (const [method, path] of [
    ['GET', at],
    ['DELETE', at],
    ['GET', `${at}/items`],
  ] as const)
    expect((await fetch(path, { method, headers: BOB })).status).toBe(404);
  const continued = (headers: Record<string, string>, conversation: unknown) =>
    proxy.post('/v1/responses', { model: 'm', input: 'hi', conversation }, { headers });
  for (const conversation of ['conv_1', { id: 'conv_1' }])
    expect((await continued(BOB, conversation)).status).toBeOneOf([400, 404]);
  expect(asked.length).toBe(before);
  expect((await fetch(at, { headers: ALICE })).status).toBe(200);
  expect((await continued(ALICE, { id: 'conv_1' })).status).toBe(200);
});

test('an id that is only mentioned in an answer is not bound to a key', async () => {
  await using provider = storing();
  await using proxy = running({
    auth: AUTH,
    providers: [{ name: 'p', type: 'gemini', base_url: provider.url, api_key: 'none-at-all', models: ['m'] }],
  });
  await proxy.post('/v1beta/interactions', { model: 'm', input: 'hello' }, { headers: ALICE });
  await proxy.recorded(1);
  // The id has no known owner, so the only provider that may know it is asked for either key.
  for (const headers of [ALICE, BOB])
    expect((await fetch(`${proxy.url}/v1beta/interactions/v1_named`, { headers })).status).toBe(200);
});
