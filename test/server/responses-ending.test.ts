/** The end of a relayed stream of Responses, behind which some servers send the terminator of chat. */
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

/** A stream whose pieces are a write each; one that stays open ends with its client. */
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
  ['none', [WHOLE], WHOLE],
  ['one with it', [WHOLE + DONE], WHOLE + DONE],
  ['one of its own', [WHOLE, DONE], WHOLE + DONE],
  // What a server repeats is none of the answer.
  ['another end before it', [WHOLE, COMPLETED, DONE], WHOLE + DONE],
])('the terminator passes as it came: %s', async (_, pieces, passed) => {
  await using a = upstream(() => streamOf(pieces));
  await using proxy = running({
    providers: [provider('a', a.url, { type: 'openrouter', api_key: 'k', models: ['*'] })],
  });
  const reply = await proxy.post('/v1/responses', asked);
  expect(await reply.text()).toBe(passed);
  expect((await proxy.recorded(1))[0]!.outcome).toBe('success');
});

test('a client that leaves with the last event has all of the answer', async () => {
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
