/** Answers that are not parsed, such as audio and images, from providers that fail before they send any. */
import { expect, test } from 'bun:test';
import { provider, running } from '../helpers/proxy.ts';
import { rawUpstream } from '../helpers/raw-upstream.ts';
import { upstream } from '../helpers/upstream.ts';

const HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n';
const FAULTS = [
  ['is cut off before its body', `${HEAD}content-length: 20\r\n\r\n`, false, 502, 'network'],
  ['stalls before its body', `${HEAD}content-length: 20\r\n\r\n`, true, 504, 'timeout_idle'],
  [
    'is a page',
    'HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 9\r\n\r\n<p>No</p>',
    true,
    502,
    'malformed',
  ],
  ['is empty', `${HEAD}content-length: 0\r\n\r\n`, true, 502, 'malformed'],
] as const;
const json = (body: string) => `${HEAD}content-length: ${body.length}\r\n\r\n${body}`;
const NO_ANSWERS = [
  ['{}', 'malformed'],
  [' null\n', 'malformed'],
  ['[]', 'malformed'],
  ['{"results": [', 'malformed'],
  ['{"error":{"message":"The engine is overloaded","code":503}}', 'overloaded'],
] as const;
const ENDPOINTS = ['/v1/audio/speech', '/v1/images/generations', '/v1/moderations', '/v1/rerank'];
const ASKED = { model: 'gpt-x', input: 'x', voice: 'v', prompt: 'x', query: 'x', documents: ['x'] };
const SETTINGS = { max_retries: 0, timeout: { idle: '200ms' } };

for (const [what, reply, open, status, fault] of FAULTS) {
  test.each(ENDPOINTS)(`an answer of %s that ${what} is replaced by the next target’s`, async (path) => {
    await using a = await rawUpstream(reply, { open });
    await using b = upstream(() => Response.json({ results: [] }));
    await using proxy = running({
      providers: [provider('a', a.url, SETTINGS), provider('b', b.url, { priority: 2 })],
    });
    const response = await proxy.post(path, ASKED);
    expect([response.status, await response.json()]).toEqual([200, { results: [] }]);
    const [record] = await proxy.recorded(1);
    expect([record!.outcome, record!.attempt_log.map((attempt) => attempt.fault)]).toEqual([
      'success',
      [fault, null],
    ]);
  });

  test(`an answer that ${what} from the only target is a ${status}`, async () => {
    await using a = await rawUpstream(reply, { open });
    await using proxy = running({ providers: [provider('a', a.url, SETTINGS)] });
    const response = await proxy.post('/v1/audio/speech', ASKED);
    expect(response.status).toBe(status);
    expect(await proxy.recorded(1)).toMatchObject([{ outcome: 'error', status, fault }]);
  });
}

test.each(NO_ANSWERS)('JSON that is no answer, %s, is replaced by the next target’s', async (body, fault) => {
  await using a = await rawUpstream(json(body));
  await using b = upstream(() => Response.json({ results: [] }));
  await using proxy = running({
    providers: [provider('a', a.url, SETTINGS), provider('b', b.url, { priority: 2 })],
  });
  for (const path of ENDPOINTS) {
    const response = await proxy.post(path, ASKED);
    expect([response.status, await response.json()]).toEqual([200, { results: [] }]);
  }
  expect((await proxy.recorded(4))[0]!.attempt_log.map((attempt) => attempt.fault)).toEqual([fault, null]);
});

test.each(['""', '"Hello"', 'Hello', '{"text":""}'])(
  'a transcription %s with the type JSON is passed on',
  async (body) => {
    await using a = await rawUpstream(json(body), { open: true });
    await using proxy = running({ providers: [provider('a', a.url, SETTINGS)] });
    const form = new FormData();
    form.set('model', 'gpt-x');
    form.set('file', new File(['x'], 'x.wav'));
    const response = await fetch(`${proxy.url}/v1/audio/transcriptions`, { method: 'POST', body: form });
    expect([response.status, await response.text()]).toEqual([200, body]);
  },
);

test('JSON beyond what is read first is passed on as it arrives', async () => {
  const long = JSON.stringify({ data: [{ b64_json: 'A'.repeat(200_000) }] });
  await using a = await rawUpstream(json(long), { open: true });
  await using proxy = running({ providers: [provider('a', a.url, SETTINGS)] });
  const response = await proxy.post('/v1/images/generations', ASKED);
  expect(await response.text()).toBe(long);
});

test('a text that is labelled as HTML is passed on', async () => {
  await using a = upstream(() => new Response('Hi', { headers: { 'content-type': 'text/html' } }));
  await using proxy = running({ providers: [provider('a', a.url)] });
  const response = await proxy.post('/v1/rerank', ASKED);
  expect([response.status, await response.text()]).toEqual([200, 'Hi']);
});

test('a transcription as a text may be empty', async () => {
  await using a = upstream(() => new Response('', { headers: { 'content-type': 'text/plain' } }));
  await using proxy = running({ providers: [provider('a', a.url)] });
  const form = new FormData();
  form.set('model', 'gpt-x');
  form.set('response_format', 'text');
  form.set('file', new File(['x'], 'x.wav'));
  const response = await fetch(`${proxy.url}/v1/audio/transcriptions`, { method: 'POST', body: form });
  expect([response.status, await response.text()]).toEqual([200, '']);
  expect(await proxy.recorded(1)).toMatchObject([{ outcome: 'success', attempts: 1 }]);
});
