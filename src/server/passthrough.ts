import type { Handler } from 'hono';
import type { Exchange } from '../pipeline/record/exchange.ts';
import type { Passing } from '../pipeline/passthrough/passage.ts';
import type { BaseProvider, PassCall } from '../providers/base.ts';
import type { Called } from './body.ts';
import type { Client } from './client.ts';
import type { ServerContext, ServerEnv } from './context.ts';
import { isLoopback } from '../config/references.ts';
import { ProxyError, toProxyError, statusOf } from '../errors.ts';
import { tooLarge } from '../pipeline/passthrough/passage.ts';
import { finishFailed } from '../pipeline/pipeline.ts';
import { pathTemplate, safeSegments } from '../wire/safe-path.ts';
import { headerMap, passedHeaders, passingHeaders, requestId } from '../wire/headers.ts';
import { bodyLimits, readBody } from './body.ts';
import { contentFor, conversationOf, tagsOf } from './content.ts';
import { errorResponse } from './error.ts';
import { scopeByKey } from './idempotency.ts';
import { leaving } from './inference.ts';
import { ownLimits } from './own-limits.ts';
import { addressOf } from './network.ts';
import { VIA, viaHere } from './via.ts';

/** HEAD is included in GET. */
export const PASSED_METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** Bodies up to this announced length are read at once, and sent with their length; longer ones are streamed, bytes. */
const SMALL = 1024 * 1024;

/** The longest User-Agent in a record, and provider name in a message, characters. */
const MAX_USER_AGENT = 200;
const MAX_NAME = 64;

/** The destination of a request. */
interface Place extends Pick<PassCall, 'segments'> {
  readonly provider: BaseProvider;
}

/**
 * /providers/NAME/...: requests to other endpoints are passed through to a provider, with its credentials in place of
 * the client's.
 * @param prefix the part before the name
 */
export function passOn(context: ServerContext, prefix: string): Handler<ServerEnv> {
  return async (c) => {
    const request = c.req.raw;
    const headers = headerMap(request.headers);
    const server = c.env?.server;
    const userAgent = headers['user-agent']?.slice(0, MAX_USER_AGENT) ?? null;
    const exchange = context.begin(requestId(headers) ?? context.newId(), 'passthrough', userAgent, headers);
    exchange.finally(ownLimits(context, request, server));
    try {
      return await pass(context, exchange, { request, headers, server }, prefix);
    } catch (thrown) {
      const error = toProxyError(thrown);
      if (error.fault === 'internal')
        context.problem(`Request ${exchange.id}: ${String(error.cause ?? error)}`);
      finishFailed(exchange, error, statusOf(error));
      return errorResponse(error, exchange);
    }
  };
}

async function pass(
  context: ServerContext,
  exchange: Exchange,
  called: Called,
  prefix: string,
): Promise<Response> {
  const { request, headers, server } = called;
  if (context.refusing()) throw new ProxyError('shutting_down', 'Cannot accept the request: shutting down');
  const client = await context.auth.client(headers, 'passthrough');
  const content = contentFor(context, client, headers);
  exchange.comesFrom({
    key: client.key,
    // The body is not parsed.
    content: content === 'full' ? 'metadata' : content,
    conversation: conversationOf(headers),
    group: client.group,
    labels: client.labels,
  });
  permit(context, client);
  const url = new URL(request.url, 'http://localhost');
  const { provider, segments } = placeOf(context, client, url.pathname.slice(prefix.length));
  const { method } = request;
  exchange.passes(provider.name, method, pathTemplate(segments));
  exchange.asks({ model: '', stream: false, text: undefined, user: null, tags: tagsOf(headers, {}) });
  context.admit(exchange);
  const travelling = passingHeaders(headers);
  travelling[VIA] = viaHere(headers, context.instance);
  Object.assign(travelling, exchange.joinTrace());
  scopeByKey(travelling, client.key);
  const query = queryWithout(url, context, headers);
  const { body, unpacked } = await bodyOf(context, called, client, exchange);
  if (unpacked) delete travelling['content-encoding'];
  const abort = leaving(request.signal);
  context.running.add(abort, exchange);
  const call = { method, segments, query, headers: travelling, body };
  const passing: Passing = { provider, call };
  const requester = { caller: client, user: null, address: () => addressOf(request, server) };
  const {
    status,
    upstream,
    body: answer,
  } = await context.passthrough.pass(passing, exchange, requester, abort);
  const back = passedHeaders(upstream, context.mask);
  Object.assign(back, exchange.limitHeaders);
  back['x-request-id'] = exchange.id;
  back['x-llmproxy-provider'] = provider.name;
  // The body of an error was decompressed to be read.
  if (typeof answer === 'string') delete back['content-encoding'];
  return new Response(answer, { status, headers: back });
}

