/** The passthrough at /providers/NAME/...: access, destination, what is forwarded, and what is recorded. */
import { afterEach, describe, expect, test } from 'bun:test';
import type { ConfigInput } from '../../src/config/schema.ts';
import type { Script } from '../helpers/upstream.ts';
import { provider, running } from '../helpers/proxy.ts';
import { rawRequest } from '../helpers/raw-request.ts';
import { rawUpstream } from '../helpers/raw-upstream.ts';
import { completion, pieces, upstream } from '../helpers/upstream.ts';
import { until } from '../helpers/until.ts';

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const each of open.splice(0)) await each[Symbol.asyncDispose]();
});

const FILE = { id: 'file-1', object: 'file' };

function serving(script: Script = () => Response.json(FILE)) {
  const made = upstream(script);
  open.push(made);
  return made;
}

function proxyFor(url: string, config: Partial<ConfigInput> = {}, extra: object = {}) {
  const proxy = running({
    providers: [
      provider('one', `${url}/v1`, { api_key: 'sk-upstream', passthrough: true, ...extra }),
      provider('off', `${url}/v1`),
    ],
    ...config,
  });
  open.unshift(proxy);
  return proxy;
}

const KEYS: Partial<ConfigInput> = {
  groups: {
    files: { endpoints: ['passthrough', 'chat'] },
    counted: { endpoints: ['passthrough'], limits: [{ budget: 10, per: 'day' }] },
    free: { endpoints: ['passthrough'], limits: [{ tokens: 100, per: 'day' }], unpriced: 'allow' },
    priced: { endpoints: ['passthrough'], limits: [{ budget: 1, per: 'day' }], unpriced: { request: 0.6 } },
    chatty: { endpoints: ['passthrough'], limits: [{ budget: 10, per: 'day', endpoints: ['chat'] }] },
    dear: { endpoints: ['passthrough'], limits: [{ budget: 10, per: 'day', models: ['*opus*'] }] },
  },
  auth: {
    keys: [
      { name: 'plain', key: 'plain' },
      { name: 'star', key: 'star', endpoints: ['*'] },
      { name: 'files', key: 'files', group: 'files' },
      { name: 'models', key: 'models', group: 'files', models: ['*'] },
      { name: 'other', key: 'other', group: 'files', providers: ['two'] },
      { name: 'narrowed', key: 'narrowed', group: 'files', endpoints: ['chat'] },
      { name: 'once', key: 'once', group: 'files', limits: [{ requests: 1, per: 'day' }] },
      ...['counted', 'free', 'priced', 'chatty', 'dear'].map((name) => ({ name, key: name, group: name })),
    ],
  },
};

interface Refusal {
  error: { code: string; message: string };
}

const by = (key: string) => ({ authorization: `Bearer ${key}` });

