import type { Config } from './config/schema.ts';
import type { Explanation } from './pipeline/routing/explain.ts';
import type { MakingDeps } from './providers/make.ts';
import type { Endpoint } from './wire/endpoints.ts';
import type { Clock } from './clock.ts';
import type { BaseProvider } from './providers/base.ts';
import { systemClock } from './clock.ts';
import { listTimes } from './config/discovery.ts';
import { offReasons } from './config/keys.ts';
import { explainRequest } from './pipeline/routing/explain.ts';
import type { ModelDiscovery } from './pipeline/routing/discovery.ts';
import { keptDiscovery } from './pipeline/routing/kept-discovery.ts';
import { ModelRegistry } from './pipeline/routing/models.ts';
import { randomId } from './pipeline/random-id.ts';
import { makeProviders } from './providers/make.ts';
import { redactRequest } from './redact/outward/redact-request.ts';
import { parseInbound } from './server/inbound.ts';
import { atOnce, turns } from './turns.ts';
import { NO_MEMORY } from './wire/protocol.ts';

/**
 * Determines where a request would go and what would be sent. Nothing is sent.
 * @throws ProxyError when the request is invalid, or no provider serves its model
 */
export function explain(config: Config, deps: MakingDeps, endpoint: Endpoint, body: object): Explanation {
  const clock = deps.clock ?? systemClock;
  const origin = { endpoint, headers: {}, url: '', caller: null };
  const bytes = new TextEncoder().encode(JSON.stringify(body));
  const inbound = atOnce(parseInbound(origin, bytes, { instance: '', limits: config.limits }));
  const providers = makeProviders(config, deps);
  const discovery = knownModels(config, providers, { env: deps.env, clock });
  const registry = new ModelRegistry(providers, config, offReasons(config, deps.env), discovery);
  const listing = (provider: BaseProvider, model: string) => listedText(discovery, provider, model);
  return explainRequest(inbound, registry.resolve(inbound.model, endpoint), listing, {
    nowMs: clock.now(),
    newId: () => randomId(Math.random),
    memory: NO_MEMORY,
    redact: redactRequest,
  });
}

/** The lists of models that the last proxy with this configuration received. */
function knownModels(
  config: Config,
  providers: readonly BaseProvider[],
  { env, clock }: Pick<MakingDeps, 'env'> & { readonly clock: Clock },
): ModelDiscovery {
  const never = { random: () => 0, turns, asks: false, problem: () => undefined };
  const discovery = keptDiscovery(config, { clock, ...never });
  discovery.adopt(providers, listTimes(config, env));
  return discovery;
}

/** Whether a provider lists a model, and when it was asked; `undefined` if it was not. */
function listedText(discovery: ModelDiscovery, provider: BaseProvider, model: string): string | undefined {
  const at = discovery.status(provider)?.at;
  if (!at) return undefined;
  const listed = discovery.models(provider)?.some(({ id }) => id === model);
  return `${provider.name} ${listed ? 'listed it' : 'did not list it'} at ${at.slice(0, 16)}Z`;
}
