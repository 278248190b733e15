import { Abort } from '../abort.ts';
import type { Exchange } from '../pipeline/record/exchange.ts';
import type { Question } from '../pipeline/record/exchange-facts.ts';
import type { Inbound } from '../pipeline/inbound.ts';
import type { Reply } from '../pipeline/pipeline.ts';
import type { Hooks } from '../plugins/hooks.ts';
import type { Endpoint } from '../wire/endpoints.ts';
import type { HeaderMap } from '../wire/headers.ts';
import type { Client } from './client.ts';
import type { ServerBindings, ServerContext } from './context.ts';
import { ProxyError, toProxyError, statusOf } from '../errors.ts';
import { finishFailed } from '../pipeline/pipeline.ts';
import { tracedRequest } from '../pipeline/record/trace.ts';
import { headerList, headerText } from '../wire/header-text.ts';
import { requestId, responseHeaders } from '../wire/headers.ts';
import type { Called } from './body.ts';
import { bodyLimits, readBody } from './body.ts';
import { contentFor, conversationOf, tagsOf, userOf } from './content.ts';
import { mayBeEarly, withEarlyHead } from './early-head.ts';
import { errorResponse } from './error.ts';
import { hooked } from './hooked.ts';
import type { Origin, PathRequest } from './inbound.ts';
import { parseInbound } from './inbound.ts';
import { KeptHeaders } from './kept-headers.ts';
import { LARGE, LargeBody } from './large-body.ts';
import { inOnePiece, SCATTERED } from './one-piece.ts';
import { addressOf } from './network.ts';
import { ownLimits } from './own-limits.ts';
import { permitModel } from './permit.ts';
import { beginStored, isStateful } from './responses/begin.ts';
import { noteOwner, refuseForeign } from './responses/foreign.ts';
import type { LastAnswer } from './responses/last-answer.ts';
import { inBackground } from './responses/in-background.ts';

/** Bun closes connections whose client reads nothing after this time; its unit is seconds, in steps of 4. */
const STALLED_CLOSE_SECONDS = 4;

/** The longest User-Agent in a record, characters. */
const MAX_USER_AGENT = 200;

/** Handles the requests of one endpoint. */
export type Inference = (
  request: Request,
  headers: HeaderMap,
  bindings: ServerBindings | undefined,
  path?: PathRequest,
  last?: LastAnswer,
) => Promise<Response>;

/** A request and its handler. */
interface Call extends Called {
  readonly exchange: Exchange;
  readonly endpoint: Endpoint;
  readonly path: PathRequest | undefined;
  readonly clientOf: (headers: HeaderMap) => Client | Promise<Client>;
  /** Restores Bun's own timeout of the connection. */
  readonly unlimited: () => void;
  /** The last answer of the connection that it arrived over, if that is kept. */
  readonly last: LastAnswer | undefined;
}

/**
 * Handles the requests of an endpoint: body in, pipeline, answer out. Every path ends in exactly one record.
 * @param clientOf returns the caller, if that is not determined by a key in the request; throws ProxyError
 */
export function inference(
  context: ServerContext,
  endpoint: Endpoint,
  clientOf: (headers: HeaderMap) => Client | Promise<Client> = (headers) =>
    context.auth.client(headers, endpoint),
): Inference {
  return async (request, headers, bindings, path, last) => {
    const server = bindings?.server;
    const userAgent = headers['user-agent']?.slice(0, MAX_USER_AGENT) ?? null;
    const exchange = context.begin(requestId(headers) ?? context.newId(), endpoint, userAgent, headers);
    const unlimited = ownLimits(context, request, server);
    exchange.finally(unlimited);
    try {
      return await answer(context, {
        request,
        headers,
        server,
        exchange,
        endpoint,
        path,
        clientOf,
        unlimited,
        last,
      });
    } catch (thrown) {
      const error = toProxyError(thrown);
      if (error.fault === 'internal') context.problem(defect(exchange.id, error));
      finishFailed(exchange, error, statusOf(error));
      const refusal = errorResponse(error, exchange);
      if (context.draining()) refusal.headers.set('connection', 'close');
      return refusal;
    }
  };
}

