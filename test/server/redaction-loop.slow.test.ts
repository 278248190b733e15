/** A request with very many values to redact does not delay others: what was found is read in turns. */
import { afterAll, expect, test } from 'bun:test';
import { cleared } from '../helpers/binary.ts';
import { serveMeasured } from '../helpers/loop.ts';
import { provider } from '../helpers/proxy.ts';
import { chatStream, completion, upstream } from '../helpers/upstream.ts';

/** The most of the work that may be done without serving others: it was 53 %, or 65 % for a stream, and is 8 %. */
const MOST = 0.3;

const VALUES = 100_000;
const CONTENT = Array.from({ length: VALUES }, (_, n) => `user${n}@example${n % 1_000}.com`).join(' ');
/** Its first piece ends within a placeholder. */
const ANSWER = ['see [EMAIL_', '7] and [EMAIL_', `${VALUES}]`];

const one = upstream(({ text }) =>
  text.includes('"stream":true')
    ? new Response(chatStream(ANSWER, 'stop'), { headers: { 'content-type': 'text/event-stream' } })
    : completion(ANSWER.join('')),
);
const serving = await serveMeasured({
  providers: [provider('one', one.url, { redact: { out: ['email'], restore: true, timeout: '60s' } })],
});

afterAll(async () => {
  cleared();
  await one[Symbol.asyncDispose]();
});

test.each([false, true])('the values of a request are read in turns (streamed: %p)', async (stream) => {
  const ask = () =>
    fetch(`${serving.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'gpt-5', stream, messages: [{ role: 'user', content: CONTENT }] }),
    });
  // The first request starts the thread.
  await (await ask()).text();
  await serving.loop();
  const text = await (await ask()).text();
  const { longestMs, totalMs } = await serving.loop();
  const said = stream
    ? Array.from(text.matchAll(/"content":"([^"]*)"/g), ([, piece]) => piece).join('')
    : (JSON.parse(text) as { choices: [{ message: { content: string } }] }).choices[0].message.content;
  expect(said).toBe(`see user6@example6.com and user99999@example999.com`);
  expect(longestMs / totalMs).toBeLessThan(MOST);
});
