import type { Clock } from '../clock.ts';
import { systemClock } from '../clock.ts';
import type { Config } from '../config/schema.ts';
import type { ProxyEvent, Trouble } from '../events.ts';
import { offReason, secretsOf } from '../config/keys.ts';
import type { Limiter } from '../limits/limiter.ts';
import type { Limits } from '../limits/limits.ts';
import { LOCAL_LIMITS } from '../limits/local.ts';
import type { LogRecord } from '../logs/record.ts';
import type { LogState } from '../logs/trouble.ts';
import { Secrets } from '../logs/secrets.ts';
import { redactKinds } from '../config/redact-kinds.ts';
import { LogWriter } from '../logs/writer.ts';
import { Defects } from '../pipeline/streams/defects.ts';
import type { ModelDiscovery } from '../pipeline/routing/discovery.ts';
import { keptDiscovery } from '../pipeline/routing/kept-discovery.ts';
import { Metrics } from '../pipeline/metrics/metrics.ts';
import { randomId } from '../pipeline/random-id.ts';
import { BoundedReplay } from '../pipeline/attempts/replay.ts';
import type { NamedSink } from '../pipeline/streams/sinks.ts';
import { Sinks } from '../pipeline/streams/sinks.ts';
import type { ProviderStatus } from '../pipeline/targets/status.ts';
import { disabledStatus, providerStatus } from '../pipeline/targets/status.ts';
import { StateWatch } from '../pipeline/targets/state-watch.ts';
import { StreamBudget } from '../pipeline/streams/stream-budget.ts';
import { TargetPool } from '../pipeline/targets/target-pool.ts';
import { reportHolds } from '../pipeline/targets/watch.ts';
import type { Hooks } from '../plugins/hooks.ts';
import { PluginReports } from '../plugins/reports.ts';
import type { BaseProvider } from '../providers/base.ts';
import { PriceTable } from '../providers/price-table.ts';
import type { ProxyApp } from '../server/app.ts';
import type { Buffered } from '../server/buffered.ts';
import type { ServerContext } from '../server/context.ts';
import { Page } from '../server/page/page.ts';
import { Background } from '../server/responses/background.ts';
import { Followers } from '../server/responses/followers.ts';
import { IssuedResponses } from '../server/responses/issued.ts';
import { sharedPlace, storedOptions } from '../server/responses/service.ts';
import { IssuerPool } from '../server/tokens/issuer-keys.ts';
import { Spending } from '../spending.ts';
import { Store } from '../stored/store.ts';
import { placeOf } from '../telemetry/place.ts';
import { telemetrySettings } from '../telemetry/settings.ts';
import { Telemetry } from '../telemetry/telemetry.ts';
import type { Turns } from '../turns.ts';
import { turns as realTurns } from '../turns.ts';
import { UsageReader } from '../usage/reader.ts';
import { VERSION } from '../version.ts';
import { RedactionThread } from '../work/redaction-thread.ts';
import { WorkThread } from '../work/thread.ts';
import type { ProxyDeps } from './contract.ts';
import { backgroundLimits, policyOf, streamLimits } from './settings.ts';
import { Traffic } from './traffic.ts';
import { uploadAccess } from './upload-access.ts';

/** What exists for the current configuration only, as far as the objects that outlive it use it. */
export interface Current {
  readonly config: Config;
  readonly providers: readonly BaseProvider[];
  readonly buffered: Buffered;
  readonly limiter: Limiter;
  readonly hooks: Hooks;
  readonly context: ServerContext;
  readonly app: ProxyApp;
}

/**
 * State that outlives a configuration: health and breakers, the log, usage counted against limits, signatures and
 * streams of conversations, keys of identity providers, connections to collectors.
 */
