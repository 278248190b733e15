/** The compiled binary with plugins: the examples, and failures. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { createHash, createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConfigInput } from '../../src/config/schema.ts';
import type { Asked } from '../helpers/upstream.ts';
import { built, cleared, folder, run } from '../helpers/binary.ts';
import { plugged, textOf, write } from '../helpers/plugins.ts';
import { until } from '../helpers/until.ts';
import { chatStream, completion, sse, upstream } from '../helpers/upstream.ts';

beforeAll(built, 60_000);
afterAll(cleared);

const EXAMPLES = join(import.meta.dir, '../../examples');
const example = (name: string) => ({ [name]: readFileSync(join(EXAMPLES, name), 'utf8') });

const MOCK = { name: 'mock', type: 'mock' };
const CHAT = { model: 'x', messages: [{ role: 'user', content: 'hi' }] };

/** A plugin with a provider `odd` whose `send` has this body. */
function odd(body: string, more = ''): Record<string, string> {
  return {
    'odd.ts': `import { answer, BaseProvider, ProxyError, type Call } from 'llmproxy';
export class Odd extends BaseProvider {
  static readonly type = 'odd';
  override async send(call: Call, signal: AbortSignal) {
${body}
  }
}
${more}`,
  };
}

const ODD: ConfigInput = {
  plugins: ['odd.ts'],
  providers: [{ name: 'a', type: 'odd', models: ['x'], max_retries: 0 }],
};

describe('examples/signed.ts', () => {
  const config = (url: string): ConfigInput => ({
    plugins: ['signed.ts'],
    providers: [
      {
        name: 'acme',
        type: 'acme',
        base_url: url,
        api_key_env: 'ACME_SECRET',
        models: ['acme-*'],
        options: { region: 'eu', account: 'a-1234' },
      },
    ],
  });

  function isSigned({ path, headers, text }: Asked): boolean {
    const digest = createHash('sha256').update(text).digest('hex');
    const signed = ['POST', path, headers.get('x-acme-date'), digest].join('\n');
    return (
      headers.get('x-acme-signature') === createHmac('sha256', 'shh-a-secret').update(signed).digest('hex')
    );
  }

  test('signs unstreamed and streamed requests, whose bytes pass unchanged', async () => {
    await using vendor = upstream((asked) =>
      isSigned(asked)
        ? asked.path.endsWith('/stream')
          ? sse(chatStream(['Hel', 'lo']))
          : completion('Hello')
        : new Response('{"error":{"message":"bad signature"}}', { status: 401 }),
    );
    const proxy = await plugged(config(vendor.url), example('signed.ts'), { ACME_SECRET: 'shh-a-secret' });
    const whole = await proxy.post('/v1/chat/completions', { ...CHAT, model: 'acme-1' });
    expect(textOf(await whole.json())).toBe('Hello');
    const streamed = await proxy.post('/v1/chat/completions', { ...CHAT, model: 'acme-1', stream: true });
    expect(await streamed.text()).toBe(chatStream(['Hel', 'lo']));
    const message = await proxy.post('/v1/messages', { ...CHAT, model: 'acme-1', max_tokens: 9 });
    expect(textOf(await message.json())).toBe('Hello');
    expect(vendor.asked.map(({ path, headers }) => [path, headers.get('x-acme-account')])).toEqual([
      ['/v3/models/acme-1/generate', 'a-1234'],
      ['/v3/models/acme-1/stream', 'a-1234'],
      ['/v3/models/acme-1/generate', 'a-1234'],
    ]);
  });

  test('reports invalid options with their positions, and its type is listed with the others', () => {
    const cwd = folder();
    const yaml = (options: string, type = 'acme') =>
      `plugins:\n  - ./signed.ts\nproviders:\n  - name: acme\n    type: ${type}\n    models: [x]\n    options: ${options}\n`;
    write(cwd, { ...example('signed.ts'), 'config.yaml': yaml('{ region: eu, account: a }') });
    write(cwd, { 'wrong.yaml': yaml('{ region: uk, acount: a }'), 'type.yaml': yaml('{}', 'acne') });
    expect(run(cwd, 'config', 'validate')).toMatchObject({ code: 0, err: '' });
    const wrong = run(cwd, 'config', 'validate', 'wrong.yaml');
    expect(wrong.code).toBe(1);
    expect(wrong.err).toContain('wrong.yaml:7:24 error: providers[0].options.region: expected one of eu, us');
    expect(wrong.err).toContain('wrong.yaml:7:28 error: unknown key `acount`');
    expect(wrong.err).toContain('did you mean `account`?');
    const type = run(cwd, 'config', 'validate', 'type.yaml');
    expect(type.err).toContain('type.yaml:5:11 error: providers[0].type: expected one of');
    expect(type.err).toContain('did you mean `acme`?');
    expect(run(cwd, 'providers').out).toMatch(/^acme +HTTP, by its code/m);
    expect(run(cwd, 'explain', '--model', 'x').out).toContain('acme/x');
    expect(run(cwd, 'explain', '--model', 'x').out).toContain(
      'POST https://eu.acme.example/v3/models/x/generate',
    );
    // Commands that need no providers do not run plugin code.
    write(cwd, { 'signed.ts': 'throw new Error("it ran")' });
    expect(run(cwd, 'usage', '--config', 'config.yaml').err).not.toContain('it ran');
    expect(run(cwd, 'config', 'validate').err).toMatch(
      /config\.yaml:2:5 error: Cannot load .*signed\.ts: it ran at .*signed\.ts:1:/,
    );
  });
});

