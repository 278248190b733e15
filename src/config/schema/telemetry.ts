/** The `telemetry` section: traces and metrics for an OpenTelemetry collector. */
import { z } from 'zod';
import { duration } from '../units.ts';

const url = z.url({ protocol: /^https?$/, error: 'expected an http or https URL' });

export const telemetry = z.strictObject({
  enabled: z
    .boolean()
    .default(false)
    .describe(
      'Send traces and metrics by OTLP over HTTP. When enabled, the variables OTEL_EXPORTER_OTLP_ENDPOINT, _HEADERS, _PROTOCOL, _TIMEOUT and _COMPRESSION, OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES apply where the corresponding key is not set here.',
    ),
  endpoint: url
    .optional()
    .describe(
      'Base URL of the collector, to which /v1/traces and /v1/metrics are appended. Default: http://127.0.0.1:4318.',
    ),
  protocol: z
    .enum(['http/protobuf', 'http/json'])
    .optional()
    .describe('Encoding of what is sent. Default: http/protobuf.'),
  headers: z
    .record(z.string(), z.string())
    .default({})
    .describe(
      'Headers of every request to the collector, such as {authorization: "Bearer ${TOKEN}"}; masked wherever they are shown.',
    ),
  compression: z.enum(['none', 'gzip']).optional().describe('Compression of what is sent. Default: none.'),
  timeout: duration.optional().describe('Longest wait for the collector. Default: 10s.'),
  traces: z
    .boolean()
    .default(true)
    .describe('Send a span for each request, with a child span for each attempt.'),
  metrics: z
    .boolean()
    .default(true)
    .describe('Send the metrics of the GenAI conventions and those of /metrics.'),
  metrics_interval: duration.prefault('60s').describe('Time between two exports of metrics.'),
  sample: z
    .number()
    .min(0)
    .max(1)
    .default(1)
    .describe(
      "Share of the traces starting here that are exported. A sampling decision in the caller's `traceparent` takes precedence.",
    ),
  semconv: z
    .enum(['latest', '1.41'])
    .default('latest')
    .describe('Version of the GenAI conventions that names follow: the latest, or 1.41.'),
  content: z
    .boolean()
    .default(false)
    .describe(
      'Whether spans include what people and models wrote (gen_ai.input.messages and gen_ai.output.messages), for requests whose content the request log keeps in full.',
    ),
  service_name: z
    .string()
    .min(1)
    .optional()
    .describe('Value of the resource attribute service.name. Default: llmproxy.'),
  resource: z
    .record(z.string(), z.string())
    .default({})
    .describe('Additional resource attributes, such as {deployment.environment.name: production}.'),
  queue: z
    .number()
    .int()
    .min(1)
    .max(100_000)
    .default(2_048)
    .describe('Most spans waiting to be sent; further ones are dropped and counted.'),
});
