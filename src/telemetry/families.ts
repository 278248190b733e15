/** Converts the metrics of /metrics to OTLP. */
import type { Family, Sample } from '../pipeline/metrics/prometheus.ts';
import type { HistogramDataPoint, KeyValue, Metric, NumberDataPoint } from './otlp/tree.ts';
import { attribute, attributes } from './otlp/tree.ts';

const CUMULATIVE = 2;

interface Times {
  readonly startTimeUnixNano: string;
  readonly timeUnixNano: string;
}

/** The number of values that are converted at once. */
const MOST_VALUES = 512;

/** Splits large families; those without values are left out. */
export function* partsOf(families: readonly Family[]): Generator<Family> {
  for (const family of families) {
    let from = 0;
    for (const [index, { metricName }] of family.values.entries()) {
      // The values of one histogram end with its count.
      const isWhole = family.type !== 'histogram' || metricName?.endsWith('_count') === true;
      if (!isWhole || index + 1 - from < MOST_VALUES) continue;
      yield { ...family, values: family.values.slice(from, index + 1) };
      from = index + 1;
    }
    if (from < family.values.length) yield { ...family, values: family.values.slice(from) };
  }
}

export function metricOf({ name, help, type, values }: Family, times: Times): Metric {
  const common = { name: name.replace(/_total$/, ''), description: help, unit: unitOf(name) };
  if (type === 'histogram')
    return {
      ...common,
      histogram: { dataPoints: histogramPoints(values, name, times), aggregationTemporality: CUMULATIVE },
    };
  const { startTimeUnixNano, timeUnixNano } = times;
  if (type === 'gauge')
    return { ...common, gauge: { dataPoints: values.map((sample) => point(sample, { timeUnixNano })) } };
  const dataPoints = values.map((sample) => point(sample, { startTimeUnixNano, timeUnixNano }));
  return { ...common, sum: { dataPoints, aggregationTemporality: CUMULATIVE, isMonotonic: true } };
}

function point({ labels, value }: Sample, times: Omit<NumberDataPoint, 'attributes'>): NumberDataPoint {
  return { attributes: labelled(labels), ...times, asDouble: value };
}

/** Prometheus buckets are cumulative; in OTLP each holds its own count. */
function histogramPoints(values: readonly Sample[], name: string, times: Times): HistogramDataPoint[] {
  const groups = Map.groupBy(values, ({ labels }) => JSON.stringify({ ...labels, le: undefined }));
  return [...groups.values()].map((samples) => {
    const of = (ending: string) => samples.filter(({ metricName }) => metricName === `${name}_${ending}`);
    const buckets = of('bucket');
    const { le: _, ...labels } = samples[0]!.labels;
    return {
      attributes: labelled(labels),
      ...times,
      count: String(of('count')[0]?.value ?? 0),
      sum: of('sum')[0]?.value ?? 0,
      bucketCounts: buckets.map(({ value }, index) => String(value - (buckets[index - 1]?.value ?? 0))),
      explicitBounds: buckets.slice(0, -1).map(({ labels: { le } }) => Number(le)),
    };
  });
}

function labelled(labels: Sample['labels']): KeyValue[] {
  return attributes(Object.entries(labels).map(([key, value]) => attribute(key, String(value))));
}

function unitOf(name: string): string {
  if (name.includes('_seconds')) return 's';
  if (name.includes('_bytes')) return 'By';
  return name.endsWith('_ratio') ? '1' : '';
}
