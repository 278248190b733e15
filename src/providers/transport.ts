import type { ProviderConfig } from '../config/schema.ts';
import { ProxyError } from '../errors.ts';

/** The platform's fetch, or one bound to a connection pool; tests pass their own. */
export type Fetch = (url: URL, init: BunFetchRequestInit) => Promise<Response>;

/** Creates a fetch with a connection pool of its own, and a function that closes its idle connections. */
export type Connect = (options: {
  /** How long idle connections are kept open, milliseconds. */
  readonly keepaliveMs: number;
  readonly http2: ProviderConfig['http2'];
}) => { fetch: Fetch; release: () => void };

/**
 * Opens a connection to the point at which a request could be sent, and closes it again; rejects when it is refused, or
 * when the signal aborts.
 */
export type Dial = (url: URL, signal: AbortSignal) => Promise<void>;

/** The errors of Bun's fetch in words that a person can act on. @see Bun's error codes, measured on 1.4.5 */
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

/** What codes have in common that are not listed above. */
const FAMILIES: readonly (readonly [codes: RegExp, reason: string])[] = [
  [/^EAI_/, 'host name cannot be resolved'],
  [/^(?:CERT_|UNABLE_TO_)|SELF_SIGNED/, 'TLS certificate cannot be verified'],
  [/^ERR_(?:TLS|SSL)/, 'TLS handshake failed'],
];

/** Bun's code of an error; `undefined` if it has none. */
export function codeOf(cause: unknown): string | undefined {
  const code = (cause as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}

/** An error of fetch in words: "connection refused". */
export function socketReason(cause: unknown): string {
  const code = codeOf(cause);
  if (code === undefined) return 'connection failed';
  const [, family] = FAMILIES.find(([codes]) => codes.test(code)) ?? [];
  return REASONS[code] ?? (family === undefined ? code : `${family} (${code})`);
}

/** Whether it is an error that fetch throws for connection problems. */
export function isSocketError(thrown: unknown): boolean {
  const code = codeOf(thrown);
  return code !== undefined && (Object.hasOwn(REASONS, code) || UNOPENED.test(code));
}

/** Responses whose bodies are unchanged: still compressed if their headers say so. */
const raw = new WeakSet<Response>();

/** Whether the body of a response is still compressed as its headers say. */
export function isRaw(response: Response): boolean {
  return raw.has(response);
}

/** Marks the body of a response as unchanged. */
export function markRaw(response: Response): void {
  raw.add(response);
}

/**
 * Codes for connections that were never established, or on which nothing was sent: another request would have failed
 * the same way.
 */
const UNOPENED =
  /^(?:ECONNREFUSED|ConnectionRefused|ENOTFOUND|EAI_\w+|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EPROTO|HTTP2Unsupported|HTTP2RefusedStream|ERR_(?:TLS|SSL)\w*|CERT_\w+|UNABLE_TO_\w+|\w*SELF_SIGNED\w*)$/;

/**
 * A failure below HTTP: `unreachable` when there was no connection, otherwise `network`. The cause may name addresses,
 * never keys.
 * @param host the provider, or the target if the answer had begun
 */
export function networkError(host: string, cause: unknown): ProxyError {
  const code = codeOf(cause);
  const fault = code !== undefined && UNOPENED.test(code) ? 'unreachable' : 'network';
  return new ProxyError(fault, `Cannot reach ${host}: ${socketReason(cause)}`, { target: host, cause });
}

export interface ExchangeInit {
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body?: BunFetchRequestInit['body'];
  readonly signal: AbortSignal;
  /** Uses a new connection. */
  readonly fresh: boolean;
  /**
   * Called on a connection reset: whether an idle connection may have been reused, so that the provider is not to
   * blame.
   */
  readonly mayBeStale: () => boolean;
}

/**
 * One exchange over HTTP: redirects are not followed (they would carry the key elsewhere), nothing is decompressed
 * (relayed bytes stay unchanged), and the caller's signal is the only timeout. Bun does not repeat a POST.
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
