import type { LogRecord } from '../logs/record.ts';
import type { ProviderStatus } from './status.ts';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';

/** Model names that get a label of their own; clients can name anything. */
const MAX_MODELS = 200;

const LATENCY_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];

const STATES = { healthy: 2, degraded: 1, unhealthy: 0, disabled: -1 } as const;

/** What metrics are read from besides records, at the moment they are asked for. */
export interface MetricSources {
  readonly providers: () => readonly ProviderStatus[];
  readonly inFlight: () => number;
  /** Request bodies in memory, bytes. */
  readonly buffered: () => number;
  readonly log: () => { written: number; dropped: number; pending: number };
  /** How often each sink of records has thrown. */
  readonly sinkErrors: () => ReadonlyMap<string, number>;
  /** Resident memory, bytes. */
  readonly memory: () => number;
}

/** Prometheus metrics: a sink of records, rendered on demand. Names follow `llmproxy_<what>_<unit>`. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #models = new Set<string>();
  readonly #requests = this.#counter('requests_total', 'Requests by how they ended', [
    'endpoint',
    'provider',
    'model',
    'outcome',
    'status',
  ]);
  readonly #faults = this.#counter('attempt_faults_total', 'Failed attempts by provider and fault', [
    'provider',
    'fault',
  ]);
  readonly #attempts = this.#counter('attempts_total', 'Attempts by provider', ['provider']);
  readonly #tokens = this.#counter('tokens_total', 'Tokens by kind', ['provider', 'model', 'kind']);
  readonly #cost = this.#counter('cost_usd_total', 'Cost by the price table', ['provider', 'model']);
  readonly #latency = this.#histogram('request_duration_seconds', 'From arrival to the end of the answer');
  readonly #firstContent = this.#histogram(
    'first_content_seconds',
    'From arrival to the first content of a stream',
  );

  constructor(sources: MetricSources) {
    this.#gauge(
      'provider_state',
      'healthy 2, degraded 1, unhealthy 0, disabled -1',
      ['provider'],
      (gauge) => {
        for (const { name, state } of sources.providers()) gauge.set({ provider: name }, STATES[state]);
      },
    );
    this.#gauge('provider_in_flight', 'Requests in flight at a provider', ['provider'], (gauge) => {
      for (const { name, in_flight } of sources.providers()) gauge.set({ provider: name }, in_flight);
    });
    this.#gauge(
      'breaker_open',
      'Breakers that are not closed: those of a provider’s targets, and its own',
      ['provider'],
      (gauge) => {
        for (const { name, breaker, breakers } of sources.providers()) {
          const own = breaker === 'closed' ? 0 : 1;
          gauge.set({ provider: name }, own + breakers.open + breakers.half_open);
        }
      },
    );
    this.#gauge('in_flight', 'Requests in flight', [], (gauge) => gauge.set(sources.inFlight()));
    this.#gauge('buffered_bytes', 'Bytes of request bodies in memory', [], (gauge) =>
      gauge.set(sources.buffered()),
    );
    this.#gauge('log_records_written', 'Records in the request log since the start', [], (gauge) =>
      gauge.set(sources.log().written),
    );
    this.#gauge('log_records_lost', 'Records that could not be written since the start', [], (gauge) =>
      gauge.set(sources.log().dropped),
    );
    this.#gauge('log_pending_bytes', 'Bytes waiting to be written', [], (gauge) =>
      gauge.set(sources.log().pending),
    );
    new Counter({
      name: 'llmproxy_sink_errors_total',
      help: 'Records that a sink failed to take, by sink',
      labelNames: ['sink'],
      registers: [this.#registry],
      collect() {
        this.reset();
        for (const [sink, errors] of sources.sinkErrors()) this.inc({ sink }, errors);
      },
    });
    this.#gauge('process_resident_memory_bytes', 'Resident memory', [], (gauge) =>
      gauge.set(sources.memory()),
    );
  }

  /** The sink: counts one record. */
  observe(record: LogRecord): void {
    const provider = record.provider ?? '';
    const model = this.#modelLabel(record.upstream_model ?? '');
    const { endpoint, outcome } = record;
    this.#requests.inc({ endpoint, provider, model, outcome, status: String(record.status) });
    this.#latency.observe({ endpoint, provider }, record.latency_ms / 1000);
    if (record.first_content_ms !== null) {
      this.#firstContent.observe({ endpoint, provider }, record.first_content_ms / 1000);
    }
    for (const { target, fault } of record.attempt_log) {
      const asked = target.slice(0, target.indexOf('/'));
      this.#attempts.inc({ provider: asked });
      if (fault !== null) this.#faults.inc({ provider: asked, fault });
    }
    if (record.input_tokens !== null)
      this.#tokens.inc({ provider, model, kind: 'input' }, record.input_tokens);
    if (record.output_tokens !== null)
      this.#tokens.inc({ provider, model, kind: 'output' }, record.output_tokens);
    if (record.cached_tokens) this.#tokens.inc({ provider, model, kind: 'cached' }, record.cached_tokens);
    if (record.cost) this.#cost.inc({ provider, model }, record.cost);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }

  json(): Promise<unknown> {
    return this.#registry.getMetricsAsJSON();
  }

  #modelLabel(model: string): string {
    if (this.#models.has(model)) return model;
    if (this.#models.size >= MAX_MODELS) return 'other';
    this.#models.add(model);
    return model;
  }

  #counter(name: string, help: string, labelNames: string[]): Counter {
    return new Counter({ name: `llmproxy_${name}`, help, labelNames, registers: [this.#registry] });
  }

  #histogram(name: string, help: string): Histogram {
    const labelNames = ['endpoint', 'provider'];
    const registers = [this.#registry];
    return new Histogram({ name: `llmproxy_${name}`, help, labelNames, registers, buckets: LATENCY_SECONDS });
  }

  #gauge(name: string, help: string, labelNames: string[], collect: (gauge: Gauge) => void): void {
    new Gauge({
      name: `llmproxy_${name}`,
      help,
      labelNames,
      registers: [this.#registry],
      collect() {
        collect(this);
      },
    });
  }
}
