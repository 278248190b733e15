import type { Handler } from 'hono';
import type { Family } from '../pipeline/metrics/prometheus.ts';
import type { ServerContext, ServerEnv } from './context.ts';
import type { FleetStatus, Workers } from './fleet.ts';
import { headerMap } from '../wire/headers.ts';
import { PROMETHEUS_TYPE, prometheusText } from '../pipeline/metrics/prometheus.ts';
import { summarize } from '../pipeline/targets/status.ts';

/** GET /health/live: the process answers. */
export const live: Handler<ServerEnv> = (c) => c.json({ status: 'live' });

/** GET /health/ready: whether requests should be sent here. 503 while draining or when no provider can answer. */
export function ready(context: ServerContext): Handler<ServerEnv> {
  return (c) => {
    const { status } = context.summary();
    const draining = context.draining();
    if (draining) c.header('connection', 'close');
    const fit = !draining && status !== 'unhealthy';
    return c.json({ status: fit ? 'ready' : 'not_ready' }, fit ? 200 : 503);
  };
}

/**
 * GET /health: a single word for everybody; the number of providers in each state, and whether the request log can be
 * written, for operators. 503 when no provider can answer.
 */
export function health(context: ServerContext): Handler<ServerEnv> {
  return async (c) => {
    const seen = await statusOf(context);
    const { status, providers } = summarize(seen.providers);
    const detail = {
      version: context.version,
      in_flight: seen.inFlight,
      providers,
      log: seen.log,
      ...sharedOf(context),
      ...workersOf(seen),
    };
    const shown = context.auth.operates(headerMap(c.req.raw.headers)) ? { status, ...detail } : { status };
    return c.json(shown, status === 'unhealthy' ? 503 : 200);
  };
}

/**
 * GET /providers: each provider's state, reasons, breakers, success rate and latencies; the state of the request log.
 */
export function providers(context: ServerContext): Handler<ServerEnv> {
  return async (c) => {
    context.auth.operator(headerMap(c.req.raw.headers));
    const seen = await statusOf(context);
    const { status } = summarize(seen.providers);
    return c.json({ status, ...workersOf(seen), providers: seen.providers, log: seen.log });
  };
}

/** GET /metrics: Prometheus text, or JSON if `Accept` asks for it. */
export function metrics(context: ServerContext): Handler<ServerEnv> {
  return async (c) => {
    context.auth.operator(headerMap(c.req.raw.headers));
    const families: readonly Family[] = await (context.fleet?.metrics() ?? context.metrics.families());
    if ((c.req.header('accept') ?? '').includes('application/json')) return c.json(families);
    const text = await context.turns.run(prometheusText(families));
    return c.text(text, 200, { 'content-type': PROMETHEUS_TYPE });
  };
}

type Status = Omit<FleetStatus, 'workers'> & { readonly workers?: Workers };

/** The merged state of all processes that serve this port. */
function statusOf(context: ServerContext): Status | Promise<Status> {
  return (
    context.fleet?.status() ?? {
      providers: context.providers(),
      inFlight: context.inFlight(),
      log: context.log(),
    }
  );
}

/** Whether limits and stored responses are currently shared with the other replicas, if `state.redis` is set. */
function sharedOf({ sharedLimits, sharedResponses }: ServerContext): { limits?: object; responses?: object } {
  const limits = sharedLimits();
  const responses = sharedResponses();
  return {
    ...(limits ? { limits: { shared: limits.up, replicas: limits.replicas } } : {}),
    ...(responses ? { responses: { shared: responses.up } } : {}),
  };
}

function workersOf({ workers }: Status): { workers?: Workers } {
  return workers ? { workers } : {};
}
