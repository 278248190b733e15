/**
 * The configuration: shape, defaults and documentation in one place. `config schema`, docs/config.md and the commented
 * config.yaml of `config init` are generated from the `describe()` texts below.
 * Durations are milliseconds after parsing, sizes are bytes.
 */
import { exportSection } from './export/section.ts';
import { z } from 'zod';
import type { AuthConfig } from './auth-schema.ts';
import { auth } from './auth-schema.ts';
import { group, rateLimit } from './limits-schema.ts';
import { PROVIDER_TYPES } from './presets.ts';
import { datedPrice, price } from './price-schema.ts';
import { abilities, api, requestChanges } from './request-schema.ts';
import { retention } from './retention-schema.ts';
import { MAX_OBJECT_BYTES, upload } from './upload-schema.ts';
import { providerRate } from './rate-limit-schema.ts';
import { fileMode, tls } from './socket-schema.ts';
import { responses } from './responses-schema.ts';
import { telemetry } from './telemetry-schema.ts';
import { duration, size } from './units.ts';
import { REDACT_KINDS } from './redact-kinds.ts';
import { redaction } from './redact-schema.ts';
import { content, count, name, rate, text } from './words.ts';

const headerName = z.string().regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, 'expected an HTTP header name');
const headerValue = z
  .string()
  .regex(/^[\t\x20-\x7e\x80-\xff]*$/, 'expected a header value without line breaks');
