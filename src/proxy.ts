import type { Abort } from './abort.ts';
import type { Clock } from './clock.ts';
import type { Config } from './config/schema.ts';
import type { Limits } from './limits/limits.ts';
import type { LogRecord } from './logs/record.ts';
import type { LogState } from './logs/trouble.ts';
import type { NamedSink, RecordSink } from './pipeline/sinks.ts';
import type { Family } from './pipeline/prometheus.ts';
import type { ProviderStatus } from './pipeline/status.ts';
import type { BaseProvider, ProviderModel } from './providers/base.ts';
import type { Connect, Dial } from './providers/transport.ts';
import type { ServerBindings } from './server/context.ts';
import type { Fleet } from './server/fleet.ts';
import type { App } from './server/listen.ts';
import { systemClock } from './clock.ts';
import type { ProxyEvent, Trouble } from './events.ts';
import { ProxyError } from './errors.ts';
import { needRestart, sameService } from './config/changes.ts';
import { listEveryMs } from './config/discovery.ts';
import { offReason, offReasons, secretsOf } from './config/keys.ts';
import type { LogWriterDeps } from './logs/writer.ts';
import { LOCAL_LIMITS } from './limits/local.ts';
import { Secrets } from './logs/secrets.ts';
import { LogWriter } from './logs/writer.ts';
import { Attempt } from './pipeline/attempt.ts';
import { attemptFor } from './pipeline/fanned-attempt.ts';
import { Defects } from './pipeline/defects.ts';
import type { ModelDiscovery } from './pipeline/discovery.ts';
import { keptDiscovery } from './pipeline/kept-discovery.ts';
import type { ExchangeDeps } from './pipeline/exchange.ts';
import { Exchange } from './pipeline/exchange.ts';
import { Metrics } from './pipeline/metrics.ts';
import { ModelRegistry } from './pipeline/models.ts';
import { Passthrough } from './pipeline/passthrough.ts';
import { Pipeline } from './pipeline/pipeline.ts';
import { HealthProber, wordFor } from './pipeline/prober.ts';
import { randomId } from './pipeline/random-id.ts';
import type { Begun } from './pipeline/realtime/attempt.ts';
import { SessionAttempt } from './pipeline/realtime/attempt.ts';
import { Realtime } from './pipeline/realtime/realtime.ts';
import type { Session } from './pipeline/realtime/session.ts';
import { BoundedReplay } from './pipeline/replay.ts';
import { RequestRouter } from './pipeline/router.ts';
import { Sinks } from './pipeline/sinks.ts';
import { disabledStatus, providerStatus, summarize } from './pipeline/status.ts';
import type { StreamLimits } from './pipeline/stream-budget.ts';
import { StateWatch } from './pipeline/state-watch.ts';
import { StreamBudget } from './pipeline/stream-budget.ts';
import type { Target } from './pipeline/target.ts';
import { TargetPool } from './pipeline/target-pool.ts';
import { Trace } from './pipeline/trace.ts';
import { watching } from './pipeline/watch.ts';
import { Hooks } from './plugins/hooks.ts';
import type { Plugins } from './plugins/loaded.ts';
import { NO_PLUGINS } from './plugins/loaded.ts';
import { PluginReports } from './plugins/reports.ts';
import { makeProviders } from './providers/make.ts';
import type { Listings } from './providers/model-cache.ts';
import { PriceTable } from './providers/price-table.ts';
import { Prices } from './providers/prices.ts';
import { priceSetup } from './usage/pricing.ts';
import { placeOf } from './telemetry/place.ts';
import { telemetrySettings } from './telemetry/settings.ts';
import type { TelemetryDeps } from './telemetry/telemetry.ts';
import { Telemetry } from './telemetry/telemetry.ts';
import { UsageReader } from './usage/reader.ts';
import type { ProxyApp } from './server/app.ts';
import { createApp } from './server/app.ts';
import type { BackgroundLimits } from './server/responses/background.ts';
import { Background } from './server/responses/background.ts';
import { storedMs, storedOptions } from './server/responses/service.ts';
import { Store } from './stored/store.ts';
import { Spending } from './spending.ts';
import { Admission } from './pipeline/admission.ts';
import type { Limiter } from './limits/limiter.ts';
import type { KnownKeys, Tokens } from './server/auth.ts';
import { Authenticator } from './server/auth.ts';
import { hookedAnswer } from './server/hooked.ts';
import { Page } from './server/page/page.ts';
import { Buffered } from './server/buffered.ts';
import { IssuerPool } from './server/tokens/issuer-keys.ts';
import { TokenClients } from './server/tokens/token-clients.ts';
import { commonContextWindow } from './wire/context-window.ts';
import { WorkThread } from './work/thread.ts';
import type { Turns } from './turns.ts';
import { turns as realTurns } from './turns.ts';
import { VERSION } from './version.ts';

