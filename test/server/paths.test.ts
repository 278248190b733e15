/** The base URLs that users write in their clients: with a slash at the end, with a version too many, of another vendor. */
import { expect, test } from 'bun:test';
import { running } from '../helpers/proxy.ts';
import { upstream } from '../helpers/upstream.ts';

const ASK = { model: 'mock', messages: [{ role: 'user', content: 'Hi' }], max_tokens: 9 };
const CONTENTS = { contents: [{ role: 'user', parts: [{ text: 'Hi' }] }] };

const serving = (server: object = {}) =>
  running({ server: server as never, providers: [{ name: 'mock', type: 'mock' }] });

test.each([
  ['/v1/chat/completions/', ASK],
  ['/v1//chat/completions', ASK],
  ['//v1/chat/completions', ASK],
  ['/v1/v1/chat/completions', ASK],
  ['/v1/v1/messages?beta=true', ASK],
  ['/v1/messages/count_tokens/', ASK],
  ['/chat/completions/', ASK],
  ['/api/v1/chat/completions', ASK],
  ['/anthropic/v1/messages', ASK],
  ['/llm/v1/v1/messages', ASK],
  ['/llm//v1/chat/completions', ASK],
  ['/v1beta/v1beta/models/mock:generateContent', CONTENTS],
  ['/v1/v1beta/models/mock:generateContent', CONTENTS],
])('POST %s is served', async (path, body) => {
  for (const cors of [false, { origins: ['*'] }]) {
    await using proxy = serving({ base_path: '/llm', cors });
    expect((await proxy.post(path, body)).status).toBe(200);
  }
});

test.each(['/v1/rerank', '/v2/rerank', '/v1/v2/rerank'])(
  'POST %s is served, as Cohere’s SDK asks',
  async (path) => {
    await using vendor = upstream(() =>
      Response.json({ id: 'r', results: [{ index: 0, relevance_score: 1 }] }),
    );
    await using proxy = running({
      providers: [{ name: 'c', type: 'cohere', base_url: vendor.url, api_key: 'k', models: ['*'] }],
    });
    const reply = await proxy.post(path, { model: 'rerank-v3.5', query: 'q', documents: ['a'] });
    expect(reply.status).toBe(200);
    expect(vendor.asked.map((call) => call.path)).toEqual(['/v2/rerank']);
  },
);

test.each(['/v1/models/', '/v1/v1/models', '/v1//models'])('GET %s lists the models', async (path) => {
  await using proxy = serving();
  const { data } = (await (await fetch(proxy.url + path)).json()) as { data: { id: string }[] };
  expect(data.map(({ id }) => id)).toContain('mock');
});

test.each(['/metrics/', '/metrics//', '/health//live', '/v1/metrics', '/anthropic/metrics'])(
  '%s is not served: a server in front may hide the page by its path',
  async (path) => {
    await using proxy = serving();
    expect((await fetch(proxy.url + path)).status).toBe(404);
  },
);
