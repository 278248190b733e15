/** What a key may do: its own lists and those of its groups, its expiry, and that no route evades them. */
import { afterAll, describe, expect, test } from 'bun:test';
import type { ConfigInput } from '../../src/config/schema.ts';
import { CHAT, provider, running } from '../helpers/proxy.ts';
import { routes } from '../helpers/routes.ts';
import { completion, upstream } from '../helpers/upstream.ts';

const one = upstream(() => completion('one'));
const two = upstream(() => completion('two'));

const CONFIG: ConfigInput = {
  providers: [
    // OpenAI serves all endpoints except reranking, which the other provider serves.
    provider('one', one.url, {
      type: 'openai',
      api_key: 'sk-test',
      models: ['gpt-4o', 'gpt-4o-mini', 'secret-plan'],
    }),
    provider('two', two.url, { models: ['gpt-4o', 'claude-x'], priority: 2 }),
  ],
  models: { fast: 'one/gpt-4o-mini', hidden: 'two/claude-x' },
  groups: {
    acme: { models: ['gpt-*', 'fast'], endpoints: ['chat', 'messages', 'feedback', 'embeddings'] },
    search: { parent: 'acme', providers: ['two'] },
  },
  auth: {
    keys: [
      { name: 'all', key: 'all-key', ops: true },
      { name: 'no-endpoint', key: 'no-endpoint-key', endpoints: [] },
      { name: 'no-model', key: 'no-model-key', models: [] },
      { name: 'no-provider', key: 'no-provider-key', providers: [] },
      { name: 'member', key: 'member-key', group: 'acme' },
      { name: 'searcher', key: 'searcher-key', group: 'search', models: ['*'] },
      { name: 'past', key: 'past-key', expires: '2020-01-31', ops: true },
      { name: 'future', key: 'future-key', expires: '2999-01-01' },
      { name: 'off', key: 'off-key', disabled: true, ops: true },
    ],
  },
};

const proxy = running(CONFIG);
afterAll(async () => {
  for (const each of [proxy, one, two]) await each[Symbol.asyncDispose]();
});

const by = (key: string) => ({ headers: { authorization: `Bearer ${key}` } });
const chat = (key: string, model = 'gpt-4o') =>
  proxy.post('/v1/chat/completions', { ...CHAT, model }, by(key));

interface Told {
  error: { message: string; code: string; param: string | null; type: string };
}
const told = async (answer: Response) => ((await answer.json()) as Told).error;

