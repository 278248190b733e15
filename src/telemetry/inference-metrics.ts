/** The metrics of the GenAI conventions, aggregated from records. */
import type { LogRecord } from '../logs/record.ts';
import type { Conventions, PlaceOf } from './names.ts';
import type { HistogramDataPoint, KeyValue, Metric, NumberDataPoint } from './otlp/tree.ts';
import { Series } from '../pipeline/metrics/series.ts';
import { isInference, operationOf, providerNameOf } from './names.ts';
import { attribute, attributes } from './otlp/tree.ts';

/** The largest number of attribute combinations. */
const MAX_SERIES = 500;
const SECONDS = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
const TOKENS = [
  1, 4, 16, 64, 256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864,
];
const CUMULATIVE = 2;

interface Counted {
  readonly counts: number[];
  sum: number;
  count: number;
}

const LABELS = ['operation', 'provider', 'model', 'error'] as const;

/** One distribution by attributes. */
class Distribution {
  readonly #bounds: readonly number[];
  readonly #series: Series<(typeof LABELS)[number], Counted>;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    const nothing = (): Counted => ({ counts: [...bounds, 0].map(() => 0), sum: 0, count: 0 });
    this.#series = new Series(LABELS, nothing, MAX_SERIES);
  }

  add(labels: readonly string[], value: number): void {
    const found = this.#series.at(...labels);
    found.sum += value;
    found.count += 1;
    const index = this.#bounds.findIndex((bound) => value <= bound);
    found.counts[index < 0 ? this.#bounds.length : index]! += 1;
  }

  points(times: Times, more: readonly KeyValue[] = []): HistogramDataPoint[] {
    return this.#series.all.map(([labels, { counts, sum, count }]) => ({
      attributes: [...named(labels), ...more],
      ...times,
      count: String(count),
      sum,
      bucketCounts: counts.map(String),
      explicitBounds: this.#bounds,
    }));
  }

  get isEmpty(): boolean {
    return this.#series.all.length === 0;
  }
}

/** A sum by attributes. */
class Total {
  readonly #series = new Series(LABELS, () => ({ sum: 0 }), MAX_SERIES);

  add(labels: readonly string[], value: number): void {
    this.#series.at(...labels).sum += value;
  }

  points(times: Times): NumberDataPoint[] {
    const modality = attribute('gen_ai.token.modality', 'unknown')!;
    return this.#series.all.map(([labels, { sum }]) => ({
      attributes: [...named(labels), modality],
      ...times,
      asInt: String(sum),
    }));
  }
}

interface Times {
  readonly startTimeUnixNano: string;
  readonly timeUnixNano: string;
}

const USAGE = {
  input_tokens: ['gen_ai.client.inference.usage.input_tokens', 'Input tokens, including cached ones'],
  output_tokens: ['gen_ai.client.inference.usage.output_tokens', 'Output tokens, including reasoning'],
  cached_tokens: ['gen_ai.client.inference.usage.cache_read.input_tokens', 'Input tokens read from a cache'],
  cache_write_tokens: [
    'gen_ai.client.inference.usage.cache_write.input_tokens',
    'Input tokens written to a cache',
  ],
  reasoning_tokens: [
    'gen_ai.client.inference.usage.reasoning.output_tokens',
    'Output tokens used for reasoning',
  ],
} as const;

type TokenKind = keyof typeof USAGE;

export class InferenceMetrics {
  readonly #conventions: Conventions;
  readonly #placeOf: PlaceOf;
  readonly #durations = new Map<string, Distribution>();
  readonly #firstChunk = new Distribution(SECONDS);
  readonly #tokens = { input: new Distribution(TOKENS), output: new Distribution(TOKENS) };
  readonly #usage = Object.fromEntries(Object.keys(USAGE).map((kind) => [kind, new Total()])) as Record<
    TokenKind,
    Total
  >;

  constructor(conventions: Conventions, placeOf: PlaceOf) {
    this.#conventions = conventions;
    this.#placeOf = placeOf;
  }

  /** Requests without a call to a provider have no such metrics. */
  add(record: LogRecord): void {
    const { provider, upstream_model: model, fault, first_content_ms: first } = record;
    if (provider === null || record.attempts === 0) return;
    const operation = operationOf(record.endpoint);
    const name = providerNameOf(this.#placeOf(provider)?.type ?? provider);
    // The upstream name of the model: clients can send any name.
    const labels = [operation, name, model ?? '', fault ?? ''];
    const whose = [operation, name, model ?? '', ''];
    this.#duration(operation).add(labels, record.latency_ms / 1_000);
    if (first !== null) this.#firstChunk.add(whose, first / 1_000);
    if (!isInference(operation) && !this.#conventions.tokensByType) return;
    const { input_tokens: input, output_tokens: output } = record;
    if (input !== null) this.#tokens.input.add(whose, input);
    if (output !== null) this.#tokens.output.add(whose, output);
    for (const kind of Object.keys(USAGE) as TokenKind[]) {
      const used = record[kind];
      if (used !== null) this.#usage[kind].add(whose, used);
    }
  }

  metrics(times: Times): Metric[] {
    const { firstChunk, tokensByType } = this.#conventions;
    const histogram = (
      name: string,
      unit: string,
      description: string,
      dataPoints: HistogramDataPoint[],
    ): Metric => ({
      name,
      unit,
      description,
      histogram: { dataPoints, aggregationTemporality: CUMULATIVE },
    });
    const { input, output } = this.#tokens;
    const type = (word: string) => [attribute('gen_ai.token.type', word)!];
    const all = [
      ...[...this.#durations].map(([name, found]) =>
        histogram(name, 's', 'Duration of the operation', found.points(times)),
      ),
      histogram(firstChunk, 's', 'Time to the first chunk', this.#firstChunk.points(times)),
      ...(tokensByType
        ? [
            histogram('gen_ai.client.token.usage', '{token}', 'Tokens used', [
              ...input.points(times, type('input')),
              ...output.points(times, type('output')),
            ]),
          ]
        : [
            histogram(
              'gen_ai.client.inference.operation.input_tokens',
              '{token}',
              'Input tokens of an operation',
              input.points(times),
            ),
            histogram(
              'gen_ai.client.inference.operation.output_tokens',
              '{token}',
              'Output tokens of an operation',
              output.points(times),
            ),
            ...this.#counters(times),
          ]),
    ];
    return all.filter(({ histogram: shown, sum }) => (shown ?? sum)!.dataPoints.length > 0);
  }

  #counters(times: Times): Metric[] {
    return (Object.keys(USAGE) as TokenKind[]).map((kind) => {
      const [name, description] = USAGE[kind];
      const dataPoints = this.#usage[kind].points(times);
      return {
        name,
        unit: '{token}',
        description,
        sum: { dataPoints, aggregationTemporality: CUMULATIVE, isMonotonic: true },
      };
    });
  }

  #duration(operation: string): Distribution {
    const name = this.#conventions.duration(operation);
    let found = this.#durations.get(name);
    if (!found) this.#durations.set(name, (found = new Distribution(SECONDS)));
    return found;
  }
}

function named(labels: Readonly<Record<(typeof LABELS)[number], string>>): KeyValue[] {
  return attributes([
    attribute('gen_ai.operation.name', labels.operation),
    attribute('gen_ai.provider.name', labels.provider),
    attribute('gen_ai.request.model', labels.model || undefined),
    attribute('error.type', labels.error || undefined),
  ]);
}
