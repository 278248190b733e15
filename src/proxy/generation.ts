import type { Config } from '../config/schema.ts';
import { offReasons } from '../config/keys.ts';
import { Admission } from '../pipeline/admission.ts';
import type { AttemptDeps } from '../pipeline/attempts/attempt.ts';
import { Attempt } from '../pipeline/attempts/attempt.ts';
import { ModelRegistry } from '../pipeline/routing/models.ts';
import { HealthProber, wordFor } from '../pipeline/targets/prober.ts';
import { Hooks } from '../plugins/hooks.ts';
import type { Plugins } from '../plugins/loaded.ts';
import { makeProviders } from '../providers/make.ts';
import { pricedAt, Prices } from '../providers/prices.ts';
import { createApp } from '../server/app.ts';
import type { KnownKeys, Tokens } from '../server/tokens/tokens.ts';
import { Authenticator } from '../server/auth.ts';
import { Buffered } from '../server/buffered.ts';
import { TokenClients } from '../server/tokens/token-clients.ts';
import { contextOf } from './context.ts';
import type { ProcessState, Current } from './process-state.ts';
import { attemptDeps, routersOf } from './routers.ts';

/** The objects of one configuration, which the next one replaces. */
export interface Generation extends Current {
  readonly prober: HealthProber;
  readonly auth: Authenticator;
  readonly registry: ModelRegistry;
}

/** Builds the objects of a configuration. @throws as the constructor of a plugin's class does */
export function generate(config: Config, plugins: Plugins, processState: ProcessState): Generation {
  const { deps, clock, secrets, problem, reports, spending, discovery } = processState;
  const { failed } = reports;
  const hooks = new Hooks(plugins, { clock, failed, dropped: processState.recordDropped });
  const classes = plugins.classes(failed);
  const providers = makeProviders(config, { ...deps, learn: secrets.add, log: problem, plugins: classes });
  const prices = new Prices(config.prices, processState.priceTable);
  const registry = new ModelRegistry(providers, config, offReasons(config, deps.env), discovery);
  const limiter = spending.limiter(config);
  const auth = new Authenticator(config, {
    clock,
    secret: (variable) => deps.env[variable],
    tokens: tokensFor(config, processState),
  });
  const attempts = attemptDeps(config, processState);
  const admission = new Admission({
    registry,
    limiter,
    turns: processState.turns,
    price: ({ provider, model, offer }, usage) =>
      prices.cost({ ...pricedAt(provider), model, configured: offer.price }, usage, clock.now()),
    assumedOutput: config.limits.assumed_output,
  });
  const { max_buffered: maxBuffered, max_buffered_share: share, max_body: maxBody } = config.limits;
  const buffered = new Buffered(maxBuffered, Math.max(share * maxBuffered, maxBody));
  const routers = routersOf(config, { prices, attempts, processState });
  const made = { auth, registry, limiter, buffered, hooks, admission, prices, routers };
  const context = contextOf(config, processState, made);
  const app = createApp(context);
  const prober = proberOf(config, attempts, processState);
  return { config, providers, prober, buffered, auth, limiter, hooks, registry, context, app };
}

function proberOf(
  config: Config,
  attempts: AttemptDeps,
  { clock, random, pool }: ProcessState,
): HealthProber {
  return new HealthProber(config.health, {
    clock,
    random,
    pool,
    async ask(provider, model, key, abort) {
      const target = pool.target(provider, model, clock.monotonic());
      const turn = { target, offer: { name: model }, key, fresh: false, unsealed: false, schemaless: false };
      const plan = { ...turn, unsupported: 'drop' as const };
      await new Attempt(wordFor(model), plan, abort, attempts).open();
    },
  });
}

function tokensFor(
  { auth, groups }: Config,
  { clock, issuers }: ProcessState,
): ((known: KnownKeys) => Tokens) | undefined {
  const configured = auth === undefined || auth === 'none' ? [] : auth.issuers;
  const keys = issuers.adopt(configured);
  const known = configured.map((issuer, index) => ({ issuer, keys: keys[index]! }));
  if (known.length === 0) return undefined;
  return (named) => new TokenClients({ clock, groups, issuers: known, known: named });
}