describe('access to models', () => {
  test('is granted by the requested name', async () => {
    expect((await chat('member-key', 'fast')).status).toBe(200);
    expect((await chat('member-key', 'gpt-4o')).status).toBe(200);
    const refused = await chat('member-key', 'secret-plan');
    expect(refused.status).toBe(403);
    const { message, code, param, type } = await told(refused);
    expect({ code, param, type }).toEqual({
      code: 'key_not_permitted',
      param: 'model',
      type: 'permission_error',
    });
    expect(message).toContain('"member"');
    expect(message).toContain('GET /v1/models');
    // A key needs permission for each name of a model separately.
    expect((await chat('member-key', 'one/gpt-4o')).status).toBe(403);
  });

  test('is denied before the model is looked up', async () => {
    const asked = one.asked.length;
    expect((await chat('member-key', 'no-such-thing')).status).toBe(403);
    expect(one.asked.length).toBe(asked);
  });

  test('is required for a model to be suggested in place of a misspelt one', async () => {
    const answer = await proxy.post(
      '/v1/chat/completions',
      { ...CHAT, model: 'gpt-4o-mini-x' },
      by('all-key'),
    );
    expect((await told(answer)).message).toContain('"gpt-4o-mini"');
    const { message } = await told(await chat('searcher-key', 'gpt-4o-mini-x'));
    expect(message).toContain('no provider serves it');
    expect(message).not.toContain('gpt-4o-mini"');
  });

  test('is denied in Anthropic’s shape', async () => {
    const body = { ...CHAT, model: 'secret-plan', max_tokens: 5 };
    const answer = await proxy.post('/v1/messages', body, by('member-key'));
    expect(answer.status).toBe(403);
    expect(await answer.json()).toMatchObject({ type: 'error', error: { type: 'permission_error' } });
  });

  test('is denied to forms', async () => {
    const form = new FormData();
    form.set('model', 'secret-plan');
    form.set('file', new Blob(['x']), 'a.wav');
    const answer = await fetch(`${proxy.url}/v1/audio/transcriptions`, {
      method: 'POST',
      body: form,
      ...by('no-model-key'),
    });
    expect(answer.status).toBe(403);
    expect((await told(answer)).param).toBe('model');
  });

  test('determines which models are listed', async () => {
    const list = async (key: string) => {
      const answer = await fetch(`${proxy.url}/v1/models`, by(key));
      return ((await answer.json()) as { data: { id: string }[] }).data.map(({ id }) => id).toSorted();
    };
    expect(await list('all-key')).toEqual([
      'claude-x',
      'fast',
      'gpt-4o',
      'gpt-4o-mini',
      'hidden',
      'secret-plan',
    ]);
    expect(await list('member-key')).toEqual(['fast', 'gpt-4o', 'gpt-4o-mini']);
    expect(await list('searcher-key')).toEqual(['gpt-4o']);
    expect(await list('no-model-key')).toEqual([]);
    expect(await list('no-provider-key')).toEqual([]);
    const one = async (key: string, id: string) =>
      (await fetch(`${proxy.url}/v1/models/${id}`, by(key))).status;
    expect(await one('member-key', 'gpt-4o')).toBe(200);
    expect(await one('member-key', 'secret-plan')).toBe(403);
    expect(await one('searcher-key', 'gpt-4o')).toBe(200);
    expect(await one('searcher-key', 'gpt-4o-mini')).toBe(403);
  });
});

