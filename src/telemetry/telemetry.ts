/** Sends what records say to an OpenTelemetry collector: in batches, beside the requests, and never more than fits a queue. */
import type { Clock } from '../clock.ts';
import type { LogRecord } from '../logs/record.ts';
import type { Family } from '../pipeline/prometheus.ts';
import type { Trace } from '../pipeline/trace.ts';
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
  /** What /metrics shows. */
  readonly families: () => readonly Family[];
  readonly mask: (text: string) => string;
  readonly problem: (message: string) => void;
}

/** A metric that is made when it is sent. */
interface Due {
  readonly weight: number;
  readonly make: () => Metric;
}

/** A span has so many attributes that it is as much work as so many values of a metric. */
const SPAN_WEIGHT = 8;
/** The same for a point of a histogram. */
const POINT_WEIGHT = 8;

/** How long the last export may take when the program ends, milliseconds. */
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

  /** Spans that were dropped since there was no room for them, or the collector did not take them. */
  get dropped(): number {
    return this.#spans?.dropped ?? 0;
  }

  /** What traces begin by: see `Trace`. */
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
    // What there is no room for need not be made.
    if (!this.#spans.hasRoom(size)) return this.#spans.drop(size);
    const { semconv, content } = this.#settings;
    const { placeOf, mask } = this.#deps;
    this.#spans.add(spansOf(record, trace, { conventions: CONVENTIONS[semconv], content, placeOf, mask }));
  };

  /** Sends what waits, but does not wait long for a collector that is gone. */
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

/** An address without what may be a password in it. */
function shownUrl(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}