export class ProcessState {
  readonly deps: ProxyDeps;
  /** The configuration at the start of the process, whose settings for sockets and the log hold until a restart. */
  readonly first: Config;
  readonly clock: Clock;
  readonly random: () => number;
  readonly turns: Turns;
  /** Sent to providers and searched for in requests: a request that carries it has come back to this proxy. */
  readonly instance: string;
  readonly limits: Limits;
  readonly traffic = new Traffic();
  readonly pool: TargetPool;
  readonly priceTable = new PriceTable();
  readonly work: WorkThread;
  readonly redaction: RedactionThread;
  readonly usage: UsageReader;
  readonly store: Store;
  readonly background: Background;
  readonly followers: Followers;
  readonly issued = new IssuedResponses(() => this.spending);
  readonly secrets: Secrets;
  readonly log: LogWriter | undefined;
  readonly spending: Spending;
  readonly page: Page;
  readonly discovery: ModelDiscovery | undefined;
  readonly defects: Defects;
  readonly telemetry: Telemetry | undefined;
  readonly sinks: Sinks;
  readonly reports: PluginReports;
  readonly metrics: Metrics;
  /** Thinking signatures, so that conversations continue after a reload. */
  readonly memory: BoundedReplay;
  /** The number of open streams, which counts for the next configuration as well. */
  readonly budget: StreamBudget;
  /** Keys of identity providers, so that a reload need not fetch them. */
  readonly issuers: IssuerPool;
  readonly current: () => Current;
  readonly #stateWatch: StateWatch | undefined;
  #recordsDropped = 0;

  constructor(first: Config, deps: ProxyDeps, current: () => Current) {
    this.deps = deps;
    this.first = first;
    this.current = current;
    this.clock = deps.clock ?? systemClock;
    this.random = deps.random ?? Math.random;
    this.turns = deps.turns ?? realTurns;
    this.instance = deps.instance ?? newInstance();
    this.limits = deps.limits ?? LOCAL_LIMITS;
    const { clock, random, turns } = this;
    const tell = this.#teller();
    this.pool = new TargetPool({ ...policyOf(first), watch: tell && reportHolds(tell) }, random, this.limits);
    const hiddenKeys = first.logging.requests.redact;
    const content = redactKinds(first.logging.requests.redact_content);
    this.work = new WorkThread({ clock, secrets: [], keys: hiddenKeys, content });
    this.redaction = new RedactionThread(clock);
    this.usage = new UsageReader(clock);
    this.store = new Store(storedOptions(first, deps.worker !== undefined), {
      clock,
      directory: deps.keepsUsage ? first.state.directory : undefined,
      keys: hiddenKeys,
      redis: deps.keepsUsage ? sharedPlace(first) : undefined,
      onProblem: (message) => this.problem(message),
    });
    this.background = new Background({ clock, store: this.store }, backgroundLimits(first));
    this.followers = new Followers(first.responses.max_streams);
    this.secrets = new Secrets(secretsOf(first, deps.env), hiddenKeys, (all) => {
      this.work.hides(all);
      this.store.hides(all);
    });
    this.store.share();
    this.log = this.#openLog();
    this.spending = new Spending(first, {
      clock,
      turns,
      onProblem: this.#problemOf('limits'),
      keeps: deps.keepsUsage ? (deps.worker ?? 'alone') : undefined,
    });
    this.page = new Page({
      clock,
      secret: deps.secret ?? crypto.getRandomValues(new Uint8Array(32)),
      inFlight: () => this.traffic.inFlight,
      running: () => this.traffic.running,
      fleet: deps.fleet,
    });
    this.discovery =
      deps.discovery &&
      keptDiscovery(first, { ...deps.discovery, clock, random, turns, problem: this.problem });
    this.defects = new Defects(this.#problemOf('other'));
    this.telemetry = this.#startTelemetry();
    this.sinks = new Sinks(this.#sinks(), this.defects);
    this.reports = new PluginReports(this.#problemOf('plugin'), clock);
    this.metrics = this.#meter();
    this.memory = new BoundedReplay(first.limits.replay_memory);
    this.budget = new StreamBudget(clock, streamLimits(first));
    this.issuers = new IssuerPool({ clock, problem: this.problem });
    this.#stateWatch =
      tell && new StateWatch({ clock, pool: this.pool, providers: () => current().providers, tell });
  }

  /** Reports a problem that does not belong to a request. It goes to stderr, and may quote a provider. */
  readonly problem = (message: string, of: Trouble = 'other'): void => {
    this.deps.onProblem?.(this.secrets.mask(message), of);
  };

  readonly newId = (): string => randomId(this.random);

  readonly logState = (): LogState | null => this.log?.state ?? null;

  readonly recordDropped = (): void => {
    this.#recordsDropped += 1;
  };

  /** The state of all providers in the current configuration, including disabled ones. */
  readonly statuses = (): ProviderStatus[] => {
    const { config, providers } = this.current();
    const { pool, clock, discovery, deps } = this;
    const off = config.providers.filter((provider) => !provider.enabled);
    return [
      ...providers.map((provider) =>
        providerStatus(provider, { pool, clock, models: discovery?.status(provider) ?? null }),
      ),
      ...off.map((provider) => disabledStatus(provider.name, provider.type, offReason(provider, deps.env))),
    ];
  };

  /** Applies the settings of a configuration. */
  configure(config: Config): void {
    this.budget.limits = streamLimits(config);
    this.page.endStreams();
    this.store.configure(storedOptions(config, this.deps.worker !== undefined));
    this.background.limits = backgroundLimits(config);
    this.followers.most = config.responses.max_streams;
  }

  /** Flushes and closes everything. @param hooks the current ones, which receive the last records */
  async close({ hooks }: Pick<Current, 'hooks'>): Promise<void> {
    this.#stateWatch?.close();
    this.discovery?.stop();
    await this.spending.close();
    await hooks.close();
    await this.log?.close();
    await this.telemetry?.close();
    await this.store.close();
    this.work.close();
    this.redaction.close();
    this.usage.close();
    this.page.close();
  }

  #problemOf(of: Trouble): (message: string) => void {
    return (message) => this.problem(message, of);
  }

  #teller(): ((event: ProxyEvent) => void) | undefined {
    const { onEvent } = this.deps;
    return onEvent && ((event) => onEvent({ ...event, message: this.secrets.mask(event.message) }));
  }

  #openLog(): LogWriter | undefined {
    const { requests } = this.first.logging;
    if (!requests.enabled) return undefined;
    return new LogWriter(requests, {
      clock: this.clock,
      worker: this.deps.worker,
      redaction: () => this.secrets.redaction,
      makeLine: (record) => this.work.line(record),
      onProblem: this.#problemOf('request_log'),
      upload: uploadAccess(this.first, { ...this.deps, random: this.random, hide: this.secrets.add }),
    });
  }

