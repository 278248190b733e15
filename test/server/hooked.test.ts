/** Plugin hooks for requests whose path names the model. */
import { expect, test } from 'bun:test';
import type { Plugin } from '../../src/plugins/plugin.ts';
import { schema } from '../../src/config/schema.ts';
import { Hooks } from '../../src/plugins/hooks.ts';
import { Plugins } from '../../src/plugins/loaded.ts';
import { hooked } from '../../src/server/hooked.ts';
import { parseInbound } from '../../src/server/inbound.ts';
import { atOnce, turns } from '../../src/turns.ts';
import { FakeClock } from '../helpers/clock.ts';

const { limits } = schema.parse({ providers: [{ name: 'mock', type: 'mock' }] });
const CONTEXT = { instance: 'i', limits, turns };
const BODY = { contents: [{ parts: [{ text: 'hi' }] }] };

async function after(onRequest: NonNullable<Plugin['onRequest']>) {
  const origin = {
    endpoint: 'gemini',
    headers: {},
    url: '',
    caller: null,
    path: { model: 'asked', stream: true, form: 'list' },
  } as const;
  const bytes = new TextEncoder().encode(JSON.stringify(BODY));
  const inbound = atOnce(parseInbound(origin, bytes, CONTEXT));
  const plugin = { name: 'p', path: '', folder: '', providers: [], hooks: { onRequest } };
  const hooks = new Hooks(new Plugins([plugin], { limitMs: 1_000, env: {} }), {
    clock: new FakeClock(),
    failed: () => undefined,
    dropped: () => undefined,
  });
  const facts = { id: 'r', key: null, user: null, model: 'asked', endpoint: 'gemini', stream: true } as const;
  const client = new AbortController().signal;
  return { inbound, left: await hooked(inbound, origin, { hooks, facts, client }, CONTEXT) };
}

test('a hook that sets a model changes the requested model', async () => {
  const { left } = await after((request) => void (request.body.model = 'other'));
  expect(left).toMatchObject({ model: 'other', stream: true, form: 'list', json: { value: BODY } });
});

test('a hook that changes the body keeps the model, and one that changes nothing keeps everything', async () => {
  const { left } = await after((request) => void (request.body.labels = { a: 'b' }));
  expect(left).toMatchObject({ model: 'asked', json: { value: { ...BODY, labels: { a: 'b' } } } });
  const same = await after(() => undefined);
  expect(same.left).toBe(same.inbound);
});
