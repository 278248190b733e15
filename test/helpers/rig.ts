/** The compiled binary between a caller and two providers: one that breaks, and one that answers. */
import type { ConfigInput } from '../../src/config/schema.ts';
import type { ReadRecord } from '../../src/logs/record.ts';
import type { ProviderStatus } from '../../src/pipeline/status.ts';
import type { BrokenProvider } from './broken.ts';
import type { AskOptions, Seen } from './caller.ts';
import type { Protocol } from './broken/wire.ts';
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { built, cleared, serveConfig } from './binary.ts';
import { brokenProvider, TALE } from './broken.ts';
import { ask } from './caller.ts';
import { until } from './until.ts';

type ProviderInput = ConfigInput['providers'][number];

export interface Rig extends AsyncDisposable {
  readonly url: string;
  readonly process: Bun.Subprocess;
  readonly broken: BrokenProvider;
  readonly steady: BrokenProvider;
  readonly ask: (model: string, options?: AskOptions) => Promise<Seen>;
  /** The one record of an answer. */
  readonly recordOf: (seen: Seen) => Promise<ReadRecord>;
  /** The records of a model, as soon as there are so many. */
  readonly recordsOf: (model: string, count: number) => Promise<ReadRecord[]>;
  readonly provider: (name: string) => Promise<ProviderStatus>;
  readonly health: () => Promise<{ status: string; in_flight: number; providers: Record<string, number> }>;
}

export interface RigOptions extends Omit<ConfigInput, 'providers'> {
  /** Of the provider that breaks. */
  readonly broken?: Partial<ProviderInput>;
  readonly steady?: Partial<ProviderInput>;
  /** Besides these two. */
  readonly others?: (rig: { broken: string; steady: string; protocol: Protocol }) => ProviderInput[];
}

/** A provider of the protocol at an address of the helper, for every model and quick to retry. */
export function providerAt(
  protocol: Protocol,
  name: string,
  url: string,
  extra: Partial<ProviderInput> = {},
): ProviderInput {
  return {
    name,
    ...(protocol === 'openai'
      ? { type: 'openai-compatible', base_url: `${url}/v1` }
      : { type: 'anthropic', base_url: url, api_key: 'sk-test' }),
    models: ['*'],
    retry_delay: '10ms',
    ...extra,
  };
}

export async function startRig(protocol: Protocol, options: RigOptions = {}): Promise<Rig> {
  const { broken: own = {}, steady: others = {}, others: further, ...config } = options;
  const broken = await brokenProvider();
  const steady = await brokenProvider({ steady: true });
  const serving = await serveConfig({
    logging: { level: 'error', requests: { flush_interval: '20ms' } },
    ...config,
    providers: [
      providerAt(protocol, 'broken', broken.url, own),
      providerAt(protocol, 'steady', steady.url, { priority: 2, ...others }),
      ...(further?.({ broken: broken.url, steady: steady.url, protocol }) ?? []),
    ],
  });
  const json = async (path: string) => (await fetch(serving.url + path, { keepalive: false })).json();
  const find = async (what: string, wanted: (record: ReadRecord) => boolean, count: number) =>
    await until(`${count} records of ${what}`, () => {
      const found = records(serving.cwd).filter(wanted);
      return found.length >= count && found;
    });
  return {
    url: serving.url,
    process: serving.process,
    broken,
    steady,
    ask: (model, init) => ask(serving.url, model, init),
    recordOf: async ({ id }) => {
      const found = await find(id, (record) => record.id === id, 1);
      expect(found.length).toBe(1);
      return found[0]!;
    },
    recordsOf: (model, count) => find(model, (record) => record.model === model, count),
    provider: async (name) => {
      const { providers } = (await json('/providers')) as { providers: ProviderStatus[] };
      return providers.find((provider) => provider.name === name)!;
    },
    health: async () => (await json('/health')) as Awaited<ReturnType<Rig['health']>>,
    async [Symbol.asyncDispose]() {
      serving.process.kill('SIGKILL');
      await serving.process.exited;
      await broken[Symbol.asyncDispose]();
      await steady[Symbol.asyncDispose]();
    },
  };
}

function records(cwd: string): ReadRecord[] {
  const directory = join(cwd, 'logs');
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter((file) => file.endsWith('.ndjson'))
    .flatMap((file) => readFileSync(join(directory, file), 'utf8').split('\n').slice(0, -1))
    .map((line) => JSON.parse(line) as ReadRecord);
}

