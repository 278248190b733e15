/** A collector of traces and metrics on a real socket. Its decoder shares no code with the encoder under test. */
import protobuf from 'protobufjs';

/** OTLP messages with the field numbers of the specification, without fields that are never sent. */
const SCHEMA = `
syntax = "proto3";
message AnyValue { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4; ArrayValue array_value = 5; } }
message ArrayValue { repeated AnyValue values = 1; }
message KeyValue { string key = 1; AnyValue value = 2; }
message Resource { repeated KeyValue attributes = 1; }
message InstrumentationScope { string name = 1; string version = 2; }
message Status { string message = 2; int32 code = 3; }
message Span {
  bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; bytes parent_span_id = 4; fixed32 flags = 16;
  string name = 5; int32 kind = 6; fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8;
  repeated KeyValue attributes = 9; Status status = 15;
}
message ScopeSpans { InstrumentationScope scope = 1; repeated Span spans = 2; }
message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
message Traces { repeated ResourceSpans resource_spans = 1; }
message NumberDataPoint {
  repeated KeyValue attributes = 7; fixed64 start_time_unix_nano = 2; fixed64 time_unix_nano = 3;
  oneof value { double as_double = 4; sfixed64 as_int = 6; }
}
message HistogramDataPoint {
  repeated KeyValue attributes = 9; fixed64 start_time_unix_nano = 2; fixed64 time_unix_nano = 3;
  fixed64 count = 4; optional double sum = 5; repeated fixed64 bucket_counts = 6; repeated double explicit_bounds = 7;
}
message Gauge { repeated NumberDataPoint data_points = 1; }
message Sum { repeated NumberDataPoint data_points = 1; int32 aggregation_temporality = 2; bool is_monotonic = 3; }
message Histogram { repeated HistogramDataPoint data_points = 1; int32 aggregation_temporality = 2; }
message Metric {
  string name = 1; string description = 2; string unit = 3;
  oneof data { Gauge gauge = 5; Sum sum = 7; Histogram histogram = 9; }
}
message ScopeMetrics { InstrumentationScope scope = 1; repeated Metric metrics = 2; }
message ResourceMetrics { Resource resource = 1; repeated ScopeMetrics scope_metrics = 2; }
message Metrics { repeated ResourceMetrics resource_metrics = 1; }
message PartialSuccess { int64 rejected = 1; string error_message = 2; }
message Answer { PartialSuccess partial_success = 1; }
`;

const { root } = protobuf.parse(SCHEMA, { keepCase: false });

/** The bytes of a message as an object in OTLP's JSON format: ids in hexadecimal, long integers as text. */
export function decoded(kind: 'Traces' | 'Metrics', bytes: Uint8Array): Record<string, unknown> {
  const type = root.lookupType(kind);
  const value = type.toObject(type.decode(bytes), { longs: String, bytes: String });
  return JSON.parse(JSON.stringify(value), (name, each: unknown) =>
    /^(?:trace|span|parentSpan)Id$/.test(name) ? Buffer.from(String(each), 'base64').toString('hex') : each,
  ) as Record<string, unknown>;
}

/** The value of an attribute of any type; integers as numbers. */
type Value = string | number | boolean | Value[];

interface Attributed {
  readonly attributes?: readonly { key: string; value: Record<string, unknown> }[];
}

export interface SeenSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly traceState?: string;
  readonly flags?: number;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly status?: { readonly code?: number; readonly message?: string };
  readonly attributes: Readonly<Record<string, Value>>;
}

interface Point extends Attributed {
  readonly asDouble?: number;
  readonly asInt?: string;
  readonly count?: string;
  readonly sum?: number;
  readonly bucketCounts?: readonly string[];
  readonly explicitBounds?: readonly number[];
}

export interface SeenMetric {
  readonly name: string;
  readonly unit?: string;
  readonly kind: 'gauge' | 'sum' | 'histogram';
  readonly points: readonly (Omit<Point, 'attributes'> & {
    readonly attributes: Readonly<Record<string, Value>>;
  })[];
}

function valueOf(value: Record<string, unknown>): Value {
  if ('intValue' in value) return Number(value.intValue);
  if ('arrayValue' in value)
    return ((value.arrayValue as { values?: Record<string, unknown>[] }).values ?? []).map(valueOf);
  return Object.values(value)[0] as Value;
}

function attributesOf({ attributes = [] }: Attributed): Record<string, Value> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, valueOf(value)]));
}

export interface Asked {
  readonly path: string;
  readonly headers: Headers;
}

/** The collector's answer, `undefined` for success. */
type Script = (asked: Asked, count: number) => Response | Promise<Response> | undefined;

export function collector(script: Script = () => undefined) {
  const asked: Asked[] = [];
  const spans: SeenSpan[] = [];
  let metrics: SeenMetric[] = [];
  let resource: Record<string, Value> = {};
  // Large payloads are split; of repeated metrics, the later ones are newer.
  const latest = (found: readonly SeenMetric[]): void => {
    const names = new Set(found.map(({ name }) => name));
    metrics = [...metrics.filter(({ name }) => !names.has(name)), ...found];
  };
  const take = (signal: 'Traces' | 'Metrics', tree: Record<string, unknown>): void => {
    const [first] = (tree.resourceSpans ?? tree.resourceMetrics) as [Record<string, unknown>];
    resource = attributesOf(first.resource as Attributed);
    const [scope] = (first.scopeSpans ?? first.scopeMetrics) as [Record<string, unknown>];
    if (signal === 'Traces')
      for (const span of scope.spans as (Omit<SeenSpan, 'attributes'> & Attributed)[])
        spans.push({ ...span, attributes: attributesOf(span) });
    else
      latest(
        (scope.metrics as Record<string, unknown>[]).map((metric) => {
          const kind = (['gauge', 'sum', 'histogram'] as const).find((each) => each in metric)!;
          const { dataPoints } = metric[kind] as { dataPoints: Point[] };
          const points = dataPoints.map((point) => ({ ...point, attributes: attributesOf(point) }));
          return { name: String(metric.name), unit: metric.unit as string, kind, points };
        }),
      );
  };
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    idleTimeout: 0,
    async fetch(request) {
      const { pathname: path } = new URL(request.url);
      const { headers } = request;
      asked.push({ path, headers });
      const body = new Uint8Array(await request.arrayBuffer());
      const answer = await script({ path, headers }, asked.length);
      if (answer && !answer.ok) return answer;
      const bytes = headers.get('content-encoding') === 'gzip' ? Bun.gunzipSync(body) : body;
      const signal = path.endsWith('traces') ? 'Traces' : 'Metrics';
      const isJson = headers.get('content-type') === 'application/json';
      take(
        signal,
        isJson
          ? (JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>)
          : decoded(signal, bytes),
      );
      return answer ?? new Response(isJson ? '{}' : '');
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    asked,
    spans,
    metrics: () => metrics,
    resource: () => resource,
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}

/** An answer that reports a partial rejection. */
export function partial(rejected: number, errorMessage: string): Response {
  const type = root.lookupType('Answer');
  return new Response(new Uint8Array(type.encode({ partialSuccess: { rejected, errorMessage } }).finish()));
}