/**
 * Requests that are passed through are not covered by lists of models and have no price, so they need permission:
 * `passthrough` in one of the key's lists; without keys, a proxy that only this machine can reach.
 * @throws ProxyError `not_permitted`
 */
function permit({ auth, server }: ServerContext, { key, access }: Client): void {
  if (auth.open) {
    if (isLoopback(server.host)) return;
    throw new ProxyError(
      'not_permitted',
      'Cannot forward the request: without keys, this is possible only on a loopback address; set `auth`',
    );
  }
  if (!access.namesEndpoint('passthrough'))
    throw new ProxyError(
      'not_permitted',
      `Cannot pass the request on: no list of the key "${key}" names passthrough; ask the operator to add it to \`endpoints\` of the key or its groups`,
    );
  if (access.narrowsModels)
    throw new ProxyError(
      'not_permitted',
      `Cannot pass the request on: the key "${key}" may use some models only, and a forwarded request may use any; ask the operator for a key without \`models\``,
    );
}

/** @param path after `/providers/` @throws ProxyError `unknown_route`, `not_permitted`, `invalid_request` */
function placeOf({ registry }: ServerContext, { key, access }: Client, path: string): Place {
  const slash = path.indexOf('/');
  const name = path.slice(0, slash);
  if (!access.allowsProvider(name))
    throw new ProxyError(
      'not_permitted',
      `Cannot pass the request on: the key "${key}" may not use the provider "${name.slice(0, MAX_NAME)}"`,
    );
  const provider = registry.provider(name);
  if (!provider?.passes)
    throw new ProxyError(
      'unknown_route',
      `Cannot pass the request on: "${name.slice(0, MAX_NAME)}" is not a provider with \`passthrough: true\``,
    );
  const segments = safeSegments(path.slice(slash));
  if (segments) return { provider, segments };
  throw new ProxyError(
    'invalid_request',
    'Cannot forward the request: its path has empty segments, dots in place of a name, or encoded slashes',
  );
}

/** The query without the client's key. */
function queryWithout(url: URL, { auth }: ServerContext, headers: Called['headers']): string {
  const given = auth.shown(headers);
  const kept = url.search
    .slice(1)
    .split('&')
    .filter((pair) => ![...new URLSearchParams(pair).values()].some((value) => given.includes(value)));
  return kept.join('&');
}

/** The body: whole if it is short, otherwise as a stream. */
async function bodyOf(
  context: ServerContext,
  called: Called,
  client: Client,
  exchange: Exchange,
): Promise<{ readonly body: PassCall['body']; readonly unpacked: boolean }> {
  const { request, headers } = called;
  const announced = Number(headers['content-length'] ?? NaN);
  const most = context.limits.max_passthrough;
  if (announced > most) throw tooLarge(most);
  if (!request.body) return { body: undefined, unpacked: false };
  if (!(announced <= SMALL)) return { body: request.body, unpacked: false };
  const { bytes, free } = await readBody(request, bodyLimits(context, called, client));
  exchange.finally(free);
  return { body: bytes, unpacked: true };
}
