import type { Context, Handler } from 'hono';
import type { ServerContext, ServerEnv } from './context.ts';
import { ProxyError } from '../errors.ts';
import { errorResponse } from './error.ts';

/** GET /health/live: the process answers. */
export const live: Handler<ServerEnv> = (c) => c.json({ status: 'live' });

/** GET /health/ready: whether requests should be sent here. 503 while draining or when no provider can answer. */
export function ready(context: ServerContext): Handler<ServerEnv> {
  return (c) => {
    const { status } = context.summary();
    const fit = !context.draining() && status !== 'unhealthy';
    return c.json({ status: fit ? 'ready' : 'not_ready' }, fit ? 200 : 503);
  };
}

/** GET /health: one word and how many providers are in which state. 503 when none can answer. */
export function health(context: ServerContext): Handler<ServerEnv> {
  return insiders(context, (c) => {
    const { status, providers } = context.summary();
    const body = { status, version: context.version, in_flight: context.inFlight(), providers };
    return c.json(body, status === 'unhealthy' ? 503 : 200);
  });
}

/** GET /providers: each provider's state, reasons, breakers, success rate and latencies. */
export function providers(context: ServerContext): Handler<ServerEnv> {
  return insiders(context, (c) =>
    c.json({ status: context.summary().status, providers: context.providers() }),
  );
}

/** GET /metrics: Prometheus text, or JSON when `Accept` asks for it. */
export function metrics(context: ServerContext): Handler<ServerEnv> {
  return insiders(context, async (c) => {
    const collected = await context.metrics();
    if ((c.req.header('accept') ?? '').includes('application/json')) {
      return c.json((await collected.json()) as object);
    }
    return c.text(await collected.text(), 200, { 'content-type': collected.contentType });
  });
}

/** Pages about the inside are for callers on this machine and holders of a key. */
function insiders(
  context: ServerContext,
  handler: (c: Context<ServerEnv>) => Response | Promise<Response>,
): Handler<ServerEnv> {
  return async (c) => {
    try {
      if (!local(c)) context.auth.client(c.req.raw.headers);
      return await handler(c);
    } catch (thrown) {
      if (!(thrown instanceof ProxyError)) throw thrown;
      return errorResponse(thrown, { id: context.newId(), attempts: [], endpoint: 'chat' });
    }
  };
}

/** A caller on this machine, not one that a reverse proxy on this machine speaks for. */
function local(c: Context<ServerEnv>): boolean {
  const { headers } = c.req.raw;
  if (headers.has('x-forwarded-for') || headers.has('forwarded') || headers.has('x-real-ip')) return false;
  const address = c.env?.server?.requestIP(c.req.raw)?.address;
  return address === '127.0.0.1' || address === '::1' || address === '::ffff:127.0.0.1';
}
