import { ProxyError } from '../errors.ts';

/** The platform's fetch, or one bound to a connection pool; tests pass their own. */
export type Fetch = (url: URL, init: BunFetchRequestInit) => Promise<Response>;

/** What Bun's fetch throws, in words a person can act on. @see BUN's error codes, measured on 1.4.5 */
const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ConnectionRefused: 'connection refused',
  ECONNRESET: 'connection reset',
  ENOTFOUND: 'host name not found',
  ETIMEDOUT: 'connection timed out',
  EPROTO: 'TLS handshake failed',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'TLS certificate is self-signed',
  ERR_TLS_CERT_ALTNAME_INVALID: 'TLS certificate is for another host',
  Malformed_HTTP_Response: 'answer is not HTTP',
  InvalidHTTPResponse: 'answer is not valid HTTP',
  ZlibError: 'compressed answer is broken',
};

/** A failed exchange below HTTP as a `network` error. The cause may name addresses, never keys. */
export function networkError(provider: string, cause: unknown): ProxyError {
  const code = (cause as { code?: unknown } | undefined)?.code;
  const reason = (typeof code === 'string' ? (REASONS[code] ?? code) : undefined) ?? 'connection failed';
  return new ProxyError('network', `Cannot reach ${provider}: ${reason}`, { target: provider, cause });
}

/**
 * One exchange over HTTP: no redirects are followed (they would carry the key elsewhere), nothing is
 * decompressed (relayed bytes stay as they came), and no timer runs but the caller's signal.
 * @throws the signal's reason, or ProxyError `network`
 */
export async function exchange(
  fetch: Fetch,
  provider: string,
  url: URL,
  init: {
    method: string;
    headers: Record<string, string>;
    body?: BunFetchRequestInit['body'];
    signal: AbortSignal;
  },
): Promise<Response> {
  try {
    return await fetch(url, { ...init, redirect: 'manual', decompress: false, timeout: false });
  } catch (cause) {
    if (init.signal.aborted) throw init.signal.reason;
    throw networkError(provider, cause);
  }
}