describe('models that a request names besides its own', () => {
  const MORE: readonly (readonly [string, (name: string) => object])[] = [
    ['models', (name) => ({ models: ['gpt-4o', name] })],
    ['fallbacks', (name) => ({ fallbacks: [{ model: name }] })],
    ['tools', (name) => ({ tools: [{ type: 'image_generation', model: name }] })],
    ['providerOptions', (name) => ({ providerOptions: { gateway: { models: [name] } } })],
  ];
  test.each(MORE)('need the same permission: %s', async (_, more) => {
    const ask = (key: string, name: string) =>
      proxy.post('/v1/chat/completions', { ...CHAT, model: 'gpt-4o', ...more(name) }, by(key));
    const asked = one.asked.length + two.asked.length;
    const refused = await ask('member-key', 'secret-plan');
    expect(refused.status).toBe(403);
    expect((await told(refused)).message).toContain('"secret-plan", which the request names besides its own');
    expect(one.asked.length + two.asked.length).toBe(asked);
    expect((await ask('member-key', 'gpt-4o-mini')).status).toBe(200);
    expect((await ask('all-key', 'secret-plan')).status).toBe(200);
  });

  test('need it also where they are part of a name, or chosen by a preset', async () => {
    await using router = running({
      providers: [provider('one', one.url, { models: ['*'] })],
      auth: { keys: [{ name: 'k', key: 'k', models: ['gpt-*', '@preset/mine'] }] },
    });
    const ask = async (more: object) =>
      (await router.post('/v1/chat/completions', { ...CHAT, model: 'gpt-4o', ...more }, by('k'))).status;
    const status = async (...all: object[]) => await Promise.all(all.map(ask));
    expect(
      await status(
        { model: 'gpt-4o,gpt-4.1' },
        { model: 'gpt-4o:nitro' },
        { model: 'gpt-4o@preset/mine' },
        { preset: 'mine' },
        { models: ['gpt-4.1:floor'], route: 'fallback' },
      ),
    ).toEqual([200, 200, 200, 200, 200]);
    expect(
      await status(
        { model: 'gpt-4o,claude-x' },
        { model: 'gpt-4o , claude-x' },
        { model: 'gpt-4o@preset/other' },
        { preset: 'other' },
        { models: ['gpt-4.1,claude-x'] },
        { route: 'fallback' },
        { extra: { router: { fallback_model: 'claude-x' } } },
        { fallbacks: [{ properties: {}, model: 'claude-x' }] },
      ),
    ).toEqual([403, 403, 403, 403, 403, 403, 403, 403]);
    const parameters = { type: 'object', properties: { model: { type: 'string', default: 'claude-x' } } };
    expect(await ask({ tools: [{ type: 'function', function: { name: 'pick', parameters } }] })).toBe(200);
    const transcribe = async (fields: Record<string, string>) => {
      const body = new FormData();
      for (const [name, value] of Object.entries({ model: 'gpt-4o-transcribe', ...fields }))
        body.set(name, value);
      body.set('file', new File(['RIFF'], 'a.wav'));
      const { headers } = by('k');
      return (await fetch(`${router.url}/v1/audio/transcriptions`, { method: 'POST', body, headers })).status;
    };
    expect(await transcribe({ language: 'en', 'models[]': 'gpt-4.1' })).toBe(200);
    for (const fields of [
      { model: 'gpt-4o,claude-x' },
      { fallbacks: '[{"gpt-4o-transcribe": ["claude-x"]}]' },
      { 'models[]': 'claude-x' },
      { preset: 'other' },
    ])
      expect([fields, await transcribe(fields as never)]).toEqual([fields, 403]);
    // Fields as long as files are not searched.
    const blank = ' '.repeat(100_000);
    for (const fallbacks of [`[${blank}"claude-x"]`, `gpt-x,${blank},claude-x`])
      expect(await transcribe({ fallbacks })).toBe(400);
  });

  test('are not hidden by giving a field twice', async () => {
    for (const more of [
      '"models":["secret-plan"],"models":["gpt-4o"]',
      '"models":["secret-plan"],"models":null',
      String.raw`"mode\u006cs":["secret-plan"],"models":[]`,
      '"tools":[{"type":"image_generation","model":"secret-plan","model":"gpt-4o"}]',
      '"providerOptions":{"gateway":{"models":["secret-plan"]}},"providerOptions":{}',
      // Behind more than is searched in one step.
      `"stop":[${'"",'.repeat(100_000)}""],"models":["secret-plan"],"models":["gpt-4o"]`,
    ]) {
      const body = `{"model":"gpt-4o","messages":[{"role":"user","content":"hi"}],${more}}`;
      const refused = await proxy.post('/v1/chat/completions', body, by('member-key'));
      expect([more.slice(-99), refused.status]).toEqual([more.slice(-99), 400]);
      expect((await told(refused)).message).toContain('is given twice');
      expect((await proxy.post('/v1/chat/completions', body, by('all-key'))).status).toBe(200);
    }
  });

  test('are refused if they are too many to be checked', async () => {
    const models = (count: number) => ({
      ...CHAT,
      model: 'gpt-4o',
      models: Array<string>(count).fill('gpt-4o'),
    });
    const ask = async (key: string, count: number) =>
      (await proxy.post('/v1/chat/completions', models(count), by(key))).status;
    expect(await ask('member-key', 100)).toBe(200);
    expect(await ask('member-key', 500_000)).toBe(400);
    // Without lists and limits there is nothing to check, and they are passed on.
    expect(await ask('all-key', 500_000)).toBe(200);
  });

  test('count against limits on those models', async () => {
    const limits = [{ requests: 1, per: 'day', models: ['dear-*'] }];
    await using limited = running({
      providers: [provider('two', two.url, { models: ['cheap', 'dear-1'] })],
      auth: { keys: [{ name: 'k', key: 'k', limits: limits as never }] },
    });
    const ask = async (more: object) =>
      (await limited.post('/v1/chat/completions', { ...CHAT, model: 'cheap', ...more }, by('k'))).status;
    expect(await ask({ models: ['dear-2'] })).toBe(200);
    expect(await ask({ models: ['dear-2'] })).toBe(429);
    expect(await ask({ model: 'dear-1' })).toBe(429);
    expect(await ask({ models: ['other'] })).toBe(200);
    expect(await ask({ models: Array(101).fill('other') })).toBe(400);
    expect(await ask({ model: 'dear-1', models: Array(101).fill('other') })).toBe(429);
  });

  test('and other spellings of a name do not evade limits on models', async () => {
    const limits = [{ requests: 1, per: 'day', models: ['Vendor/Dear'] }];
    const keys = ['a', 'b', 'c', 'd', 'e'].map((name) => ({ name, key: name, limits: limits as never }));
    await using limited = running({
      providers: [provider('two', two.url, { models: ['*'] })],
      auth: { keys },
      rate_limits: [{ requests: 2, per: 'day', each: ['key', 'model'] }],
    });
    const ask = async (key: string, model: string) =>
      (await limited.post('/v1/chat/completions', { ...CHAT, model }, by(key))).status;
    for (const [key, model] of [
      ['a', 'vendor/dear:nitro'],
      ['b', 'VENDOR/DEAR'],
      ['c', ' vendor/dear'],
      ['d', 'cheap,vendor/dear'],
      ['e', 'two/vendor/dear:online:floor'],
    ] as const) {
      expect(await ask(key, model)).toBe(200);
      expect(await ask(key, 'vendor/dear')).toBe(429);
      expect([await ask(key, 'cheap'), await ask(key, 'Cheap'), await ask(key, 'cheap:nitro')]).toEqual([
        200, 200, 429,
      ]);
    }
  });
});

