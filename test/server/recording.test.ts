/** Answers that are assembled in memory for their records share one bound. */
import { expect, test } from 'bun:test';
import { CHAT, provider, running } from '../helpers/proxy.ts';
import { until } from '../helpers/until.ts';
import { upstream } from '../helpers/upstream.ts';

const event = (content: string, finish: string | null = null) =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta: { content }, finish_reason: finish }] })}\n\n`;

/** A provider that sends this text and ends when the test says so. */
function waiting(words: string) {
  const { promise: told, resolve: end } = Promise.withResolvers<void>();
  const provided = upstream(() => {
    const body = new ReadableStream<Uint8Array>({
      async start(controller) {
        const send = (text: string) => controller.enqueue(new TextEncoder().encode(text));
        send(event(words));
        await told;
        send(`${event('!', 'stop')}data: [DONE]\n\n`);
        controller.close();
      },
    });
    return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
  });
  return { provided, end };
}

test('beyond limits.max_recording the longest answers are not recorded, but still reach their clients', async () => {
  const long = waiting('word '.repeat(20_000));
  const short = waiting('word '.repeat(200));
  await using longProvider = long.provided;
  await using shortProvider = short.provided;
  await using proxy = running({
    providers: [
      provider('long', longProvider.url, { models: ['long'] }),
      provider('short', shortProvider.url, { models: ['short'] }),
    ],
    limits: { max_recording: '64KiB' },
  });
  const ask = (model: string) => proxy.post('/v1/chat/completions', { ...CHAT, model, stream: true });
  const answers = await Promise.all([ask('long'), ask('short')]);
  const kept = async () => {
    const page = await (await fetch(`${proxy.url}/metrics`)).text();
    return Number(/^llmproxy_recording_bytes (\d+)$/m.exec(page)?.[1]);
  };
  await until('the long answer to be released', async () => (await kept()) < 10_000);
  expect(await kept()).toBeGreaterThan(1_000);
  long.end();
  short.end();
  const [told, other] = await Promise.all(answers.map((answer) => answer.text()));
  expect(told).toContain('word '.repeat(20_000));
  expect([told, other].map((text) => text!.endsWith('data: [DONE]\n\n'))).toEqual([true, true]);
  const records = await proxy.recorded(2);
  const of = (model: string) => records.find((record) => record.model === model)!;
  expect(of('long')).toMatchObject({ outcome: 'success', finish: 'stop', omitted: ['response'] });
  expect(of('long').response).toBeUndefined();
  expect(of('short').omitted).toBeUndefined();
  expect(of('short').response).toContain('word word');
});
