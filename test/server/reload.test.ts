import { expect, test } from 'bun:test';
import type { ConfigInput } from '../../src/config/schema.ts';
import type { Upstream } from '../helpers/upstream.ts';
import { CHAT, provider, running } from '../helpers/proxy.ts';
import { chatRequest, rawClient } from '../helpers/raw-client.ts';
import { completion, upstream } from '../helpers/upstream.ts';
import { until } from '../helpers/until.ts';

const at = ({ url }: Upstream, extra: object = {}): ConfigInput => ({
  providers: [provider('p', url, extra)],
});

/** Sends a request whose body is still arriving while the configuration changes. */
async function across(from: ConfigInput, to: ConfigInput) {
  const proxy = running(from);
  using slow = await rawClient(proxy.url);
  const request = chatRequest(CHAT.model, { stream: false });
  slow.send(request.slice(0, -5));
  const inFlight = async () =>
    ((await (await fetch(`${proxy.url}/health`)).json()) as { in_flight: number }).in_flight;
  await until('the request to be in flight', inFlight);
  proxy.reload(to);
  slow.send(request.slice(-5));
  return { proxy, answer: await slow.read('"content"') };
}

test('a request from before a provider moved does not keep later ones at the old address', async () => {
  await using before = upstream(() => completion('from before'));
  await using after = upstream(() => completion('from after'));
  const { proxy, answer } = await across(at(before), at(after));
  await using _ = proxy;
  expect(answer).toContain('from before');
  expect(await (await proxy.post('/v1/chat/completions', CHAT)).text()).toContain('from after');
});

test('a request in progress while a key changes is sent with the new key', async () => {
  await using only = upstream(() => completion('ok'));
  const { proxy } = await across(at(only, { api_key: 'old-key' }), at(only, { api_key: 'new-key' }));
  await using _ = proxy;
  await proxy.post('/v1/chat/completions', CHAT);
  expect(only.asked.map(({ headers }) => headers.get('authorization'))).toEqual([
    'Bearer new-key',
    'Bearer new-key',
  ]);
});

test('a key that is refused after it was replaced causes no cooldown for its successor', async () => {
  const refused = Promise.withResolvers<Response>();
  await using only = upstream(({ headers }) =>
    headers.get('authorization') === 'Bearer old-key' ? refused.promise : completion('ok'),
  );
  await using proxy = running(at(only, { api_key: 'old-key' }));
  const late = proxy.post('/v1/chat/completions', CHAT);
  await until('the request at the provider', () => only.asked.length);
  proxy.reload(at(only, { api_key: 'new-key' }));
  refused.resolve(Response.json({ error: { message: 'no' } }, { status: 401 }));
  expect((await late).status).toBe(502);
  expect((await proxy.post('/v1/chat/completions', CHAT)).status).toBe(200);
});
