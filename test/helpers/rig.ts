/** The compiled binary between a client and two providers: one that fails, and one that answers. */
import type { ConfigInput } from '../../src/config/schema.ts';
import type { ReadRecord } from '../../src/logs/record.ts';
import type { ProviderStatus } from '../../src/pipeline/targets/status.ts';
import type { BrokenProvider } from './broken.ts';
import type { Attempt } from './broken/attempt.ts';
import type { AskOptions, Seen } from './caller.ts';
import type { Protocol } from './broken/wire.ts';
import type { Client } from './callers/speech.ts';
import type { Theme } from './ways.ts';
import { afterAll, beforeAll, expect } from 'bun:test';
import { join } from 'node:path';
import { LAST_RESORT_MS } from '../../src/pipeline/targets/cooldown.ts';
import { built, cleared, serveConfig } from './binary.ts';
import { brokenProvider, TALE } from './broken.ts';
import { ask, errorOf, looksFinished } from './caller.ts';
import { CODELESS } from './callers/speech.ts';
import { FollowedLog } from './logged.ts';
import { until } from './until.ts';
import { themeOn } from './ways.ts';

type ProviderInput = ConfigInput['providers'][number];

export interface Rig extends AsyncDisposable {
  readonly url: string;
  /** The directory of the log. */
  readonly logs: string;
  readonly process: Bun.Subprocess;
  readonly broken: BrokenProvider;
  readonly steady: BrokenProvider;
  readonly ask: (model: string, options?: AskOptions) => Promise<Seen>;
  /** The single record of an answer. */
  readonly recordOf: (seen: Seen) => Promise<ReadRecord>;
  /** The records of a model, as soon as there are this many. */
  readonly recordsOf: (model: string, count: number) => Promise<ReadRecord[]>;
  readonly provider: (name: string) => Promise<ProviderStatus>;
  readonly health: () => Promise<{ status: string; in_flight: number; providers: Record<string, number> }>;
}

export interface RigOptions extends Omit<ConfigInput, 'providers'> {
  /** Settings of the provider that fails. */
  readonly broken?: Partial<ProviderInput>;
  readonly steady?: Partial<ProviderInput>;
  /** Providers in addition to these two. */
  readonly others?: (rig: { broken: string; steady: string; protocol: Protocol }) => ProviderInput[];
}

const ADDRESSES: Readonly<
  Record<Protocol, (url: string) => Pick<ProviderInput, 'type' | 'base_url' | 'api_key'>>
> = {
  openai: (url) => ({ type: 'openai-compatible', base_url: `${url}/v1` }),
  anthropic: (url) => ({ type: 'anthropic', base_url: url, api_key: 'sk-test' }),
  // The only vendor that speaks this protocol exclusively: requests to OpenAI would be relayed in the client's
  // protocol.
  responses: (url) => ({ type: 'perplexity', base_url: `${url}/v1`, api_key: 'sk-test' }),
  gemini: (url) => ({ type: 'gemini', base_url: `${url}/v1beta`, api_key: 'sk-test' }),
  ollama: (url) => ({ type: 'ollama', base_url: `${url}/v1` }),
};

/** A provider of the protocol at an address of the helper, for every model and with short retry delays. */
export function providerAt(
  protocol: Protocol,
  name: string,
  url: string,
  extra: Partial<ProviderInput> = {},
): ProviderInput {
  return {
    name,
    ...ADDRESSES[protocol](url),
    models: ['*'],
    retry_delay: '10ms',
    ...extra,
  };
}

