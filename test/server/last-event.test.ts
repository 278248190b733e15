/** A stream that is cut before the blank line of its last event. */
import { expect, test } from 'bun:test';
import { CHAT, provider, running } from '../helpers/proxy.ts';
import { upstream } from '../helpers/upstream.ts';

const chunk = (content: string) =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta: { content }, finish_reason: null }] })}\n`;

test.each([
  ['relayed', '/v1/chat/completions', CHAT],
  ['translated', '/v1/messages', { ...CHAT, max_tokens: 9 }],
])('the text of a %s stream reaches the client before the error', async (_, path, request) => {
  await using provided = upstream(
    () =>
      new Response(`${chunk('first ')}\n${chunk('last')}`, {
        headers: { 'content-type': 'text/event-stream' },
      }),
  );
  await using proxy = running({ providers: [provider('a', provided.url)] });
  const text = await (await proxy.post(path, { ...request, stream: true })).text();
  expect(text).toContain('first ');
  expect(text.indexOf('"last"')).toBeGreaterThan(text.indexOf('first '));
  expect(text.indexOf('error')).toBeGreaterThan(text.indexOf('"last"'));
  const [record] = await proxy.recorded(1);
  expect(record).toMatchObject({ outcome: 'truncated', fault: 'truncated' });
  expect(JSON.stringify(record!.response)).toContain('first last');
});
