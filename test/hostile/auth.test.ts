/** Which headers the compiled binary accepts keys in, and how it answers unknown keys. */
import type { ConfigInput } from '../../src/config/schema.ts';
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Asked } from '../helpers/upstream.ts';
import type { Serving } from '../helpers/binary.ts';
import { built, cleared, serveConfig } from '../helpers/binary.ts';
import { recordsIn } from '../helpers/logged.ts';
import { errorIn, rawRequest } from '../helpers/raw-request.ts';
import { completion, upstream } from '../helpers/upstream.ts';

type Lines = [name: string, value: string][];

const ALICE = 'alice-secret-key';
const BOB = 'bob-secret-key';
const WRONG = 'sk-somebody-elses-key';

const provider = upstream(() => completion('here'));
const CONFIG: ConfigInput = {
  providers: [
    {
      name: 'a',
      type: 'openai-compatible',
      base_url: provider.url,
      models: ['gpt-*'],
      api_key: 'upstream-key',
    },
  ],
};
const BODY = JSON.stringify({ model: 'gpt-4o', max_tokens: 8, messages: [{ role: 'user', content: 'hi' }] });

let keyed: Serving;

beforeAll(async () => {
  built();
  const sha256 = createHash('sha256').update(BOB).digest('hex');
  keyed = await serveConfig({
    ...CONFIG,
    auth: {
      keys: [
        { name: 'alice', key: ALICE },
        { name: 'bob', hash: `sha256:${sha256}` },
      ],
    },
  });
}, 60_000);
afterAll(async () => {
  cleared();
  await provider[Symbol.asyncDispose]();
});

const post = (path: string, headers: Lines, { url } = keyed) =>
  rawRequest(url, path, { method: 'POST', headers, body: BODY });

/** The last request that the provider received. */
const last = (): Asked => provider.asked.at(-1)!;

/** The same key in each header that may contain one. */
const each = (key: string): Lines[] => [
  [['authorization', `Bearer ${key}`]],
  [['Authorization', `bearer  ${key} `]],
  [['x-api-key', key]],
  [['api-key', key]],
  [['x-goog-api-key', key]],
];

describe('a valid key is accepted', () => {
  test.each([ALICE, BOB])('in each header: %s', async (key) => {
    for (const headers of each(key)) expect((await post('/v1/chat/completions', headers)).status).toBe(200);
  });

  test('in any of them, whatever the others contain, and names its owner', async () => {
    const others: Lines = [
      ['authorization', `Bearer ${WRONG}`],
      ['x-api-key', WRONG],
      ['api-key', ''],
      ['x-goog-api-key', 'x'.repeat(4_000)],
    ];
    for (const [right] of each(ALICE).filter((_, index) => index !== 1)) {
      const mixed = others.map((line): [string, string] => (line[0] === right![0] ? right! : line));
      for (const headers of [mixed, mixed.toReversed()]) {
        const answer = await post('/v1/chat/completions', [...headers, ['x-request-id', 'mixed']]);
        expect([right![0], answer.status]).toEqual([right![0], 200]);
      }
    }
    const basic: Lines = [
      ['authorization', 'Basic YTpi'],
      ['x-api-key', BOB],
    ];
    expect((await post('/v1/messages', basic)).status).toBe(200);
    keyed.process.kill('SIGTERM');
    await keyed.process.exited;
    const keys = recordsIn(keyed.cwd)
      .filter(({ id }) => id === 'mixed')
      .map(({ key }) => key);
    expect(keys).toEqual(Array(8).fill('alice'));
    keyed = await serveConfig({
      ...CONFIG,
      auth: {
        keys: [
          { name: 'alice', key: ALICE },
          { name: 'bob', key: BOB },
        ],
      },
    });
  });

  test('and is not passed on to the provider', async () => {
    const all = each(ALICE)
      .filter((_, index) => index !== 1)
      .flat();
    expect((await post('/v1/chat/completions', all)).status).toBe(200);
    const sent = JSON.stringify([...last().headers]);
    expect(sent).toContain('Bearer upstream-key');
    expect(sent).not.toContain(ALICE);
    expect(['x-api-key', 'api-key', 'x-goog-api-key'].filter((name) => last().headers.has(name))).toEqual([]);
  });
});

