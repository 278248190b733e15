/** The page of several processes on one port: a single sign-in, and the requests of all processes. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import type { LiveEvent } from '../../src/web/api.ts';
import { built, cleared, serveConfig } from '../helpers/binary.ts';
import { until } from '../helpers/until.ts';

beforeAll(built, 60_000);
afterAll(cleared);

const OWN = { 'content-type': 'application/json', 'x-llmproxy-page': '1' };

test('a session is valid in all workers, live requests are those of all, and signing out ends it everywhere', async () => {
  const { url } = await serveConfig({
    server: { workers: 3 },
    auth: {
      keys: [
        { name: 'boss', key: 'k-boss', ops: true },
        { name: 'ann', key: 'k-ann' },
      ],
    },
    providers: [{ name: 'm', type: 'mock', models: ['mock'] }],
  });
  // Each uses a new connection, which may reach any of the workers.
  const ask = async (path: string, init: RequestInit = {}) =>
    await fetch(url + path, { keepalive: false, ...init });
  const answer = await ask('/page/session', { method: 'POST', headers: OWN, body: '{"key":"k-boss"}' });
  const cookie = answer.headers.get('set-cookie')!.split(';')[0]!;
  const statuses = async () => {
    const answers = await Promise.all(
      Array.from({ length: 24 }, () => ask('/page/config', { headers: { cookie } })),
    );
    return [...new Set(answers.map(({ status }) => status))];
  };
  expect(await statuses()).toEqual([200]);

  const live = await ask('/page/live', { headers: { cookie } });
  const seen = new Set<string>();
  const reading = (async () => {
    let text = '';
    for await (const bytes of live.body!) {
      text += new TextDecoder().decode(bytes as Uint8Array);
      const events = text.split('\n\n');
      text = events.pop()!;
      for (const event of events) {
        const data = /^data: (.*)$/m.exec(event)?.[1];
        for (const { id } of data === undefined ? [] : (JSON.parse(data) as LiveEvent).records) seen.add(id);
      }
    }
  })();
  const headers = { 'content-type': 'application/json', authorization: 'Bearer k-ann' };
  const body = JSON.stringify({ model: 'mock', max_tokens: 1, messages: [{ role: 'user', content: 'hi' }] });
  const send = async (): Promise<string[]> => {
    const replies = await Promise.all(
      Array.from({ length: 12 }, () => ask('/v1/chat/completions', { method: 'POST', headers, body })),
    );
    return await Promise.all(
      replies.map(async (reply) => {
        await reply.text();
        return reply.headers.get('x-request-id')!;
      }),
    );
  };
  // A request is not shown if it ends before the other workers know that a page is open, so requests are
  // sent repeatedly.
  await until('requests of all workers to be seen', async () => {
    const sent = await send();
    await Bun.sleep(300);
    return sent.every((id) => seen.has(id));
  });
  const sent = [...(await send()), ...(await send()), ...(await send())];
  await until('those of all workers', () => sent.every((id) => seen.has(id)));

  await ask('/page/session', { method: 'DELETE', headers: { ...OWN, cookie } });
  await until('the sign-in to have ended everywhere', async () => String(await statuses()), { is: '401' });
  // Signing out also ends streams that are being read.
  await reading;
}, 60_000);
