/** The end of a relayed Responses stream, after which some servers send the terminator of chat. */
import { expect, test } from 'bun:test';
import { provider, running } from '../helpers/proxy.ts';
import { upstream } from '../helpers/upstream.ts';

const event = (value: { type: string; [field: string]: unknown }) =>
  `event: ${value.type}\ndata: ${JSON.stringify(value)}\n\n`;
const response = {
  id: 'resp_1',
  object: 'response',
  created_at: 1,
  model: 'm',
  status: 'completed',
  output: [
    {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      status: 'completed',
      content: [{ type: 'output_text', text: 'ok', annotations: [] }],
    },
  ],
  usage: { input_tokens: 1, output_tokens: 1, total_tokens: 2 },
};
const COMPLETED = event({ type: 'response.completed', response, sequence_number: 1 });
const DELTA = { item_id: 'msg_1', output_index: 0, content_index: 0, delta: 'ok' };
const BEGUN = { ...response, status: 'in_progress', output: [] };
const WHOLE =
  event({ type: 'response.created', response: BEGUN, sequence_number: 0 }) +
  event({ type: 'response.output_text.delta', ...DELTA }) +
  COMPLETED;
const DONE = 'data: [DONE]\n\n';

/** A stream that writes each piece separately. One that stays open ends when its client leaves. */
function streamOf(pieces: readonly string[], staysOpen = false): Response {
  const body = new ReadableStream<Uint8Array>({
    async start(controller) {
      for (const piece of pieces) {
        controller.enqueue(new TextEncoder().encode(piece));
        await Bun.sleep(5);
      }
      if (!staysOpen) controller.close();
    },
  });
  return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
}

const asked = { model: 'm', input: 'Hi', stream: true };

test.each([
  ['no terminator', [WHOLE], WHOLE],
  ['in the same chunk', [WHOLE + DONE], WHOLE + DONE],
  ['in its own chunk', [WHOLE, DONE], WHOLE + DONE],
  // A repeated end is not part of the answer.
  ['after a repeated end', [WHOLE, COMPLETED, DONE], WHOLE + DONE],
])('the terminator is passed on unchanged: %s', async (_, pieces, passed) => {
  await using a = upstream(() => streamOf(pieces));
  await using proxy = running({
    providers: [provider('a', a.url, { type: 'openrouter', api_key: 'k', models: ['*'] })],
  });
  const reply = await proxy.post('/v1/responses', asked);
  expect(await reply.text()).toBe(passed);
  expect((await proxy.recorded(1))[0]!.outcome).toBe('success');
});

test('a client that leaves after the last event has received the complete answer', async () => {
  await using a = upstream(() => streamOf([WHOLE], true));
  await using proxy = running({
    providers: [provider('a', a.url, { type: 'openrouter', api_key: 'k', models: ['*'] })],
  });
  const reply = await proxy.post('/v1/responses', asked);
  const reader = reply.body!.getReader();
  let text = '';
  while (!text.includes('response.completed')) {
    const { value } = await reader.read();
    text += new TextDecoder().decode(value);
  }
  await reader.cancel();
  expect((await proxy.recorded(1))[0]!.outcome).toBe('success');
});