/** A way a request can go: the protocol of the provider, and whether it is streamed. */
export interface Way {
  readonly protocol: Protocol;
  readonly stream: boolean;
  readonly rig: Rig;
}

export interface Theme {
  /** A promise that is kept whatever the provider speaks, streamed and unstreamed: four tests. */
  readonly everyWay: (promise: string, check: (way: Way) => Promise<void>) => void;
  /** One about streams alone. */
  readonly everyStream: (promise: string, check: (way: Way) => Promise<void>) => void;
  /** One about unstreamed answers alone. */
  readonly everyWhole: (promise: string, check: (way: Way) => Promise<void>) => void;
  /** One where the provider's protocol makes no difference. */
  readonly bothModes: (promise: string, check: (way: Way) => Promise<void>) => void;
  /** One where neither does. */
  readonly once: (promise: string, check: (rig: Rig) => Promise<void>) => void;
}

const WAYS = [
  { protocol: 'openai', stream: false },
  { protocol: 'openai', stream: true },
  { protocol: 'anthropic', stream: false },
  { protocol: 'anthropic', stream: true },
] as const;

/** How long a test may take before something hangs, however the tests were started. */
const LIMIT_MS = 20_000;

type Rigs = Record<Protocol, Rig>;
type Lend = (protocol: Protocol, check: (rig: Rig) => Promise<void>) => Promise<void>;

/** Tests that share one rig for each protocol. */
export function theme(options: RigOptions): Theme {
  const rigs: Partial<Rigs> = {};
  beforeAll(async () => {
    built();
    const both = [startRig('openai', options), startRig('anthropic', options)] as const;
    [rigs.openai, rigs.anthropic] = await Promise.all(both);
  }, 60_000);
  afterAll(async () => {
    await Promise.all(Object.values(rigs).map((rig) => rig[Symbol.asyncDispose]()));
    cleared();
  });
  return tests((protocol, check) => check(rigs[protocol]!));
}

/** Tests with a rig each, for what a provider is remembered for as a whole. */
export function themeOfEach(options: RigOptions): Theme {
  beforeAll(built, 60_000);
  afterAll(cleared);
  return tests(async (protocol, check) => {
    await using rig = await startRig(protocol, options);
    await check(rig);
  });
}

function tests(lend: Lend): Theme {
  const along =
    (ways: readonly (typeof WAYS)[number][]) =>
    (promise: string, check: (way: Way) => Promise<void>): void => {
      for (const { protocol, stream } of ways) {
        const title = `${promise} [${protocol}, ${stream ? 'streamed' : 'unstreamed'}]`;
        const run = () => lend(protocol, (rig) => check({ protocol, stream, rig }));
        test.concurrent(title, run, LIMIT_MS);
      }
    };
  return {
    everyWay: along(WAYS),
    everyStream: along(WAYS.filter(({ stream }) => stream)),
    everyWhole: along(WAYS.filter(({ stream }) => !stream)),
    bothModes: along(WAYS.filter(({ protocol }) => protocol === 'openai')),
    once: (promise, check) => test.concurrent(promise, () => lend('openai', check), LIMIT_MS),
  };
}

/** The answer is whole and looks it: the right words once, an end, and nothing that says otherwise. */
export function expectWhole(seen: Seen, stream: boolean, content = TALE): void {
  const { status, complete, garbage, done, finish, error } = seen;
  expect({ status, complete, garbage, done, finish, error, content: seen.content }).toEqual({
    status: 200,
    complete: true,
    garbage: [],
    done: stream ? 1 : 0,
    finish: 'stop',
    error: undefined,
    content,
  });
}

/** A stream that was cut after its 200: the words that came, then an error, and nothing that looks finished. */
export function expectCut(seen: Seen, code: string): void {
  const { status, complete, garbage, done, finish, content, error } = seen;
  expect({ status, complete, garbage, done, finish, code: error?.code }).toEqual({
    status: 200,
    complete: true,
    garbage: [],
    done: 0,
    finish: null,
    code,
  });
  expect(content.length).toBeGreaterThan(0);
  expect(TALE.startsWith(content)).toBe(true);
  expect(seen.events.at(-1)!.error).toBeDefined();
}