/** An unexpected error, with information to find its cause. */
function defect(id: string, { cause, message }: ProxyError): string {
  return `Request ${id}: ${cause instanceof Error ? (cause.stack ?? cause.message) : message}`;
}

async function answer(context: ServerContext, call: Call): Promise<Response> {
  const { request, headers, server, exchange, endpoint, path, last } = call;
  if (context.refusing()) throw new ProxyError('shutting_down', 'Cannot accept the request: shutting down');
  const found = call.clientOf(headers);
  const client = found instanceof Promise ? await found : found;
  const content = contentFor(context, client, headers);
  exchange.comesFrom({
    key: client.key,
    content,
    conversation: conversationOf(headers),
    group: client.group,
    labels: client.labels,
  });
  context.admit(exchange);
  const readFromMs = context.clock.monotonic();
  const { bytes, free } = await readBody(request, bodyLimits(context, call, client));
  exchange.waited(readFromMs, context.clock.monotonic());
  exchange.finally(free);
  exchange.received(bytes.length);
  const origin = { endpoint, headers, url: request.url, caller: client.key, path };
  const sent = await context.turns.run(parseInbound(origin, bytes, context));
  const abort = leaving(request.signal);
  exchange.asks(questionOf(sent, headers));
  if (exchange.trace && sent.json) exchange.trace.request = tracedRequest(sent.json.value);
  const { hooks } = context;
  const hookedRequest = hooks?.hasRequests
    ? await afterHooks(context, call, { hooks, sent, origin, abort })
    : sent;
  permitModel(client, hookedRequest.model);
  const continuing = refuseForeign(hookedRequest, client, context);
  if (continuing) await continuing;
  noteOwner(hookedRequest, client, exchange, context);
  const { stored } = context;
  const inbound =
    (stored || last) && isStateful(endpoint)
      ? await beginStored(hookedRequest, { client, content, origin, exchange, last }, context, stored)
      : hookedRequest;
  if (inbound.expanded) exchange.asks(questionOf(inbound, headers));
  const user = inbound.json ? userOf(inbound.json.value) : null;
  const loading = context.ready();
  if (loading) await loading;
  if (inbound.storage?.background)
    return await inBackground(context, call, { inbound, unexpanded: hookedRequest, client, user });
  const stalled = () => server?.timeout(request, STALLED_CLOSE_SECONDS);
  context.running.add(abort, exchange);
  const address = () => addressOf(request, server);
  const requester = { caller: client, user, address };
  const inPieces = (bytes: Uint8Array) => {
    const large = new LargeBody(bytes, context.unread, () => {
      context.problem(`Request ${exchange.id}: its client read too little of the answer (limits.max_unread)`);
      stalled();
    });
    return new ReadableStream(large);
  };
  const handling = context.pipeline.handle(inbound, exchange, { abort, stalled, requester });
  const { early_head: afterMs, keepalive_comment: everyMs } = context.server;
  if (afterMs === 0 || last || !mayBeEarly(inbound)) {
    return respond(await handling, exchange, context, inPieces);
  }
  const replying = handling.then((reply) => respond(reply, exchange, context, inPieces));
  return await withEarlyHead(replying, {
    inbound,
    exchange,
    clock: context.clock,
    afterMs,
    everyMs: everyMs || afterMs,
    left: () => abort.abort(clientLeft()),
    problem: (error) => context.problem(defect(exchange.id, error)),
  });
}

function questionOf({ model, stream, json }: Inbound, headers: HeaderMap): Question {
  const user = json ? userOf(json.value) : null;
  return { model, stream, text: json?.text, user, tags: json ? tagsOf(headers, json.value) : null };
}

