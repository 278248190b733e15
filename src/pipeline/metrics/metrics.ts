import type { LogRecord } from '../../logs/record.ts';
import type { UploadState } from '../../logs/upload/state.ts';
import type { ProcessSources } from './process-metrics.ts';
import type { Family, Sample } from './prometheus.ts';
import type { ProviderStatus } from '../targets/status.ts';
import { CallerMetrics } from './caller-metrics.ts';
import { processFamilies } from './process-metrics.ts';
import { providerFamilies } from './provider-metrics.ts';
import { targetFamilies } from './target-metrics.ts';
import { counter, family, Histogram } from './prometheus.ts';
import { Series } from './series.ts';
import { uploadFamilies } from './upload-metrics.ts';

/** The number of model names with a label of their own; clients can send any name. */
const MAX_MODELS = 200;

const LATENCY_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];

/** Bucket bounds for the proxy's own time, which is far below that of providers. */
const OVERHEAD_SECONDS = [0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5];

/** The sources of metrics besides records, read when metrics are requested. */
export interface MetricSources extends ProcessSources {
  readonly providers: () => readonly ProviderStatus[];
  /** The state of log uploads; `undefined` if there are none. */
  readonly upload: () => UploadState | undefined;
}

/** The usage of a provider. A kind of token that it never reported has no value. */
interface Usage {
  input?: number;
  output?: number;
  cached?: number;
  /** What limits were charged beyond reported usage. */
  input_failed?: number;
  output_failed?: number;
  input_estimated?: number;
  output_estimated?: number;
  cost?: number;
}

const KINDS = [
  'input',
  'output',
  'cached',
  'input_failed',
  'output_failed',
  'input_estimated',
  'output_estimated',
] as const;

interface Durations {
  readonly whole: Histogram;
  readonly firstContent: Histogram;
}

/** The counters for one kind of request; counters with fewer labels are shared between kinds. */
interface Cell {
  requests: number;
  readonly durations: Durations;
  readonly usage: Usage;
}

/**
 * Prometheus metrics: a sink of records that only adds up numbers. The output is generated on request.
 * Names follow `llmproxy_<what>_<unit>`.
 */
