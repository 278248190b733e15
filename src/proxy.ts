import type { Hono } from 'hono';
import type { Clock } from './clock.ts';
import type { Config, ProviderConfig } from './config/schema.ts';
import type { LogRecord } from './logs/record.ts';
import type { RecordSink } from './pipeline/exchange.ts';
import type { Metrics } from './pipeline/metrics.ts';
import type { ProviderStatus } from './pipeline/status.ts';
import type { Fetch } from './providers/transport.ts';
import type { ServerEnv } from './server/context.ts';
import { systemClock } from './clock.ts';
import { resolveKey } from './config/keys.ts';
import { redactor } from './logs/redact.ts';
import { LogWriter } from './logs/writer.ts';
import { Attempt } from './pipeline/attempt.ts';
import { Exchange } from './pipeline/exchange.ts';
import { ModelRegistry } from './pipeline/models.ts';
import { Pipeline } from './pipeline/pipeline.ts';
import { HealthProber } from './pipeline/prober.ts';
import { RequestRouter } from './pipeline/router.ts';
import { disabledStatus, providerStatus, summarize } from './pipeline/status.ts';
import { TargetPool } from './pipeline/target.ts';
import { ProviderFactory } from './providers/factory.ts';
import { Prices } from './providers/prices.ts';
import { createApp } from './server/app.ts';
import { Authenticator } from './server/auth.ts';
import { VERSION } from './version.ts';

export interface ProxyDeps {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock?: Clock;
  /** Uniform in [0, 1). */
  readonly random?: () => number;
  /** Makes a fetch with a connection pool of its own. */
  readonly connect?: (options: { keepaliveMs: number }) => { fetch: Fetch; release: () => void };
  /** Told of troubles that are nobody's request: a log that cannot be written. */
  readonly onProblem?: (message: string) => void;
  /** Further sinks of records. */
  readonly sinks?: readonly RecordSink[];
}

/** A proxy without a socket: `listen` gives it one. */
export interface Proxy {
  readonly app: Hono<ServerEnv>;
  readonly providers: () => readonly ProviderStatus[];
  /** Loads what is not needed to listen: prices and metrics. */
  warm(): Promise<void>;
  /** From now on new requests are refused and /health/ready says so. */
  drain(): void;
  /** Writes out the log and lets go of all connections. */
  close(): Promise<void>;
}

