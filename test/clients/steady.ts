/**
 * Validates the requests to a provider of type openai with `steady`, a server that answers 400 to any
 * request that violates OpenAI's OpenAPI document. Skipped if the document is missing.
 */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { join } from 'node:path';
import type { Upstream } from '../helpers/upstream.ts';
import type { Running } from '../helpers/proxy.ts';
import { OPENAPI_PATH, hasOpenapi } from '../helpers/openapi.ts';
import { running } from '../helpers/proxy.ts';
import { apiOf } from '../recorded/read/exchange.ts';
import { hasRecordings, readRecordings } from '../recorded/read/recordings.ts';
import { upstream } from '../helpers/upstream.ts';
import { until } from '../helpers/until.ts';

const skipped = !hasOpenapi || !hasRecordings;
let steady: Bun.Subprocess | undefined;
let before: Upstream;
let proxy: Running;
/** The rejected requests, each with the reason. */
let refused: string[] = [];

beforeAll(async () => {
  if (skipped) return;
  const port = 20_000 + Math.floor(Math.random() * 20_000);
  const command = [join(import.meta.dir, 'node_modules/.bin/steady'), '-q', '-p', String(port), OPENAPI_PATH];
  steady = Bun.spawn(command, { stdout: 'ignore', stderr: 'ignore' });
  const url = `http://localhost:${port}`;
  await until('steady to listen', () => fetch(`${url}/models`).catch(() => undefined), { everyMs: 50 });
  before = upstream(async ({ path, text }) => {
    const headers = { 'content-type': 'application/json', authorization: 'Bearer k' };
    const reply = await fetch(url + path, { method: 'POST', headers, body: text });
    const answer = await reply.text();
    if (reply.status === 400) refused.push(`${answer.slice(0, 400)} for ${text.slice(0, 1_000)}`);
    return new Response(answer, { status: reply.status, headers: { 'content-type': 'application/json' } });
  });
  const provider = {
    name: 'o',
    type: 'openai' as const,
    base_url: before.url,
    api_key: 'k',
    models: ['*'],
    max_retries: 0,
  };
  proxy = running({ providers: [provider], routing: { breaker: { failures: 1e6, min_calls: 1e6 } } });
}, 60_000);

afterAll(async () => {
  steady?.kill();
  if (skipped) return;
  await proxy[Symbol.asyncDispose]();
  await before[Symbol.asyncDispose]();
});

/**
 * Two messages of several parts each are valid according to the document, and to Ajv, but steady expects a
 * text there. Values that only other vendors define are not checked either.
 */
const NOT_OURS = /"path":"body\.input","message":"Expected type string, got array"|on_demand/;

test.skipIf(skipped).each([
  ['chat', 'messages', 'gpt-4.1', '/v1/messages'],
  ['responses', 'messages', 'gpt-5-codex', '/v1/messages'],
  ['responses', 'chat', 'gpt-5-codex', '/v1/chat/completions'],
])(
  'recorded requests are taken as %s, translated from %s',
  async (_to, from, model, path) => {
    refused = [];
    const requests = readRecordings().recorded.filter(
      (each) => apiOf(each) === from && each.request && each.status < 300,
    );
    for (const { request } of requests) {
      const reply = await proxy.post(path, { ...request, model, stream: false });
      await reply.body?.cancel();
    }
    expect(requests.length).toBeGreaterThan(100);
    expect(refused.filter((each) => !NOT_OURS.test(each))).toEqual([]);
  },
  60_000,
);