describe('examples/local.ts', () => {
  test('answers in code for clients of every API, unstreamed and streamed, and passes on what it does not know', async () => {
    await using model = upstream(() => completion('I am a model'));
    const options = { else: `${model.url}/v1/chat/completions`, model: 'llama' };
    const provider = { name: 'desk', type: 'local', models: ['desk'], options };
    const proxy = await plugged({ plugins: ['local.ts'], providers: [provider] }, example('local.ts'));
    const messages = [{ role: 'user', content: 'When are your opening hours?' }];
    const asked: readonly [string, object][] = [
      ['/v1/chat/completions', { model: 'desk', messages }],
      ['/v1/messages', { model: 'desk', messages, max_tokens: 9 }],
      ['/v1/responses', { model: 'desk', input: messages }],
    ];
    for (const [path, body] of asked) {
      const whole = await proxy.post(path, body);
      expect(textOf(await whole.json())).toBe('Monday to Friday, from 9 to 17.');
      const streamed = await (await proxy.post(path, { ...body, stream: true })).text();
      expect(streamed).toContain('Monday');
      expect(streamed).toMatch(/\[DONE\]\s*$|event: message_stop|event: response\.completed/);
    }
    const other = await proxy.post('/v1/chat/completions', { model: 'desk', messages: CHAT.messages });
    expect(textOf(await other.json())).toBe('I am a model');
    expect(JSON.parse(model.asked[0]!.text)).toMatchObject({ model: 'llama' });
    const { providers } = (await (await fetch(`${proxy.url}/providers`)).json()) as {
      providers: { name: string; type: string; state: string }[];
    };
    expect(providers).toMatchObject([{ name: 'desk', type: 'local', state: 'healthy' }]);
  });
});

