/** What clients that cannot set headers send instead: browsers, whose WebSockets take a URL and protocols alone. */
import type { HeaderMap } from '../../wire/headers.ts';

/** How OpenAI's clients in browsers send their key. */
const KEY = 'openai-insecure-api-key.';
/** Protocols that stand for a header, and are none that is spoken. */
const STANDS_FOR_HEADER = /^openai-(?:insecure-api-key|organization|project|beta)\./;
const BETA = /^openai-beta\.(.+)-(v\d+)$/;

/** Names of a key in the query, by endpoint: Azure's for browsers, and Gemini's. */
const IN_QUERY = { realtime: 'api-key', 'realtime.live': 'key' } as const;

/** The headers of a request for a WebSocket, with those that its protocols and its query stand for. */
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

/** The protocol to agree on; `undefined` where the client offers none that is spoken. It must never be the one with the key. */
export function agreedProtocol(headers: HeaderMap): string | undefined {
  const spoken = protocolsOf(headers).filter((protocol) => !STANDS_FOR_HEADER.test(protocol));
  return spoken.find((protocol) => protocol === 'realtime') ?? spoken[0];
}

function protocolsOf(headers: HeaderMap): string[] {
  const list = headers['sec-websocket-protocol'];
  return list === undefined ? [] : list.split(',').map((protocol) => protocol.trim());
}
