import type { ProviderConfig } from '../config/schema.ts';
import { ProxyError } from '../errors.ts';

/** The platform's fetch, or one bound to a connection pool; tests pass their own. */
export type Fetch = (url: URL, init: BunFetchRequestInit) => Promise<Response>;

/** Makes a fetch with a connection pool of its own, and what closes its idle connections. */
export type Connect = (options: {
  /** How long idle connections are kept, milliseconds. */
  readonly keepaliveMs: number;
  readonly http2: ProviderConfig['http2'];
}) => { fetch: Fetch; release: () => void };

/**
 * Opens a connection as far as a request can be sent on it, and closes it again; rejects when it is refused, or when the
 * signal aborts.
 */
export type Dial = (url: URL, signal: AbortSignal) => Promise<void>;

/** What Bun's fetch throws, in words a person can act on. @see BUN's error codes, measured on 1.4.5 */
const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ConnectionRefused: 'connection refused',
  ECONNRESET: 'connection reset',
  ENOTFOUND: 'host name not found',
  ETIMEDOUT: 'connection timed out',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'TLS certificate is of an unknown authority',
  SELF_SIGNED_CERT_IN_CHAIN: 'TLS certificate is of an unknown authority',
  HTTP2Unsupported: 'it does not speak HTTP/2',
  HTTP2StreamReset: 'HTTP/2 stream was reset',
  HTTP2RefusedStream: 'HTTP/2 stream was refused',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
  EPROTO: 'TLS handshake failed',
  CERT_HAS_EXPIRED: 'TLS certificate has expired',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'TLS certificate is self-signed',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'TLS certificate cannot be verified',
  ERR_TLS_CERT_ALTNAME_INVALID: 'TLS certificate is for another host',
  Malformed_HTTP_Response: 'answer is not HTTP',
  InvalidHTTPResponse: 'answer is not valid HTTP',
  ZlibError: 'compressed answer is broken',
};

/** What Bun calls a failure; `undefined` where it has no name. */
export function codeOf(cause: unknown): string | undefined {
  const code = (cause as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}

/** What a fetch threw, in words: "connection refused". */
export function socketReason(cause: unknown): string {
  const code = codeOf(cause);
  return code === undefined ? 'connection failed' : (REASONS[code] ?? code);
}

/** Whether it is what fetch throws when something is wrong with a connection. */
export function isSocketError(thrown: unknown): boolean {
  const code = codeOf(thrown);
  return code !== undefined && (Object.hasOwn(REASONS, code) || UNOPENED.test(code));
}

/** Answers whose bodies are as they came, still compressed when they say so. */
const raw = new WeakSet<Response>();

/** Whether the body of a response is still compressed when its headers say so. */
export function isRaw(response: Response): boolean {
  return raw.has(response);
}

/** Remembers that the body of a response is as it came. */
export function markRaw(response: Response): void {
  raw.add(response);
}

/** Codes of connections that were never opened, or on which nothing was begun: whatever was to be sent, it would have met the same. */
const UNOPENED =
  /^(?:ECONNREFUSED|ConnectionRefused|ENOTFOUND|EAI_\w+|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EPROTO|HTTP2Unsupported|HTTP2RefusedStream|ERR_(?:TLS|SSL)\w*|CERT_\w+|UNABLE_TO_\w+|\w*SELF_SIGNED\w*)$/;

/**
 * A failed exchange below HTTP: `unreachable` when no connection came about, else `network`. The cause may name
 * addresses, never keys.
 * @param asked the provider, or the target where the answer had begun
 */
export function networkError(asked: string, cause: unknown): ProxyError {
  const code = codeOf(cause);
  const fault = code !== undefined && UNOPENED.test(code) ? 'unreachable' : 'network';
  return new ProxyError(fault, `Cannot reach ${asked}: ${socketReason(cause)}`, { target: asked, cause });
}

export interface ExchangeInit {
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body?: BunFetchRequestInit['body'];
  readonly signal: AbortSignal;
  /** On a connection of its own. */
  readonly fresh: boolean;
  /** Asked when it is reset: whether an idle connection may have been taken, which says nothing about the provider. */
  readonly mayBeStale: () => boolean;
}

/**
 * One exchange over HTTP: no redirects are followed (they would carry the key elsewhere), nothing is
 * decompressed (relayed bytes stay as they came), and no timer runs but the caller's signal. Bun repeats no POST.
 * @throws the signal's reason, or ProxyError `network` or `stale_connection`
 */
export async function exchange(
  fetch: Fetch,
  provider: string,
  url: URL,
  { method, headers, body, signal, fresh, mayBeStale }: ExchangeInit,
): Promise<Response> {
  const init: BunFetchRequestInit = {
    method,
    headers,
    body: body ?? null,
    signal,
    redirect: 'manual',
    decompress: false,
    timeout: false,
  };
  if (fresh) init.keepalive = false;
  try {
    return await fetch(url, init);
  } catch (cause) {
    if (signal.aborted) throw signal.reason;
    if (!fresh && codeOf(cause) === 'ECONNRESET' && mayBeStale()) {
      const message = `Cannot use the open connection to ${provider}: it was closed while the request was sent`;
      throw new ProxyError('stale_connection', message, { target: provider, cause });
    }
    throw networkError(provider, cause);
  }
}
