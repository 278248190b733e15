/**
 * The configuration: shape, defaults and documentation in one place. `config schema`, docs/config.md and the commented
 * config.yaml of `config init` are generated from the `describe()` texts here and in schema/, one file for each section.
 * Durations are milliseconds after parsing, sizes are bytes.
 */
import { z } from 'zod';
import { exportSection } from './export/section.ts';
import type { AuthConfig } from './schema/auth.ts';
import { auth } from './schema/auth.ts';
import { group, rateLimit } from './schema/groups.ts';
import { health } from './schema/health.ts';
import { limits } from './schema/limits.ts';
import { logging } from './schema/logging.ts';
import type { mock } from './schema/mock.ts';
import { datedPrice } from './schema/prices.ts';
import { provider } from './schema/providers.ts';
import { responses } from './schema/responses.ts';
import { route, routing } from './schema/routing.ts';
import { server } from './schema/server.ts';
import { state } from './schema/state.ts';
import { telemetry } from './schema/telemetry.ts';
import type { timeouts } from './schema/timeouts.ts';
import { duration } from './units.ts';
import type { content } from './words.ts';
import { name, onDemand, text } from './words.ts';

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
  export: onDemand(exportSection).default({}).describe('Defaults for the options of `llmproxy export`.'),
});

export type { DatedPrice, Price } from './schema/prices.ts';
export type { RateLimit } from './schema/provider-rate.ts';
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