/** The composition root: the one place where the parts are put together. */
export function createProxy(config: Config, deps: ProxyDeps): Proxy {
  const clock = deps.clock ?? systemClock;
  const random = deps.random ?? Math.random;
  const enabled = config.providers.filter((provider) => provider.enabled);
  const keyOf = (provider: ProviderConfig) => resolveKey(provider, deps.env).key;
  const factory = new ProviderFactory({
    clock,
    connect: deps.connect ?? connectPool,
    keyOf,
    userAgent: `llmproxy/${VERSION}`,
  });
  const providers = enabled.map((provider) => factory.create(provider));
  const pool = new TargetPool({ breaker: config.routing.breaker, health: config.health }, random);
  const registry = new ModelRegistry(providers, config.models);
  const limits = { maxResponse: config.limits.max_response, maxContent: config.logging.requests.max_content };
  const router = new RequestRouter(config.routing, {
    clock,
    random,
    pool,
    attempt: (inbound, target, signal) => new Attempt(inbound, target, signal, { clock, limits }),
  });
  const prices = new Prices();
  const prober = new HealthProber(config.health, pool, clock, random);
  if (config.health.probe) prober.start(providers);

  const secrets = secretsOf(config, deps.env);
  const log = openLog(config, secrets, clock, deps.onProblem ?? (() => undefined));
  let inFlight = 0;
  let draining = false;
  const statuses = () => [
    ...providers.map((provider) => providerStatus(provider, pool, clock)),
    ...config.providers
      .filter((provider) => !provider.enabled)
      .map(({ name, type }) => disabledStatus(name, type, 'not enabled, or its key is missing')),
  ];
  const loading = new Loading(prices, {
    providers: statuses,
    inFlight: () => inFlight,
    memory: () => process.memoryUsage.rss(),
    log: () => log?.stats ?? { written: 0, dropped: 0, pending: 0 },
  });
  const sinks: RecordSink[] = [
    () => (inFlight -= 1),
    (record) => loading.metrics?.observe(record),
    ...(log ? [(record: LogRecord) => log.write(record)] : []),
    ...(deps.sinks ?? []),
  ];
  const exchangeDeps = {
    clock,
    sinks,
    price: (
      target: Parameters<ConstructorParameters<typeof Exchange>[2]['price']>[0],
      usage: Parameters<Prices['cost']>[2],
    ) => prices.cost(target.provider.settings.prices, target.model, usage, target.price),
    maxContent: config.logging.requests.max_content,
  };
  const app = createApp({
    server: config.server,
    limits: config.limits,
    logging: config.logging.requests,
    clock,
    auth: new Authenticator(config.auth, (variable) => deps.env[variable]),
    registry,
    pipeline: new Pipeline({ clock, registry, router, keepaliveMs: config.server.keepalive_comment }),
    begin(id, endpoint) {
      inFlight += 1;
      return new Exchange(id, endpoint, exchangeDeps);
    },
    newId: () => `req_${Bun.randomUUIDv7('hex').replaceAll('-', '')}`,
    metrics: () => loading.forMetrics(),
    ready: () => loading.pending(),
    providers: statuses,
    summary: () => summarize(statuses()),
    inFlight: () => inFlight,
    draining: () => draining,
    version: VERSION,
  });
  return {
    app,
    providers: statuses,
    warm: () => loading.load(),
    drain: () => void (draining = true),
    async close() {
      prober.stop();
      await log?.close();
      for (const provider of providers) provider.close();
    },
  };
}

/** What is loaded after the socket listens, so that start-up does not wait for it; requests do, once. */
class Loading {
  readonly #prices: Prices;
  readonly #sources: ConstructorParameters<typeof Metrics>[0];
  #loaded: Promise<void> | undefined;
  metrics: Metrics | undefined;

  constructor(prices: Prices, sources: ConstructorParameters<typeof Metrics>[0]) {
    this.#prices = prices;
    this.#sources = sources;
  }

  load(): Promise<void> {
    this.#loaded ??= this.#load();
    return this.#loaded;
  }

  /** The load to wait for; `undefined` once it is done. */
  pending(): Promise<void> | undefined {
    return this.metrics ? undefined : this.load();
  }

  async forMetrics(): Promise<Metrics> {
    await this.load();
    return this.metrics!;
  }

  async #load(): Promise<void> {
    const [{ Metrics: Collected }] = await Promise.all([
      import('./pipeline/metrics.ts'),
      this.#prices.load(),
    ]);
    this.metrics = new Collected(this.#sources);
  }
}

function openLog(
  config: Config,
  secrets: string[],
  clock: Clock,
  onProblem: (message: string) => void,
): LogWriter | undefined {
  const { requests } = config.logging;
  if (!requests.enabled) return undefined;
  return new LogWriter(requests, { clock, redact: redactor({ secrets, keys: requests.redact }), onProblem });
}

/** Every secret the configuration knows; none of them may appear in any output. */
export function secretsOf(config: Config, env: ProxyDeps['env']): string[] {
  const keys = config.providers.map((provider) => resolveKey(provider, env).key);
  const clients =
    config.auth === undefined || config.auth === 'none'
      ? []
      : config.auth.keys.map(({ key, key_env }) => key ?? (key_env === undefined ? undefined : env[key_env]));
  return [...keys, ...clients].filter((key) => key !== undefined);
}

/** A connection pool of Bun's fetch. @see docs/runtime/networking/fetch in bun-types */
function connectPool({ keepaliveMs }: { keepaliveMs: number }): { fetch: Fetch; release: () => void } {
  const session = new Bun.FetchSession({ keepAlive: { idleTimeout: Math.max(1, keepaliveMs / 1000) } });
  return { fetch: (url, init) => session.fetch(url, init), release: () => session.close() };
}