/** The request after the plugins' hooks, which replaces the original. */
async function afterHooks(
  context: ServerContext,
  { exchange, headers, endpoint }: Call,
  { hooks, sent, origin, abort }: { hooks: Hooks; sent: Inbound; origin: Origin; abort: Abort },
): Promise<Inbound> {
  const { model, stream, json } = sent;
  const user = json ? userOf(json.value) : null;
  const facts = { id: exchange.id, key: origin.caller, user, model, endpoint, stream };
  const inbound = await hooked(sent, origin, { hooks, facts, client: abort.signal }, context);
  if (inbound !== sent) exchange.asks(questionOf(inbound, headers));
  return inbound;
}

/** @param inPieces sends a large answer to a client that may read slowly */
function respond(
  reply: Reply,
  exchange: Exchange,
  { mask, draining }: ServerContext,
  inPieces: (bytes: Uint8Array) => ReadableStream<Uint8Array>,
): Response {
  const streams = reply.body instanceof ReadableStream;
  const { limitHeaders } = exchange;
  const headers = responseHeaders(reply.upstream, mask, limitHeaders !== undefined);
  if (reply.made) {
    delete headers['content-encoding'];
    if (!headers['content-type']?.startsWith(reply.made)) headers['content-type'] = reply.made;
  }
  if (streams) headers['x-accel-buffering'] = 'no';
  headers['x-request-id'] = exchange.id;
  const target = exchange.target!;
  headers['x-llmproxy-provider'] = target.provider.name;
  headers['x-llmproxy-model'] = headerText(target.model);
  headers['x-llmproxy-attempts'] = String(exchange.attempts.length);
  // The cost of a stream is known at its end only: it is in the log.
  const { cost } = exchange;
  if (!streams && cost !== null) headers['x-llmproxy-cost'] = decimal(cost);
  if (reply.dropped.length > 0) headers['x-llmproxy-dropped'] = headerList(reply.dropped);
  const hidden = exchange.attempts.findLast(({ fault }) => fault === null)?.redacted;
  if (hidden && someIn(hidden)) headers['x-llmproxy-redacted'] = countList(hidden);
  if (reply.lost && reply.lost.length > 0) headers['x-llmproxy-answer-dropped'] = headerList(reply.lost);
  // A client that keeps its connection alive would send the next request to a socket that is being closed.
  if (draining()) headers['connection'] = 'close';
  for (const name in limitHeaders) headers[name] = limitHeaders[name]!;
  return new Response(given(reply.body, inPieces), { status: reply.status, headers: kept.of(headers) });
}

const kept = new KeptHeaders();

/** The body in the form in which Bun sends it best. */
function given(
  body: Reply['body'],
  inPieces: (bytes: Uint8Array) => ReadableStream<Uint8Array>,
): Reply['body'] {
  if (body instanceof ReadableStream || body.length < SCATTERED) return body;
  return body.length <= LARGE ? inOnePiece(body) : inPieces(body);
}

function someIn(counts: Readonly<Record<string, number>>): boolean {
  for (const _ in counts) return true;
  return false;
}

/** "email=2, key=1" */
function countList(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([kind, count]) => `${kind}=${count}`)
    .join(', ');
}

/** An amount of USD with the necessary digits, eight at most. */
function decimal(usd: number): string {
  const shortest = String(Math.round(usd * 1e8) / 1e8);
  // Very small and very large ones would be written with an exponent.
  return shortest.includes('e') ? usd.toFixed(8).replace(/\.?0+$/, '') : shortest;
}

/** Aborts with a typed reason when the client disconnects; the deadline may abort it as well. */
export function leaving(signal: AbortSignal): Abort {
  return Abort.following(signal, clientLeft);
}

function clientLeft(): ProxyError {
  return new ProxyError('client_abort', 'Cannot finish the answer: the client closed the connection');
}
