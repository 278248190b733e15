/**
 * The configuration: shape, defaults and documentation in one place. `config schema`, docs/config.md and the
 * commented config.yaml of `config init` are made from the `describe()` texts below.
 * Spans of time are milliseconds after parsing, sizes are bytes.
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
import { providerRate } from './rate-limit-schema.ts';
import { fileMode, tls } from './socket-schema.ts';
import { responses } from './responses-schema.ts';
import { telemetry } from './telemetry-schema.ts';
import { duration, size } from './units.ts';
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

/** Processes that may serve one port. */
export const MAX_WORKERS = 256;

const pageMode = z
  .union([z.boolean(), z.enum(['auto', 'on', 'off'])], { error: 'expected auto, on or off' })
  .transform((value) => (typeof value === 'string' ? value : value ? 'on' : 'off'));

const server = z.strictObject({
  host: text
    .default('127.0.0.1')
    .describe('Address to listen on. Another address than loopback needs `auth`.'),
  port: z.number().int().min(0).max(65535).default(8000).describe('Port to listen on; 0 picks a free one.'),
  unix: text
    .optional()
    .describe(
      'Listen on a unix socket at this path, such as /run/llmproxy.sock, in place of `host` and `port`. One process serves it.',
    ),
  unix_mode: fileMode
    .prefault('0600')
    .describe('Permissions of the unix socket. Anything beyond its owner needs `auth`.'),
  tls: tls.optional(),
  http2: z
    .boolean()
    .default(false)
    .describe(
      'Serve HTTP/2 beside HTTP/1.1: by ALPN with `tls`, by prior knowledge (h2c) without. Experimental.',
    ),
  workers: z
    .union([z.literal('auto'), z.number().int().min(1).max(MAX_WORKERS)], {
      error: `expected auto, or a whole number from 1 to ${MAX_WORKERS}`,
    })
    .default(1)
    .describe(
      'Processes that serve the port together, on Linux: one can use one processor. `auto` begins as many as there are processors. See docs/workers.md.',
    ),
  base_path: z
    .string()
    .regex(/^(\/[A-Za-z0-9._~-]+)*$/, 'expected a path such as /llm, without a trailing slash')
    .default('')
    .describe('Serve everything below this path too, for example /llm behind a shared gateway.'),
  hosts: z
    .array(hostName)
    .default([])
    .describe(
      'Further host names that requests may be addressed to. Without keys a proxy on loopback answers to loopback names alone, so that no web page can reach it by a name of its own. Once names are listed, all others but loopback names are refused, with keys too.',
    ),
  cors: z
    .union([z.literal(false), z.strictObject({ origins: z.array(text).min(1) })])
    .default(false)
    .describe(
      'Browser origins that may call the proxy: `origins: ["https://app.example"]` or `["*"]`. Web pages of all other origins are refused.',
    ),
  page: pageMode
    .prefault('auto')
    .describe(
      'Serve the page at `/` to browsers: requests, their content as far as it is logged, usage, providers, a playground. It needs a key with `ops` wherever there are keys. `auto`: unless everybody who reaches the port could read it, which is so with `auth: none` beyond loopback. See docs/page.md.',
    ),
  drain_timeout: duration
    .prefault('30s')
    .describe('How long requests in flight may finish after SIGTERM or SIGINT.'),
  keepalive_comment: duration
    .prefault('15s')
    .describe(
      'Send an SSE comment after this much silence on a stream, so that nothing between cuts it. 0 turns it off.',
    ),
});

