import { expect, test } from 'bun:test';
import { running } from '../helpers/proxy.ts';
import { upstream } from '../helpers/upstream.ts';

test('embeddings from a provider without token counts have unknown usage, and are charged by an estimate', async () => {
  await using a = upstream(() => Response.json({ embeddings: [{ values: [0.5, 1] }] }));
  await using proxy = running({
    providers: [{ name: 'a', type: 'gemini', base_url: a.url, api_key: 'k', models: ['*'] }],
    rate_limits: [{ tokens: 1_000, per: 'hour' }],
  });
  const ask = async () => {
    const reply = await proxy.post('/v1/embeddings', { model: 'e', input: 'some words to be embedded here' });
    expect(reply.status).toBe(200);
    await reply.text();
    return Number(reply.headers.get('x-ratelimit-remaining-tokens'));
  };
  const first = await ask();
  const [record] = await proxy.recorded(1);
  expect(record).toMatchObject({ outcome: 'success', input_tokens: null, cost: null });
  expect(record!.estimate).toMatchObject({ output_tokens: 0 });
  const estimated = record!.estimate!.input_tokens;
  expect(estimated).toBeGreaterThan(5);
  expect(first - (await ask())).toBe(estimated);
});
