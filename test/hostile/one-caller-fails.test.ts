/**
 * Requests with one key that make a provider fail do not affect other keys: targets, endpoints and readiness
 * stay available.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Serving } from '../helpers/binary.ts';
import { built, cleared, serveConfig } from '../helpers/binary.ts';
import { completion, upstream } from '../helpers/upstream.ts';

const MALLORY = 'sk-mallory-000000000000000000000000';
const BOB = 'sk-bob-0000000000000000000000000000';
const OPS = 'sk-ops-0000000000000000000000000000';

/** The failures that a prompt can cause at the provider, by the word that it contains. */
const FAILURES: Readonly<Record<string, () => Response>> = {
  crash: () => Response.json({ error: { message: 'CUDA error' } }, { status: 500 }),
  busy: () => Response.json({ error: { message: 'no worker' } }, { status: 503 }),
  nonsense: () => new Response('not what was asked for', { headers: { 'content-type': 'application/json' } }),
  forbid: () => Response.json({ error: { message: 'not for you' } }, { status: 403 }),
  unfound: () => Response.json({ error: { message: 'no such thing' } }, { status: 404 }),
};
const provider = upstream(({ text }) => {
  const word = Object.keys(FAILURES).find((each) => text.includes(each));
  return word === undefined ? completion('fine') : FAILURES[word]!();
});

beforeAll(() => built(), 60_000);
afterAll(async () => {
  cleared();
  await provider[Symbol.asyncDispose]();
});

function served(): Promise<Serving> {
  return serveConfig({
    auth: {
      keys: [
        { name: 'mallory', key: MALLORY },
        { name: 'bob', key: BOB },
        { name: 'ops', key: OPS, ops: true },
      ],
    },
    // Failed targets are not tried again during the test.
    routing: { breaker: { cooldown: '1h', max_cooldown: '1h' } },
    providers: [
      { name: 'a', type: 'openai-compatible', base_url: provider.url, models: ['m'], max_retries: 0 },
    ],
  });
}

async function ask({ url }: Serving, key: string, content: string): Promise<string> {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content }] }),
  });
  const body = (await response.json()) as { error?: { code: string } };
  return body.error?.code ?? String(response.status);
}

async function failing(serving: Serving, key: string, word: string): Promise<string> {
  let last = '';
  for (let n = 0; n < 12; n += 1) last = await ask(serving, key, `${word} ${n}`);
  return last;
}

describe.each(Object.keys(FAILURES))('%s', (word) => {
  test.concurrent('puts the key that caused it on hold, and no other key', async () => {
    const serving = await served();
    await failing(serving, MALLORY, word);
    expect(await ask(serving, MALLORY, 'hello')).not.toBe('200');
    expect(await ask(serving, BOB, 'hello')).toBe('200');
    expect((await fetch(`${serving.url}/health/ready`)).status).toBe(200);
    expect(await ask(serving, BOB, 'hello again')).toBe('200');
  });

  test.concurrent('puts all keys on hold once another one fails as well', async () => {
    const serving = await served();
    await failing(serving, MALLORY, word);
    await failing(serving, BOB, word);
    expect([
      await ask(serving, MALLORY, 'hello'),
      await ask(serving, BOB, 'hello'),
      await ask(serving, OPS, 'hello'),
    ]).not.toContain('200');
  });
});

test.concurrent('operators see which key is affected', async () => {
  const serving = await served();
  await failing(serving, MALLORY, 'crash');
  const page = await fetch(`${serving.url}/providers`, { headers: { authorization: `Bearer ${OPS}` } });
  const { providers } = (await page.json()) as { providers: { state: string; held: object[] }[] };
  expect(providers[0]).toMatchObject({ state: 'degraded', held: [{ scope: 'target', only: 'mallory' }] });
});
