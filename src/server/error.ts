import type { Exchange } from '../pipeline/record/exchange.ts';
import type { ProxyError } from '../errors.ts';
import { statusOf } from '../errors.ts';
import { clientOf } from '../wire/clients.ts';

/** The request that an error responds to. */
export type Failed = Pick<Exchange, 'id' | 'attempts' | 'endpoint'> & Partial<Pick<Exchange, 'limitHeaders'>>;

/**
 * A typed error as a response in the client's protocol. An error of the client that the provider detected is passed on
 * in the provider's own bytes, if these are in that protocol.
 */
export function errorResponse(error: ProxyError, exchange: Failed): Response {
  const { upstream, rule } = error;
  const headers = errorHeaders(error, exchange);
  const status = statusOf(error);
  if (upstream?.verbatim && rule.health === 'none') {
    return new Response(upstream.body, { status, headers });
  }
  const details = exchange.attempts;
  const body = clientOf(exchange.endpoint).errorBody(error, exchange.id, details);
  return new Response(`${JSON.stringify(body)}\n`, { status, headers });
}

function errorHeaders(error: ProxyError, exchange: Failed): Record<string, string> {
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    'x-request-id': exchange.id,
    'x-llmproxy-attempts': String(exchange.attempts.length),
    ...exchange.limitHeaders,
    ...error.headers,
  };
  if (error.target !== undefined) headers['x-llmproxy-provider'] = error.target.split('/')[0]!;
  if (error.retryAfterMs !== undefined) {
    headers['retry-after'] = String(Math.ceil(error.retryAfterMs / 1000));
    headers['retry-after-ms'] = String(Math.ceil(error.retryAfterMs));
  }
  // The rest of a body that arrived too slowly is not waited for.
  if (error.fault === 'request_timeout') headers.connection = 'close';
  if (error.fault === 'unauthenticated') headers['www-authenticate'] = 'Bearer';
  return headers;
}