const timeouts = z.strictObject({
  connect: duration.optional().describe('Until a connection is open. Default 10s.'),
  first_byte: duration
    .optional()
    .describe('Until the response headers. Default 60s streamed, 10m unstreamed.'),
  first_content: duration
    .optional()
    .describe(
      'Until the first content of a stream, whatever else arrives, and between two of them. Default 5m.',
    ),
  idle: duration.optional().describe('Longest silence within an answer. Default 2m.'),
  total: duration.optional().describe('The whole answer. Default 1h.'),
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
      upstream: text.optional().describe('The name the provider uses, where it differs.'),
      price: price.optional(),
      request: requestChanges.optional().describe("Changes to its requests, over the provider's own."),
      api: api.optional().describe("The provider's `api`, for this model."),
      abilities: abilities.optional().describe("What this model takes, over the provider's own."),
      like: text
        .optional()
        .describe(
          'The model whose facts hold, where its own name does not tell it: of an Azure deployment, or an inference profile.',
        ),
      timeout: timeout.describe("Limits of this model over the provider's own."),
      rate_limit: providerRate
        .optional()
        .describe(
          "The same for this model, beside the provider's own limit. All that a glob covers share it.",
        ),
      context_window: z
        .number()
        .int()
        .positive()
        .optional()
        .describe('Tokens it takes. Known for common models; decides where a prompt that is too long goes.'),
      max_output: count
        .optional()
        .describe('Tokens of its longest answer: what a request without a limit of its own is reserved.'),
      prefill: z
        .boolean()
        .optional()
        .describe('Whether it goes on from a beginning of its answer (`resume`). Known for common models.'),
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
      .describe('Speed of a stream; as fast as possible when left out.'),
    seed: z.number().int().default(1).describe('Seed of the dice that decide on faults.'),
    faults: z
      .strictObject({
        rate: rate.default(0).describe('Share of requests that meet a fault, 0 to 1.'),
        kinds: z
          .array(z.enum(['status', 'reset', 'silence', 'cut', 'stall', 'malformed', 'error_event']))
          .min(1)
          .default(['status'])
          .describe('Faults to draw from.'),
        status: z.number().int().min(400).max(599).default(503).describe('Status of a `status` fault.'),
        retry_after: duration.optional().describe('Retry-After sent with a `status` fault.'),
      })
      .prefault({})
      .describe('Faults by chance.'),
    allow_header: z
      .boolean()
      .default(false)
      .describe(
        'Let a client ask for a fault by the header x-mock-fault, such as "status=429; retry-after=2".',
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
    // Editors complete those that are built in, and take those of plugins.
    .meta({ anyOf: [{ enum: PROVIDER_TYPES }, { type: 'string' }] })
    .describe('The vendor or protocol: fills base_url, auth and default models. Or the type of a plugin.'),
  base_url: httpUrl.optional().describe("Where its API lives; the vendor's own address when left out."),
  api_key: text.optional().describe('Key for the provider, best written as ${VAR}.'),
  api_key_env: text
    .optional()
    .describe("Environment variable that holds the key. The vendor's usual one when left out."),
  api_keys: z
    .array(text)
    .min(1)
    .optional()
    .describe(
      'Several keys in place of one: they take turns, and one that is refused or limited is passed over.',
    ),
  region: name
    .optional()
    .describe('Bedrock: AWS region, AWS_REGION when left out. Vertex: location, `global` when left out.'),
  project: name.optional().describe('Vertex: Google Cloud project, GOOGLE_CLOUD_PROJECT when left out.'),
  profile: text
    .optional()
    .describe('Bedrock: profile in the AWS credentials file, AWS_PROFILE when left out.'),
  credentials_file: text
    .optional()
    .describe('Vertex: key file of a service account, GOOGLE_APPLICATION_CREDENTIALS when left out.'),
  api_version: text
    .optional()
    .describe('Azure: use deployment URLs with this api-version in place of the v1 API.'),
  tenant_id: text.optional().describe('Azure: sign in at this Entra tenant in place of a key.'),
  client_id: text.optional().describe('Azure: the application that signs in.'),
  client_secret: text.optional().describe('Azure: its secret, best written as ${VAR}.'),
  models: z
    .array(model)
    .optional()
    .describe('Models it serves: names, globs, or objects with the keys below.'),
  enabled: z.boolean().default(true).describe('Whether it takes part.'),
  priority: z.number().int().default(1).describe('Asked first when lowest.'),
  weight: z.number().positive().default(1).describe('Share of requests among providers of one priority.'),
  timeout: timeout.describe(
    'Longest silence to accept: one duration for first byte, first content and idle, or each by name.',
  ),
  max_retries: z
    .number()
    .int()
    .min(0)
    .max(10)
    .default(2)
    .describe('Further attempts at this provider after the first, per request.'),
  retry_delay: duration
    .prefault('500ms')
    .describe('Base of the exponential backoff between them; full jitter applies.'),
  rate_limit: providerRate
    .optional()
    .describe(
      'Requests a minute this provider is asked at most, all its models together; or `{requests: 500, tokens: 200k}`, where tokens are in and out. Beyond it others are asked; where there are none, requests wait for `routing.wait_budget`.',
    ),
  max_connections: z
    .number()
    .int()
    .positive()
    .optional()
    .describe('Requests in flight at most; beyond it others are asked.'),
  ask_usage: askUsage
    .prefault('auto')
    .describe(
      'Ask for the usage of a chat stream whose client did not, and take it out of the stream again, so that the log, limits and budgets know it: `auto` where the vendor does not tell it anyway, and until a server refuses `stream_options`.',
    ),
  keepalive_timeout: duration.prefault('1m').describe('How long an idle connection to it is kept open.'),
  http2: z
    .enum(['off', 'auto', 'on'])
    .default('off')
    .describe(
      'Ask it by HTTP/2, over TLS alone: `auto` goes on with HTTP/1.1 where it does not speak it, `on` fails then. Experimental.',
    ),
  abilities: abilities
    .optional()
    .describe('What its models take, over what is known of them. See docs/providers.md.'),
  context_window: count
    .optional()
    .describe('Tokens that its models take, where none of them says otherwise.'),
  request: requestChanges
    .optional()
    .describe('Changes to all requests to it, in the words of its own protocol. See docs/providers.md.'),
  api: api
    .optional()
    .describe(
      "By which of OpenAI's APIs chats are asked, where it has both. By what is known of the model when left out.",
    ),
  custom_headers: z
    .record(headerName, headerValue)
    .default({})
    .describe('Headers added to every request to it.'),
  probe_model: text
    .optional()
    .describe('Probe by asking this model one word in place of a free endpoint. This costs money.'),
  discover_models: z
    .boolean()
    .default(true)
    .describe('Whether it is asked for the list of its models, as the `discover_models` of all says.'),
  passthrough: z
    .boolean()
    .default(false)
    .describe(
      'Pass /providers/NAME/... on to it, for keys whose `endpoints` name passthrough. See docs/passthrough.md.',
    ),
  mock: mock.optional(),
  options: z
    .record(z.string(), z.unknown())
    .optional()
    .describe('Options of a type that a plugin brings, as the plugin says. See docs/plugins.md.'),
});

const target = z.union([
  text,
  z.strictObject({
    target: text.describe('"provider/model", or a model name that providers serve, or a name of `models`.'),
    weight: z.number().positive().default(1).describe('Share of requests under `strategy: weighted`.'),
  }),
]);

const onOff = z
  .union([z.boolean(), z.enum(['on', 'off'])], { error: 'expected on or off' })
  .transform((value) => value === true || value === 'on');

const hedgeOptions = z.strictObject({
  delay: duration
    .optional()
    .describe('When the second target is asked. Left out: the p95 of the first content, once it is known.'),
  budget: z.number().min(0).max(1).default(0.05).describe('Extra requests at most, as a share of requests.'),
});

const hedge = z
  .union([onOff, hedgeOptions], { error: 'expected on, off, or {delay, budget}' })
  .transform((value) => (value === true ? { delay: undefined, budget: 0.05 } : value));

const contentPolicy = z.enum(['error', 'failover']);

const unsupported = z.enum(['drop', 'error']);

const POLICY = {
  content_policy: 'What follows when a provider refuses the content: its own error, or the next target.',
  resume:
    'Go on with a stream that was cut after some text at another target: of chat completions, messages and responses alike. The second request pays for prompt and text again.',
  hedge:
    'Ask a second target when the first is slow to begin, and take whichever begins first. Both may be charged.',
  last_resort:
    'When every target is held back, send every request to the least bad one, instead of one at a time. Never before a Retry-After has passed.',
  unsupported:
    'What follows when a target cannot take a field of the request: it is left out and named in x-llmproxy-dropped, or the next target is asked, and an error given when none can.',
} as const;

const route = z.union(
  [
    text,
    z.array(target).min(1),
    z.strictObject({
      targets: z.array(target).min(1).describe('Where the name leads, best first.'),
      strategy: z
        .enum(['ordered', 'weighted'])
        .default('ordered')
        .describe('Always best first, or first by weight.'),
      content_policy: contentPolicy.optional().describe('Overrides `routing.content_policy`.'),
      resume: onOff.optional().describe('Overrides `routing.resume`.'),
      hedge: hedge.optional().describe('Overrides `routing.hedge`.'),
      last_resort: onOff.optional().describe('Overrides `routing.last_resort`.'),
      unsupported: unsupported.optional().describe('Overrides `routing.unsupported`.'),
    }),
  ],
  { error: 'expected a target, a list of targets, or {targets, strategy, ...}' },
);

const routing = z.strictObject({
  deadline: duration
    .prefault('570s')
    .describe(
      'All attempts of one request together, until its answer begins (streamed) or ends. Targets that wait behind another have equal shares of it. SDKs give up after 600s.',
    ),
  max_attempts: z
    .number()
    .int()
    .min(1)
    .max(50)
    .default(8)
    .describe('Attempts of one request over all targets.'),
  max_retry_delay: duration.prefault('8s').describe('Longest backoff between two attempts at one target.'),
  wait_budget: duration
    .prefault('10s')
    .describe('Longest Retry-After worth waiting for when no other target is ready.'),
  max_retry_after: duration
    .prefault('1m')
    .describe(
      "How long a provider's own Retry-After is believed. After it one request at a time tries whether a longer one still holds.",
    ),
  content_policy: contentPolicy.default('error').describe(POLICY.content_policy),
  resume: onOff.prefault('off').describe(POLICY.resume),
  hedge: hedge.prefault('off').describe(POLICY.hedge),
  last_resort: onOff.prefault('off').describe(POLICY.last_resort),
  unsupported: unsupported.default('drop').describe(POLICY.unsupported),
  breaker: z
    .strictObject({
      failures: z.number().int().min(1).default(5).describe('Failures in a row that open it.'),
      failure_rate: rate.default(0.5).describe('Share of failed calls in the window that opens it.'),
      min_calls: z.number().int().min(1).default(20).describe('Calls in the window before the share counts.'),
      window: duration
        .refine((ms) => ms >= 1_000, 'expected at least 1s')
        .prefault('1m')
        .describe('How far back the share looks.'),
      cooldown: duration
        .prefault('2s')
        .describe(
          'How long it stays open at first; each failed trial doubles it. A refused key or endpoint has the same cooldown.',
        ),
      max_cooldown: duration
        .prefault('10s')
        .describe(
          'Longest cooldown. Probes that get no answer put the next trial off, to at most 30 s after the last one.',
        ),
    })
    .prefault({})
    .describe('Circuit breakers: of each target (a provider and a model), and of each provider.'),
});

const limits = z.strictObject({
  max_body: size.prefault('32MiB').describe('Largest request body after decompression; 413 beyond.'),
  max_depth: z
    .number()
    .int()
    .positive()
    .default(512)
    .describe("Deepest nesting of objects and arrays in a request's JSON; 400 beyond."),
  max_values: z
    .number()
    .int()
    .positive()
    .default(1_000_000)
    .describe('JSON values in a request, nested ones included; 400 beyond.'),
  max_fields: z
    .number()
    .int()
    .positive()
    .default(100_000)
    .describe('Objects in a request and fields in them, all together; 400 beyond.'),
  max_feedback: size.prefault('64KiB').describe('Largest body of POST /v1/feedback.'),
  max_response: size.prefault('64MiB').describe('Largest answer taken from a provider, streamed or not.'),
  max_buffered: size
    .prefault('512MiB')
    .describe('Request bodies held in memory at once, all together; 503 beyond.'),
  max_buffered_share: rate
    .default(0.5)
    .describe(
      'Part of max_buffered that the bodies of one client may hold; 429 beyond. A client is a key, or without keys an address: behind a load balancer without keys all are one client. One body of max_body always fits.',
    ),
  body_timeout: duration
    .prefault('1m')
    .describe('How long a client may take to send its request; 408 beyond.'),
  replay_memory: size
    .prefault('16MiB')
    .describe(
      'Signatures that models want back with their tool calls, kept for clients that drop them, and items of responses that clients refer to by id.',
    ),
  max_unread: size
    .prefault('512MiB')
    .describe(
      'Memory for answers that clients read more slowly than providers send, all together: 4 MiB for a stream, its size for another one above 1 MiB. Beyond it those that read least are cut off.',
    ),
  max_recording: size
    .prefault('512MiB')
    .describe(
      'Memory for streamed answers that are put together for their records while they come, all together, as they are counted in events. Beyond it the longest are left out of their records and marked; the streams go on.',
    ),
  client_stall: duration
    .prefault('5m')
    .describe('How long a client may take nothing of its answer before it is cut off.'),
  max_concurrent: z
    .number()
    .int()
    .positive()
    .default(4096)
    .describe('Requests in flight at once; 503 beyond.'),
  assumed_output: count
    .prefault(4096)
    .describe(
      'Tokens that are reserved for an answer where neither the request nor `max_output` of its model bounds it.',
    ),
  realtime: z
    .strictObject({
      max_message: size
        .prefault('16MiB')
        .describe(
          'Largest message of a realtime session, in either direction; the session is closed beyond.',
        ),
      max_unsent: size
        .prefault('4MiB')
        .describe(
          'What may wait to be sent to either side of a session; it is closed beyond, and nothing is dropped.',
        ),
      idle: duration.prefault('15m').describe('How long nobody may say anything in a session.'),
      duration: duration.prefault('2h').describe('The longest session. Providers have limits of their own.'),
    })
    .prefault({})
    .describe('Bounds of realtime sessions. See docs/realtime.md.'),
  max_passthrough: size
    .prefault('512MiB')
    .describe(
      'Largest body in either direction of what only passes, /providers/NAME/...; it is not held in memory. See docs/passthrough.md.',
    ),
  max_callers: z
    .number()
    .int()
    .positive()
    .default(100_000)
    .describe(
      'Keys, end users and addresses that limits count apart, of all limits together. Beyond it, those whose windows are over are forgotten, then new ones of a limit are counted as one.',
    ),
});

const state = z.strictObject({
  directory: text
    .default('state')
    .describe(
      'Where what was used is kept across restarts, and the lists of models that providers gave; made when there is something to keep.',
    ),
  flush_interval: duration
    .prefault('1s')
    .describe(
      'Longest that what was used waits in memory: what a crash may lose, unless the request log has it.',
    ),
});

const health = z.strictObject({
  probe: z
    .enum(['recovery', 'always', 'never'])
    .default('recovery')
    .describe(
      'Ask a free endpoint in the background: of providers that do not answer or refuse a key, of all of them, or of none. Other trouble is found by requests.',
    ),
  interval: duration.prefault('5s').describe('Time between two probes of one provider.'),
  timeout: duration.prefault('5s').describe("Longest wait for a probe's answer."),
  window: duration
    .refine((ms) => ms >= 1_000, 'expected at least 1s')
    .prefault('1m')
    .describe('How far back the success rate looks.'),
  min_calls: z
    .number()
    .int()
    .min(1)
    .default(5)
    .describe('Calls in the window before the rate says anything.'),
  degraded_below: rate.default(0.95).describe('Success rate below which a provider is degraded.'),
  unhealthy_below: rate.default(0.5).describe('Success rate below which a provider is unhealthy.'),
});

const requests = z.strictObject({
  enabled: z.boolean().default(true).describe('Write one line a request to the request log.'),
  directory: text.default('logs').describe('Where the log files go; made when missing.'),
  content: content
    .default('full')
    .describe(
      'full: whole request and response. metadata: all but what people and models wrote. none: not even names of people or sessions.',
    ),
  allow_header: z
    .boolean()
    .default(true)
    .describe('Let a client ask for less by the header x-llmproxy-log: metadata or none.'),
  max_content: size
    .prefault('16MiB')
    .describe('Longest request or response kept in a line; longer ones are left out and marked.'),
  flush_interval: duration
    .prefault('200ms')
    .describe('Longest a record waits in memory: what kill -9 may lose.'),
  queue: size
    .prefault('64MiB')
    .describe(
      'Memory for records not yet written, also while the disk is full; beyond it records are dropped and counted.',
    ),
  rotate_size: size
    .prefault('256MiB')
    .describe('Begin a new file when one grows beyond this. A new day always does.'),
  retention: retention
    .prefault('0s')
    .describe(
      'Delete files older than this; 0 keeps all. With `{content: 7d, head: 365d}` what people and models wrote is taken out of files older than `content`, and files older than `head` are deleted.',
    ),
  max_total: size
    .default(0)
    .describe('Delete the oldest files when all together grow beyond this; 0 keeps all.'),
  compress: z.enum(['none', 'zstd']).default('none').describe('Compress files that are no longer written.'),
  fsync: z
    .enum(['never', 'interval', 'always'])
    .default('never')
    .describe('Force records to disk: never, once a second, or after each batch.'),
  redact: z
    .array(text)
    .default([])
    .describe('Further JSON keys whose values the log replaces by "[redacted]".'),
});

const logging = z.strictObject({
  level: z
    .enum(['silent', 'error', 'warn', 'info', 'debug'])
    .default('info')
    .describe('How much the program says on stderr.'),
  format: z
    .enum(['auto', 'text', 'json'])
    .default('auto')
    .describe('Lines for people or JSON; auto is text.'),
  show_requests: z
    .enum(['auto', 'always', 'never'])
    .default('auto')
    .describe(
      'A line on stderr for each request, at level info or debug. auto: where stderr is a terminal, or the level is debug.',
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
      'TypeScript files with providers and hooks of your own, relative to this file. A plugin is your code and runs with the rights and keys of the proxy: load only files you wrote. See docs/plugins.md.',
    ),
  plugin_timeout: duration
    .prefault('5s')
    .refine((ms) => ms > 0, 'expected more than 0')
    .describe('How long a plugin may take to load, and each call of one of its hooks.'),
  providers: z.array(provider).min(1).describe('The providers that requests are sent to.'),
  models: z
    .record(text, route.describe('A target, a list of targets best first, or an object.'))
    .default({})
    .describe(
      'Names of your own, and globs such as "claude-*" for names that programs bring: where each leads, and its own policy. A name goes before globs, and the glob with the most characters that are no wildcards before others; what a target leads to is looked up without globs. Of a glob with one `*`, `*` in a target stands for what it took. "provider/model" is covered by globs alone that begin with that provider.',
    ),
  discover_models: z
    .union([z.boolean(), duration.refine((ms) => ms >= 1_000, 'expected at least 1s')], {
      error: 'expected true, false, or a duration such as "1h"',
    })
    .default(true)
    .describe(
      'Ask providers which models they have, in the background and never for a request: true asks every 6 hours, and every minute those without a key; a duration asks that often; false never asks, and neither does a proxy with LLMPROXY_DISCOVER_MODELS=false in its environment. What they list and their `models` cover is in GET /v1/models and in suggestions. The lists are kept in `state.directory`.',
    ),
  prices: z
    .array(datedPrice)
    .default([])
    .describe(
      'Prices that go before the built-in table, where a model has no `price` of its own: the first that fits model, provider and time of a request.',
    ),
  routing: routing.prefault({}).describe('Retry and failover.'),
  groups: z
    .record(name, group)
    .default({})
    .describe('Groups of keys, with limits that they share. See docs/keys.md.'),
  rate_limits: z.array(rateLimit).default([]).describe('Limits for everybody, with and without keys.'),
  responses: responses
    .prefault({})
    .describe('Stored responses and conversations of the Responses API. See docs/responses.md.'),
  state: state
    .prefault({})
    .describe('What outlives the process: how much of each limit is used, and which models providers list.'),
  limits: limits.prefault({}).describe('Bounds on what clients may ask.'),
  health: health.prefault({}).describe('When a provider counts as healthy, degraded or unhealthy.'),
  logging: logging.prefault({}).describe("The program's own log and the request log."),
  telemetry: telemetry
    .prefault({})
    .describe('Traces and metrics for an OpenTelemetry collector: docs/operating.md.'),
  export: exportSection().prefault({}).describe('Defaults of `llmproxy export`.'),
});

export type { DatedPrice, Price } from './price-schema.ts';
export type { RateLimit } from './rate-limit-schema.ts';
/** A configuration as it is used: the loader adds to `auth` what the keys file holds. */
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