const httpUrl = z.url({ protocol: /^https?$/, error: 'expected an http:// or https:// URL' });
const hostName = z
  .string()
  .regex(
    /^(?:[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*|\[[0-9A-Fa-f:.]+\])$/,
    'expected a host name without scheme and port, such as llm.example.com',
  );

/** The largest number of processes that may serve one port. */
export const MAX_WORKERS = 256;

const pageMode = z
  .union([z.boolean(), z.enum(['auto', 'on', 'off'])], { error: 'expected auto, on or off' })
  .transform((value) => (typeof value === 'string' ? value : value ? 'on' : 'off'));

const server = z.strictObject({
  host: text
    .default('127.0.0.1')
    .describe('Address to listen on. Any address other than loopback requires `auth`.'),
  port: z.number().int().min(0).max(65535).default(8000).describe('Port to listen on; 0 picks a free port.'),
  unix: text
    .optional()
    .describe(
      'Listen on a Unix socket at this path, such as /run/llmproxy.sock, instead of on `host` and `port`. Only one process can serve it.',
    ),
  unix_mode: fileMode
    .prefault('0600')
    .describe(
      'File permissions of the Unix socket. Granting access to anyone but its owner requires `auth`.',
    ),
  tls: tls.optional(),
  http2: z
    .boolean()
    .default(false)
    .describe(
      'Serve HTTP/2 in addition to HTTP/1.1: negotiated by ALPN with `tls`, by prior knowledge (h2c) without. Experimental.',
    ),
  workers: z
    .union([z.literal('auto'), z.number().int().min(1).max(MAX_WORKERS)], {
      error: `expected auto, or a whole number from 1 to ${MAX_WORKERS}`,
    })
    .default(1)
    .describe(
      'Number of processes that serve the port together (Linux only); each can use one processor. `auto` starts one per processor. See docs/workers.md.',
    ),
  base_path: z
    .string()
    .regex(/^(\/[A-Za-z0-9._~-]+)*$/, 'expected a path such as /llm, without a trailing slash')
    .default('')
    .describe('Also serve everything below this path prefix, for example /llm behind a shared gateway.'),
  hosts: z
    .array(hostName)
    .default([])
    .describe(
      'Additional host names that requests may be addressed to. Without keys, a proxy on loopback answers only to loopback names, so that no web page can reach it through a host name of its own. Once host names are listed here, every other name except loopback is refused, even with a key.',
    ),
  cors: z
    .union([
      z.literal(false),
      z.strictObject({
        origins: z
          .array(text)
          .min(1)
          .describe('Origins that may call the proxy, or `["*"]` for all of them.'),
      }),
    ])
    .default(false)
    .describe(
      'Browser origins that may call the proxy: `origins: ["https://app.example"]` or `["*"]`. Web pages from any other origin are refused.',
    ),
  page: pageMode
    .prefault('auto')
    .describe(
      'Serve the web page at `/`: requests, their content as far as it is logged, usage, providers and a playground. Where keys are configured, it needs a key with `ops`. `auto` serves it unless anyone who can reach the port could read it, as with `auth: none` beyond loopback. See docs/page.md.',
    ),
  drain_timeout: duration
    .prefault('30s')
    .describe('How long requests in flight have to finish after SIGTERM or SIGINT.'),
  keepalive_comment: duration
    .prefault('15s')
    .describe(
      'Send an SSE comment after this much silence on a stream, so that nothing in between closes the connection. 0 disables it.',
    ),
});

const timeouts = z.strictObject({
  connect: duration.optional().describe('Time allowed to open a connection. Default: 10s.'),
  first_byte: duration
    .optional()
    .describe('Time allowed until the response headers arrive. Default: 60s for streams, 10m otherwise.'),
  first_content: duration
    .optional()
    .describe(
      'Time allowed until the first content of a stream, whatever other events arrive, and between two pieces of content. Default: 5m.',
    ),
  idle: duration.optional().describe('Longest silence within an answer. Default: 2m.'),
  total: duration.optional().describe('Time allowed for the whole answer. Default: 1h.'),
});

const timeout = z
  .union([duration, timeouts], {
    error: 'expected a duration, or connect, first_byte, first_content, idle, total',
  })
  .optional();

const model = z.union(
  [
    text,
    z.strictObject({
      name: text.describe('The name clients use, or a glob such as "gpt-*".'),
      upstream: text.optional().describe("The provider's name for the model, if it differs."),
      price: price.optional(),
      request: requestChanges
        .optional()
        .describe("Changes to requests for this model, applied on top of the provider's own."),
      api: api.optional().describe("Overrides the provider's `api` for this model."),
      abilities: abilities
        .optional()
        .describe("What this model supports; overrides the provider's `abilities`."),
      like: text
        .optional()
        .describe(
          'The model whose known properties apply when the name does not reveal it, as with an Azure deployment or an inference profile.',
        ),
      timeout: timeout.describe("Timeouts for this model; they override the provider's own."),
      rate_limit: providerRate
        .optional()
        .describe(
          "The same limit for this model alone, in addition to the provider's. All models that a glob matches share it.",
        ),
      context_window: z
        .number()
        .int()
        .positive()
        .optional()
        .describe(
          'Context window in tokens. Known for common models; decides where a prompt that is too long is sent.',
        ),
      max_output: count
        .optional()
        .describe('Largest answer in tokens. Reserved for requests that set no limit of their own.'),
      prefill: z
        .boolean()
        .optional()
        .describe('Whether the model can continue a partial answer (`resume`). Known for common models.'),
    }),
  ],
  { error: 'expected a model name, a glob, or {name, upstream, price, ...}' },
);

const mock = z
  .strictObject({
    latency: duration.prefault('0s').describe('Time before the first byte.'),
    tokens_per_second: z
      .number()
      .positive()
      .optional()
      .describe('Speed of a stream; unlimited when omitted.'),
    seed: z.number().int().default(1).describe('Seed of the random generator that decides on faults.'),
    faults: z
      .strictObject({
        rate: rate.default(0).describe('Share of requests that fail with a fault, 0 to 1.'),
        kinds: z
          .array(z.enum(['status', 'reset', 'silence', 'cut', 'stall', 'malformed', 'error_event']))
          .min(1)
          .default(['status'])
          .describe('Faults to choose from.'),
        status: z.number().int().min(400).max(599).default(503).describe('Status of a `status` fault.'),
        retry_after: duration.optional().describe('Retry-After sent with a `status` fault.'),
      })
      .prefault({})
      .describe('Random faults.'),
    allow_header: z
      .boolean()
      .default(false)
      .describe(
        'Let clients request a fault with the header x-mock-fault, such as "status=429; retry-after=2".',
      ),
  })
  .describe('Behaviour of a provider of type mock.');

const askUsage = z
  .union([z.boolean(), z.enum(['auto', 'on', 'off'])], { error: 'expected auto, on or off' })
  .transform((value) => (typeof value === 'string' ? value : value ? 'on' : 'off'));

const provider = z.strictObject({
  name: name.describe('Unique name; the first half of "provider/model".'),
  type: z
    .string()
    // Editors complete the built-in types, and accept those of plugins.
    .meta({ anyOf: [{ enum: PROVIDER_TYPES }, { type: 'string' }] })
    .describe(
      'The vendor or protocol; sets the base URL, authentication and default models. Or the type that a plugin adds.',
    ),
  base_url: httpUrl.optional().describe("Base URL of its API; defaults to the vendor's address."),
  api_key: text.optional().describe('API key of the provider; best given as ${VAR}.'),
  api_key_env: text
    .optional()
    .describe("Environment variable that holds the key; defaults to the vendor's usual one."),
  api_keys: z
    .array(text)
    .min(1)
    .optional()
    .describe(
      'Several keys instead of one. They are used in turn; a key that is refused or rate-limited is skipped.',
    ),
  region: name
    .optional()
    .describe('Bedrock: AWS region; defaults to AWS_REGION. Vertex: location; defaults to `global`.'),
  project: name.optional().describe('Vertex: Google Cloud project; defaults to GOOGLE_CLOUD_PROJECT.'),
  profile: text.optional().describe('Bedrock: profile in the AWS credentials file; defaults to AWS_PROFILE.'),
  credentials_file: text
    .optional()
    .describe('Vertex: key file of a service account; defaults to GOOGLE_APPLICATION_CREDENTIALS.'),
  api_version: text
    .optional()
    .describe('Azure: use deployment URLs with this api-version instead of the v1 API.'),
  tenant_id: text.optional().describe('Azure: sign in to this Entra tenant instead of using a key.'),
  client_id: text.optional().describe('Azure: ID of the application that signs in.'),
  client_secret: text.optional().describe('Azure: secret of that application; best given as ${VAR}.'),
  models: z
    .array(model)
    .optional()
    .describe('Models it serves: names, globs, or objects with the keys below.'),
  enabled: z.boolean().default(true).describe('Whether the provider is used.'),
  priority: z.number().int().default(1).describe('Providers with the lowest number are tried first.'),
  weight: z
    .number()
    .positive()
    .default(1)
    .describe('Relative share of requests among providers of the same priority.'),
  timeout: timeout.describe(
    'Longest silence to accept: one duration for first byte, first content and idle, or each by name.',
  ),
  max_retries: z
    .number()
    .int()
    .min(0)
    .max(10)
    .default(2)
    .describe('Retries at this provider per request, after the first attempt.'),
  retry_delay: duration
    .prefault('500ms')
    .describe('Base delay of the exponential backoff between retries; full jitter is applied.'),
  rate_limit: providerRate
    .optional()
    .describe(
      'Most requests per minute sent to this provider, across all its models; or `{requests: 500, tokens: 200k}`, where tokens are input plus output. Beyond it, other providers are tried; if there are none, requests wait up to `routing.wait_budget`.',
    ),
  max_connections: z
    .number()
    .int()
    .positive()
    .optional()
    .describe('Most requests in flight at this provider; beyond it, other providers are tried.'),
  ask_usage: askUsage
    .prefault('auto')
    .describe(
      'Request token usage for chat streams whose client did not, and remove it from the stream again, so that the log, limits and budgets know it. `auto` does so where the vendor does not send usage by itself, until a server rejects `stream_options`.',
    ),
  keepalive_timeout: duration
    .prefault('1m')
    .describe('How long an idle connection to the provider is kept open.'),
  http2: z
    .enum(['off', 'auto', 'on'])
    .default('off')
    .describe(
      'Use HTTP/2 to the provider, over TLS only: `auto` falls back to HTTP/1.1 if the provider does not support it, `on` fails instead. Experimental.',
    ),
  abilities: abilities
    .optional()
    .describe('What its models support; overrides what the proxy knows about them. See docs/providers.md.'),
  context_window: count
    .optional()
    .describe('Context window of its models in tokens, unless a model sets its own.'),
  request: requestChanges
    .optional()
    .describe(
      'Changes to every request to this provider, written in terms of its own protocol. See docs/providers.md.',
    ),
  api: api
    .optional()
    .describe(
      "Which of OpenAI's APIs to use for chats at a provider that has both. If omitted, the known properties of the model decide.",
    ),
  redact: redaction
    .optional()
    .describe(
      'What to replace in every request before it is sent to this provider. A request that cannot be searched is not sent. See docs/redaction.md.',
    ),
  custom_headers: z
    .record(headerName, headerValue)
    .default({})
    .describe('Headers added to every request to this provider.'),
  probe_model: text
    .optional()
    .describe('Probe with a one-word request to this model instead of a free endpoint. This costs money.'),
  discover_models: z
    .boolean()
    .default(true)
    .describe('Whether the list of its models is fetched, as the top-level `discover_models` describes.'),
  passthrough: z
    .boolean()
    .default(false)
    .describe(
      'Forward /providers/NAME/... to the provider unchanged, for keys whose `endpoints` include passthrough. See docs/passthrough.md.',
    ),
  mock: mock.optional(),
  options: z
    .record(z.string(), z.unknown())
    .optional()
    .describe('Options for a type that a plugin adds; the plugin defines them. See docs/plugins.md.'),
});

const target = z.union([
  text,
  z.strictObject({
    target: text.describe('"provider/model", a model name that providers serve, or a name from `models`.'),
    weight: z
      .number()
      .positive()
      .default(1)
      .describe('Relative share of requests with `strategy: weighted`.'),
  }),
]);

const onOff = z
  .union([z.boolean(), z.enum(['on', 'off'])], { error: 'expected on or off' })
  .transform((value) => value === true || value === 'on');

const hedgeOptions = z.strictObject({
  delay: duration
    .optional()
    .describe(
      'How long to wait before asking the second target. Default: the p95 of the time to first content, once it is known.',
    ),
  budget: z.number().min(0).max(1).default(0.05).describe('Most extra requests, as a share of all requests.'),
});

const hedge = z
  .union([onOff, hedgeOptions], { error: 'expected on, off, or {delay, budget}' })
  .transform((value) => (value === true ? { delay: undefined, budget: 0.05 } : value));

const contentPolicy = z.enum(['error', 'failover']);

const unsupported = z.enum(['drop', 'error']);

const POLICY = {
  content_policy: 'What to do when a provider refuses the content: return its error, or try the next target.',
  resume:
    'Continue a stream that broke off after some text at another target, for chat completions, messages and responses. The second request is charged for the prompt and the partial answer again.',
  hedge:
    'Ask a second target when the first is slow to start, and use whichever starts first. Both may be charged.',
  last_resort:
    'When every target is unavailable, send all requests to the least bad one instead of one request at a time. Never before a Retry-After has passed.',
  unsupported:
    'What to do when a target does not support a field of the request. drop: leave the field out and name it in x-llmproxy-dropped. error: try the next target, and return an error if none supports it.',
} as const;

const route = z.union(
  [
    text,
    z.array(target).min(1),
    z.strictObject({
      targets: z.array(target).min(1).describe('Targets of the name, best first.'),
      strategy: z
        .enum(['ordered', 'weighted'])
        .default('ordered')
        .describe('ordered: always try the best target first. weighted: choose the first target by weight.'),
      content_policy: contentPolicy.optional().describe('Overrides `routing.content_policy`.'),
      resume: onOff.optional().describe('Overrides `routing.resume`.'),
      hedge: hedge.optional().describe('Overrides `routing.hedge`.'),
      last_resort: onOff.optional().describe('Overrides `routing.last_resort`.'),
      unsupported: unsupported.optional().describe('Overrides `routing.unsupported`.'),
      redact: redaction
        .optional()
        .describe(
          'What to replace in requests for this name before they are sent to any of its targets, in addition to what `redact` of their providers replaces. See docs/redaction.md.',
        ),
    }),
  ],
  { error: 'expected a target, a list of targets, or {targets, strategy, ...}' },
);

const routing = z.strictObject({
  deadline: duration
    .prefault('570s')
    .describe(
      'Time for all attempts of one request together, until the answer starts (streamed) or ends. Each target that has others behind it gets an equal share. SDKs give up after 600s.',
    ),
  max_attempts: z
    .number()
    .int()
    .min(1)
    .max(50)
    .default(8)
    .describe('Most attempts per request, across all targets.'),
  max_retry_delay: duration
    .prefault('8s')
    .describe('Longest backoff between two attempts at the same target.'),
  wait_budget: duration
    .prefault('10s')
    .describe('Longest Retry-After to wait out when no other target is available.'),
  max_retry_after: duration
    .prefault('1m')
    .describe(
      'Longest Retry-After from a provider that is fully respected. After this time, one request at a time checks whether a longer one still applies.',
    ),
  content_policy: contentPolicy.default('error').describe(POLICY.content_policy),
  resume: onOff.prefault('off').describe(POLICY.resume),
  hedge: hedge.prefault('off').describe(POLICY.hedge),
  last_resort: onOff.prefault('off').describe(POLICY.last_resort),
  unsupported: unsupported.default('drop').describe(POLICY.unsupported),
  breaker: z
    .strictObject({
      failures: z.number().int().min(1).default(5).describe('Consecutive failures that open the breaker.'),
      failure_rate: rate
        .default(0.5)
        .describe('Share of failed calls within the window that opens the breaker.'),
      min_calls: z
        .number()
        .int()
        .min(1)
        .default(20)
        .describe('Calls needed within the window before the share is considered.'),
      window: duration
        .refine((ms) => ms >= 1_000, 'expected at least 1s')
        .prefault('1m')
        .describe('Length of the window over which the share is computed.'),
      cooldown: duration
        .prefault('2s')
        .describe(
          'How long the breaker stays open at first; each failed trial doubles it. The same cooldown applies to a key or endpoint that was refused.',
        ),
      max_cooldown: duration
        .prefault('10s')
        .describe(
          'Longest cooldown. Probes that get no answer postpone the next trial, up to 30 s after the last one.',
        ),
    })
    .prefault({})
    .describe('Circuit breakers, one for each target (a provider and a model) and one for each provider.'),
});

const limits = z.strictObject({
  max_body: size
    .prefault('32MiB')
    .describe('Largest request body, after decompression; larger ones get a 413.'),
  max_depth: z
    .number()
    .int()
    .positive()
    .default(512)
    .describe('Deepest nesting of objects and arrays in the JSON of a request; deeper ones get a 400.'),
  max_values: z
    .number()
    .int()
    .positive()
    .default(1_000_000)
    .describe('Most JSON values in a request, including nested ones; more get a 400.'),
  max_fields: z
    .number()
    .int()
    .positive()
    .default(100_000)
    .describe('Most objects and object fields in a request, added together; more get a 400.'),
  max_object_fields: z
    .number()
    .int()
    .positive()
    .default(10_000)
    .describe('Most fields in a single object of a request; more get a 400.'),
  max_feedback: size.prefault('64KiB').describe('Largest body of POST /v1/feedback.'),
  max_response: size.prefault('64MiB').describe('Largest answer accepted from a provider, streamed or not.'),
  max_buffered: size
    .prefault('512MiB')
    .describe('Memory for request bodies, all requests together; beyond it, requests get a 503.'),
  max_buffered_share: rate
    .default(0.5)
    .describe(
      'Share of max_buffered that the request bodies of one client may use; beyond it, that client gets a 429. A client is a key, or an address where there are no keys: behind a load balancer without keys, all clients count as one. One body of max_body is always accepted.',
    ),
  body_timeout: duration
    .prefault('1m')
    .describe('Time a client has to send its request; slower ones get a 408.'),
  replay_memory: size
    .prefault('16MiB')
    .describe(
      'Memory for two things: signatures that models expect back with their tool calls, kept for clients that drop them, and items of responses that clients refer to by ID.',
    ),
  max_unread: size
    .prefault('512MiB')
    .describe(
      'Memory for answers that clients read more slowly than providers send them, all together. A stream counts as 4 MiB; any other answer above 1 MiB counts with its size. Beyond it, the slowest readers are disconnected.',
    ),
  max_recording: size
    .prefault('512MiB')
    .describe(
      'Memory for assembling streamed answers for the request log, all together, measured by their events. Beyond it, the longest answers are left out of their records and marked as such; the streams themselves continue.',
    ),
  client_stall: duration
    .prefault('5m')
    .describe('How long a client may stop reading its answer before it is disconnected.'),
  max_concurrent: z
    .number()
    .int()
    .positive()
    .default(4096)
    .describe('Most requests in flight at once; further ones get a 503.'),
  assumed_output: count
    .prefault(4096)
    .describe(
      "Tokens to reserve for an answer when neither the request nor the model's `max_output` limits it.",
    ),
  realtime: z
    .strictObject({
      max_message: size
        .prefault('16MiB')
        .describe('Largest message in either direction; a larger one closes the session.'),
      max_unsent: size
        .prefault('4MiB')
        .describe(
          'Most data waiting to be sent to either side. Beyond it the session is closed; nothing is dropped silently.',
        ),
      idle: duration
        .prefault('15m')
        .describe('How long a session may be silent on both sides before it is closed.'),
      duration: duration
        .prefault('2h')
        .describe('Longest duration of a session. Providers have limits of their own.'),
      max_streams: z
        .number()
        .int()
        .min(1)
        .default(16)
        .describe(
          'Streams (`stream_id`) that one WebSocket connection to /v1/responses may have. See docs/responses.md.',
        ),
    })
    .prefault({})
    .describe('Limits of realtime sessions. See docs/realtime.md.'),
  max_passthrough: size
    .prefault('512MiB')
    .describe(
      'Largest body, in either direction, of requests forwarded unchanged to /providers/NAME/...; such bodies are not held in memory. See docs/passthrough.md.',
    ),
  max_callers: z
    .number()
    .int()
    .positive()
    .default(100_000)
    .describe(
      'Most keys, end users and addresses that limits count separately, all limits together. Beyond it, those whose windows have ended are forgotten first; then new ones share a single count per limit.',
    ),
});

const redisUrl = z
  .url({ protocol: /^(?:redis|valkey)s?$/, error: 'expected a redis:// or rediss:// URL' })
  .refine((url) => /^\/?\d*$/.test(new URL(url).pathname), 'expected a database number as the path')
  .refine(
    (url) => new URL(url).search === '' && new URL(url).hash === '',
    'expected no query and no fragment',
  );

const state = z.strictObject({
  directory: text
    .default('state')
    .describe(
      "Directory for counters of used limits and for the providers' model lists, so that they survive a restart. Created when there is something to store.",
    ),
  flush_interval: duration
    .prefault('1s')
    .describe(
      'Longest time that usage waits in memory before it is written. A crash loses at most this much, unless the request log has it.',
    ),
  redis: redisUrl
    .optional()
    .describe(
      'Redis or Valkey server through which replicas share limits, budgets and stored responses: redis://USER:PASSWORD@HOST:PORT/DATABASE, or rediss:// for TLS. See docs/scale.md.',
    ),
  redis_timeout: duration
    .refine((ms) => ms >= 5 && ms <= 5_000, 'expected 5ms to 5s')
    .prefault('100ms')
    .describe(
      'Longest wait for a reply of that server. If it takes longer, the replica uses its part of each limit until the server is available again.',
    ),
  replicas: z
    .number()
    .int()
    .min(1)
    .default(1)
    .describe(
      'Smallest number of replicas to expect. While the server is unavailable, limits are divided by this number, or by the number of replicas last seen if that is higher.',
    ),
});

const health = z.strictObject({
  probe: z
    .enum(['recovery', 'always', 'never'])
    .default('recovery')
    .describe(
      'Call a free endpoint in the background. recovery: only for providers that do not answer or that refuse a key. always: for every provider. never: for none; real requests then have to find out.',
    ),
  interval: duration.prefault('5s').describe('Time between two probes of the same provider.'),
  timeout: duration.prefault('5s').describe('Longest wait for the answer to a probe.'),
  window: duration
    .refine((ms) => ms >= 1_000, 'expected at least 1s')
    .prefault('1m')
    .describe('Length of the window over which the success rate is computed.'),
  min_calls: z
    .number()
    .int()
    .min(1)
    .default(5)
    .describe('Calls needed within the window before the success rate is considered.'),
  degraded_below: rate.default(0.95).describe('Success rate below which a provider is degraded.'),
  unhealthy_below: rate.default(0.5).describe('Success rate below which a provider is unhealthy.'),
});

const requests = z
  .strictObject({
    enabled: z.boolean().default(true).describe('Write one line per request to the request log.'),
    directory: text.default('logs').describe('Directory for the log files; created if it does not exist.'),
    content: content
      .default('full')
      .describe(
        'full: the whole request and response. metadata: everything except what people and models wrote. none: as metadata, but without the names of people and sessions.',
      ),
    allow_header: z
      .boolean()
      .default(true)
      .describe('Let clients ask for less to be logged, with the header x-llmproxy-log: metadata or none.'),
    max_content: size
      .prefault('16MiB')
      .describe('Largest request or response kept in a record; larger ones are left out and marked as such.'),
    flush_interval: duration
      .prefault('200ms')
      .describe('Longest time a record waits in memory before it is written; kill -9 may lose this much.'),
    queue: size
      .prefault('64MiB')
      .describe(
        'Memory for records that are not written yet, also while the disk is full. Beyond it, records are dropped and counted.',
      ),
    rotate_size: size
      .prefault('256MiB')
      .describe('Start a new file when the current one exceeds this size. A new day always starts one.'),
    retention: retention
      .prefault('0s')
      .describe(
        'Delete files older than this; 0 keeps them all. With `{content: 7d, head: 365d}`, what people and models wrote is removed from files older than `content`, and files older than `head` are deleted.',
      ),
    max_total: size
      .default(0)
      .describe('Delete the oldest files when all files together exceed this size; 0 keeps them all.'),
    compress: z.enum(['none', 'zstd']).default('none').describe('Compress log files that are complete.'),
    upload: upload.optional().describe('Upload complete log files to S3. See docs/log-shipping.md.'),
    fsync: z
      .enum(['never', 'interval', 'always'])
      .default('never')
      .describe('When to force records to disk: never, once per second, or after each batch.'),
    redact: z
      .array(text)
      .default([])
      .describe('Additional JSON keys whose values the log replaces with "[redacted]".'),
    redact_content: z
      .array(z.enum([...REDACT_KINDS, 'all']))
      .default([])
      .describe(
        'Secrets and personal data to replace in requests, responses, error messages and feedback, with tags such as `[EMAIL_1]`: `all` or a list of kinds. What cannot be redacted is left out. docs/export.md explains the kinds.',
      ),
  })
  .refine(({ upload, rotate_size: most }) => !upload || (most > 0 && most <= MAX_OBJECT_BYTES / 2), {
    path: ['rotate_size'],
    error: 'expected more than 0 and at most 2.5GiB with `upload`: S3 accepts at most 5 GiB in one request',
  })
  .refine(
    ({ upload, retention: { content } }) =>
      !upload || content === 0 || upload.keep_local === true || Number(upload.keep_local) >= content,
    {
      path: ['upload', 'keep_local'],
      error:
        'expected true, or at least `retention.content`: content is removed from an object by uploading the local file again',
    },
  );

const logging = z.strictObject({
  level: z
    .enum(['silent', 'error', 'warn', 'info', 'debug'])
    .default('info')
    .describe('How much the program writes to stderr.'),
  format: z
    .enum(['auto', 'text', 'json'])
    .default('auto')
    .describe('Log lines as plain text or as JSON; auto means text.'),
  show_requests: z
    .enum(['auto', 'always', 'never'])
    .default('auto')
    .describe(
      'Write a line to stderr for each request, at level info or debug. auto does so if stderr is a terminal or the level is debug.',
    ),
  requests: requests.prefault({}).describe('The request log: NDJSON files that `llmproxy export` reads.'),
});

export const schema = z.strictObject({
  server: server.prefault({}).describe('Where and how the proxy listens.'),
  auth,
  plugins: z
    .array(text)
    .default([])
    .describe(
      'TypeScript files that add your own providers and hooks, with paths relative to this file. A plugin is code that runs with the rights and keys of the proxy: load only files you trust. See docs/plugins.md.',
    ),
  plugin_timeout: duration
    .prefault('5s')
    .refine((ms) => ms > 0, 'expected more than 0')
    .describe('Time limit for loading a plugin, and for each call of one of its hooks.'),
  providers: z.array(provider).min(1).describe('The providers that requests are sent to.'),
  models: z
    .record(text, route.describe('A target, a list of targets (best first), or an object.'))
    .default({})
    .describe(
      'Your own model names, and globs such as "claude-*" for names that client programs use: the targets of each, and its own policy. An exact name takes precedence over globs, and among globs the one with the most literal characters wins. Targets themselves are not matched against globs. If a glob has a single `*`, a `*` in its target stands for the text it matched. "provider/model" is matched only by globs that begin with that provider.',
    ),
  discover_models: z
    .union([z.boolean(), duration.refine((ms) => ms >= 1_000, 'expected at least 1s')], {
      error: 'expected true, false, or a duration such as "1h"',
    })
    .default(true)
    .describe(
      "Fetch the providers' lists of models, in the background and never while a request waits. true: every 6 hours, and every minute from providers without a key. A duration: that often. false, or LLMPROXY_DISCOVER_MODELS=false in the environment: never. Listed models that a provider's `models` match appear in GET /v1/models and in suggestions. The lists are kept in `state.directory`.",
    ),
  prices: z
    .array(datedPrice)
    .default([])
    .describe(
      'Prices that take precedence over the built-in table, for models without a `price` of their own. The first entry that matches the model, the provider and the time of the request applies.',
    ),
  routing: routing.prefault({}).describe('Retry and failover.'),
  groups: z.record(name, group).default({}).describe('Groups of keys that share limits. See docs/keys.md.'),
  rate_limits: z.array(rateLimit).default([]).describe('Limits for all callers, with or without a key.'),
  responses: responses
    .prefault({})
    .describe('Stored responses and conversations of the Responses API. See docs/responses.md.'),
  state: state
    .prefault({})
    .describe("What survives a restart: how much of each limit is used, and the providers' lists of models."),
  limits: limits.prefault({}).describe('Limits on what clients may send, and on the resources they may use.'),
  health: health.prefault({}).describe('When a provider counts as healthy, degraded or unhealthy.'),
  logging: logging.prefault({}).describe("The program's own log and the request log."),
  telemetry: telemetry
    .prefault({})
    .describe('Traces and metrics for an OpenTelemetry collector. See docs/operating.md.'),
  export: exportSection().prefault({}).describe('Defaults for the options of `llmproxy export`.'),
});

export type { DatedPrice, Price } from './price-schema.ts';
export type { RateLimit } from './rate-limit-schema.ts';
/** A configuration in use: the loader adds to `auth` the content of the keys file. */
export type Config = Omit<z.output<typeof schema>, 'auth'> & { auth?: AuthConfig };
export type ConfigInput = z.input<typeof schema>;
export type ProviderConfig = Config['providers'][number];
export type ModelConfig = NonNullable<ProviderConfig['models']>[number];
export type RouteConfig = Config['models'][string];
export type Timeouts = z.output<typeof timeouts>;
export type RoutePolicy = Pick<
  Config['routing'],
  'content_policy' | 'resume' | 'hedge' | 'last_resort' | 'unsupported'
>;
export type MockConfig = z.output<typeof mock>;
export type LogContent = z.output<typeof content>;