export interface ProxyDeps {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock?: Clock;
  /** Uniform in [0, 1). */
  readonly random?: () => number;
  /** Makes a fetch with a connection pool of its own. */
  readonly connect?: Connect;
  /** Opens a bare connection, to see whether one can be opened. */
  readonly dial?: Dial;
  /** When long work pauses for others. */
  readonly turns?: Turns;
  /** Counts tokens; in a thread of its own when it is not given. */
  readonly countTokens?: (texts: readonly string[], signal: AbortSignal) => Promise<number>;
  /** Told of troubles that are nobody's request: a log that cannot be written. */
  readonly onProblem?: (message: string, of: Trouble) => void;
  /** Told of changes of state: breakers, keys, providers. */
  readonly onEvent?: (event: ProxyEvent) => void;
  /** Told of each record, beside where it is kept. @param mask takes secrets out of what is made of it */
  readonly onRecord?: (record: LogRecord, mask: (text: string) => string) => void;
  /** Further sinks of records. */
  readonly sinks?: readonly RecordSink[];
  /** Seals the sign-ins of the page, 32 bytes; chosen here when it is not given. */
  readonly secret?: Uint8Array;
  /** What this one is called in the header x-llmproxy-via; chosen here when it is not given. */
  readonly instance?: string;
  /** Which of the processes that serve the same port this is, from 1; it serves alone when it is not given. */
  readonly worker?: number;
  /** What processes that serve the same port share. */
  readonly limits?: Limits;
  readonly fleet?: Fleet;
  /** Whether what callers use is kept in `state.directory`, by this process or together with other workers; in memory alone when it is not given. */
  readonly keepsUsage?: boolean;
  /** The plugins of the first configuration. */
  readonly plugins?: Plugins;
  /** How models are discovered; not at all when it is not given. */
  readonly discovery?: {
    /** Whether this process asks the providers; others are told by it. */
    readonly asks: boolean;
    /** Told of all lists when one is new. */
    readonly listed?: (listings: Listings) => void;
  };
}

/** A proxy without a socket: `listen` gives it one. */
export interface Proxy {
  readonly fetch: (request: Request, bindings: ServerBindings) => Response | Promise<Response>;
  readonly upgrade: NonNullable<App['upgrade']>;
  /** Largest message of a WebSocket, bytes. */
  readonly maxMessage: number;
  readonly providers: () => readonly ProviderStatus[];
  readonly metrics: () => Family[];
  /** Requests whose answer has not ended. */
  readonly inFlight: () => number;
  /** How the request log is; null where there is none. */
  readonly log: () => LogState | null;
  /** Counts what the process before had not yet counted, where it ended without warning. To be awaited before it listens. */
  recover(): Promise<void>;
  /** How many models clients can choose among by name. */
  readonly modelCount: () => number;
  /** Takes over the lists of models that another process was given. */
  takeModels(listings: Listings): void;
  /** Loads what is not needed to listen: the table of prices. */
  warm(): Promise<void>;
  /**
   * Takes over another configuration at once. Requests in flight keep the one they began with; health and
   * breakers survive. @param plugins those that it names @returns the keys that changed but need a restart
   * @throws what the constructor of a plugin's class throws; then the last one stays
   */
  reload(config: Config, plugins?: Plugins): string[];
  /** From now on new requests are refused and /health/ready says so. */
  drain(): void;
  /** Ends the requests in flight: streams with an error event, the others with an error. */
  cut(): void;
  /** Writes out the log and lets go of all connections. */
  close(): Promise<void>;
}

