import { expect, test } from 'bun:test';
import OpenAI from 'openai';
import { provider, running } from '../helpers/proxy.ts';
import { upstream } from '../helpers/upstream.ts';

const VECTORS = [
  [0.5, -1, 0.25],
  [1, 2, 3],
];
const answered = (vectors: readonly unknown[]) => ({
  object: 'list',
  model: 'e',
  data: vectors.map((embedding, index) => ({ object: 'embedding', index, embedding })),
  usage: { prompt_tokens: 4, total_tokens: 4 },
});

test('the official client reads embeddings correctly from a server that ignores encoding_format', async () => {
  await using a = upstream(() => Response.json(answered(VECTORS)));
  await using proxy = running({ providers: [provider('a', a.url, { models: ['*'] })] });
  const client = new OpenAI({ baseURL: `${proxy.url}/v1`, apiKey: 'x' });
  const { data, usage } = await client.embeddings.create({ model: 'e', input: ['a', 'b'] });
  expect(data.map(({ embedding }) => embedding)).toEqual(VECTORS);
  expect(usage.prompt_tokens).toBe(4);
  expect((await proxy.recorded(1))[0]).toMatchObject({ lane: 'relay', input_tokens: 4 });
});

test.each([
  ['numbers where numbers were requested', 'float', VECTORS],
  ['base64 unchanged', 'base64', ['AAAAPw==']],
  ['a vector for each token', 'base64', [VECTORS]],
])('a client receives %s', async (_, format, vectors) => {
  const sent = ` ${JSON.stringify(answered(vectors))} `;
  await using a = upstream(() => new Response(sent, { headers: { 'content-type': 'application/json' } }));
  await using proxy = running({ providers: [provider('a', a.url, { models: ['*'] })] });
  const reply = await proxy.post('/v1/embeddings', { model: 'e', input: 'x', encoding_format: format });
  expect(await reply.text()).toBe(sent);
});
