/** Merges the configuration and OpenTelemetry's own environment variables. The configuration takes precedence. */
import type { Config } from '../config/schema.ts';
import { VERSION } from '../version.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** How one signal is sent. */
export interface Destination {
  readonly url: string;
  readonly protocol: 'http/protobuf' | 'http/json';
  readonly headers: Readonly<Record<string, string>>;
  readonly gzip: boolean;
  readonly timeoutMs: number;
}

export interface TelemetrySettings {
  /** `undefined` if it is not sent. */
  readonly traces: Destination | undefined;
  readonly metrics: Destination | undefined;
  readonly metricsIntervalMs: number;
  readonly sample: number;
  readonly semconv: 'latest' | '1.41';
  readonly content: boolean;
  readonly queue: number;
  /** Attributes of the resource. */
  readonly resource: Readonly<Record<string, string>>;
}

const DEFAULT_ENDPOINT = 'http://127.0.0.1:4318';
const DEFAULT_TIMEOUT_MS = 10_000;

/** @param instance identifies this process @returns `undefined` if nothing is to be sent */
export function telemetrySettings(
  { telemetry }: Pick<Config, 'telemetry'>,
  env: Env,
  instance: string,
): TelemetrySettings | undefined {
  if (!telemetry.enabled || /^true$/i.test(env.OTEL_SDK_DISABLED ?? '')) return undefined;
  const { sample, semconv, content, queue, resource, service_name: name } = telemetry;
  const traces = telemetry.traces && env.OTEL_TRACES_EXPORTER !== 'none';
  const metrics = telemetry.metrics && env.OTEL_METRICS_EXPORTER !== 'none';
  const others = pairsIn(env.OTEL_RESOURCE_ATTRIBUTES);
  return {
    traces: traces ? destination('traces', telemetry, env) : undefined,
    metrics: metrics ? destination('metrics', telemetry, env) : undefined,
    metricsIntervalMs: telemetry.metrics_interval,
    sample,
    semconv,
    content,
    queue,
    resource: {
      'service.instance.id': instance,
      'service.version': VERSION,
      ...others,
      'service.name': name ?? (env.OTEL_SERVICE_NAME || others['service.name'] || 'llmproxy'),
      ...resource,
    },
  };
}

function destination(
  signal: 'traces' | 'metrics',
  { endpoint, protocol, headers, compression, timeout }: Config['telemetry'],
  env: Env,
): Destination {
  const word = signal.toUpperCase();
  const given = (name: string) =>
    env[`OTEL_EXPORTER_OTLP_${word}_${name}`] || env[`OTEL_EXPORTER_OTLP_${name}`] || undefined;
  // The variable for a single signal contains the complete URL.
  const own = endpoint === undefined ? env[`OTEL_EXPORTER_OTLP_${word}_ENDPOINT`] || undefined : undefined;
  const base = endpoint ?? (env.OTEL_EXPORTER_OTLP_ENDPOINT || DEFAULT_ENDPOINT);
  const timeoutMs = Number(given('TIMEOUT'));
  return {
    url: own ?? `${base.replace(/\/+$/, '')}/v1/${signal}`,
    protocol: protocol ?? (given('PROTOCOL') === 'http/json' ? 'http/json' : 'http/protobuf'),
    headers: Object.keys(headers).length > 0 ? headers : pairsIn(given('HEADERS')),
    gzip: (compression ?? given('COMPRESSION')) === 'gzip',
    timeoutMs: timeout ?? (timeoutMs > 0 ? timeoutMs : DEFAULT_TIMEOUT_MS),
  };
}

/** "key=value,other=value" with percent-encoded values. @see https://opentelemetry.io/docs/specs/otel/protocol/exporter/ */
export function pairsIn(text: string | undefined): Record<string, string> {
  const pairs = (text ?? '').split(',').flatMap((pair) => {
    const at = pair.indexOf('=');
    if (at < 1) return [];
    return [[pair.slice(0, at).trim(), decoded(pair.slice(at + 1).trim())] as const];
  });
  return Object.fromEntries(pairs);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A percent sign that does not begin an escape sequence is literal.
    return text;
  }
}