describe('a passthrough request', () => {
  test('goes below the base URL with the provider’s credentials, and its answer is returned unchanged', async () => {
    const one = serving(() =>
      Response.json(FILE, { status: 201, headers: { etag: '"x"', 'set-cookie': 'a=b', 'x-secret': 'y' } }),
    );
    const proxy = proxyFor(one.url, KEYS);
    const answer = await fetch(`${proxy.url}/providers/one/files/file-1?a=1&b=%2F&c=files&d`, {
      method: 'PATCH',
      body: '{ "x":  1 }',
      headers: {
        ...by('files'),
        'content-type': 'application/json',
        'openai-beta': 'assistants=v2',
        'openai-organization': 'org-other',
        cookie: 'c=d',
        'x-forwarded-for': '1.2.3.4',
        'idempotency-key': 'idem',
      },
    });
    expect(answer.status).toBe(201);
    expect(await answer.text()).toBe(JSON.stringify(FILE));
    expect(answer.headers.get('etag')).toBe('"x"');
    expect(answer.headers.get('set-cookie')).toBeNull();
    expect(answer.headers.get('x-secret')).toBeNull();
    expect(answer.headers.get('x-llmproxy-provider')).toBe('one');
    const { path, headers, text } = one.asked[0]!;
    // A parameter whose value is the client's key is removed, whatever its name.
    expect(path).toBe('/v1/files/file-1?a=1&b=%2F&d');
    expect(text).toBe('{ "x":  1 }');
    expect(headers.get('authorization')).toBe('Bearer sk-upstream');
    expect(headers.get('openai-beta')).toBe('assistants=v2');
    for (const name of ['openai-organization', 'cookie', 'x-forwarded-for'])
      expect(headers.get(name)).toBeNull();
    expect(headers.get('idempotency-key')).not.toBe('idem');
    expect(headers.get('content-length')).toBe('11');
    const [record] = await proxy.recorded(1);
    expect(record).toMatchObject({
      endpoint: 'passthrough',
      outcome: 'success',
      status: 201,
      key: 'files',
      model: '',
      provider: 'one',
      upstream_model: null,
      passed: { method: 'PATCH', path: '/files/{id}' },
      request_bytes: 11,
      response_bytes: JSON.stringify(FILE).length,
      content: 'metadata',
    });
    expect(record!.request).toBeUndefined();
  });

  test.each(['GET', 'HEAD', 'DELETE', 'PUT', 'POST'])('may use the method %s', async (method) => {
    const one = serving();
    const proxy = proxyFor(one.url);
    const answer = await fetch(`${proxy.url}/providers/one/v1/batches`, { method });
    expect(answer.status).toBe(200);
    await answer.text();
    expect(one.asked[0]!.path).toBe('/v1/batches');
    expect((await proxy.recorded(1))[0]).toMatchObject({ passed: { method } });
  });

  test('leaves /providers to the operator', async () => {
    const proxy = proxyFor(serving().url);
    const page = (await (await fetch(`${proxy.url}/providers`)).json()) as { providers: unknown[] };
    expect(page.providers.length).toBe(2);
  });

  test('is streamed both ways without buffering', async () => {
    const chunk = new Uint8Array(1024 * 1024).fill(65);
    const one = serving(({ body }) => new Response(pieces(body, [64 * 1024])));
    const proxy = proxyFor(one.url);
    const body = new ReadableStream({
      start(controller) {
        for (let n = 0; n < 4; n += 1) controller.enqueue(chunk);
        controller.close();
      },
    });
    const answer = await fetch(`${proxy.url}/providers/one/files`, { method: 'POST', body });
    expect((await answer.bytes()).length).toBe(4 * chunk.length);
    expect((await proxy.recorded(1))[0]).toMatchObject({
      request_bytes: 4 * chunk.length,
      response_bytes: 4 * chunk.length,
    });
  });

  test('is limited in size both ways', async () => {
    const one = serving(() => new Response(pieces(new Uint8Array(100_000), [10_000], 1)));
    const proxy = proxyFor(one.url, { limits: { max_passthrough: '50KB' } });
    const announced = await fetch(`${proxy.url}/providers/one/files`, {
      method: 'POST',
      body: new Uint8Array(60_000),
    });
    expect(announced.status).toBe(413);
    const body = new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(10_000)),
    });
    const endless = await fetch(`${proxy.url}/providers/one/files`, { method: 'POST', body }).catch(
      () => undefined,
    );
    if (endless) expect(endless.status).toBe(413);
    await fetch(`${proxy.url}/providers/one/files`)
      .then((answer) => answer.bytes())
      .then(
        () => expect().fail('it came whole'),
        () => undefined,
      );
    const records = await proxy.recorded(3);
    expect(records.map(({ fault }) => fault)).toEqual(['too_large', 'too_large', 'too_long']);
  });

  test('is cancelled at the provider when the client leaves', async () => {
    let left = false;
    const one = serving(
      () =>
        new Response(
          new ReadableStream({
            pull: async (controller) => {
              controller.enqueue(new Uint8Array(1_000));
              await Bun.sleep(5);
            },
            cancel: () => void (left = true),
          }),
        ),
    );
    const proxy = proxyFor(one.url);
    const answer = await fetch(`${proxy.url}/providers/one/files`);
    await answer.body!.getReader().cancel();
    await until('the provider to see the disconnect', () => left);
    expect((await proxy.recorded(1))[0]).toMatchObject({ outcome: 'client_abort' });
  });

  test('reports the usage of an answer, but not again when the answer is retrieved later', async () => {
    const usage = { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 };
    const proxy = proxyFor(serving(() => Response.json({ id: 'x', usage })).url);
    await (await fetch(`${proxy.url}/providers/one/ocr`, { method: 'POST', body: '{}' })).text();
    await (await fetch(`${proxy.url}/providers/one/ocr/x`)).text();
    const records = await proxy.recorded(2);
    expect(records.map(({ input_tokens, output_tokens }) => [input_tokens, output_tokens])).toEqual([
      [3, 4],
      [null, null],
    ]);
  });
});

