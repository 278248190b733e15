import { describe, expect, test } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConfigInput } from '../../src/config/schema.ts';
import { schema } from '../../src/config/schema.ts';
import { createProxy } from '../../src/proxy.ts';
import { systemClock } from '../../src/clock.ts';
import { logDirectory } from '../helpers/log-directory.ts';

type Requests = NonNullable<NonNullable<ConfigInput['logging']>['requests']>;

/** Starts a proxy with the mock provider and its own log. */
async function rig({ requests = {}, ...config }: Partial<ConfigInput> & { requests?: Requests } = {}) {
  const dir = await logDirectory();
  const parsed = schema.parse({
    providers: [{ name: 'mock', type: 'mock' }],
    ...config,
    logging: { requests: { directory: dir.path, ...requests } },
  });
  const proxy = createProxy(parsed, {
    clock: systemClock,
    random: Math.random,
    env: {},
    onProblem: () => {},
  });
  return {
    post: (path: string, body: unknown, headers: Record<string, string> = {}) =>
      proxy.fetch(
        new Request(`http://proxy${path}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...headers },
          body: typeof body === 'string' ? body : JSON.stringify(body),
        }),
        {},
      ),
    async lines() {
      await proxy.close();
      return readdirSync(dir.path)
        .flatMap((name) => readFileSync(join(dir.path, name), 'utf8').split('\n'))
        .filter(Boolean)
        .map((text) => JSON.parse(text));
    },
    [Symbol.asyncDispose]: async () => {
      await proxy.close();
      await dir[Symbol.asyncDispose]();
    },
  };
}

const CHAT = { model: 'mock-small', messages: [{ role: 'user', content: 'Hi' }] };

describe('POST /v1/feedback', () => {
  test('writes a log line, its head first, about the request that it names', async () => {
    await using proxy = await rig();
    const answered = await proxy.post('/v1/chat/completions', CHAT);
    const about = answered.headers.get('x-request-id')!;
    const said = { request_id: about, score: 0.5, label: 'good', correction: 'Better', comment: 'short' };
    const response = await proxy.post('/v1/feedback', said);
    expect(response.status).toBe(202);
    const id = response.headers.get('x-request-id')!;
    expect(await response.json()).toEqual({
      object: 'feedback',
      id,
      request_id: about,
      stored: ['score', 'label', 'correction', 'comment'],
    });
    const [, line] = await proxy.lines();
    expect(line).toMatchObject({
      id,
      endpoint: 'feedback',
      outcome: 'success',
      status: 202,
      provider: null,
      score: 0.5,
      feedback: { ...said, label: true },
    });
    expect(Object.keys(line).slice(0, 6)).toEqual(['v', 'ts', 'id', 'outcome', 'status', 'endpoint']);
    expect(line.request).toBeUndefined();
  });

  test('keeps scores but no text where the log keeps no content', async () => {
    await using proxy = await rig({ requests: { content: 'metadata' } });
    const response = await proxy.post('/feedback', {
      request_id: 'r',
      score: -1,
      label: false,
      comment: 'secret',
    });
    expect(await response.json()).toMatchObject({ stored: ['score', 'label'] });
    const [line] = await proxy.lines();
    expect(line.feedback).toEqual({ request_id: 'r', score: -1, label: false });
  });

  test.each([
    [{}, 'request_id', 'request_id'],
    [{ request_id: 'r' }, undefined, 'give score, label, correction or comment'],
    [{ request_id: 'r', score: 2 }, 'score', 'score'],
    [{ request_id: 'r', score: 1, scroe: 1 }, 'scroe', '"scroe": unknown field'],
    [{ request_id: 'r', label: 'fine' }, 'label', 'label'],
    [{ request_id: 'r', correction: { role: 'user', content: 'x' } }, 'correction', 'correction'],
    [{ request_id: '', score: 1 }, 'request_id', 'request_id'],
  ])('answers %j with 400 and a message', async (body, param, words) => {
    await using proxy = await rig();
    const response = await proxy.post('/v1/feedback', body);
    expect(response.status).toBe(400);
    const { error } = (await response.json()) as { error: { message: string; param: string | null } };
    expect(error.message).toContain(words);
    if (param !== undefined) expect(error.param).toBe(param);
    const [line] = await proxy.lines();
    expect(line).toMatchObject({ endpoint: 'feedback', outcome: 'error', status: 400 });
    expect([line.feedback, line.omitted]).toEqual([undefined, undefined]);
  });

  test('refuses a body that is too large or is not JSON', async () => {
    await using proxy = await rig({ limits: { max_feedback: '1KiB' } });
    expect((await proxy.post('/v1/feedback', { request_id: 'r', comment: 'x'.repeat(2_000) })).status).toBe(
      413,
    );
    expect((await proxy.post('/v1/feedback', '{')).status).toBe(400);
  });

  test('needs a key where requests need one, and names it in the log line', async () => {
    await using proxy = await rig({ auth: { keys: [{ name: 'team', key: 'secret-key-1' }] } });
    const said = { request_id: 'r', score: 1 };
    expect((await proxy.post('/v1/feedback', said)).status).toBe(401);
    const response = await proxy.post('/v1/feedback', said, { authorization: 'Bearer secret-key-1' });
    expect(response.status).toBe(202);
    const lines = await proxy.lines();
    expect(lines.map(({ key, outcome }) => [key, outcome])).toEqual([
      [null, 'error'],
      ['team', 'success'],
    ]);
  });

  test('answers 503 where the request log is off', async () => {
    await using proxy = await rig({ requests: { enabled: false } });
    const response = await proxy.post('/v1/feedback', { request_id: 'r', score: 1 });
    expect(response.status).toBe(503);
    expect(await response.text()).toContain('logging.requests.enabled');
  });

  test('answers Anthropic clients in Anthropic’s shape', async () => {
    await using proxy = await rig();
    const response = await proxy.post('/v1/feedback', {}, { 'anthropic-version': '2023-06-01' });
    expect(await response.json()).toMatchObject({ type: 'error', error: { type: 'invalid_request_error' } });
  });
});

test('records contain the end user and the tags that a client sends', async () => {
  await using proxy = await rig();
  const body = { ...CHAT, user: 'u1', metadata: { team: 'a', run: '7' } };
  await proxy.post('/v1/chat/completions', body, { 'x-llmproxy-tags': 'team=search, odd, empty=' });
  await proxy.post('/v1/messages', { ...CHAT, max_tokens: 5, metadata: { user_id: 'u2' } });
  await proxy.post('/v1/chat/completions', CHAT);
  const lines = await proxy.lines();
  expect(lines.map(({ user, tags }) => [user, tags])).toEqual([
    ['u1', { team: 'search', run: '7', empty: '' }],
    ['u2', null],
    [null, null],
  ]);
});
