import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { encodeMetrics, encodeTraces } from '../../src/telemetry/otlp/protobuf.ts';
import type { AnyValue, KeyValue, MetricsRequest, TracesRequest } from '../../src/telemetry/otlp/tree.ts';
import { decoded } from '../helpers/collector.ts';

const text = fc.string({ unit: 'binary', maxLength: 300 });
const hex = (bytes: number) =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((given) => Buffer.from(given).toString('hex'));
const unsigned = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }).map(String);
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String);
// Never zero, because protobuf omits zeros of these.
const number = fc.double({ noNaN: true, noDefaultInfinity: true });

const scalar: fc.Arbitrary<AnyValue> = fc.oneof(
  text.map((stringValue) => ({ stringValue })),
  fc.boolean().map((boolValue) => ({ boolValue })),
  int64.map((intValue) => ({ intValue })),
  number.map((doubleValue) => ({ doubleValue })),
);
const any: fc.Arbitrary<AnyValue> = fc.oneof(
  { weight: 5, arbitrary: scalar },
  {
    weight: 1,
    arbitrary: fc.array(scalar, { minLength: 1, maxLength: 4 }).map((values) => ({ arrayValue: { values } })),
  },
);
const attributes: fc.Arbitrary<KeyValue[]> = fc.array(fc.record({ key: text, value: any }), {
  minLength: 1,
  maxLength: 6,
});

const span = fc.record({
  traceId: hex(16),
  spanId: hex(8),
  traceState: text,
  parentSpanId: hex(8),
  flags: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
  name: text,
  kind: fc.integer({ min: 1, max: 5 }),
  startTimeUnixNano: unsigned,
  endTimeUnixNano: unsigned,
  attributes,
  status: fc.record({ message: text, code: fc.integer({ min: 1, max: 2 }) }),
});

const resource = fc.record({ attributes });
const scope = fc.record({ name: text, version: text });

/** The value without everything that protobuf does not distinguish from an absent field. */
function comparable(value: unknown): unknown {
  const kept = JSON.stringify(value, (name, each: unknown) =>
    (each === '' || each === 0 || each === '0' || each === false) && !/Value$|^as/.test(name)
      ? undefined
      : each,
  );
  return JSON.parse(kept) as unknown;
}

test('encodeTraces() writes what another decoder reads', () => {
  fc.assert(
    fc.property(resource, scope, fc.array(span, { minLength: 1, maxLength: 5 }), (given, by, spans) => {
      const request: TracesRequest = {
        resourceSpans: [{ resource: given, scopeSpans: [{ scope: by, spans }] }],
      };
      expect(comparable(decoded('Traces', encodeTraces(request)))).toEqual(comparable(request));
    }),
    { numRuns: 200 },
  );
});

test('encodeMetrics() writes what another decoder reads', () => {
  const times = { startTimeUnixNano: unsigned, timeUnixNano: unsigned };
  const point = fc.oneof(
    fc.record({ attributes, ...times, asDouble: number }),
    fc.record({ attributes, ...times, asInt: int64 }),
  );
  const points = fc.array(point, { minLength: 1, maxLength: 3 });
  const histogramPoint = fc.record({
    attributes,
    ...times,
    count: unsigned,
    sum: number.filter((value) => value !== 0),
    bucketCounts: fc.array(fc.integer({ min: 1 }).map(String), { minLength: 1, maxLength: 5 }),
    explicitBounds: fc.array(
      number.filter((value) => value !== 0),
      { minLength: 1, maxLength: 5 },
    ),
  });
  const named = { name: text, description: text, unit: text };
  const metric = fc.oneof(
    fc.record({ ...named, gauge: fc.record({ dataPoints: points }) }),
    fc.record({
      ...named,
      sum: fc.record({
        dataPoints: points,
        aggregationTemporality: fc.constant(2),
        isMonotonic: fc.boolean(),
      }),
    }),
    fc.record({
      ...named,
      histogram: fc.record({
        dataPoints: fc.array(histogramPoint, { minLength: 1, maxLength: 3 }),
        aggregationTemporality: fc.constant(2),
      }),
    }),
  );
  fc.assert(
    fc.property(resource, scope, fc.array(metric, { minLength: 1, maxLength: 4 }), (given, by, metrics) => {
      const request: MetricsRequest = {
        resourceMetrics: [{ resource: given, scopeMetrics: [{ scope: by, metrics }] }],
      };
      expect(comparable(decoded('Metrics', encodeMetrics(request)))).toEqual(comparable(request));
    }),
    { numRuns: 200 },
  );
});

test('encodeTraces() writes the right lengths for long texts', () => {
  const attributes = [127, 128, 16_383, 16_384, 2_097_151, 2_097_152].map((length) => ({
    key: String(length),
    value: { stringValue: 'x'.repeat(length) },
  }));
  const request: TracesRequest = { resourceSpans: [{ resource: { attributes }, scopeSpans: [] }] };
  expect(decoded('Traces', encodeTraces(request))).toEqual({ resourceSpans: [{ resource: { attributes } }] });
});