export async function startRig(protocol: Protocol, options: RigOptions = {}): Promise<Rig> {
  const { broken: own = {}, steady: others = {}, others: further, routing, ...config } = options;
  const broken = await brokenProvider();
  const steady = await brokenProvider({ steady: true });
  const serving = await serveConfig({
    logging: { level: 'error', requests: { flush_interval: '20ms' } },
    // Nothing recovers by itself during a test, unless the test sets when: on a busy machine, any time can pass.
    routing: { ...routing, breaker: { cooldown: '1h', max_cooldown: '1h', ...routing?.breaker } },
    ...config,
    providers: [
      providerAt(protocol, 'broken', broken.url, own),
      providerAt(protocol, 'steady', steady.url, { priority: 2, ...others }),
      ...(further?.({ broken: broken.url, steady: steady.url, protocol }) ?? []),
    ],
  });
  const json = async (path: string) => (await fetch(serving.url + path, { keepalive: false })).json();
  const log = new FollowedLog(serving.cwd);
  const find = async (what: string, wanted: (record: ReadRecord) => boolean, count: number) =>
    await until(`${count} records of ${what}`, () => {
      const found = log.records().filter(wanted);
      return found.length >= count && found;
    });
  return {
    url: serving.url,
    logs: join(serving.cwd, 'logs'),
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

/** Tests that share one rig for each protocol. */
export function theme(options: RigOptions): Theme {
  const needed = new Set<Protocol>();
  const rigs = new Map<Protocol, Rig>();
  beforeAll(async () => {
    built();
    await Promise.all(
      [...needed].map(async (protocol) => rigs.set(protocol, await startRig(protocol, options))),
    );
  }, 60_000);
  afterAll(async () => {
    await Promise.all([...rigs.values()].map((rig) => rig[Symbol.asyncDispose]()));
    cleared();
  });
  return themeOn({
    need: (protocol) => needed.add(protocol),
    lend: (protocol, check) => check(rigs.get(protocol)!),
  });
}

/** Tests with a rig each, for state that belongs to a provider as a whole. */
export function themeOfEach(options: RigOptions): Theme {
  beforeAll(built, 60_000);
  afterAll(cleared);
  return themeOn({
    need: () => undefined,
    async lend(protocol, check) {
      await using rig = await startRig(protocol, options);
      await check(rig);
    },
  });
}

/**
 * Expects that a provider that is the only target of its requests was on hold after a number of attempts. It may then
 * be tried again as a last resort, but not sooner than `LAST_RESORT_MS` after its last failure; on a busy machine, a
 * test can take that long.
 */
export function expectHeldBack(attempts: readonly Attempt[], after: number): void {
  expect(attempts.length).toBeGreaterThanOrEqual(after);
  for (let at = after; at < attempts.length; at += 1)
    expect(attempts[at]!.atMs - attempts[at - 1]!.atMs).toBeGreaterThanOrEqual(LAST_RESORT_MS - 5);
}

/** The finish reason of a complete answer in each client's protocol. */
const FINISH: Readonly<Record<Client, string>> = {
  chat: 'stop',
  messages: 'end_turn',
  responses: 'completed',
  gemini: 'STOP',
  ollama: 'stop',
};

/** Expects a complete answer that looks complete: the right text once, an end, and no error. */
export function expectWhole(seen: Seen, stream: boolean, content = TALE): void {
  const { status, complete, garbage, done, finish, error } = seen;
  const finished = looksFinished(seen);
  expect({ status, complete, garbage, done, finish, error, finished, content: seen.content }).toEqual({
    status: 200,
    complete: true,
    garbage: [],
    done: stream ? 1 : 0,
    finish: FINISH[seen.client],
    error: undefined,
    finished: true,
    content,
  });
}

/**
 * Expects a stream that was cut after its 200: the text so far, then an error, and nothing that looks finished.
 * @param codes the possible codes of the error; any, if none is given; some clients see no code
 */
export function expectCut(seen: Seen, ...codes: string[]): void {
  const { client, status, complete, garbage, done, finish, content, events } = seen;
  expect({ status, complete, garbage, done, finish, finished: looksFinished(seen) }).toEqual({
    status: 200,
    complete: true,
    garbage: [],
    done: 0,
    finish: null,
    finished: false,
  });
  expectCode(seen, codes);
  expect(content.length).toBeGreaterThan(0);
  expect(TALE.startsWith(content)).toBe(true);
  // A response that fails also reports that itself, as OpenAI's does.
  const told = events.map((event) => errorOf(client, event) !== undefined);
  const last = told.slice(told.indexOf(true));
  expect(last).toEqual(Array(client === 'responses' ? last.length : 1).fill(true));
  expect(last.length).toBeLessThanOrEqual(2);
}

/** Expects an error instead of an answer. @param codes as for `expectCut` */
export function expectError(seen: Seen, status: number, ...codes: string[]): void {
  const { complete, streamed, garbage, content } = seen;
  expect({ status: seen.status, complete, streamed, garbage, content }).toEqual({
    status,
    complete: true,
    streamed: false,
    garbage: [],
    content: '',
  });
  expectCode(seen, codes);
}

function expectCode({ client, error }: Seen, codes: readonly string[]): void {
  expect(error?.message).toBeString();
  if (CODELESS.has(client)) expect(error!.code).toBeNull();
  else if (codes.length > 0) expect(codes).toContain(error!.code!);
}
