/** The OTLP messages that are sent, in the shape of its JSON. @see https://github.com/open-telemetry/opentelemetry-proto */

/** An integer of up to 64 bits, in decimal: JSON carries these as text. */
export type Int64 = string;

export type AnyValue =
  | { readonly stringValue: string }
  | { readonly boolValue: boolean }
  | { readonly intValue: Int64 }
  | { readonly doubleValue: number }
  | { readonly arrayValue: { readonly values: readonly AnyValue[] } };

export interface KeyValue {
  readonly key: string;
  readonly value: AnyValue;
}

export interface Span {
  /** Hexadecimal, like all ids. */
  readonly traceId: string;
  readonly spanId: string;
  readonly traceState?: string;
  readonly parentSpanId?: string;
  readonly flags?: number;
  readonly name: string;
  /** 1 internal, 2 server, 3 client. */
  readonly kind: number;
  readonly startTimeUnixNano: Int64;
  readonly endTimeUnixNano: Int64;
  readonly attributes: readonly KeyValue[];
  readonly status?: { readonly message?: string; readonly code: number };
}

export interface NumberDataPoint {
  readonly attributes: readonly KeyValue[];
  readonly startTimeUnixNano?: Int64;
  readonly timeUnixNano: Int64;
  readonly asDouble?: number;
  readonly asInt?: Int64;
}

export interface HistogramDataPoint {
  readonly attributes: readonly KeyValue[];
  readonly startTimeUnixNano: Int64;
  readonly timeUnixNano: Int64;
  readonly count: Int64;
  readonly sum: number;
  readonly bucketCounts: readonly Int64[];
  readonly explicitBounds: readonly number[];
}

export interface Metric {
  readonly name: string;
  readonly description?: string;
  readonly unit?: string;
  readonly gauge?: { readonly dataPoints: readonly NumberDataPoint[] };
  /** Temporality 2 is cumulative. */
  readonly sum?: {
    readonly dataPoints: readonly NumberDataPoint[];
    readonly aggregationTemporality: number;
    readonly isMonotonic: boolean;
  };
  readonly histogram?: {
    readonly dataPoints: readonly HistogramDataPoint[];
    readonly aggregationTemporality: number;
  };
}

export interface Resource {
  readonly attributes: readonly KeyValue[];
}

export interface Scope {
  readonly name: string;
  readonly version: string;
}

export interface TracesRequest {
  readonly resourceSpans: readonly {
    readonly resource: Resource;
    readonly scopeSpans: readonly { readonly scope: Scope; readonly spans: readonly Span[] }[];
  }[];
}

export interface MetricsRequest {
  readonly resourceMetrics: readonly {
    readonly resource: Resource;
    readonly scopeMetrics: readonly { readonly scope: Scope; readonly metrics: readonly Metric[] }[];
  }[];
}

/** An attribute; `undefined` if it has no value. */
export function attribute(
  key: string,
  value: string | number | boolean | readonly string[] | null | undefined,
): KeyValue | undefined {
  const any = value === null || value === undefined ? undefined : anyValue(value);
  return any && { key, value: any };
}

function anyValue(value: string | number | boolean | readonly string[]): AnyValue {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value !== 'number')
    return { arrayValue: { values: value.map((each) => ({ stringValue: each })) } };
  return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}

/** A measurement rather than a count: always written as a fraction. */
export function double(key: string, value: number | null | undefined): KeyValue | undefined {
  return value === null || value === undefined ? undefined : { key, value: { doubleValue: value } };
}

/** Attributes without those that have no value. */
export function attributes(all: readonly (KeyValue | undefined)[]): KeyValue[] {
  return all.filter((each) => each !== undefined);
}

/** Milliseconds since the epoch as nanoseconds. */
export function nanos(ms: number): Int64 {
  return (BigInt(Math.round(ms * 1_000)) * 1_000n).toString();
}