describe('examples/audit.ts', () => {
  test('changes requests and answers, refuses some, and reports each', async () => {
    await using auditor = upstream(() => new Response('ok'));
    await using vendor = upstream(() => completion('Hello'));
    const provider = { name: 'v', type: 'openai-compatible', base_url: vendor.url, models: ['x'] };
    const config = { plugins: ['audit.ts'], providers: [provider] };
    const proxy = await plugged(config, example('audit.ts'), { AUDIT_URL: auditor.url });
    const answer = await proxy.post('/v1/chat/completions', CHAT);
    expect(await answer.json()).toMatchObject({
      audited: true,
      choices: [{ message: { content: 'Hello' } }],
    });
    expect(JSON.parse(vendor.asked[0]!.text)).toMatchObject({ user: 'nobody' });
    const secret = { ...CHAT, messages: [{ role: 'user', content: 'Tell me of Project Falcon' }] };
    const refused = await proxy.post('/v1/chat/completions', secret);
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({ error: { code: 'content_policy_violation' } });
    expect(vendor.asked.length).toBe(1);
    await until('two audits', () => auditor.asked.length, { is: 2 });
    expect(auditor.asked.map(({ text }) => JSON.parse(text) as object)).toMatchObject([
      { user: 'nobody', model: 'x', outcome: 'success' },
      { user: null, outcome: 'error' },
    ]);
  });
});

describe('A provider of a plugin that throws', () => {
  test('is skipped, and only the operator sees where it threw', async () => {
    const providers: ConfigInput['providers'] = [
      { name: 'a', type: 'odd', models: ['mock'] },
      { ...MOCK, priority: 2 },
    ];
    const proxy = await plugged({ plugins: ['odd.ts'], providers }, odd("    throw new TypeError('boom');"));
    const answer = await proxy.post('/v1/chat/completions', { ...CHAT, model: 'mock' });
    expect(answer.headers.get('x-llmproxy-provider')).toBe('mock');
    const alone = await proxy.post('/v1/chat/completions', { ...CHAT, model: 'a/mock' });
    expect(alone.status).toBe(500);
    const text = await alone.text();
    expect(JSON.parse(text)).toMatchObject({ error: { code: 'plugin_failed', type: 'server_error' } });
    expect(text).not.toMatch(/boom|odd\.ts|:\d+:\d+/);
    await until('the message', () => /Plugin odd: .*TypeError: boom at .*odd\.ts:5:\d+/.test(proxy.said()));
    const page = await (await fetch(`${proxy.url}/metrics`)).text();
    expect(page).toContain('llmproxy_attempt_faults_total{provider="a",fault="plugin"} 2');
  });

  test('in the middle of a stream ends it with an error in the client’s protocol', async () => {
    const body = `    return answer(call, async function* () {
      yield 'beginning';
      await Bun.sleep(1);
      throw new RangeError('half way');
    });`;
    const proxy = await plugged(ODD, odd(body));
    const chat = await (await proxy.post('/v1/chat/completions', { ...CHAT, stream: true })).text();
    expect(chat).toContain('beginning');
    expect(chat).toContain('plugin_failed');
    expect(chat).not.toContain('[DONE]');
    const messages = { ...CHAT, stream: true, max_tokens: 9 };
    const message = await (await proxy.post('/v1/messages', messages)).text();
    expect(message).toMatch(/beginning[\s\S]*event: error/);
    expect(message).not.toContain('message_stop');
    expect(chat + message).not.toContain('half way');
    await until('the message', () => /RangeError: half way at .*odd\.ts:8:/.test(proxy.said()));
  });

  test('in the middle of a stream may be followed by another target (`resume: on`)', async () => {
    await using other = upstream(() => sse(chatStream(['the ', 'rest'])));
    const body = `    return answer(call, async function* () {
      yield 'The beginning and ';
      await Bun.sleep(1);
      throw new RangeError('half way');
    });`;
    const providers: ConfigInput['providers'] = [
      { name: 'a', type: 'odd', models: ['x'], max_retries: 0 },
      { name: 'b', type: 'llamacpp', base_url: other.url, models: ['x'], priority: 2 },
    ];
    const proxy = await plugged({ plugins: ['odd.ts'], providers, routing: { resume: 'on' } }, odd(body));
    const streamed = await (await proxy.post('/v1/chat/completions', { ...CHAT, stream: true })).text();
    const said = [...streamed.matchAll(/"content":"([^"]*)"/g)].map(([, text]) => text).join('');
    expect(said).toBe('The beginning and the rest');
    expect(streamed).toContain('[DONE]');
  });

  test.each([
    ['nothing', 'return undefined as never;'],
    [
      'a body of numbers',
      'return { status: 200, headers: new Headers(), body: new ReadableStream({ start(c) { c.enqueue(1); } }) as never };',
    ],
    ['pieces that are none', 'return answer(call, function* () { yield 1 as never; });'],
    ['text that is thrown', "throw 'just words';"],
  ])('so does one that gives %s', async (_, body) => {
    const proxy = await plugged(ODD, odd(`    ${body}`));
    const answer = await proxy.post('/v1/chat/completions', CHAT);
    expect(await answer.json()).toMatchObject({ error: { code: 'plugin_failed' } });
    await until('the message', () => proxy.said().includes('Plugin odd: Cannot get an answer from a: '));
  });

  test('a fetch that cannot connect does not count as a fault of its code', async () => {
    const proxy = await plugged(ODD, odd("    return await fetch('http://127.0.0.1:1/', { signal });"));
    const answer = await proxy.post('/v1/chat/completions', CHAT);
    expect(await answer.json()).toMatchObject({ error: { code: 'upstream_unreachable' } });
  });

  test('one that hangs and ignores its signal is given up in time', async () => {
    const body = `    if (call.stream) return { status: 200, headers: new Headers(), body: new ReadableStream({ pull: () => new Promise(() => {}) }) };
    return await new Promise<never>(() => undefined);`;
    const providers: ConfigInput['providers'] = [
      { name: 'a', type: 'odd', models: ['mock'], max_retries: 0, timeout: '200ms' },
      { ...MOCK, priority: 2 },
    ];
    const proxy = await plugged({ plugins: ['odd.ts'], providers }, odd(body));
    for (const stream of [false, true]) {
      const answer = await proxy.post('/v1/chat/completions', { ...CHAT, model: 'mock', stream });
      expect(answer.headers.get('x-llmproxy-provider')).toBe('mock');
      await answer.text();
    }
  });

  test('an answer that fetch has decompressed is no longer labelled as compressed', async () => {
    await using vendor = upstream(async () => {
      const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
      return new Response(Bun.gzipSync(await completion('Hello').text()), { headers });
    });
    const proxy = await plugged(ODD, odd(`    return await this.fetch('${vendor.url}', { signal });`));
    const answer = await proxy.post('/v1/chat/completions', CHAT);
    expect(answer.headers.get('content-encoding')).toBeNull();
    expect(textOf(await answer.json())).toBe('Hello');
  });

  test('a ProxyError keeps its fault', async () => {
    const proxy = await plugged(
      ODD,
      odd("    throw new ProxyError('context_length', 'Cannot ask: too long');"),
    );
    const answer = await proxy.post('/v1/chat/completions', CHAT);
    expect([answer.status, await answer.json()]).toMatchObject([
      400,
      { error: { code: 'context_length_exceeded' } },
    ]);
  });
});

