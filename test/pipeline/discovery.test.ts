/** Discovery of the models that providers offer, over real sockets and with a fake clock. */
import { describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConfigInput } from '../../src/config/schema.ts';
import type { Listing, Listings } from '../../src/providers/model-cache.ts';
import type { Script } from '../helpers/upstream.ts';
import { schema } from '../../src/config/schema.ts';
import { accessOf } from '../../src/limits/access.ts';
import { ModelDiscovery } from '../../src/pipeline/routing/discovery.ts';
import { keptDiscovery } from '../../src/pipeline/routing/kept-discovery.ts';
import { ModelRegistry } from '../../src/pipeline/routing/models.ts';
import { makeProviders } from '../../src/providers/make.ts';
import { readListings, writeListings } from '../../src/providers/model-cache.ts';
import { turns } from '../../src/turns.ts';
import { FakeClock } from '../helpers/clock.ts';
import { until } from '../helpers/until.ts';
import { upstream } from '../helpers/upstream.ts';

const MINUTE = 60_000;

function discovering(config: ConfigInput, known: Listings = new Map(), asks = true) {
  const parsed = schema.parse(config);
  const clock = new FakeClock();
  const kept: Listings[] = [];
  const discovery = new ModelDiscovery({
    clock,
    random: () => 0.5,
    turns,
    asks,
    known,
    listed: (listings) => void kept.push(listings),
  });
  const providers = makeProviders(parsed, { env: {}, clock });
  discovery.adopt(providers, () => MINUTE);
  const registry = new ModelRegistry(providers, parsed, new Map(), discovery);
  const ids = () => registry.names().map(({ id }) => id);
  return { clock, discovery, providers, registry, ids, kept };
}

const vendor = (type: string, base_url: string, more: object = {}) => ({
  name: type,
  type,
  base_url,
  api_key: 'sk-1',
  ...more,
});

const OPENAI: { object: string; data: { id: string; created?: number }[] } = {
  object: 'list',
  data: [{ id: 'gpt-4o', created: 1_715_367_049 }, { id: 'sora-2' }],
};

/** Pages as documented by each vendor, and the names that the preset makes of them. */
const VENDORS: readonly (readonly [string, object, Script, readonly string[], readonly string[]])[] = [
  ['openai', {}, () => Response.json(OPENAI), ['/models'], ['gpt-4o']],
  [
    'anthropic',
    {},
    ({ path }) =>
      path.includes('after_id')
        ? Response.json({
            data: [{ id: 'claude-b', display_name: 'B' }],
            has_more: false,
            last_id: 'claude-b',
          })
        : Response.json({ data: [{ id: 'claude-a', type: 'model' }], has_more: true, last_id: 'claude-a' }),
    ['/v1/models?limit=1000', '/v1/models?limit=1000&after_id=claude-a'],
    ['claude-a', 'claude-b'],
  ],
  [
    'gemini',
    {},
    ({ path }) =>
      Response.json(
        path.includes('pageToken=x')
          ? { models: [{ name: 'models/gemma-3' }] }
          : {
              models: [{ name: 'models/gemini-pro', displayName: 'P' }, { name: 'models/aqa' }],
              nextPageToken: 'x',
            },
      ),
    ['/models?pageSize=1000', '/models?pageSize=1000&pageToken=x'],
    ['gemini-pro', 'gemma-3'],
  ],
  [
    'cohere',
    {},
    () => Response.json({ models: [{ name: 'command-a', endpoints: ['chat'] }], next_page_token: '' }),
    ['/v1/models?page_size=1000'],
    ['command-a'],
  ],
  [
    'together',
    {},
    () => Response.json([{ id: 'meta/llama', display_name: 'L' }]),
    ['/models'],
    ['meta/llama'],
  ],
  ['openrouter', {}, () => Response.json({ data: [{ id: 'x/y', name: 'X: Y' }] }), ['/models'], ['x/y']],
  [
    'ollama',
    { models: ['*'] },
    () => Response.json({ object: 'list', data: [{ id: 'llama3:8b', created: 1, owned_by: 'library' }] }),
    ['/models'],
    ['llama3:8b'],
  ],
  [
    'azure',
    { models: ['*'] },
    () => Response.json({ data: [{ id: 'my-deployment', model: 'gpt-4o', status: 'succeeded' }] }),
    ['/openai/deployments?api-version=2022-12-01'],
    ['my-deployment'],
  ],
  [
    'bedrock',
    { region: 'us-east-1' },
    ({ path }) =>
      Response.json(
        path.startsWith('/foundation')
          ? {
              modelSummaries: [
                { modelId: 'amazon.nova-lite-v1:0', inferenceTypesSupported: ['ON_DEMAND'] },
                { modelId: 'anthropic.claude-x', inferenceTypesSupported: ['INFERENCE_PROFILE'] },
              ],
            }
          : {
              inferenceProfileSummaries: [
                { inferenceProfileId: 'us.anthropic.claude-x', inferenceProfileName: 'X' },
              ],
            },
      ),
    ['/foundation-models', '/inference-profiles?maxResults=1000'],
    ['amazon.nova-lite-v1:0', 'us.anthropic.claude-x'],
  ],
  [
    'vertex',
    { project: 'p' },
    ({ path }) =>
      Response.json({
        publisherModels: [
          {
            name: path.includes('/google/')
              ? 'publishers/google/models/gemini-x'
              : 'publishers/anthropic/models/claude-y',
          },
        ],
      }),
    ['/v1beta1/publishers/google/models?pageSize=300', '/v1beta1/publishers/anthropic/models?pageSize=300'],
    ['gemini-x', 'claude-y'],
  ],
];