/** What one configuration makes, and the next one replaces. */
interface Generation {
  readonly config: Config;
  readonly providers: readonly BaseProvider[];
  readonly prober: HealthProber;
  readonly buffered: Buffered;
  readonly auth: Authenticator;
  readonly limiter: Limiter;
  readonly hooks: Hooks;
  readonly registry: ModelRegistry;
  readonly app: ProxyApp;
}

/** The composition root: the one place where the parts are put together. */
export function createProxy(first: Config, deps: ProxyDeps): Proxy {
  const clock = deps.clock ?? systemClock;
  const random = deps.random ?? Math.random;
  const turns = deps.turns ?? realTurns;
  // Told to providers and looked for in requests: one that meets its own came back to itself.
  const instance = deps.instance ?? newInstance();
  const limits = deps.limits ?? LOCAL_LIMITS;
  const { onEvent, onRecord } = deps;
  const tell =
    onEvent && ((event: ProxyEvent) => onEvent({ ...event, message: secrets.mask(event.message) }));
  const pool = new TargetPool({ ...policyOf(first), watch: tell && watching(tell) }, random, limits);
  const priceTable = new PriceTable();
  const hiddenKeys = first.logging.requests.redact;
  const work = new WorkThread({ clock, secrets: [], keys: hiddenKeys });
  const usage = new UsageReader(clock);
  const store = new Store(storedOptions(first, deps.worker !== undefined), {
    clock,
    directory: deps.keepsUsage ? first.state.directory : undefined,
    keys: hiddenKeys,
    onProblem: (message) => problem(message),
  });
  const background = new Background({ clock, store }, backgroundLimits(first));
  const secrets = new Secrets(secretsOf(first, deps.env), hiddenKeys, (all) => {
    work.hides(all);
    store.hides(all);
  });
  // It goes to stderr, and may quote a provider.
  const problem = (message: string, of: Trouble = 'other') => deps.onProblem?.(secrets.mask(message), of);
  const problemOf = (of: Trouble) => (message: string) => problem(message, of);
  const log = openLog(first, {
    clock,
    worker: deps.worker,
    redaction: () => secrets.redaction,
    makeLine: (record) => work.line(record),
    onProblem: problemOf('request_log'),
  });
  const logState = () => log?.state ?? null;
  const spending = new Spending(first, {
    clock,
    turns,
    onProblem: problemOf('limits'),
    keeps: deps.keepsUsage ? (deps.worker ?? 'alone') : undefined,
  });
  const page = new Page({
    clock,
    secret: deps.secret ?? crypto.getRandomValues(new Uint8Array(32)),
    inFlight: () => inFlight,
    running: () => running.values(),
    fleet: deps.fleet,
  });
  const discovery =
    deps.discovery && keptDiscovery(first, { ...deps.discovery, clock, random, turns, problem });
  const running = new Map<Abort, Exchange>();
  const sessions = new Set<Session>();
  const sockets = new Set<{ drain(): void }>();
  let inFlight = 0;
  let draining = false;
  const defects = new Defects(problemOf('other'));
  const telemetry = startTelemetry(first, {
    env: deps.env,
    name: deps.worker === undefined ? instance : `${instance}-${deps.worker}`,
    deps: {
      clock,
      random,
      placeOf: (name) => placeOf(current.providers.find((provider) => provider.name === name)),
      families: () => metrics.families(),
      mask: secrets.mask,
      problem: problemOf('telemetry'),
    },
  });
  const sinks = new Sinks(sinksOf(), defects);
  const reports = new PluginReports(problemOf('plugin'), clock);
  let recordsDropped = 0;
  const statuses = () => statusesOf(current, { pool, clock, env: deps.env, discovery });
  const metrics = new Metrics({
    providers: statuses,
    inFlight: () => inFlight,
    sessions: () => sessions.size,
    buffered: () => current.buffered.bytes,
    unread: () => budget.bytes,
    recording: () => budget.kept,
    memory: () => process.memoryUsage.rss(),
    log: () => log?.stats ?? { written: 0, dropped: 0, pending: 0 },
    sinkErrors: () => sinks.errors,
    pluginRecordsDropped: () => recordsDropped,
    responsesDropped: () => store.dropped,
    backgroundJobs: () => background.size,
    refusals: () => spending.refusals.all,
    decisions: () => spending.refusals.decisions,
    spansDropped: () => telemetry?.dropped ?? 0,
    version: VERSION,
    limits: () => current.limiter.shared(),
  });
  // Signatures outlive a configuration: a conversation goes on after a reload.
  const memory = new BoundedReplay(first.limits.replay_memory);
  const newId = () => randomId(random);
  // Streams outlive a configuration too, and count for the one that follows.
  const budget = new StreamBudget(clock, streamLimits(first));
  const countTokens = deps.countTokens ?? ((texts, signal) => work.countTokens(texts, signal));
  const readTokens = work.readTokens.bind(work);
  const ofAttempts = { clock, turns, memory, newId, countTokens, readTokens, defects };

  function sinksOf(): NamedSink[] {
    const others = deps.sinks ?? [];
    return [
      { name: 'metrics', keeps: false, take: (record) => metrics.observe(record) },
      ...(log ? [{ name: 'log', keeps: true, take: (record: LogRecord) => log.write(record) }] : []),
      { name: 'page', keeps: false, take: (record) => page.watch.take(record) },
      { name: 'plugins', keeps: false, take: (record) => current.hooks.record(record) },
      ...(telemetry ? [{ name: 'telemetry', keeps: false, take: telemetry.take }] : []),
      ...(onRecord
        ? [{ name: 'lines', keeps: false, take: (record: LogRecord) => onRecord(record, secrets.mask) }]
        : []),
      ...others.map((take, index) => ({ name: `custom_${index + 1}`, keeps: true, take })),
    ];
  }

  // Keys of identity providers outlive a configuration, so that a reload fetches nothing.
  const issuerPool = new IssuerPool({ clock, problem });
  const tokensFor = ({ auth, groups }: Config): ((known: KnownKeys) => Tokens) | undefined => {
    const configured = auth === undefined || auth === 'none' ? [] : auth.issuers;
    const keys = issuerPool.adopt(configured);
    const issuers = configured.map((issuer, index) => ({ issuer, keys: keys[index]! }));
    return issuers.length === 0 ? undefined : (known) => new TokenClients({ clock, groups, issuers, known });
  };

  const generate = (config: Config, plugins: Plugins): Generation => {
    const { failed } = reports;
    const hooks = new Hooks(plugins, { clock, failed, dropped: () => (recordsDropped += 1) });
    const classes = plugins.classes(failed);
    const providers = makeProviders(config, { ...deps, learn: secrets.add, log: problem, plugins: classes });
    const prices = new Prices(config.prices, priceTable);
    const registry = new ModelRegistry(providers, config, offReasons(config, deps.env), discovery);
    const bounds = {
      maxResponse: config.limits.max_response,
      maxContent: config.logging.requests.max_content,
    };
    const ofExchanges: ExchangeDeps = {
      clock,
      sinks,
      defects,
      price: ({ provider, model }, configured, usage, atMs) =>
        prices.cost(
          { provider: provider.name, vendor: provider.settings.prices, model, configured },
          usage,
          atMs,
        ),
      maxContent: config.logging.requests.max_content,
      over: () => (inFlight -= 1),
      used: (used) => spending.used(used),
    };
    const limiter = spending.limiter(config);
    const auth = new Authenticator(config, {
      clock,
      secret: (variable) => deps.env[variable],
      tokens: tokensFor(config),
    });
    const { mask } = secrets;
    const attemptDeps = { ...ofAttempts, limits: bounds, mask };
    const ofRouters = {
      clock,
      random,
      pool,
      contextWindow: ({ provider, model }: Target, offer: ProviderModel) =>
        offer.contextWindow ??
        provider.settings.contextWindow ??
        prices.contextWindow(provider.settings.prices, model) ??
        commonContextWindow(model),
    };
    const router = new RequestRouter(config.routing, {
      ...ofRouters,
      attempt: (inbound, plan, client) => attemptFor(inbound, plan, client, attemptDeps),
    });
    const { max_message: maxMessage, max_unsent: maxUnsent, idle, duration } = config.limits.realtime;
    const sessionDeps = { clock, maxMessage, mask };
    const sessionRouter = new RequestRouter<Begun>(config.routing, {
      ...ofRouters,
      attempt: (inbound, plan, client) => new SessionAttempt(inbound, plan, client, sessionDeps),
    });
    const admission = new Admission({
      registry,
      limiter,
      price: ({ provider, model, offer }, usage) =>
        prices.cost(
          { provider: provider.name, vendor: provider.settings.prices, model, configured: offer.price },
          usage,
          clock.now(),
        ),
      assumedOutput: config.limits.assumed_output,
    });
    const prober = new HealthProber(config.health, {
      clock,
      random,
      pool,
      async ask(provider, model, key, abort) {
        const target = pool.target(provider, model, clock.monotonic());
        const asked = { target, offer: { name: model }, key, fresh: false, unsealed: false };
        const plan = { ...asked, unsupported: 'drop' as const };
        await new Attempt(wordFor(model), plan, abort, attemptDeps).open();
      },
    });
    const { max_buffered: maxBuffered, max_buffered_share: share, max_body: maxBody } = config.limits;
    const buffered = new Buffered(maxBuffered, Math.max(share * maxBuffered, maxBody));
    const app = createApp({
      // The socket stays where it is until a restart.
      server: { ...config.server, host: first.server.host },
      limits: config.limits,
      limiter,
      spending,
      logging: config.logging.requests,
      clock,
      turns,
      instance,
      auth,
      registry,
      buffered,
      unread: budget,
      hooks: hooks.hasRequests ? hooks : undefined,
      pipeline: new Pipeline({
        clock,
        revise: hooks.hasAnswers
          ? (answer, facts, client) => hookedAnswer(answer, { hooks, facts, client })
          : undefined,
        admission,
        turns,
        router,
        memory,
        newId,
        mask,
        keepaliveMs: config.server.keepalive_comment,
        stallMs: config.limits.client_stall,
        budget,
      }),
      passthrough: new Passthrough({
        clock,
        limiter,
        pool,
        mask,
        maxBytes: config.limits.max_passthrough,
        bodyStallMs: config.limits.body_timeout,
      }),
      sockets,
      responses: () => current.app.responses,
      stored:
        config.responses.store === 'never'
          ? undefined
          : {
              store,
              background,
              keep: config.responses.store,
              ttlMs: storedMs(config),
            },
      realtime: new Realtime({
        clock,
        admission,
        router: sessionRouter,
        budget,
        mask,
        sessions,
        maxContent: bounds.maxContent,
        limits: { maxUnsent, idleMs: idle, maxMs: duration, stallMs: config.limits.client_stall },
      }),
      begin(id, endpoint, userAgent, headers) {
        inFlight += 1;
        const exchange = new Exchange(id, endpoint, userAgent, ofExchanges);
        if (telemetry) exchange.trace = new Trace(headers, telemetry);
        return exchange;
      },
      admit(exchange) {
        const most = config.limits.max_concurrent;
        const { requests } = limits;
        if (!requests) return inFlight <= most;
        if (!requests.take(most)) return false;
        exchange.finally(() => requests.free());
        return true;
      },
      newId: () => `req_${Bun.randomUUIDv7('hex').replaceAll('-', '')}`,
      metrics,
      ready: () => priceTable.pending(),
      providers: statuses,
      summary: () => summarize(statuses()),
      log: logState,
      logDirectory: first.logging.requests.directory,
      usage,
      config,
      page,
      priceSetup: () => priceSetup(config),
      fleet: deps.fleet,
      running,
      inFlight: () => inFlight,
      draining: () => draining,
      version: VERSION,
      mask,
      problem,
    });
    return { config, providers, prober, buffered, auth, limiter, hooks, registry, app };
  };

  let current = generate(first, deps.plugins ?? NO_PLUGINS);
  pool.adopt(policyOf(first), current.providers, () => true);
  current.prober.start(current.providers);
  const stateWatch = tell && new StateWatch({ clock, pool, providers: () => current.providers, tell });
  const discover = ({ config, providers }: Generation) =>
    discovery?.adopt(providers, ({ name }) => {
      const provider = config.providers.find((each) => each.name === name);
      return provider && listEveryMs(config, provider, deps.env);
    });
  discover(current);
  return {
    fetch: (request, bindings) => current.app.fetch(request, bindings),
    upgrade: (request, bindings) => current.app.upgrade?.(request, bindings),
    maxMessage: first.limits.realtime.max_message,
    providers: statuses,
    metrics: () => metrics.families(),
    inFlight: () => inFlight,
    log: logState,
    recover: () => spending.recover(current.config, current.limiter, (key) => current.auth.named(key)),
    modelCount: () => current.registry.names().length,
    takeModels: (listings) => discovery?.take(listings),
    warm: () => priceTable.load(),
    reload(config, plugins = NO_PLUGINS) {
      const last = current;
      secrets.replace(secretsOf(config, deps.env));
      let next: Generation;
      try {
        next = generate(config, plugins);
      } catch (thrown) {
        secrets.replace(secretsOf(last.config, deps.env));
        throw thrown;
      }
      pool.adopt(policyOf(config), next.providers, (name) => sameService(name, last.config, config));
      current = next;
      budget.limits = streamLimits(config);
      page.endStreams();
      store.configure(storedOptions(config, deps.worker !== undefined));
      background.limits = backgroundLimits(config);
      last.prober.stop();
      next.prober.start(next.providers);
      discover(next);
      closeAll(last.providers);
      return needRestart(last.config, config);
    },
    drain() {
      draining = true;
      page.endStreams();
      for (const each of [...sessions, ...sockets]) each.drain();
    },
    cut() {
      const error = new ProxyError('shutting_down', 'Cannot finish the answer: the proxy is being stopped');
      for (const abort of running.keys()) abort.abort(error);
    },
    async close() {
      current.prober.stop();
      stateWatch?.close();
      discovery?.stop();
      await spending.close();
      await current.hooks.close();
      await log?.close();
      await telemetry?.close();
      await store.close();
      work.close();
      usage.close();
      page.close();
      closeAll(current.providers);
    },
  };
}

