import type { Context, Handler } from 'hono';
import { Abort } from '../abort.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import type { Reply } from '../pipeline/pipeline.ts';
import type { Endpoint } from '../wire/endpoints.ts';
import type { ServerContext, ServerEnv } from './context.ts';
import { ProxyError, toProxyError } from '../errors.ts';
import { finishFailed } from '../pipeline/pipeline.ts';
import { requestId, responseHeaders } from '../wire/headers.ts';
import { readBody } from './body.ts';
import { contentFor, conversationOf, tagsOf, userOf } from './content.ts';
import { errorResponse, statusOf } from './error.ts';
import { headerList, headerText } from './header-text.ts';
import { scopedByKey } from './idempotency.ts';
import { parseInbound } from './inbound.ts';
import { boundsOf } from './json.ts';
import { IDLE_SECONDS } from './listen.ts';

/** A client that takes nothing is cut by Bun after this; its unit is seconds, in steps of 4. */
const STALLED_CLOSE_SECONDS = 4;

/** The handler of one endpoint: body in, pipeline, answer out. Every path ends in exactly one record. */
export function inference(context: ServerContext, endpoint: Endpoint): Handler<ServerEnv> {
  return async (c) => {
    const request = c.req.raw;
    const id = requestId(request.headers) ?? context.newId();
    const exchange = context.begin(id, endpoint);
    // The proxy's own timers decide; Bun's would cut a quiet stream.
    c.env?.server?.timeout(request, 0);
    // Afterwards it is Bun's again: nobody else closes a connection that lies idle, or whose client reads nothing.
    exchange.finally(() => c.env?.server?.timeout(request, IDLE_SECONDS));
    try {
      return await answer(context, c, exchange, endpoint);
    } catch (thrown) {
      const error = toProxyError(thrown);
      if (error.fault === 'internal') context.problem(defect(exchange.id, error));
      finishFailed(exchange, error, statusOf(error));
      return errorResponse(error, exchange);
    }
  };
}

/** A defect of ours, with what finds it. */
function defect(id: string, { cause, message }: ProxyError): string {
  return `Request ${id}: ${cause instanceof Error ? (cause.stack ?? cause.message) : message}`;
}

async function answer(
  context: ServerContext,
  c: Context<ServerEnv>,
  exchange: Exchange,
  endpoint: Endpoint,
): Promise<Response> {
  const request = c.req.raw;
  const { headers } = request;
  exchange.userAgent = headers.get('user-agent')?.slice(0, 200) ?? null;
  if (context.draining()) throw new ProxyError('shutting_down', 'Cannot accept the request: shutting down');
  const client = context.auth.client(headers);
  exchange.key = client.key;
  exchange.content = contentFor(context, client, headers);
  exchange.conversation = conversationOf(headers);
  if (context.inFlight() > context.limits.max_concurrent) {
    throw new ProxyError('unavailable', 'Cannot accept the request: limits.max_concurrent is reached', {
      retryAfterMs: 1_000,
    });
  }
  const { max_body: maxBytes, body_timeout: withinMs } = context.limits;
  const { clock, turns, buffered } = context;
  const { bytes, free } = await readBody(request, { maxBytes, withinMs, clock, turns, buffered });
  exchange.finally(free);
  exchange.requestBytes = bytes.length;
  const { instance } = context;
  const bounds = boundsOf(context.limits);
  const parsed = await turns.run(parseInbound(endpoint, request, bytes, { instance, bounds }));
  const inbound = { ...parsed, caller: client.key, headers: scopedByKey(parsed.headers, client.key) };
  exchange.model = inbound.model;
  exchange.stream = inbound.stream;
  exchange.requestText = inbound.json?.text;
  if (inbound.json) {
    exchange.user = userOf(inbound.json.value);
    exchange.tags = tagsOf(headers, inbound.json.value);
  }
  const loading = context.ready();
  if (loading) await loading;
  const abort = leaving(request.signal);
  context.running.add(abort);
  exchange.finally(() => context.running.delete(abort));
  const stalled = () => c.env?.server?.timeout(request, STALLED_CLOSE_SECONDS);
  const reply = await context.pipeline.handle(inbound, exchange, { abort, stalled });
  return respond(reply, exchange);
}

function respond(reply: Reply, exchange: Exchange): Response {
  const headers = responseHeaders(reply.upstream);
  if (reply.made) {
    headers.delete('content-encoding');
    if (!headers.get('content-type')?.startsWith(reply.made)) headers.set('content-type', reply.made);
  }
  if (reply.body instanceof ReadableStream) headers.set('x-accel-buffering', 'no');
  headers.set('x-request-id', exchange.id);
  const target = exchange.target!;
  headers.set('x-llmproxy-provider', target.provider.name);
  headers.set('x-llmproxy-model', headerText(target.model));
  headers.set('x-llmproxy-attempts', String(exchange.attempts.length));
  // A stream's cost is known at its end: the log has it.
  if (!(reply.body instanceof ReadableStream) && exchange.cost !== null) {
    headers.set('x-llmproxy-cost', exchange.cost.toFixed(8).replace(/0+$/, '').replace(/\.$/, ''));
  }
  if (reply.dropped.length > 0) headers.set('x-llmproxy-dropped', headerList(reply.dropped));
  return new Response(reply.body, { status: reply.status, headers });
}

/** Aborts when the client leaves, with a typed reason; the deadline may abort it too. */
function leaving(signal: AbortSignal): Abort {
  const message = 'Cannot finish the answer: the client closed the connection';
  return Abort.following(signal, () => new ProxyError('client_abort', message));
}