describe('access to providers', () => {
  test('is denied to providers that are not listed', async () => {
    const { choices } = (await (await chat('searcher-key')).json()) as {
      choices: { message: { content: string } }[];
    };
    expect(choices[0]!.message.content).toBe('two');
    expect((await chat('member-key')).headers.get('x-llmproxy-provider')).toBe('one');
  });

  test('is required: without any, the answer is 403', async () => {
    const answer = await chat('searcher-key', 'gpt-4o-mini');
    expect(answer.status).toBe(403);
    expect(await told(answer)).toMatchObject({ code: 'key_not_permitted', param: 'model' });
  });
});

describe('access to endpoints', () => {
  test('is denied before the body is read', async () => {
    const endless = new ReadableStream({
      pull: (controller) => controller.enqueue(new TextEncoder().encode(' ')),
    });
    const answer = await fetch(`${proxy.url}/v1/responses`, {
      method: 'POST',
      body: endless.pipeThrough(new TransformStream()),
      ...by('member-key'),
    }).catch((cause: Error) => cause);
    // The connection may be closed while the client still sends.
    if (answer instanceof Response) expect(answer.status).toBe(403);
    const plain = await proxy.post('/v1/responses', 'not even JSON', by('member-key'));
    expect(plain.status).toBe(403);
    expect((await told(plain)).message).toContain('responses');
  });

  test('covers feedback too', async () => {
    const feedback = { request_id: 'r', score: 1 };
    expect((await proxy.post('/v1/feedback', feedback, by('member-key'))).status).toBe(202);
    expect((await proxy.post('/v1/feedback', feedback, by('no-endpoint-key'))).status).toBe(403);
  });
});

describe('a key', () => {
  test('that has expired is refused with its name and date', async () => {
    const answer = await chat('past-key');
    expect(answer.status).toBe(401);
    expect((await told(answer)).message).toContain('the API key "past" expired on 2020-01-31');
    expect((await fetch(`${proxy.url}/providers`, by('past-key'))).status).toBe(401);
    expect(
      Object.keys((await (await fetch(`${proxy.url}/health`, by('past-key'))).json()) as object),
    ).toEqual(['status']);
    expect((await chat('future-key')).status).toBe(200);
  });

  test('that is disabled is refused with its name', async () => {
    const answer = await chat('off-key');
    expect(answer.status).toBe(403);
    expect((await told(answer)).message).toContain('the API key "off" is disabled');
    expect((await fetch(`${proxy.url}/metrics`, by('off-key'))).status).toBe(403);
  });

  test('that is valid is accepted when an invalid one is sent with it', async () => {
    const headers = { authorization: 'Bearer past-key', 'x-api-key': 'all-key' };
    expect((await proxy.post('/v1/chat/completions', CHAT, { headers })).status).toBe(200);
  });
});

