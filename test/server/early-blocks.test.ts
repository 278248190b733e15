import { expect, test } from 'bun:test';
import { CHAT, running } from '../helpers/proxy.ts';
import { sse, upstream } from '../helpers/upstream.ts';

const event = (value: { readonly type: string; readonly [field: string]: unknown }) =>
  `event: ${value.type}\ndata: ${JSON.stringify(value)}\n\n`;
const CONTENT = [
  { type: 'thinking', thinking: 'hm', signature: 'sig' },
  { type: 'text', text: 'Hi' },
  { type: 'tool_use', id: 'a', name: 'f', input: { x: 1 } },
];
/** The stream of a gateway that already had the message, followed by these events. */
const stream = (more: string) =>
  event({
    type: 'message_start',
    message: {
      id: 'm',
      type: 'message',
      role: 'assistant',
      model: 'c',
      content: CONTENT,
      usage: { input_tokens: 3, output_tokens: 1 },
    },
  }) +
  more +
  event({ type: 'message_delta', delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 5 } }) +
  event({ type: 'message_stop' });
const MORE =
  event({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }) +
  event({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: ' there' } }) +
  event({ type: 'content_block_stop', index: 0 });

test.each([
  ['alone', '', 'Hi'],
  ['with more blocks after it', MORE, 'Hi there'],
])('content within message_start, %s, is part of the answer', async (_, more, text) => {
  const sent = stream(more);
  await using a = upstream(() => sse(sent));
  await using proxy = running({
    providers: [{ name: 'a', type: 'anthropic', base_url: a.url, api_key: 'k', models: ['*'] }],
  });
  const chat = await proxy.post('/v1/chat/completions', { ...CHAT, stream: true });
  expect(await chat.text()).toContain('data: [DONE]');
  const messages = await proxy.post('/v1/messages', { ...CHAT, max_tokens: 9, stream: true });
  expect(await messages.text()).toBe(sent);
  const [translated, relayed] = await proxy.recorded(2);
  expect(translated).toMatchObject({
    outcome: 'success',
    finish: 'tool_calls',
    input_tokens: 3,
    output_tokens: 5,
  });
  expect(JSON.parse(translated!.response!).choices[0].message).toMatchObject({
    content: text,
    reasoning_content: 'hm',
    tool_calls: [{ id: 'a', function: { name: 'f', arguments: '{"x":1}' } }],
  });
  const kept = JSON.parse(relayed!.response!).content;
  expect(kept.slice(0, CONTENT.length)).toEqual(CONTENT);
  expect(kept.length).toBe(CONTENT.length + (more === '' ? 0 : 1));
});
