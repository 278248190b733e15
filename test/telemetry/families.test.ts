import { expect, test } from 'bun:test';
import { counter, Histogram } from '../../src/pipeline/metrics/prometheus.ts';
import type { Family } from '../../src/pipeline/metrics/prometheus.ts';
import { metricOf, partsOf } from '../../src/telemetry/families.ts';

const TIMES = { startTimeUnixNano: '1', timeUnixNano: '2' };

/** A histogram with this many endpoints and two observations for each. */
function histograms(count: number): Family {
  const values = Array.from({ length: count }, (_, n) => {
    const histogram = new Histogram([1, 10]);
    histogram.observe(5);
    histogram.observe(50);
    return histogram.samples('llmproxy_x_seconds', { endpoint: `e${n}` });
  }).flat();
  return { name: 'llmproxy_x_seconds', help: 'x', type: 'histogram', values, aggregator: 'sum' };
}

test('a large family is sent in parts without splitting a histogram', () => {
  const many = counter(
    'many_total',
    'Many',
    Array.from({ length: 1_200 }, (_, n) => ({ labels: { n }, value: n })),
  );
  const parts = [...partsOf([many, counter('none_total', 'None', []), histograms(500)])];
  expect(parts.map(({ name, values }) => [name, values.length])).toEqual([
    ['llmproxy_many_total', 512],
    ['llmproxy_many_total', 512],
    ['llmproxy_many_total', 176],
    ...[515, 515, 515, 515, 440].map((length) => ['llmproxy_x_seconds', length]),
  ]);
  const points = parts.slice(3).flatMap((part) => metricOf(part, TIMES).histogram!.dataPoints);
  expect(points).toHaveLength(500);
  for (const { count, sum, bucketCounts, explicitBounds } of points)
    expect({ count, sum, bucketCounts, explicitBounds }).toEqual({
      count: '2',
      sum: 55,
      bucketCounts: ['0', '1', '1'],
      explicitBounds: [1, 10],
    });
});
