/** The compiled binary and the lanes of a Responses API connection when it is stopped. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import type { JsonObject } from '../../src/wire/json.ts';
import { brokenProvider } from '../helpers/broken.ts';
import { built, cleared, serveConfig } from '../helpers/binary.ts';
import { fresh } from '../helpers/caller.ts';
import { until } from '../helpers/until.ts';

beforeAll(built, 60_000);
afterAll(cleared);

test('answers in progress on any stream of a connection are finished, and no new ones are started', async () => {
  await using provider = await brokenProvider();
  const { url, process } = await serveConfig({
    providers: [
      { name: 'p', type: 'openai-compatible', base_url: `${provider.url}/v1`, models: ['*'], max_retries: 0 },
    ],
  });
  const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/responses`);
  const heard: JsonObject[] = [];
  let code: number | undefined;
  socket.addEventListener('message', ({ data }) => void heard.push(JSON.parse(String(data)) as JsonObject));
  socket.addEventListener('close', (event) => (code = event.code));
  await until('it is open', () => socket.readyState === WebSocket.OPEN);
  const create = (stream_id: string, model: string) =>
    socket.send(JSON.stringify({ type: 'response.create', stream_id, model, input: 'hi' }));
  const [one, two, never] = [fresh('late:800'), fresh('late:800'), fresh('fine')];
  create('a', one);
  create('b', two);
  create('a', never);
  await until('both requests at the provider', () =>
    [one, two].every((model) => provider.attemptsOf(model).length === 1),
  );
  process.kill('SIGTERM');
  await until('it is closed', () => code !== undefined);
  expect(code).toBe(1001);
  for (const lane of ['a', 'b'])
    expect(
      heard.filter(({ stream_id, type }) => stream_id === lane && type === 'response.completed').length,
    ).toBe(1);
  expect(provider.attemptsOf(never)).toEqual([]);
  expect(await process.exited).toBe(0);
});
