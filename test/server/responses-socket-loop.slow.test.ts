/** Long answers on a WebSocket of the Responses API do not delay others: their events are passed on in turns. */
import { afterAll, expect, test } from 'bun:test';
import { cleared } from '../helpers/binary.ts';
import { serveMeasured } from '../helpers/loop.ts';
import { speakerConfig } from '../helpers/speakers.ts';
import { until } from '../helpers/until.ts';
import { chatStream, upstream } from '../helpers/upstream.ts';

/** The most of the work that may be done without serving others: it was 18 % when an answer was read at once, and is 5 %. */
const MOST = 0.12;

const TEXT = 'word '.repeat(3_000_000);

const provider = upstream(
  () => new Response(chatStream([TEXT], 'stop'), { headers: { 'content-type': 'text/event-stream' } }),
);
const serving = await serveMeasured({ providers: [speakerConfig('chat', provider.url)] });

afterAll(async () => {
  cleared();
  await provider[Symbol.asyncDispose]();
});

test('a long answer is passed on in turns', async () => {
  const socket = new WebSocket(`${serving.url.replace('http', 'ws')}/v1/responses`);
  const events: { type: string; text?: string }[] = [];
  socket.addEventListener('message', ({ data }) => void events.push(JSON.parse(String(data))));
  await until('the connection', () => socket.readyState, { is: WebSocket.OPEN });
  const answered = async (): Promise<number> => {
    events.length = 0;
    await serving.loop();
    socket.send(JSON.stringify({ type: 'response.create', model: 'm-1', input: 'hi', store: false }));
    await until('the end', () => events.at(-1)?.type, { is: 'response.completed' });
    const { longestMs, totalMs } = await serving.loop();
    return longestMs / totalMs;
  };
  const shares = [await answered(), await answered(), await answered()];
  expect(events.find(({ type }) => type === 'response.output_text.done')?.text).toBe(TEXT);
  // Garbage is sometimes collected within a turn.
  expect(shares.toSorted()[1]).toBeLessThan(MOST);
  socket.close();
});