describe('a list of models', () => {
  test.each(VENDORS)(
    'from %s is requested in the vendor’s format and filtered by the globs',
    async (type, more, script, paths, ids) => {
      await using provided = upstream(script);
      const {
        clock,
        kept,
        ids: named,
        discovery,
      } = discovering({
        providers: [vendor(type, provided.url, more)],
      });
      const before = named();
      clock.advance(1_000);
      await until('it is listed', () => kept.length, { atLeast: 1 });
      expect(provided.asked.map(({ path }) => path)).toEqual([...paths]);
      expect(JSON.stringify(provided.asked.map(({ headers }) => [...headers]))).toContain('sk-1');
      expect(named()).toEqual([...before, ...ids]);
      expect(before).not.toContain(ids[0]);
      discovery.stop();
    },
  );

  test('has dates, titles, and the names by which clients can reach each provider', async () => {
    await using one = upstream(() =>
      Response.json({
        data: [
          { id: 'a', created: 5 },
          { id: 'two/b', title: 'B' },
        ],
      }),
    );
    await using two = upstream(() => Response.json({ data: [{ id: 'a' }, { id: 'exact' }, { id: 'r' }] }));
    const { clock, kept, registry } = discovering({
      providers: [
        vendor('openai', one.url, { name: 'one', models: ['?', '*/b'] }),
        vendor('openai', two.url, { name: 'two', models: ['?', 'exact'] }),
      ],
      models: { mine: 'one/a', 'r*': 'one/a' },
    });
    clock.advance(1_000);
    await until('both are listed', () => kept.at(-1)?.size, { is: 2 });
    expect(registry.names()).toEqual([
      { id: 'mine', ownedBy: 'llmproxy' },
      { id: 'exact', ownedBy: 'two' },
      expect.objectContaining({ id: 'a', ownedBy: 'one', created: 5, providers: ['one', 'two'] }),
      expect.objectContaining({ id: 'one/two/b', ownedBy: 'one', title: 'B' }),
      // A glob in models leads to another provider than the one that lists the name.
      expect.objectContaining({ id: 'r', providers: ['one'] }),
    ]);
    const access = accessOf({ group: undefined, models: ['a', 'one/*'], providers: ['two'] }, {});
    expect(registry.names(access).map(({ id }) => id)).toEqual(['a']);
    expect(() => registry.resolve('exatc', 'chat')).toThrow('did you mean "exact"?');
    expect(() => registry.resolve('two/exatc', 'chat')).toThrow(
      'two does not serve it, did you mean "two/exact"?',
    );
    for (const { id } of registry.names()) expect(registry.resolve(id, 'chat').candidates).not.toBeEmpty();
  });

  test('that cannot be fetched is retried with backoff while the last one stays in use', async () => {
    const answers = [
      () => Response.json(OPENAI),
      () => new Response('no', { status: 401 }),
      () => new Response('<html>', { headers: { 'content-type': 'text/html' } }),
      // No error is like the one before, so that none is taken for the result of the next request.
      () => new Response('down', { status: 500 }),
      () => Response.json({ error: 'odd' }),
      () => new Response(new Uint8Array(9 * 1024 * 1024)),
      () => Response.json({ data: [{ id: 'gpt-5' }, { id: 7 }, null, { id: '' }, { id: 'x\n' }] }),
    ];
    await using provided = upstream((_, count) => answers[count - 1]!());
    const { clock, discovery, providers, ids } = discovering({ providers: [vendor('openai', provided.url)] });
    const status = () => discovery.status(providers[0]!)!;
    clock.advance(1_000);
    await until('the first list', () => status().at !== null);
    for (const [seconds, asked, error] of [
      [60, 2, 'it answered 401'],
      [15, 3, 'is not a list of models'],
      [30, 4, 'it answered 500'],
      [60, 5, 'is not a list of models'],
      [60, 6, 'is larger than 8 MiB'],
    ] as const) {
      clock.advance(seconds * 1_000 - 1);
      expect(provided.asked).toHaveLength(asked - 1);
      clock.advance(1);
      await until(
        `an error of request ${asked}`,
        () => provided.asked.length === asked && status().error?.includes(error),
      );
      expect([status().listed, ids()]).toEqual([2, ['gpt-4o']]);
    }
    clock.advance(MINUTE);
    await until('the second list', () => status().error === null && status().listed === 1);
    expect(ids()).toEqual(['gpt-5']);
    discovery.stop();
    expect(clock.timers).toBe(0);
  });

  test('that does not arrive is given up after a timeout', async () => {
    const { promise: never } = Promise.withResolvers<Response>();
    await using provided = upstream(() => never);
    const { clock, discovery, providers } = discovering({ providers: [vendor('openai', provided.url)] });
    clock.advance(1_000);
    await until('the request at the provider', () => provided.asked.length, { is: 1 });
    clock.advance(20_000);
    await until('the request to be cancelled', () =>
      discovery.status(providers[0]!)!.error?.includes('no answer in time'),
    );
    discovery.stop();
  });

  test('is requested with the first key that is not refused', async () => {
    await using provided = upstream(({ headers }) =>
      headers.get('authorization') === 'Bearer good'
        ? Response.json(OPENAI)
        : new Response('', { status: 401 }),
    );
    const keys = { api_key: undefined, api_keys: ['bad', 'good'] };
    const { clock, kept } = discovering({ providers: [vendor('openai', provided.url, keys)] });
    clock.advance(1_000);
    await until('it is listed', () => kept.length, { atLeast: 1 });
    expect(provided.asked).toHaveLength(2);
  });

  test('with thousands of names yields the nearest name for an unknown one', async () => {
    const data = Array.from({ length: 3_000 }, (_, index) => ({
      id: `vendor-${index % 7}/${'family-'.repeat(12)}${index}`,
    }));
    await using provided = upstream(() => Response.json({ data: [{ id: 'x' }, ...data] }));
    const { clock, kept, registry } = discovering({
      providers: [vendor('openai', provided.url, { models: ['vendor-*/*'] })],
    });
    clock.advance(1_000);
    await until('it is listed', () => kept.length, { atLeast: 1 });
    expect(registry.names()).toHaveLength(1_999);
    expect(() => registry.resolve(`${data[1_321]!.id}x`.slice(1), 'chat')).toThrow(
      `did you mean "${data[1_321]!.id}"`,
    );
  });

  test('from another process is used without asking the provider', async () => {
    await using provided = upstream(() => Response.json(OPENAI));
    const told = discovering({ providers: [vendor('openai', provided.url)] }, new Map(), false);
    const asking = discovering({ providers: [vendor('openai', provided.url)] });
    asking.clock.advance(1_000);
    await until('it is listed', () => asking.kept.length, { atLeast: 1 });
    told.clock.advance(MINUTE);
    told.discovery.take(asking.kept[0]!);
    expect([told.ids(), provided.asked.length]).toEqual([['gpt-4o'], 1]);
  });
});