test('an error that a plugin throws outside of any call is reported with its name, and ends nothing', async () => {
  const body = `    void Promise.reject(new Error('stray promise'));
    setTimeout(() => { throw new Error('stray timer'); }, 1);
    return answer(call, () => ['fine']);`;
  const proxy = await plugged(ODD, odd(body));
  const answer = await proxy.post('/v1/chat/completions', CHAT);
  expect(textOf(await answer.json())).toBe('fine');
  for (const [word, line] of [
    ['promise', 5],
    ['timer', 6],
  ])
    await until(`the message about the ${word}`, () =>
      new RegExp(`Plugin odd: .*stray ${word} at .*odd\\.ts:${line}:`).test(proxy.said()),
    );
  expect((await fetch(`${proxy.url}/health/live`)).status).toBe(200);
});

test('a client that disconnects ends the generator, and a slow one delays it', async () => {
  const body = `    return answer(call, async function* () {
      try {
        for (let n = 0; ; n += 1) { if (n % 1000 === 0) { await Bun.sleep(0); await Bun.write('count', String(n)); } yield 'x'.repeat(1000); }
      } finally { await Bun.write('ended', 'yes'); }
    });`;
  const proxy = await plugged({ ...ODD, limits: { max_response: '1GiB' } }, odd(body));
  const abort = new AbortController();
  const answer = await proxy.post(
    '/v1/chat/completions',
    { ...CHAT, stream: true },
    { signal: abort.signal },
  );
  const reader = answer.body!.getReader();
  await reader.read();
  const count = () => Number(readFileSync(join(proxy.cwd, 'count'), 'utf8'));
  // Once the socket buffers hold some megabytes, the generator pauses.
  let last = -1;
  await until(
    'the generator to rest',
    () => {
      const now = count();
      const rests = now === last;
      last = now;
      return rests;
    },
    { everyMs: 500 },
  );
  expect(last).toBeLessThan(100_000);
  abort.abort();
  await until('the end of the generator', () => Bun.file(join(proxy.cwd, 'ended')).exists());
});

