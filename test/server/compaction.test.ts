/** Clients such as Codex have OpenAI shorten a long conversation: what comes back is sealed. */
import { expect, test } from 'bun:test';
import { provider, running } from '../helpers/proxy.ts';
import { upstream } from '../helpers/upstream.ts';

const REQUEST = {
  model: 'gpt-5.1-codex-max',
  instructions: 'Be brief.',
  input: [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Hi' }] }],
};
const ANSWER = JSON.stringify({
  id: 'resp_1',
  object: 'response.compaction',
  created_at: 1,
  output: [{ id: 'cmp_1', type: 'compaction', encrypted_content: 'gAAAA' }],
  usage: { input_tokens: 139, output_tokens: 438, total_tokens: 577 },
});

test('/v1/responses/compact is relayed to OpenAI, and its tokens are known', async () => {
  await using a = upstream(() => new Response(ANSWER, { headers: { 'content-type': 'application/json' } }));
  await using other = upstream(() => new Response('never', { status: 500 }));
  await using proxy = running({
    providers: [
      provider('other', other.url, { models: ['*'] }),
      { name: 'a', type: 'openai', base_url: a.url, api_key: 'sk-test', priority: 2, models: ['*'] },
    ],
  });
  const reply = await proxy.post('/v1/responses/compact', REQUEST);
  expect(await reply.text()).toBe(ANSWER);
  expect(a.asked.map(({ path, text }) => [path, text])).toEqual([
    ['/responses/compact', JSON.stringify(REQUEST)],
  ]);
  // No other could read what comes back.
  expect(other.asked).toEqual([]);
  expect((await proxy.recorded(1))[0]).toMatchObject({
    endpoint: 'responses.compact',
    outcome: 'success',
    input_tokens: 139,
    output_tokens: 438,
  });
});

test('/v1/responses/compact is an error where no provider has it', async () => {
  await using other = upstream(() => new Response('never', { status: 500 }));
  await using proxy = running({ providers: [provider('other', other.url, { models: ['*'] })] });
  const reply = await proxy.post('/v1/responses/compact', REQUEST);
  expect([reply.status, other.asked.length]).toEqual([400, 0]);
});
