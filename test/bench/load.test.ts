import { expect, test } from 'bun:test';
import { startLoad } from '../../bench/load.ts';
import { CHAT, requestBytes } from '../../bench/requests.ts';
import { until } from '../helpers/until.ts';

test('startLoad() counts each answer once, and has as many requests in flight as clients', async () => {
  let [asked, open, most] = [0, 0, 0];
  using server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    async fetch(request) {
      asked += 1;
      open += 1;
      most = Math.max(most, open);
      expect(((await request.json()) as { model: string }).model).toBe('bench');
      await Bun.sleep(1);
      open -= 1;
      return new Response('word word ');
    },
  });
  const load = startLoad(server.url.href, { clients: 3, request: requestBytes(CHAT, '') });
  await until('a hundred answers', () => load.completed(), { atLeast: 100 });
  const [completed, latencies] = [load.completed(), load.takeLatenciesMs()];
  load.stop();
  expect(latencies).toHaveLength(completed);
  expect(asked - completed).toBeLessThanOrEqual(3);
  expect(most).toBe(3);
});

test('startLoad() counts words in answers that arrive in pieces', async () => {
  using server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: () =>
      new Response(async function* () {
        yield 'word word ';
        await Bun.sleep(1);
        yield 'word ';
      }),
  });
  const options = { clients: 1, request: requestBytes(CHAT, ''), counts: 'word ' };
  const load = startLoad(server.url.href, options);
  await until('ten answers', () => load.completed(), { atLeast: 30 });
  const answers = load.takeLatenciesMs().length;
  load.stop();
  expect(Math.floor(load.completed() / 3)).toBe(answers);
});

test('startLoad() fails on an answer that is not 200, and on a connection closed during one', async () => {
  using refusing = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: () => new Response('no', { status: 503 }),
  });
  using closing = Bun.listen({
    hostname: '127.0.0.1',
    port: 0,
    socket: { data: (socket) => void socket.end('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhal') },
  });
  const request = requestBytes(CHAT, '');
  for (const [url, why] of [
    [refusing.url.href, 'it answered HTTP/1.1 503'],
    [`http://127.0.0.1:${closing.port}`, 'it closed the connection in an answer'],
  ] as const) {
    const load = startLoad(url, { clients: 1, request });
    await expect(load.failed).rejects.toThrow(why);
    load.stop();
  }
});