/** Lets go of connections; what a plugin throws there keeps the others from nothing. */
function closeAll(providers: readonly BaseProvider[]): void {
  for (const provider of providers) {
    try {
      provider.close();
    } catch (thrown) {
      const { plugin } = provider.settings;
      if (!plugin) throw thrown;
      plugin.failed(`Cannot close ${provider.name}`, thrown);
    }
  }
}

/** What tells one proxy from others in the header x-llmproxy-via. */
export function newInstance(): string {
  return crypto.randomUUID().slice(0, 8);
}

function policyOf(config: Config): ConstructorParameters<typeof TargetPool>[0] {
  const { breaker, max_retry_after } = config.routing;
  // Who names a longer first cooldown alone means it.
  const max_cooldown = Math.max(breaker.cooldown, breaker.max_cooldown);
  return { breaker: { ...breaker, max_cooldown, max_retry_after }, health: config.health };
}

interface Seen {
  readonly pool: TargetPool;
  readonly clock: Clock;
  readonly env: ProxyDeps['env'];
  readonly discovery: ModelDiscovery | undefined;
}

function statusesOf(
  { config, providers }: Generation,
  { pool, clock, env, discovery }: Seen,
): ProviderStatus[] {
  const off = config.providers.filter((provider) => !provider.enabled);
  return [
    ...providers.map((provider) =>
      providerStatus(provider, { pool, clock, models: discovery?.status(provider) ?? null }),
    ),
    ...off.map((provider) => disabledStatus(provider.name, provider.type, offReason(provider, env))),
  ];
}

function openLog({ logging }: Config, deps: LogWriterDeps): LogWriter | undefined {
  return logging.requests.enabled ? new LogWriter(logging.requests, deps) : undefined;
}

function backgroundLimits({ responses }: Config): BackgroundLimits {
  return { maxRunning: responses.max_background, maxQueued: responses.max_queued };
}

function startTelemetry(
  config: Config,
  { env, name, deps }: { env: ProxyDeps['env']; name: string; deps: TelemetryDeps },
): Telemetry | undefined {
  const settings = telemetrySettings(config, env, name);
  return settings && new Telemetry(settings, deps);
}

function streamLimits({ limits }: Config): StreamLimits {
  return { unread: limits.max_unread, recording: limits.max_recording };
}
