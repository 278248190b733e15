import { expect, test } from 'bun:test';
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base';
import { gzipSync } from 'node:zlib';
import { running } from '../helpers/proxy.ts';

const MOCK = { providers: [{ name: 'mock', type: 'mock' as const }] };
const nested = (depth: number, open = '[', close = ']') => open.repeat(depth) + close.repeat(depth);
const chat = (fields: string) => `{"model":"mock","messages":[{"role":"user","content":"hello"}],${fields}}`;

test.each([
  [
    'nested lists',
    chat(`"metadata":${nested(100_000)}`),
    'more than 512 levels of objects and lists (limits.max_depth)',
  ],
  ['objects', chat(`"metadata":${nested(20_000, '{"a":', '}').replace(':}', ':1}')}`), 'limits.max_depth'],
  ['unclosed lists', chat(`"metadata":${'['.repeat(100_000)}`), 'limits.max_depth'],
  ['values', chat(`"metadata":[${'1,'.repeat(1_000_000)}1]`), 'more than 1000000 values (limits.max_values)'],
  [
    'characters in a name',
    chat(`"${'n'.repeat(1_100_000)}":1`),
    'its body has a name of more than 1048576 characters',
  ],
  ['digits', chat(`"metadata":${'1'.repeat(70_000)}`), 'its body has a number of more than 65536 characters'],
  [
    'objects in a list',
    chat(`"metadata":[${'{},'.repeat(100_000)}1]`),
    'more than 100000 objects and fields (limits.max_fields)',
  ],
  [
    'fields in one object',
    chat(`"metadata":{${Array.from({ length: 10_001 }, (_, n) => `"${n * 7_919}":1`).join(',')}}`),
    'more than 10000 fields in one object (limits.max_object_fields)',
  ],
])('a request with too many %s is a 400 that names the limit, in all protocols', async (_, body, words) => {
  await using proxy = running(MOCK);
  for (const path of [
    '/v1/chat/completions',
    '/v1/messages',
    '/v1/responses',
    '/v1/embeddings',
    '/v1/messages/count_tokens',
  ]) {
    const response = await proxy.post(path, body);
    expect([path, response.status, await response.text()]).toEqual([
      path,
      400,
      expect.stringContaining(words),
    ]);
  }
});

test('a request that gives "stream" or "model" twice is answered with 400, in all protocols', async () => {
  await using proxy = running(MOCK);
  for (const path of ['/v1/chat/completions', '/v1/messages', '/v1/responses', '/v1/completions']) {
    for (const [field, body] of [
      ['stream', chat('"stream":true,"stream":false')],
      ['stream', chat(String.raw`"str\u0065am":true,"stream":true`)],
      ['model', chat('"model":"mock"')],
    ] as const) {
      const response = await proxy.post(path, body);
      const words = await response.text();
      expect([path, response.status, words]).toEqual([path, 400, expect.stringContaining('is given twice')]);
      expect(words).toContain(field);
    }
  }
});

test('a request that spells "stream" or "model" as only some servers read it is answered with 400', async () => {
  await using proxy = running(MOCK);
  for (const [field, key] of [
    ['"Model":"other"', 'Model'],
    [String.raw`"MOD\u0045L":"other"`, 'MODEL'],
    ['"Stream":true', 'Stream'],
    ['"\u017ftream":true', '\u017ftream'],
    ['"model ":"other"', 'model '],
    [String.raw`"model\u0000x":"other"`, 'model'],
    [String.raw`"\tStream":true`, 'Stream'],
  ] as const) {
    const response = await proxy.post('/v1/chat/completions', chat(field));
    expect([response.status, await response.text()]).toEqual([400, expect.stringContaining(key)]);
  }
  // Below the top level such a name belongs to the client.
  expect((await proxy.post('/v1/chat/completions', chat('"metadata":{"Model":"x"}'))).status).toBe(200);
});

test('a model whose name leads elsewhere is answered with 400', async () => {
  await using proxy = running(MOCK);
  for (const model of ['a/../b', 'a/./b', 'a/..', '..', '.', 'a\\..\\b', 'a\nb', 'a\u0000'])
    expect([
      model,
      (await proxy.post('/v1/messages', { messages: [], model, max_tokens: 5 })).status,
    ]).toEqual([model, 400]);
  for (const model of ['./a', '../a', 'a..b', 'a/.b'])
    expect([
      model,
      (await proxy.post('/v1/messages', { messages: [], model, max_tokens: 5 })).status,
    ]).toEqual([model, 404]);
});

