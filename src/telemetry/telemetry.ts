/** Exports records to an OpenTelemetry collector: in batches, independently of requests, with a bounded queue. */
import type { Clock } from '../clock.ts';
import type { LogRecord } from '../logs/record.ts';
import type { Family } from '../pipeline/metrics/prometheus.ts';
import type { Trace } from '../pipeline/record/trace.ts';
import type { PlaceOf } from './names.ts';
import type { Metric, Span } from './otlp/tree.ts';
import type { Destination, TelemetrySettings } from './settings.ts';
import type { BatchesOptions } from './batches.ts';
import { Batches } from './batches.ts';
import { metricOf, partsOf } from './families.ts';
import { InferenceMetrics } from './inference-metrics.ts';
import { CONVENTIONS } from './names.ts';
import { encodeMetrics, encodeTraces } from './otlp/protobuf.ts';
import { OtlpSender } from './otlp/sender.ts';
import { attribute, attributes, nanos } from './otlp/tree.ts';
import { spansOf } from './spans.ts';
import { VERSION } from '../version.ts';

export interface TelemetryDeps {
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly placeOf: PlaceOf;
  /** The metrics of /metrics. */
  readonly families: () => readonly Family[];
  readonly mask: (text: string) => string;
  readonly problem: (message: string) => void;
}

/** A metric that is converted when it is sent. */
interface Due {
  readonly weight: number;
  readonly make: () => Metric;
}

/** A span has as many attributes that encoding it takes as long as this many metric values. */
const SPAN_WEIGHT = 8;
/** The same for a histogram point. */
const POINT_WEIGHT = 8;

/** How long the final export may take at exit, milliseconds. */
const LAST_MS = 5_000;

const SCOPE = { name: 'llmproxy', version: VERSION };

export class Telemetry {
  readonly #settings: TelemetrySettings;
  readonly #deps: TelemetryDeps;
  readonly #beganMs: number;
  readonly #inference: InferenceMetrics;
  readonly #spans: Batches<Span> | undefined;
  readonly #metrics: Batches<Due> | undefined;
  #cancel: (() => void) | undefined;

  constructor(settings: TelemetrySettings, deps: TelemetryDeps) {
    this.#settings = settings;
    this.#deps = deps;
    this.#beganMs = deps.clock.now();
    this.#inference = new InferenceMetrics(CONVENTIONS[settings.semconv], deps.placeOf);
    const { traces, metrics, queue } = settings;
    this.#spans =
      traces &&
      this.#batches<Span>('traces', traces, {
        most: queue,
        weight: () => SPAN_WEIGHT,
        encode: (spans) => this.#traces(traces, spans),
      });
    this.#metrics =
      metrics &&
      this.#batches<Due>('metrics', metrics, {
        most: Infinity,
        weight: ({ weight }) => weight,
        encode: (due) =>
          this.#metricsOf(
            metrics,
            due.map(({ make }) => make()),
          ),
      });
    if (metrics) this.#schedule();
  }

  /** The number of spans dropped because the queue was full or the collector did not accept them. */
  get dropped(): number {
    return this.#spans?.dropped ?? 0;
  }

  /** How traces begin: see `Trace`. */
  get sample(): number {
    return this.#settings.sample;
  }

  get random(): () => number {
    return this.#deps.random;
  }

  /** The sink of records. */
  readonly take = (record: LogRecord, trace: Trace | undefined): void => {
    if (this.#metrics) this.#inference.add(record);
    if (!this.#spans || !trace?.sampled) return;
    const size = 1 + record.attempt_log.length;
    // A span that does not fit into the queue need not be built.
    if (!this.#spans.hasRoom(size)) return this.#spans.drop(size);
    const { semconv, content } = this.#settings;
    const { placeOf, mask } = this.#deps;
    this.#spans.add(spansOf(record, trace, { conventions: CONVENTIONS[semconv], content, placeOf, mask }));
  };

  /** Flushes, but does not wait long for a collector that is gone. */
  async close(): Promise<void> {
    this.#cancel?.();
    this.#collect();
    const all = [this.#spans, this.#metrics].filter((each) => each !== undefined);
    const late = Promise.withResolvers<void>();
    const cancel = this.#deps.clock.after(LAST_MS, late.resolve);
    await Promise.race([Promise.all(all.map((each) => each.close())), late.promise]);
    cancel();
    for (const each of all) each.abort();
  }

  #batches<Item>(
    signal: string,
    destination: Destination,
    options: Pick<BatchesOptions<Item>, 'most' | 'weight' | 'encode'>,
  ): Batches<Item> {
    const { clock, problem } = this.#deps;
    const sender = new OtlpSender(destination, this.#deps);
    return new Batches({ ...options, clock, problem, signal, url: shownUrl(destination.url), sender });
  }

  #schedule(): void {
    this.#cancel = this.#deps.clock.after(this.#settings.metricsIntervalMs, () => {
      this.#collect();
      this.#schedule();
    });
  }

  #collect(): void {
    if (!this.#metrics || this.#metrics.isBusy) return;
    const times = {
      startTimeUnixNano: nanos(this.#beganMs),
      timeUnixNano: nanos(this.#deps.clock.now()),
    };
    const own = this.#inference.metrics(times).map((metric): Due => {
      const points = (metric.histogram ?? metric.sum)!.dataPoints.length;
      return { weight: points * POINT_WEIGHT, make: () => metric };
    });
    const others = [...partsOf(this.#deps.families())].map((family): Due => ({
      weight: family.values.length,
      make: () => metricOf(family, times),
    }));
    this.#metrics.add([...own, ...others]);
    this.#metrics.flush();
  }

  get #resource() {
    const { resource } = this.#settings;
    return { attributes: attributes(Object.entries(resource).map(([key, value]) => attribute(key, value))) };
  }

  #traces({ protocol }: Destination, spans: readonly Span[]): Uint8Array<ArrayBuffer> | string {
    const request = { resourceSpans: [{ resource: this.#resource, scopeSpans: [{ scope: SCOPE, spans }] }] };
    return protocol === 'http/json' ? JSON.stringify(request) : encodeTraces(request);
  }

  #metricsOf({ protocol }: Destination, metrics: readonly Metric[]): Uint8Array<ArrayBuffer> | string {
    const request = {
      resourceMetrics: [{ resource: this.#resource, scopeMetrics: [{ scope: SCOPE, metrics }] }],
    };
    return protocol === 'http/json' ? JSON.stringify(request) : encodeMetrics(request);
  }
}

/** A URL without a possible password. */
function shownUrl(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}
