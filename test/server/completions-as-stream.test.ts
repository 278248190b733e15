/** Streams of the older completions from servers that answer with one JSON body. */
import { expect, test } from 'bun:test';
import { provider, running } from '../helpers/proxy.ts';
import { upstream } from '../helpers/upstream.ts';

const ASKED = { model: 'gpt-c', prompt: 'hi', stream: true };
const WHOLE = {
  id: 'cmpl-1',
  object: 'text_completion',
  created: 1,
  model: 'gpt-c',
  choices: [{ text: 'Hi there', index: 0, logprobs: null, finish_reason: 'stop' }],
  usage: { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 },
};

test('a completion in one JSON body is passed on as the requested stream', async () => {
  await using a = upstream(() => Response.json(WHOLE));
  await using proxy = running({ providers: [provider('a', a.url)] });
  const response = await proxy.post('/v1/completions', ASKED);
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
  expect(await response.text()).toBe(`data: ${JSON.stringify(WHOLE)}\n\ndata: [DONE]\n\n`);
  expect(await proxy.recorded(1)).toMatchObject([
    { outcome: 'success', finish: 'stop', attempts: 1, input_tokens: 7, output_tokens: 3 },
  ]);
});

test.each([{}, { choices: [] }])('a body without a completion is no stream: %j', async (body) => {
  await using a = upstream(() => Response.json(body));
  await using proxy = running({ providers: [provider('a', a.url, { max_retries: 0 })] });
  const response = await proxy.post('/v1/completions', ASKED);
  expect(response.status).toBe(502);
});
