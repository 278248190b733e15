import type { Config } from '../config/schema.ts';
import { pricedAt } from '../providers/prices.ts';
import { ProxyError } from '../errors.ts';
import type { Limiter } from '../limits/limiter.ts';
import type { Admission } from '../pipeline/admission.ts';
import type { ExchangeDeps } from '../pipeline/record/exchange.ts';
import { Exchange } from '../pipeline/record/exchange.ts';
import type { ModelRegistry } from '../pipeline/routing/models.ts';
import { Passthrough } from '../pipeline/passthrough/passthrough.ts';
import { Pipeline } from '../pipeline/pipeline.ts';
import { Realtime } from '../pipeline/realtime/realtime.ts';
import { summarize } from '../pipeline/targets/status.ts';
import { Trace } from '../pipeline/record/trace.ts';
import type { Hooks } from '../plugins/hooks.ts';
import type { Prices } from '../providers/prices.ts';
import type { Authenticator } from '../server/auth.ts';
import type { Buffered } from '../server/buffered.ts';
import type { ServerContext } from '../server/context.ts';
import { hookedAnswer } from '../server/hooked.ts';
import { storedMs } from '../server/responses/service.ts';
import { priceSetup } from '../usage/pricing.ts';
import { VERSION } from '../version.ts';
import type { ProcessState } from './process-state.ts';
import type { Routers } from './routers.ts';

/** The Retry-After when too many requests are in progress. */
const FULL_RETRY_MS = 1_000;

/** The parts of one configuration that the server's routes use. */
interface Made {
  readonly auth: Authenticator;
  readonly registry: ModelRegistry;
  readonly limiter: Limiter;
  readonly buffered: Buffered;
  readonly hooks: Hooks;
  readonly admission: Admission;
  readonly prices: Prices;
  readonly routers: Routers;
}

/** Everything that the routes of the server use. */
export function contextOf(config: Config, processState: ProcessState, made: Made): ServerContext {
  const { first, deps, clock, turns, traffic, limits, secrets, telemetry } = processState;
  const { auth, registry, limiter, buffered, hooks } = made;
  const ofExchanges = exchangeDeps(config, processState, made);
  return {
    // The socket stays open until a restart.
    server: { ...config.server, host: first.server.host },
    limits: config.limits,
    limiter,
    spending: processState.spending,
    logging: config.logging.requests,
    clock,
    turns,
    instance: processState.instance,
    auth,
    registry,
    buffered,
    unread: processState.budget,
    hooks: hooks.hasRequests ? hooks : undefined,
    pipeline: pipelineOf(config, processState, made),
    passthrough: new Passthrough({
      clock,
      limiter,
      pool: processState.pool,
      mask: secrets.mask,
      maxBytes: config.limits.max_passthrough,
      bodyStallMs: config.limits.body_timeout,
    }),
    sockets: traffic.sockets,
    now: () => processState.current().context,
    // A connection opened under an earlier configuration continues under the current one.
    responses: () => processState.current().app.responses,
    stored:
      config.responses.store === 'never'
        ? undefined
        : {
            store: processState.store,
            background: processState.background,
            followers: processState.followers,
            keep: config.responses.store,
            ttlMs: storedMs(config),
          },
    issued: processState.issued,
    realtime: realtimeOf(config, processState, made),
    begin(id, endpoint, userAgent, headers) {
      traffic.inFlight += 1;
      const exchange = new Exchange(id, endpoint, userAgent, ofExchanges);
      if (telemetry) exchange.trace = new Trace(headers, telemetry);
      return exchange;
    },
    admit(exchange, task = 'accept the request') {
      const most = config.limits.max_concurrent;
      const { requests } = limits;
      const hasRoom = requests ? requests.take(most) : traffic.inFlight <= most;
      if (!hasRoom)
        throw new ProxyError('unavailable', `Cannot ${task}: limits.max_concurrent is reached`, {
          retryAfterMs: FULL_RETRY_MS,
        });
      if (requests) exchange.finally(() => requests.free());
    },
    newId: () => `req_${Bun.randomUUIDv7('buffer').toHex()}`,
    metrics: processState.metrics,
    ready: () => processState.priceTable.pending(),
    providers: processState.statuses,
    summary: () => summarize(processState.statuses()),
    log: processState.logState,
    sharedLimits: () => processState.spending.shared,
    sharedResponses: () => processState.store.shared,
    logDirectory: first.logging.requests.directory,
    usage: processState.usage,
    config,
    page: processState.page,
    priceSetup: () => priceSetup(config),
    fleet: deps.fleet,
    running: traffic.running,
    inFlight: () => traffic.inFlight,
    draining: () => traffic.draining,
    refusing: () => traffic.refusing,
    version: VERSION,
    mask: secrets.mask,
    problem: processState.problem,
  };
}

function exchangeDeps(config: Config, processState: ProcessState, { prices }: Made): ExchangeDeps {
  const { clock, sinks, defects, traffic, spending } = processState;
  return {
    clock,
    sinks,
    defects,
    price: ({ provider, model }, configured, usage, atMs) =>
      prices.cost({ ...pricedAt(provider), model, configured }, usage, atMs),
    maxContent: config.logging.requests.max_content,
    over: () => (traffic.inFlight -= 1),
    used: (used) => spending.used(used),
  };
}

function pipelineOf(
  config: Config,
  processState: ProcessState,
  { admission, hooks, routers }: Made,
): Pipeline {
  const { clock, turns, memory, newId, secrets, budget } = processState;
  return new Pipeline({
    clock,
    revise: hooks.hasAnswers
      ? (answer, facts, client) => hookedAnswer(answer, { hooks, facts, client })
      : undefined,
    admission,
    turns,
    router: routers.requests,
    memory,
    newId,
    mask: secrets.mask,
    keepaliveMs: config.server.keepalive_comment,
    stallMs: config.limits.client_stall,
    budget,
  });
}

function realtimeOf(
  config: Config,
  processState: ProcessState,
  { admission, limiter, routers }: Made,
): Realtime {
  const { clock, turns, budget, secrets, traffic } = processState;
  const { max_message, max_unsent: maxUnsent, idle, duration } = config.limits.realtime;
  // A client cannot be paused: what it sends while a message of it is read must fit.
  const maxUnread = Math.max(maxUnsent, 4 * max_message);
  const { assumed_output: assumedOutput } = config.limits;
  return new Realtime({
    clock,
    turns,
    admission,
    limiter,
    router: routers.sessions,
    budget,
    mask: secrets.mask,
    sessions: traffic.sessions,
    maxContent: config.logging.requests.max_content,
    limits: {
      maxUnsent,
      maxUnread,
      idleMs: idle,
      maxMs: duration,
      stallMs: config.limits.client_stall,
      assumedOutput,
    },
  });
}
