import type { Config } from './config/schema.ts';
import type { Explanation } from './pipeline/explain.ts';
import type { MakingDeps } from './providers/make.ts';
import type { Endpoint } from './wire/endpoints.ts';
import { systemClock } from './clock.ts';
import { offReasons } from './config/keys.ts';
import { explainRequest } from './pipeline/explain.ts';
import { ModelRegistry } from './pipeline/models.ts';
import { randomId } from './pipeline/random-id.ts';
import { makeProviders } from './providers/make.ts';
import { parseInbound } from './server/inbound.ts';
import { atOnce } from './turns.ts';
import { NO_MEMORY } from './wire/protocol.ts';

/**
 * Where a request would go and what it would be sent. Nothing is sent.
 * @throws ProxyError when it is no request, or no provider serves its model
 */
export function explain(config: Config, deps: MakingDeps, endpoint: Endpoint, body: object): Explanation {
  const clock = deps.clock ?? systemClock;
  const origin = { endpoint, headers: {}, url: '', caller: null };
  const bytes = new TextEncoder().encode(JSON.stringify(body));
  const inbound = atOnce(parseInbound(origin, bytes, { instance: '', limits: config.limits }));
  const registry = new ModelRegistry(makeProviders(config, deps), config, offReasons(config, deps.env));
  return explainRequest(inbound, registry.resolve(inbound.model, endpoint), {
    nowMs: clock.now(),
    newId: () => randomId(Math.random),
    memory: NO_MEMORY,
  });
}