describe('a passthrough path', () => {
  const paths = [
    '/providers/one/../../admin',
    '/providers/one/%2e%2e/admin',
    '/providers/one/..%2fadmin',
    '/providers/one/%252e%252e/admin',
    '/providers/one//evil.example/x',
    '/providers/one/a//b',
    '/providers/one/\\evil.example',
    '/providers/one/..;/admin',
    '/providers/one/@evil.example/',
    'http://evil.example/providers/one/files',
    '/providers/one/http://evil.example/x',
  ];
  test.each(paths)('cannot leave the base URL: %s', async (path) => {
    const one = serving();
    const proxy = proxyFor(one.url);
    await rawRequest(proxy.url, path);
    for (const asked of one.asked) {
      expect(asked.path).toStartWith('/v1/');
      expect(decodeURIComponent(asked.path)).not.toContain('..');
      expect(asked.headers.get('host')).toBe(new URL(one.url).host);
    }
  });

  test('that the provider redirects is not followed', async () => {
    const other = serving();
    const proxy = proxyFor(serving(() => Response.redirect(`${other.url}/stolen`, 302)).url);
    const answer = await fetch(`${proxy.url}/providers/one/files`, { redirect: 'manual' });
    expect(answer.status).toBe(502);
    expect(answer.headers.get('location')).toBeNull();
    expect(other.asked.length).toBe(0);
  });
});

describe('access to the passthrough', () => {
  const refused = async (proxy: { url: string }, key: string, name = 'one') => {
    const answer = await fetch(`${proxy.url}/providers/${name}/files`, { headers: by(key) });
    const body = (await answer.json()) as Partial<Refusal>;
    return [answer.status, body.error?.code];
  };

  test('needs a key whose endpoints name it, without a list of models, and with the provider allowed', async () => {
    const one = serving();
    const proxy = proxyFor(one.url, KEYS);
    expect(await refused(proxy, 'wrong')).toEqual([401, 'invalid_api_key']);
    for (const key of ['plain', 'star', 'models', 'other', 'narrowed'])
      expect([key, ...(await refused(proxy, key))]).toEqual([key, 403, 'key_not_permitted']);
    expect(await refused(proxy, 'files', 'off')).toEqual([404, 'unknown_url']);
    expect(await refused(proxy, 'files', 'nobody')).toEqual([404, 'unknown_url']);
    expect(one.asked.length).toBe(0);
    expect(await refused(proxy, 'files')).toEqual([200, undefined]);
  });

  test('is limited to this machine where there are no keys', async () => {
    const one = serving();
    const far = proxyFor(one.url, { auth: 'none', server: { host: '0.0.0.0' } });
    expect(await refused(far, 'x')).toEqual([403, 'key_not_permitted']);
    expect(one.asked.length).toBe(0);
  });

  test('is denied to pages of another origin', async () => {
    const proxy = proxyFor(serving().url);
    const answer = await fetch(`${proxy.url}/providers/one/files`, {
      headers: { origin: 'https://evil.example' },
    });
    expect(answer.status).toBe(403);
  });

  test('counts against limits on requests', async () => {
    const proxy = proxyFor(serving().url, KEYS);
    expect(await refused(proxy, 'once')).toEqual([200, undefined]);
    expect(await refused(proxy, 'once')).toEqual([429, 'rate_limit_exceeded']);
  });

  test('is denied under limits on tokens or budgets, unless the group allows or prices it', async () => {
    const one = serving();
    const proxy = proxyFor(one.url, KEYS);
    for (const key of ['counted', 'dear'])
      expect([key, ...(await refused(proxy, key))]).toEqual([key, 403, 'key_not_permitted']);
    expect(one.asked.length).toBe(0);
    for (const key of ['free', 'chatty'])
      expect([key, ...(await refused(proxy, key))]).toEqual([key, 200, undefined]);
    expect(await refused(proxy, 'priced')).toEqual([200, undefined]);
    await proxy.recorded(5);
    expect(await refused(proxy, 'priced')).toEqual([429, 'insufficient_quota']);
  });
});

