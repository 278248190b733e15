/** `providers`: the providers that requests are sent to, and their models. */
import { z } from 'zod';
import { PROVIDER_TYPES } from '../presets.ts';
import { mock } from './mock.ts';
import { price } from './prices.ts';
import { providerRate } from './provider-rate.ts';
import { redaction } from './redaction.ts';
import { abilities, api, requestChanges } from './request-changes.ts';
import { timeout } from './timeouts.ts';
import { duration } from '../units.ts';
import { count, name, onDemand, text } from '../words.ts';

const headerName = z.string().regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, 'expected an HTTP header name');
const headerValue = z
  .string()
  .regex(/^[\t\x20-\x7e\x80-\xff]*$/, 'expected a header value without line breaks');
const httpUrl = z.url({ protocol: /^https?$/, error: 'expected an http:// or https:// URL' });

const modelOptions = onDemand(() =>
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
);

const model = z.union([text, modelOptions], {
  error: 'expected a model name, a glob, or {name, upstream, price, ...}',
});

const askUsage = z
  .union([z.boolean(), z.enum(['auto', 'on', 'off'])], { error: 'expected auto, on or off' })
  .transform((value) => (typeof value === 'string' ? value : value ? 'on' : 'off'));

export const provider = z.strictObject({
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
