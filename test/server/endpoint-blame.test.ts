/** Requests for an endpoint that a provider does not have must not affect its other endpoints. */
import { expect, test } from 'bun:test';
import { running } from '../helpers/proxy.ts';
import { completion, upstream } from '../helpers/upstream.ts';

const EMBEDDINGS: Readonly<Record<string, (text: string) => object>> = {
  '/v1/embeddings': (text) => ({ model: 'up/m', input: text }),
  '/api/embed': (text) => ({ model: 'up/m', input: text }),
  '/v1beta/models/up/m:embedContent': (text) => ({ content: { parts: [{ text }] } }),
};

const ANSWERS: Readonly<Record<string, () => Response>> = {
  'an error in a 200': () => Response.json({ error: 'Unexpected endpoint' }),
  'anything in a 200': () => Response.json({ hi: 1 }),
  'a 500': () => Response.json({ error: { message: 'internal error' } }, { status: 500 }),
};
const cases = Object.keys(EMBEDDINGS).flatMap((path) =>
  Object.keys(ANSWERS).map((kind) => [path, kind] as const),
);

test.each(cases)('failures of %s with %s do not affect chat', async (path, kind) => {
  await using provider = upstream(({ path: asked }) =>
    asked.endsWith('/chat/completions') ? completion('hi') : ANSWERS[kind]!(),
  );
  const name = 'up';
  const type = 'openai-compatible';
  await using proxy = running({
    providers: [{ name, type, base_url: provider.url, api_key: 'x', models: ['*'], max_retries: 0 }],
  });
  const post = (at: string, body: object) =>
    fetch(proxy.url + at, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  for (let n = 0; n < 12; n += 1) {
    const reply = await post(path, EMBEDDINGS[path]!(`text ${n}`));
    expect([500, 502, 503]).toContain(reply.status);
    await reply.text();
  }
  const asked = provider.asked.length;
  expect(asked).toBeLessThan(12);
  const said = await post('/v1/chat/completions', {
    model: 'up/m',
    messages: [{ role: 'user', content: 'hi' }],
  });
  expect(said.status).toBe(200);
});