  #startTelemetry(): Telemetry | undefined {
    const { deps, clock, random, instance } = this;
    const name = deps.worker === undefined ? instance : `${instance}-${deps.worker}`;
    const settings = telemetrySettings(this.first, deps.env, name);
    return (
      settings &&
      new Telemetry(settings, {
        clock,
        random,
        placeOf: (named) => placeOf(this.current().providers.find((provider) => provider.name === named)),
        families: () => this.metrics.families(),
        mask: this.secrets.mask,
        problem: this.#problemOf('telemetry'),
      })
    );
  }

  /** The receivers of each record. */
  #sinks(): NamedSink[] {
    const { log, telemetry, page, secrets } = this;
    const { onRecord, sinks = [] } = this.deps;
    return [
      { name: 'metrics', keeps: false, take: (record) => this.metrics.observe(record) },
      ...(log ? [{ name: 'log', keeps: true, take: (record: LogRecord) => log.write(record) }] : []),
      { name: 'page', keeps: false, take: (record) => page.watch.take(record) },
      { name: 'plugins', keeps: false, take: (record) => this.current().hooks.record(record) },
      ...(telemetry ? [{ name: 'telemetry', keeps: false, take: telemetry.take }] : []),
      ...(onRecord
        ? [{ name: 'lines', keeps: false, take: (record: LogRecord) => onRecord(record, secrets.mask) }]
        : []),
      ...sinks.map((take, index) => ({ name: `custom_${index + 1}`, keeps: true, take })),
    ];
  }

  #meter(): Metrics {
    const { traffic, spending, store, background } = this;
    return new Metrics({
      providers: this.statuses,
      inFlight: () => traffic.inFlight,
      sessions: () => traffic.sessions.size,
      buffered: () => this.current().buffered.bytes,
      unread: () => this.budget.bytes,
      recording: () => this.budget.kept,
      memory: () => process.memoryUsage.rss(),
      upload: () => this.log?.state.upload,
      log: () => this.log?.stats ?? { written: 0, dropped: 0, pending: 0 },
      sinkErrors: () => this.sinks.errors,
      pluginRecordsDropped: () => this.#recordsDropped,
      responsesDropped: () => store.dropped,
      backgroundJobs: () => background.size,
      refusals: () => spending.refusals.all,
      decisions: () => spending.refusals.decisions,
      spansDropped: () => this.telemetry?.dropped ?? 0,
      version: VERSION,
      limits: () => this.current().limiter.shared(),
      sharedLimits: () => spending.shared,
      sharedResponses: () => store.shared,
    });
  }
}

/** Identifies this proxy in the header x-llmproxy-via. */
export function newInstance(): string {
  return crypto.randomUUID().slice(0, 8);
}
