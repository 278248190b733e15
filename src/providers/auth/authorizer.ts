import type { AuthScheme } from '../../config/presets.ts';

/** The parts of an outgoing request that a signature covers. */
export interface Unsigned {
  /** The index of the provider's key, from 0. */
  readonly key: number;
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array<ArrayBuffer> | string | undefined;
}

/** Authenticates requests to a provider. */
export interface Authorizer {
  /**
   * The headers that authenticate a request. A promise if a token must be fetched or a signature computed.
   * @throws ProxyError `auth` when there are no credentials, `network` when their issuer cannot be reached
   */
  headers(
    request: Unsigned,
    signal: AbortSignal,
  ): Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>;
}

/** Sends the key in a header. */
export function keyHeaders(scheme: AuthScheme, key: string): Readonly<Record<string, string>> {
  if (scheme === 'none') return {};
  return scheme === 'bearer' ? { authorization: `Bearer ${key}` } : { [scheme]: key };
}