/** Routes that no list covers: those open to everyone, a key's own usage, and lists of models. */
const FREE =
  /^(?:(?:\/openai)?\/v1\w*)?(?:\/|\/api\/(?:version|tags|ps|show|pull|push|create|copy|delete|blobs\/\*)|\/health(?:\/live|\/ready)?|\/key|\/usage|(?:\/projects\/:project\/locations\/:location)?(?:\/publishers\/google)?\/(?:tunedModels|models)(?:\/\*)?)$/;
/** The operator's pages, which no list opens. */
const OPS = /^\/(?:providers|metrics)$/;
const FEEDBACK = /^(?:(?:\/openai)?\/v1)?\/feedback$/;
/** Sessions name their model in the URL, except those of Gemini, which name it in a message of the WebSocket. */
const REALTIME = /\/realtime$/;
const LIVE = /BidiGenerateContent$/;
/** A WebSocket whose requests name their models: see responses-socket.test.ts. */
const SOCKET = /^(?:(?:\/openai)?\/v1)?\/responses$/;
/** Stored objects belong to no model or provider: a key that may use responses may see its own. */
const STORED = /\/responses\/:id|\/conversations|\/interactions\/:id/;
/** Calls of Gemini's clients are recognized by their form, not by a route. */
const CALLED = '/v1beta/models/gpt-4o:generateContent';

describe('no route evades the lists of a key', () => {
  const ask = (method: string, path: string, key: string) => {
    const body = JSON.stringify(
      FEEDBACK.test(path) ? { request_id: 'r', score: 1 } : { input: 'x', items: [], ...CHAT },
    );
    const init = method === 'GET' ? {} : { body };
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}` };
    const query = REALTIME.test(path) ? '?model=gpt-4o' : '';
    const place = path === '/*' ? CALLED : path.replace('*', 'gpt-4o');
    return fetch(proxy.url + place + query, { method, headers, ...init });
  };
  const stored = (path: string) => (path.endsWith('/conversations') ? 200 : 404);
  const covered = routes(CONFIG).filter(({ path }) => !FREE.test(path));

  test('covers more than 40 routes', () => {
    expect(covered.length).toBeGreaterThan(40);
    const paths = covered.map(({ method, path }) => `${method} ${path}`);
    expect(paths).toContain('GET /v1/realtime');
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'])
      expect(paths).toContain(`${method} /providers/:name/*`);
  });

  test.each(covered.map(({ method, path }) => [method, path] as const))('%s %s', async (method, path) => {
    const [before, beforeTwo] = [one.asked.length, two.asked.length];
    for (const key of ['no-endpoint-key', 'no-model-key', 'no-provider-key']) {
      const answer = await ask(method, path, key);
      const free = FEEDBACK.test(path)
        ? 202
        : LIVE.test(path) || (method === 'GET' && SOCKET.test(path))
          ? 426
          : STORED.test(path)
            ? stored(path)
            : 403;
      expect([key, answer.status]).toEqual([key, key === 'no-endpoint-key' ? 403 : free]);
      await answer.text();
    }
    expect([one.asked.length, two.asked.length]).toEqual([before, beforeTwo]);
    // Without a valid key no route is open.
    expect((await ask(method, path, 'wrong')).status).toBe(401);
    if (REALTIME.test(path)) expect((await ask(method, path, 'all-key')).status).toBe(426);
    if (OPS.test(path)) expect((await ask(method, path, 'all-key')).status).toBe(200);
  });
});