describe('an error of the provider in the passthrough', () => {
  test('is returned with its message, unless it is about the provider’s own key', async () => {
    let status = 404;
    let message = 'no such file, sk-upstream';
    const one = serving(({ path }) =>
      path.endsWith('completions') ? completion('Hi') : Response.json({ error: { message } }, { status }),
    );
    const proxy = proxyFor(one.url);
    const answer = await fetch(`${proxy.url}/providers/one/files/x`);
    expect(answer.status).toBe(404);
    expect(await answer.text()).toBe('{"error":{"message":"no such file, [redacted]"}}');
    status = 401;
    message = 'Incorrect API key provided: sk-upstream';
    const auth = await fetch(`${proxy.url}/providers/one/files/x`);
    expect(auth.status).toBe(502);
    expect(((await auth.json()) as Refusal).error.code).toBe('provider_auth_failed');
    expect((await proxy.recorded(2)).map(({ outcome, status: told }) => [outcome, told])).toEqual([
      ['error', 404],
      ['error', 502],
    ]);
    // No cooldown follows: what a key may not do with files says nothing about its chats.
    const chat = await proxy.post('/v1/chat/completions', { model: 'gpt-4o', messages: [] });
    expect(chat.headers.get('x-llmproxy-attempts')).toBe('1');
    expect(one.asked.at(-1)!.path).toBe('/v1/chat/completions');
  });

  test('that cannot be reached is answered with 502', async () => {
    const gone = upstream(() => new Response());
    await gone[Symbol.asyncDispose]();
    const proxy = proxyFor(gone.url);
    const answer = await fetch(`${proxy.url}/providers/one/files`);
    expect(answer.status).toBe(502);
    expect((await proxy.recorded(1))[0]).toMatchObject({ fault: 'unreachable', attempts: 1 });
  });

  test('that sends nothing is answered with 504', async () => {
    const { promise: never } = Promise.withResolvers<Response>();
    const proxy = proxyFor(serving(() => never).url, {}, { timeout: { first_byte: '100ms' } });
    const answer = await fetch(`${proxy.url}/providers/one/files`);
    expect(answer.status).toBe(504);
    expect((await proxy.recorded(1))[0]).toMatchObject({ fault: 'timeout_first_byte' });
  });

  for (const [what, reply, status, code] of [
    ['without a valid status', 'HTTP/1.1 999 Odd\r\ncontent-length: 2\r\n\r\n{}', 502, 'malformed_response'],
    ['cut off before its body', 'HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n', 502, 'upstream_unreachable'],
    ['that stalls before its body', 'HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n', 504, 'timeout_idle'],
  ] as const) {
    test(`with an answer ${what} is answered with ${status}, and recorded as that`, async () => {
      const one = await rawUpstream(reply, { open: status === 504 });
      open.push(one);
      const proxy = proxyFor(one.url, {}, { timeout: { idle: '200ms', first_byte: '20s' } });
      const answer = await fetch(`${proxy.url}/providers/one/files`);
      const { error } = (await answer.json()) as Refusal;
      expect([answer.status, error.code]).toEqual([status, code]);
      expect(await proxy.recorded(1)).toMatchObject([{ status, outcome: 'error', attempts: 1 }]);
    });
  }
});
