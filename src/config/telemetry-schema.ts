/** The section `telemetry`: traces and metrics for an OpenTelemetry collector. */
import { z } from 'zod';
import { duration } from './units.ts';

const url = z.url({ protocol: /^https?$/, error: 'expected an http or https URL' });

export const telemetry = z.strictObject({
  enabled: z
    .boolean()
    .default(false)
    .describe(
      'Send traces and metrics by OTLP over HTTP. The variables OTEL_EXPORTER_OTLP_ENDPOINT, _HEADERS, _PROTOCOL, _TIMEOUT and _COMPRESSION, OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES count where it is on and the key here is left out.',
    ),
  endpoint: url
    .optional()
    .describe(
      'Base URL of the collector; /v1/traces and /v1/metrics are put behind it. Default: http://127.0.0.1:4318.',
    ),
  protocol: z
    .enum(['http/protobuf', 'http/json'])
    .optional()
    .describe('How it is encoded. Default: http/protobuf.'),
  headers: z
    .record(z.string(), z.string())
    .default({})
    .describe(
      'Headers of each request to the collector, such as {authorization: "Bearer ${TOKEN}"}; masked wherever they are shown.',
    ),
  compression: z.enum(['none', 'gzip']).optional().describe('Default: none.'),
  timeout: duration.optional().describe('Longest wait for the collector. Default: 10s.'),
  traces: z.boolean().default(true).describe('A span for each request, with one below it for each attempt.'),
  metrics: z.boolean().default(true).describe('The metrics of the GenAI conventions, and those of /metrics.'),
  metrics_interval: duration.prefault('60s').describe('Time between two exports of metrics.'),
  sample: z
    .number()
    .min(0)
    .max(1)
    .default(1)
    .describe(
      'Share of the traces that begin here which are exported. What a caller says by `traceparent` goes before.',
    ),
  semconv: z
    .enum(['latest', '1.41'])
    .default('latest')
    .describe('Which GenAI conventions names follow: the latest, or those of version 1.41.'),
  content: z
    .boolean()
    .default(false)
    .describe(
      'Whether spans carry what people and models wrote (gen_ai.input.messages and gen_ai.output.messages), of requests whose content the request log keeps in full.',
    ),
  service_name: z
    .string()
    .min(1)
    .optional()
    .describe('The resource attribute service.name. Default: llmproxy.'),
  resource: z
    .record(z.string(), z.string())
    .default({})
    .describe('Further attributes of the resource, such as {deployment.environment.name: production}.'),
  queue: z
    .number()
    .int()
    .min(1)
    .max(100_000)
    .default(2_048)
    .describe('Spans that wait at most; further ones are dropped and counted.'),
});