describe('Hooks', () => {
  const hooks = (code: string) => ({
    'hooks.ts': `import { ProxyError } from 'llmproxy';\nexport default { ${code} };`,
  });
  const config: ConfigInput = { plugins: ['hooks.ts'], plugin_timeout: '200ms', providers: [MOCK] };
  const ask = { ...CHAT, model: 'mock' };

  test.each([
    [
      'throws',
      "onRequest() { throw new Error('oh no'); }",
      /Plugin hooks: Cannot do onRequest: oh no at .*hooks\.ts:2:/,
    ],
    [
      'takes too long',
      'onRequest() { return new Promise(() => undefined); }',
      /it took longer than 200 ms \(plugin_timeout\)/,
    ],
    ['rejects', "async onAnswer() { throw new Error('oh no'); }", /Cannot do onAnswer: oh no/],
    [
      'leaves no request',
      'onRequest(request) { request.body = { messages: [] }; }',
      /Cannot use a request as changed by onRequest/,
    ],
  ])('one that %s fails the request by its own fault', async (_, code, told) => {
    const proxy = await plugged(config, hooks(code));
    const answer = await proxy.post('/v1/chat/completions', ask);
    expect([answer.status, await answer.json()]).toMatchObject([500, { error: { code: 'plugin_failed' } }]);
    await until('the message', () => told.test(proxy.said()));
  });

  test('get the caller of the request; what they change is routed, recorded and charged', async () => {
    const code = `onRequest(request, facts) {
      if (facts.signal.aborted) throw new Error();
      console.error('FACTS', JSON.stringify(facts));
      request.body.model = 'mock-other';
    },
    onRecord({ model, request, response }) { console.error('RECORD', model, request.model, typeof response); }`;
    const proxy = await plugged(config, hooks(code));
    const answer = await proxy.post('/v1/chat/completions', { ...ask, user: 'bob' });
    expect(await answer.json()).toMatchObject({ model: 'mock-other' });
    await until('the record', () => proxy.said().includes('RECORD mock-other mock-other object'));
    const [, facts = ''] = /FACTS (.*)/.exec(proxy.said()) ?? [];
    expect(JSON.parse(facts)).toMatchObject({
      key: null,
      user: 'bob',
      model: 'mock',
      endpoint: 'chat',
      stream: false,
    });
  });

  test('that change nothing leave the bytes of a request unchanged', async () => {
    await using vendor = upstream(() => completion('Hello'));
    const provider = { name: 'v', type: 'openai-compatible', base_url: vendor.url, models: ['x'] };
    const proxy = await plugged(
      { ...config, providers: [provider] },
      hooks('onRequest({ body }) { body.temperature = body.temperature; }'),
    );
    const body = '{ "model": "x",\n "temperature":1.0, "messages":[{"role":"user","content":"hi"}] }';
    await proxy.post('/v1/chat/completions', undefined, { body });
    expect(vendor.asked[0]!.text).toBe(body);
  });
});
