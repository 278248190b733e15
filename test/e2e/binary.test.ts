/** The compiled binary on its own in an empty folder, called through the official OpenAI SDK. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import OpenAI from 'openai';
import { built, cleared, folder, run, serve } from '../helpers/binary.ts';
import { until } from '../helpers/until.ts';

const client = (url: string) => new OpenAI({ apiKey: 'unused', baseURL: `${url}/v1`, maxRetries: 0 });

beforeAll(built, 60_000);
afterAll(cleared);

test.concurrent('the openai SDK gets answers of every endpoint from the mock', async () => {
  const { url } = await serve(folder());
  const openai = client(url);
  const messages = [{ role: 'user' as const, content: 'hello' }];
  const whole = await openai.chat.completions.create({ model: 'mock', messages });
  expect(whole.choices[0]!.message.content).toContain('You said: hello');
  const stream = await openai.chat.completions.create({
    model: 'mock',
    messages,
    stream: true,
    stream_options: { include_usage: true },
  });
  let text = '';
  let usage: unknown;
  for await (const chunk of stream) {
    text += chunk.choices[0]?.delta.content ?? '';
    usage = chunk.usage ?? usage;
  }
  expect([text, usage]).toEqual([whole.choices[0]!.message.content, whole.usage]);
  const tools = [
    {
      type: 'function' as const,
      function: { name: 'weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } },
    },
  ];
  const asking = [{ role: 'user' as const, content: 'What is the weather in Paris?' }];
  const called = await openai.chat.completions.create({ model: 'mock', messages: asking, tools });
  expect(called.choices[0]!.message.tool_calls).toMatchObject([
    { function: { arguments: '{"city":"Paris"}' } },
  ]);
  expect(called.choices[0]!.finish_reason).toBe('tool_calls');
  expect((await openai.completions.create({ model: 'mock', prompt: 'once' })).choices[0]!.text).not.toBe('');
  let legacy = '';
  for await (const chunk of await openai.completions.create({ model: 'mock', prompt: 'once', stream: true }))
    legacy += chunk.choices[0]?.text ?? '';
  expect(legacy).not.toBe('');
  const embedded = await openai.embeddings.create({ model: 'mock', input: ['a', 'b'] });
  expect(embedded.data.map(({ embedding }) => embedding.length)).toEqual([256, 256]);
  expect((await openai.moderations.create({ model: 'mock', input: 'x' })).results.length).toBe(1);
  expect((await openai.models.list()).data.map(({ id }) => id)).toContain('mock');
  expect((await openai.models.retrieve('mock')).id).toBe('mock');
  const error = await openai.chat.completions
    .create({ model: 'mok', messages })
    .catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(OpenAI.NotFoundError);
  expect((error as InstanceType<typeof OpenAI.NotFoundError>).code).toBe('model_not_found');
});

test.concurrent('an in-band error reaches the SDK as an error, not as a finished answer', async () => {
  const cwd = folder();
  writeFileSync(
    join(cwd, 'config.yaml'),
    'providers: [{ name: mock, type: mock, mock: { allow_header: true } }]\n',
  );
  const { url } = await serve(cwd);
  const stream = await client(url).chat.completions.create(
    { model: 'mock', messages: [{ role: 'user', content: 'x' }], stream: true },
    { headers: { 'x-mock-fault': 'cut; after=2' } },
  );
  const read = async () => {
    for await (const chunk of stream) void chunk;
  };
  expect(read()).rejects.toThrow('cut');
});

test.concurrent(
  'a dead first provider fails no request, and every conversation is one exported line',
  async () => {
    const cwd = folder();
    writeFileSync(
      join(cwd, 'config.yaml'),
      `providers:
  - { name: dead, type: openai-compatible, base_url: "http://127.0.0.1:1", models: ["mock*"], priority: 1 }
  - { name: mock, type: mock, priority: 2 }
`,
    );
    const serving = await serve(cwd);
    const openai = client(serving.url);
    const ask = async (n: number) => {
      const stream = await openai.chat.completions.create({
        model: 'mock',
        messages: [{ role: 'user', content: `q${n}` }],
        stream: true,
      });
      let text = '';
      for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
      return text;
    };
    const answers = await Promise.all(Array.from({ length: 25 }, (_, n) => ask(n)));
    expect(answers.every((text, n) => text.startsWith(`You said: q${n}. `))).toBe(true);
    const health = run(cwd, 'health', '--url', serving.url);
    expect(health.code).toBe(1);
    expect(health.out).toContain('unhealthy');
    serving.process.kill('SIGTERM');
    expect(await serving.process.exited).toBe(0);
    const exported = run(cwd, 'export', '--model-filter', 'mock', '--successful-only');
    const rows = exported.out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { messages: { content: string }[] });
    expect(exported.code).toBe(0);
    expect(new Set(rows.map((row) => row.messages[0]!.content)).size).toBe(25);
    expect(rows.length).toBe(25);
  },
);

test.concurrent('SIGTERM lets a stream finish and loses no record; a new request is refused', async () => {
  const cwd = folder();
  writeFileSync(
    join(cwd, 'config.yaml'),
    'providers: [{ name: mock, type: mock, mock: { tokens_per_second: 40 } }]\n',
  );
  const { url, process: child } = await serve(cwd);
  const stream = await client(url).chat.completions.create({
    model: 'mock',
    messages: [{ role: 'user', content: 'slow' }],
    stream: true,
  });
  let finish: string | null = null;
  let signalled = false;
  for await (const chunk of stream) {
    if (!signalled) child.kill('SIGTERM');
    signalled = true;
    finish = chunk.choices[0]?.finish_reason ?? finish;
  }
  expect(finish).toBe('stop');
  expect(await child.exited).toBe(0);
  const [file] = readdirSync(join(cwd, 'logs'));
  const lines = readFileSync(join(cwd, 'logs', file!), 'utf8')
    .trimEnd()
    .split('\n');
  expect(lines.map((line) => (JSON.parse(line) as { outcome: string }).outcome)).toEqual(['success']);
});

test.concurrent('a second SIGINT ends at once', async () => {
  const cwd = folder();
  writeFileSync(
    join(cwd, 'config.yaml'),
    'providers: [{ name: mock, type: mock, mock: { allow_header: true } }]\n',
  );
  const { url, process: child } = await serve(cwd);
  const hanging = fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'x-mock-fault': 'silence' },
    body: JSON.stringify({ model: 'mock', messages: [{ role: 'user', content: 'x' }] }),
  }).catch(() => undefined);
  const health = async () => (await fetch(`${url}/health`)).text();
  await until('the request to be in flight', async () => (await health()).includes('"in_flight":1'));
  child.kill('SIGINT');
  await Bun.sleep(200);
  expect(child.exitCode).toBeNull();
  child.kill('SIGINT');
  await child.exited;
  await hanging;
});

test.concurrent('a hostile folder changes nothing: no .env, no bunfig.toml', async () => {
  const cwd = folder();
  writeFileSync(join(cwd, '.env'), 'OPENAI_API_KEY=sk-from-a-file-nobody-named\nFILE_KEY=abc\n');
  writeFileSync(join(cwd, 'bunfig.toml'), 'preload = ["./evil.ts"]\n');
  writeFileSync(join(cwd, 'evil.ts'), 'process.exit(66)\n');
  const { url, process: child } = await serve(cwd);
  expect(await (await fetch(`${url}/providers`)).text()).not.toContain('openai');
  child.kill();
  writeFileSync(join(cwd, 'config.yaml'), 'providers: [{ name: o, type: openai, api_key: "${FILE_KEY}" }]\n');
  expect(run(cwd, 'config', 'validate').code).toBe(1);
  expect(run(cwd, 'config', 'validate', '--env-file', '.env').code).toBe(0);
});

test.concurrent('an address that others can reach requires keys or auth: none', async () => {
  const cwd = folder();
  const refused = run(cwd, 'serve', '--host', '0.0.0.0', '--port', '0');
  expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('auth: none')]);
  writeFileSync(join(cwd, 'config.yaml'), 'auth: none\nproviders: [{ name: mock, type: mock }]\n');
  const { url } = await serve(cwd, '--host', '0.0.0.0');
  expect(url).toContain('0.0.0.0');
});

test.concurrent('config validate refuses the address that serve refuses, and flags correct it', async () => {
  const cwd = folder();
  const text = 'server: { host: 0.0.0.0, port: 0 }\nproviders: [{ name: mock, type: mock }]\n';
  writeFileSync(join(cwd, 'config.yaml'), text);
  for (const args of [['serve'], ['config', 'validate']]) {
    const { code, err } = run(cwd, ...args);
    expect([code, err]).toEqual([1, expect.stringContaining('Cannot listen on 0.0.0.0')]);
  }
  expect(run(cwd, 'config', 'validate').err).toContain('config.yaml:1:17');
  expect((await serve(cwd, '--host', '127.0.0.1')).url).toContain('127.0.0.1');
});

test.each([
  [['serve', '--port', 'many'], 2, '--port'],
  [['serve', '--config', 'none.yaml'], 1, 'none.yaml'],
  [['serv'], 2, 'did you mean `llmproxy serve`'],
  [['serve', '--prot', '1'], 2, 'did you mean --port'],
  [['config', 'validate', 'none.yaml'], 1, 'none.yaml'],
  [['health', '--url', 'http://127.0.0.1:1'], 3, 'Cannot reach'],
  [['health', '--url', 'nonsense'], 2, '--url'],
])('%j exits with %i and says why', (args, code, words) => {
  const { code: got, err } = run(folder(), ...args);
  expect([got, err]).toEqual([code, expect.stringContaining(words)]);
});

test('config init writes a valid file, and does not overwrite it', () => {
  const cwd = folder();
  expect(run(cwd, 'config', 'init').code).toBe(0);
  expect(run(cwd, 'config', 'validate').code).toBe(0);
  expect(run(cwd, 'config', 'init').code).toBe(1);
  expect(JSON.parse(run(cwd, 'config', 'schema').out).title).toContain('llmproxy');
});