const NO_KEY: [what: string, path: string, headers: Lines][] = [
  ['no header', '', []],
  ['the query', `?key=${ALICE}&api_key=${ALICE}&api-key=${ALICE}&access_token=${ALICE}`, []],
  ['a cookie', '', [['cookie', `key=${ALICE}; authorization=Bearer ${ALICE}`]]],
  ['another scheme', '', [['authorization', `Basic ${btoa(`alice:${ALICE}`)}`]]],
  ['no scheme', '', [['authorization', ALICE]]],
  [
    'a wrong key in all of them',
    '',
    each(WRONG)
      .filter((_, index) => index !== 1)
      .flat(),
  ],
  ['a beginning of it', '', [['x-api-key', ALICE.slice(0, -1)]]],
  ['more than it', '', [['x-api-key', `${ALICE}x`]]],
  ['its hash', '', [['x-api-key', createHash('sha256').update(ALICE).digest('hex')]]],
  ['its name', '', [['x-api-key', 'alice']]],
  [
    'two in one header',
    '',
    [
      ['x-api-key', WRONG],
      ['x-api-key', ALICE],
    ],
  ],
];

describe('a 401', () => {
  test.each(NO_KEY)(
    'answers %s, in the shape of the API, and quotes nothing of it',
    async (_, query, headers) => {
      const asked = provider.asked.length;
      for (const path of [
        '/v1/chat/completions',
        '/v1/responses',
        '/v1/embeddings',
        '/v1/feedback',
        '/v1/messages',
      ]) {
        const answer = await post(path + query, headers);
        expect([path, answer.status, answer.header('www-authenticate')]).toEqual([path, 401, 'Bearer']);
        const anthropic = { type: 'error', error: { type: 'authentication_error' } };
        const openai = { error: { type: 'invalid_request_error', code: 'invalid_api_key' } };
        expect(answer.json()).toMatchObject(path === '/v1/messages' ? anthropic : openai);
        for (const quoted of [ALICE.slice(0, -1), WRONG])
          expect(answer.head + answer.body).not.toContain(quoted);
      }
      for (const path of ['/v1/models', '/v1/models/gpt-4o', '/v1/key', '/providers', '/metrics']) {
        // Only Google's clients may send their key in the query, and only to list models.
        const shown = path.startsWith('/v1/models') && query.includes('?key=');
        const { status } = await rawRequest(keyed.url, path + query, { headers });
        expect([path, status]).toEqual([path, shown ? 200 : 401]);
      }
      expect(provider.asked.length).toBe(asked);
    },
  );

  test('is in Anthropic’s shape for its clients at the other routes too', async () => {
    const answer = await rawRequest(keyed.url, '/v1/models', {
      headers: [['anthropic-version', '2023-06-01']],
    });
    expect([answer.status, answer.json()]).toMatchObject([
      401,
      { type: 'error', error: { type: 'authentication_error' } },
    ]);
    const query = await rawRequest(keyed.url, '/v1/models?after=/messages');
    expect(errorIn(query).code).toBe('invalid_api_key');
  });
});

describe('an idempotency key', () => {
  const sentBy = async (key: string | undefined, value: string, serving = keyed) => {
    const named: Lines = key === undefined ? [] : [['x-api-key', key]];
    expect((await post('/v1/chat/completions', [...named, ['Idempotency-Key', value]], serving)).status).toBe(
      200,
    );
    return last().headers.get('idempotency-key');
  };

  test('differs between clients, and stays the same for repeated requests', async () => {
    const [alice, again, bob] = [
      await sentBy(ALICE, 'order-1'),
      await sentBy(ALICE, 'order-1'),
      await sentBy(BOB, 'order-1'),
    ];
    expect(alice).toMatch(/^[0-9a-f]{64}$/);
    expect(again).toBe(alice);
    expect(bob).toMatch(/^[0-9a-f]{64}$/);
    expect(bob).not.toBe(alice);
    expect(await sentBy(ALICE, 'order-2')).not.toBe(alice);
    // A client cannot choose the key that the provider received for another client.
    expect(await sentBy(BOB, alice!)).not.toBe(alice);
  });

  test('is the client’s own if there are no keys, and none is added', async () => {
    const open = await serveConfig(CONFIG);
    expect(await sentBy(undefined, 'order-1', open)).toBe('order-1');
    expect((await post('/v1/chat/completions', [], open)).status).toBe(200);
    expect(last().headers.has('idempotency-key')).toBe(false);
    expect((await post('/v1/chat/completions', [['x-api-key', ALICE]])).status).toBe(200);
    expect(last().headers.has('idempotency-key')).toBe(false);
  });
});
