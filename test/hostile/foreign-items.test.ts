/** What the compiled binary stores for one client is not available to any other client. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import type { Serving } from '../helpers/binary.ts';
import { built, cleared, serveConfig } from '../helpers/binary.ts';
import { completion, upstream } from '../helpers/upstream.ts';

const SECRET = 'The launch code is 7351.';
const provider = upstream(() => completion(SECRET));
let serving: Serving;

beforeAll(async () => {
  built();
  serving = await serveConfig({
    providers: [{ name: 'a', type: 'openai-compatible', base_url: provider.url, models: ['m'] }],
    auth: {
      keys: [
        { name: 'alice', key: 'alice-secret-key' },
        { name: 'bob', key: 'bob-secret-key' },
      ],
    },
  });
}, 60_000);
afterAll(async () => {
  cleared();
  await provider[Symbol.asyncDispose]();
});

async function respond(key: string, input: unknown): Promise<{ status: number; text: string }> {
  const answer = await fetch(`${serving.url}/v1/responses`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'm', input }),
  });
  return { status: answer.status, text: await answer.text() };
}

test('only the client that got an item of an answer can refer to it', async () => {
  const first = await respond('alice-secret-key', 'Tell me the code.');
  const [item] = (JSON.parse(first.text) as { output: { id: string }[] }).output;
  const again = [
    { type: 'item_reference', id: item!.id },
    { role: 'user', content: 'Repeat it.' },
  ];
  const before = provider.asked.length;
  const foreign = await respond('bob-secret-key', again);
  expect([foreign.status, foreign.text]).toEqual([400, expect.not.stringContaining('7351')]);
  expect(provider.asked.length).toBe(before);
  expect((await respond('alice-secret-key', again)).status).toBe(200);
  expect(provider.asked.at(-1)!.text).toContain(SECRET);
});
