/**
 * An audio answer that breaks off: it is passed on unread, so there is no event that could report the error.
 */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { built, cleared, serveConfig } from '../helpers/binary.ts';
import { recordsIn } from '../helpers/logged.ts';
import { until } from '../helpers/until.ts';
import { upstream } from '../helpers/upstream.ts';

beforeAll(built, 60_000);
afterAll(cleared);

test('an interrupted recording breaks the client’s connection; the record says why, stderr nothing', async () => {
  const { promise: heard, resolve: hears } = Promise.withResolvers<void>();
  await using sound = upstream(() => {
    const body = new ReadableStream({
      async start(controller) {
        controller.enqueue(new Uint8Array(4_096));
        await heard;
        controller.error();
      },
    });
    return new Response(body, { headers: { 'content-type': 'audio/mpeg' } });
  });
  const { url, cwd, process } = await serveConfig({
    providers: [{ name: 'up', type: 'openai-compatible', base_url: sound.url, models: ['*'], api_key: 'k' }],
    logging: { requests: { flush_interval: '10ms' } },
  });
  const answer = await fetch(`${url}/v1/audio/speech`, {
    method: 'POST',
    body: JSON.stringify({ model: 'm', input: 'hi', voice: 'alloy' }),
  });
  expect(answer.status).toBe(200);
  const reader = answer.body!.getReader();
  expect((await reader.read()).value!.length).toBeGreaterThan(0);
  hears();
  const rest = async () => {
    while (!(await reader.read()).done);
  };
  expect(rest()).rejects.toThrow();
  await until('the record', () => recordsIn(cwd).length, { is: 1 });
  expect(recordsIn(cwd)[0]).toMatchObject({ outcome: 'truncated', fault: 'network' });
  process.kill('SIGTERM');
  expect(await process.exited).toBe(0);
  expect(await process.stderr.text()).toEndWith('Request log: logs, content full\n');
});