test('limits.max_depth, max_values and max_fields are configurable', async () => {
  await using proxy = running({ ...MOCK, limits: { max_depth: 3, max_values: 13, max_fields: 7 } });
  const status = async (fields: string) => (await proxy.post('/v1/chat/completions', chat(fields))).status;
  expect(await status('"x":1')).toBe(200);
  expect(await status('"x":[[1]]')).toBe(200);
  expect(await status('"x":[[[1]]]')).toBe(400);
  expect(await status('"x":[1,2,3,4,5,6,7]')).toBe(200);
  expect(await status('"x":[1,2,3,4,5,6,7,8]')).toBe(400);
  expect(await status('"x":1,"y":1')).toBe(400);
});

test('limits.max_object_fields applies to each object, also to repeated names', async () => {
  await using proxy = running({ ...MOCK, limits: { max_object_fields: 4 } });
  const status = async (fields: string) => (await proxy.post('/v1/chat/completions', chat(fields))).status;
  expect(await status('"x":[{"a":1,"b":2,"c":3,"d":4},{"a":1,"b":{"a":1,"b":2,"c":3,"d":4}}]')).toBe(200);
  expect(await status('"x":{"a":1,"b":2,"c":{"d":4},"e":5,"f":6}')).toBe(400);
  expect(await status('"x":{"a":1,"a":2,"a":3,"a":4,"a":5}')).toBe(400);
  expect(await status('"x":1,"y":2,"z":3')).toBe(400);
});

test.each([
  [
    'a call',
    '"messages"',
    (deep: string) => ({
      messages: [
        { role: 'user', content: 'hi' },
        {
          role: 'assistant',
          tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: `{"a":${deep}}` } }],
        },
        { role: 'tool', tool_call_id: 'c', content: deep },
      ],
    }),
  ],
])('deeply nested arguments of %s do not cause a 500', async (_, _field, fields) => {
  await using proxy = running({
    providers: [
      {
        name: 'claude',
        type: 'anthropic',
        base_url: 'http://127.0.0.1:1',
        api_key: 'none-at-all',
        models: ['x'],
        max_retries: 0,
      },
      {
        name: 'gem',
        type: 'gemini',
        base_url: 'http://127.0.0.1:1',
        api_key: 'none-at-all',
        models: ['x'],
        max_retries: 0,
      },
    ],
  });
  for (const model of ['claude/x', 'gem/x']) {
    const response = await proxy.post('/v1/chat/completions', { model, ...fields(nested(50_000)) });
    expect([model, response.status]).not.toEqual([model, 500]);
  }
});

test('a large request is passed on and recorded unchanged, compressed or not', async () => {
  await using proxy = running(MOCK);
  const words = 'some words, and "quotes"\n'.repeat(60_000);
  const body = JSON.stringify({ messages: [{ role: 'user', content: words }], model: 'mock' });
  const plain = await proxy.post('/v1/chat/completions', body);
  const packed = await proxy.post('/v1/chat/completions', new Uint8Array(gzipSync(body)), {
    headers: { 'content-encoding': 'gzip' },
  });
  expect([plain.status, packed.status]).toEqual([200, 200]);
  const records = await proxy.recorded(2);
  expect(records.map(({ request }) => request === body)).toEqual([true, true]);
});

test('special tokens are counted as text, and counting ends when the client leaves', async () => {
  await using proxy = running(MOCK);
  const count = (content: string, init?: RequestInit) =>
    proxy.post('/v1/messages/count_tokens', { model: 'mock', messages: [{ role: 'user', content }] }, init);
  const tokens = 3 + 3 + 1 + countTokens('<|endoftext|>', { disallowedSpecial: new Set() });
  expect(await (await count('<|endoftext|>')).json()).toEqual({ input_tokens: tokens });
  const abort = new AbortController();
  const left = count('some words '.repeat(1_000_000), { signal: abort.signal });
  await Bun.sleep(50);
  abort.abort();
  expect(left).rejects.toThrow();
  expect((await count('hello')).status).toBe(200);
  expect((await proxy.recorded(3)).map(({ outcome }) => outcome).toSorted()).toEqual([
    'client_abort',
    'success',
    'success',
  ]);
});
