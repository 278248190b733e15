import type { Config } from '../config/schema.ts';
import type { AttemptDeps } from '../pipeline/attempts/attempt.ts';
import { attemptFor } from '../pipeline/attempts/fan-out-attempt.ts';
import type { Begun } from '../pipeline/realtime/attempt.ts';
import { SessionAttempt } from '../pipeline/realtime/attempt.ts';
import { RequestRouter } from '../pipeline/routing/router.ts';
import type { Target } from '../pipeline/targets/target.ts';
import type { ProviderModel } from '../providers/base.ts';
import type { Prices } from '../providers/prices.ts';
import { commonContextWindow } from '../wire/context-window.ts';
import type { ProcessState } from './process-state.ts';

/** The objects that send requests and sessions to targets. */
export interface Routers {
  readonly requests: RequestRouter;
  readonly sessions: RequestRouter<Begun>;
}

/** The dependencies of attempts. */
export function attemptDeps(config: Config, processState: ProcessState): AttemptDeps {
  const { deps, clock, turns, memory, newId, defects, work, redaction, secrets } = processState;
  return {
    clock,
    turns,
    memory,
    newId,
    defects,
    countTokens: deps.countTokens ?? ((texts, signal) => work.countTokens(texts, signal)),
    readTokens: work.readTokens.bind(work),
    redact: redaction.redact.bind(redaction),
    limits: {
      maxResponse: config.limits.max_response,
      maxContent: config.logging.requests.max_content,
    },
    mask: secrets.mask,
  };
}

export function routersOf(
  config: Config,
  { prices, attempts, processState }: { prices: Prices; attempts: AttemptDeps; processState: ProcessState },
): Routers {
  const { clock, random, pool, secrets } = processState;
  const shared = {
    clock,
    random,
    pool,
    apart: areApart(config),
    contextWindow: ({ provider, model }: Target, offer: ProviderModel) =>
      offer.contextWindow ??
      provider.settings.contextWindow ??
      prices.contextWindow(provider.settings.prices, model) ??
      commonContextWindow(model),
  };
  const sessionDeps = { clock, maxMessage: config.limits.realtime.max_message, mask: secrets.mask };
  return {
    requests: new RequestRouter(config.routing, {
      ...shared,
      attempt: (inbound, plan, client) => attemptFor(inbound, plan, client, attempts),
    }),
    sessions: new RequestRouter<Begun>(config.routing, {
      ...shared,
      attempt: (inbound, plan, client) => new SessionAttempt(inbound, plan, client, sessionDeps),
    }),
  };
}

/** Whether there may be several callers, each with a key of its own. */
function areApart({ auth }: Config): boolean {
  if (auth === undefined || auth === 'none') return false;
  return auth.keys.length > 1 || auth.keys_file !== undefined || auth.issuers.length > 0;
}
