/** Credentials of clients that cannot set headers: browsers, whose WebSockets only take a URL and protocols. */
import type { HeaderMap } from '../../wire/headers.ts';

/** The protocol prefix with which OpenAI's clients in browsers send their key. */
const KEY = 'openai-insecure-api-key.';
/** Protocols that represent a header rather than a real subprotocol. */
const STANDS_FOR_HEADER = /^openai-(?:insecure-api-key|organization|project|beta)\./;
const BETA = /^openai-beta\.(.+)-(v\d+)$/;

/** Query parameters with a key, by endpoint: Azure's for browsers, and Gemini's. */
const IN_QUERY = { realtime: 'api-key', 'realtime.live': 'key' } as const;

/** The headers of a WebSocket request, including those represented by its protocols and its query. */
export function spelledOut(
  headers: HeaderMap,
  query: URLSearchParams,
  endpoint: keyof typeof IN_QUERY,
): HeaderMap {
  const protocols = protocolsOf(headers);
  const key = protocols.find((protocol) => protocol.startsWith(KEY))?.slice(KEY.length);
  const [, beta, version] = protocols.map((protocol) => BETA.exec(protocol)).find(Boolean) ?? [];
  const inQuery = query.get(IN_QUERY[endpoint]);
  return {
    ...headers,
    ...(key !== undefined && headers.authorization === undefined ? { authorization: `Bearer ${key}` } : {}),
    ...(beta !== undefined && headers['openai-beta'] === undefined
      ? { 'openai-beta': `${beta}=${version}` }
      : {}),
    ...(inQuery !== null && headers['x-api-key'] === undefined ? { 'x-api-key': inQuery } : {}),
  };
}

/**
 * The subprotocol to accept; `undefined` if the client offers none that is supported. It must never be the one with the
 * key.
 */
export function agreedProtocol(headers: HeaderMap): string | undefined {
  const offered = protocolsOf(headers).filter((protocol) => !STANDS_FOR_HEADER.test(protocol));
  return offered.find((protocol) => protocol === 'realtime') ?? offered[0];
}

function protocolsOf(headers: HeaderMap): string[] {
  const list = headers['sec-websocket-protocol'];
  return list === undefined ? [] : list.split(',').map((protocol) => protocol.trim());
}