export class Metrics {
  readonly #sources: MetricSources;
  readonly #models = new Set<string>();
  readonly #usage = new Series(['provider', 'model'], (): Usage => ({}));
  readonly #durations = new Series(['endpoint', 'provider'], (): Durations => ({
    whole: new Histogram(LATENCY_SECONDS),
    firstContent: new Histogram(LATENCY_SECONDS),
  }));
  readonly #cells = new Series(
    ['endpoint', 'provider', 'model', 'outcome', 'status'],
    ([endpoint, provider, model]): Cell => ({
      requests: 0,
      durations: this.#durations.at(endpoint!, provider!),
      usage: this.#usage.at(provider!, model!),
    }),
  );
  readonly #callers = new CallerMetrics();
  readonly #overhead = new Series(['endpoint'], () => new Histogram(OVERHEAD_SECONDS));
  readonly #unpriced = new Series(['provider', 'model'], () => ({ count: 0 }));
  readonly #attempts = new Series(['provider'], () => ({ count: 0 }));
  readonly #redacted = new Series(['provider', 'kind'], () => ({ count: 0 }));
  readonly #faults = new Series(['provider', 'fault'], () => ({ count: 0 }));

  constructor(sources: MetricSources) {
    this.#sources = sources;
  }

  /** The sink: counts one record. */
  observe(record: LogRecord): void {
    const { endpoint, outcome, status, first_content_ms, input_tokens, output_tokens } = record;
    const model = this.#modelLabel(record.upstream_model ?? '');
    this.#callers.observe(record);
    const cell = this.#cells.at(endpoint, record.provider ?? '', model, outcome, String(status));
    const { usage, durations } = cell;
    cell.requests += 1;
    durations.whole.observe(record.latency_ms / 1000);
    if (first_content_ms !== null) durations.firstContent.observe(first_content_ms / 1000);
    if (record.overhead_ms !== undefined) this.#overhead.at(endpoint).observe(record.overhead_ms / 1000);
    if (isUnpriced(record)) this.#unpriced.at(record.provider ?? '', model).count += 1;
    for (const { target, fault, redacted } of record.attempt_log) {
      const providerName = target.slice(0, target.indexOf('/'));
      this.#attempts.at(providerName).count += 1;
      for (const kind in redacted) this.#redacted.at(providerName, kind).count += redacted[kind]!;
      if (fault !== null) this.#faults.at(providerName, fault).count += 1;
    }
    if (input_tokens !== null) usage.input = (usage.input ?? 0) + input_tokens;
    if (output_tokens !== null) usage.output = (usage.output ?? 0) + output_tokens;
    if (record.cached_tokens) usage.cached = (usage.cached ?? 0) + record.cached_tokens;
    const { estimate, failed } = record;
    if (failed) {
      usage.input_failed = (usage.input_failed ?? 0) + failed.input_tokens;
      usage.output_failed = (usage.output_failed ?? 0) + failed.output_tokens;
      usage.cost = (usage.cost ?? 0) + (failed.cost ?? 0);
    }
    if (estimate) {
      // A part of it may have been reported.
      usage.input_estimated = (usage.input_estimated ?? 0) + estimate.input_tokens - (input_tokens ?? 0);
      usage.output_estimated = (usage.output_estimated ?? 0) + estimate.output_tokens - (output_tokens ?? 0);
    }
    if (record.cost) usage.cost = (usage.cost ?? 0) + record.cost;
  }

  /** All metrics in their current state. */
  families(): Family[] {
    const providers = this.#sources.providers();
    return [
      ...this.#ofRecords(),
      ...this.#callers.families(),
      ...providerFamilies(providers),
      ...targetFamilies(providers),
      ...uploadFamilies(this.#sources.upload()),
      ...processFamilies(this.#sources),
    ];
  }

  #ofRecords(): Family[] {
    const used = this.#usage.all;
    const durations = (name: string, of: keyof Durations) =>
      this.#durations.all.flatMap(([labels, found]) => found[of].samples(`llmproxy_${name}`, labels));
    const histogram = (name: string, help: string, of: keyof Durations) =>
      family('histogram', name, help, durations(name, of));
    return [
      counter(
        'requests_total',
        'Requests by how they ended',
        this.#cells.all.map(([labels, { requests }]) => ({ labels, value: requests })),
      ),
      counter('attempt_faults_total', 'Failed attempts by provider and fault', counts(this.#faults)),
      counter('attempts_total', 'Attempts by provider', counts(this.#attempts)),
      counter(
        'redacted_values_total',
        'Values replaced in requests before they were sent, by provider and kind',
        counts(this.#redacted),
      ),
      counter(
        'tokens_total',
        'Tokens by kind',
        used.flatMap(([labels, usage]) =>
          KINDS.flatMap((kind) => samplesOf({ ...labels, kind }, usage[kind])),
        ),
      ),
      counter(
        'cost_usd_total',
        'Cost by the price table',
        used.flatMap(([labels, { cost }]) => samplesOf(labels, cost)),
      ),
      counter(
        'unpriced_requests_total',
        'Requests whose cost is not known, since their model has no known price',
        counts(this.#unpriced),
      ),
      family(
        'histogram',
        'overhead_seconds',
        'What this proxy added to requests: time not spent waiting for clients and providers, or between attempts',
        this.#overhead.all.flatMap(([labels, found]) => found.samples('llmproxy_overhead_seconds', labels)),
      ),
      histogram('request_duration_seconds', 'From arrival to the end of the answer', 'whole'),
      histogram('first_content_seconds', 'From arrival to the first content of a stream', 'firstContent'),
    ];
  }

  #modelLabel(model: string): string {
    if (this.#models.has(model)) return model;
    if (this.#models.size >= MAX_MODELS) return 'other';
    this.#models.add(model);
    return model;
  }
}

/** Whether something was used whose price is unknown. */
function isUnpriced({ cost, input_tokens: input, output_tokens: output, estimate }: LogRecord): boolean {
  return estimate ? estimate.cost === null : cost === null && (input !== null || output !== null);
}

const counts = ({ all }: Series<string, { count: number }>): Sample[] =>
  all.map(([labels, { count }]) => ({ labels, value: count }));

const samplesOf = (labels: Sample['labels'], value: number | undefined): Sample[] =>
  value === undefined ? [] : [{ labels, value }];