describe('lists on disk', () => {
  const file = (text?: string): { path: string } & Disposable => {
    const folder = mkdtempSync(join(tmpdir(), 'llmproxy-models-'));
    const path = join(folder, 'state', 'models.json');
    if (text !== undefined) {
      writeListings(path, new Map());
      writeFileSync(path, text);
    }
    return { path, [Symbol.dispose]: () => rmSync(folder, { recursive: true }) };
  };
  const listing = (models: Listing['models'], service = 's', atMs = 1_000): Listing => ({
    service,
    atMs,
    models,
  });

  test('are read as they were written, with their date', () => {
    using disk = file();
    const listings = new Map([['one', listing([{ id: 'a', created: 5, title: 'A' }, { id: 'models/b' }])]]);
    writeListings(disk.path, new Map([['one', listing([{ id: 'a', created: 5, title: 'A' }, { id: 'b' }])]]));
    expect(
      readListings(disk.path)
        .get('one')
        ?.models.map(({ id }) => id),
    ).toEqual(['a', 'b']);
    expect(readListings(disk.path).get('one')).toMatchObject({
      atMs: 1_000,
      models: [listings.get('one')!.models[0], {}],
    });
  });

  test.each([
    ['missing', undefined],
    ['empty', ''],
    ['cut off', '{"version":1,"providers":{"one":{"service":"s","at":"2026-01-0'],
    ['of another version', '{"version":2,"providers":{"one":{}}}'],
    [
      'of the wrong types',
      '{"version":1,"providers":{"one":{"service":1},"two":[],"three":{"service":"s","at":"x","models":[]}}}',
    ],
    ['not JSON', '\u0000\u0001'],
    ['a list', '[1]'],
  ])('that are %s are ignored', (_, text) => {
    using disk = file(text);
    expect(readListings(disk.path)).toEqual(new Map());
  });

  test('that cannot be written are used anyway, and the problem is reported once', async () => {
    using disk = file('');
    let list = OPENAI;
    await using provided = upstream(() => Response.json(list));
    const clock = new FakeClock();
    const problems: string[] = [];
    const discovery = keptDiscovery(
      // A file in place of the directory.
      { state: { directory: disk.path, flush_interval: 0, redis_timeout: 0, replicas: 1 } },
      { clock, random: () => 0.5, turns, asks: true, problem: (message) => void problems.push(message) },
    );
    const config = schema.parse({ providers: [vendor('openai', provided.url)] });
    const [provider] = makeProviders(config, { env: {}, clock });
    discovery.adopt([provider!], () => MINUTE);
    clock.advance(1_000);
    await until('it is listed', () => discovery.models(provider!)?.length, { is: 2 });
    list = { ...OPENAI, data: [{ id: 'gpt-5' }] };
    clock.advance(MINUTE);
    await until('it is listed again', () => discovery.models(provider!)?.length, { is: 1 });
    expect(problems).toEqual([expect.stringContaining('Cannot keep the lists of models in')]);
    discovery.stop();
  });

  test('are used only for the same address, and fetched again if they are old or from the future', async () => {
    await using provided = upstream(() => Response.json(OPENAI));
    const config = { providers: [vendor('openai', provided.url)] };
    const now = new FakeClock().now();
    const service = `openai ${provided.url}/models`;
    const old = [{ id: 'gpt-old' }];
    const askedAfter = async (known: Listing): Promise<[string[], number]> => {
      const before = provided.asked.length;
      const { clock, ids, discovery, kept } = discovering(config, new Map([['openai', known]]));
      const first = ids();
      clock.advance(1_000);
      await Promise.race([until('it is listed', () => kept.length > 0), Bun.sleep(100)]);
      discovery.stop();
      return [first, provided.asked.length - before];
    };
    expect(await askedAfter(listing(old, 'openai http://elsewhere/models', now))).toEqual([[], 1]);
    expect(await askedAfter(listing(old, service, now - 1_000))).toEqual([['gpt-old'], 0]);
    expect(await askedAfter(listing(old, service, now - 2 * MINUTE))).toEqual([['gpt-old'], 1]);
    expect(await askedAfter(listing(old, service, now + 9 * MINUTE))).toEqual([['gpt-old'], 1]);
  });
});
