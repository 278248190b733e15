import type { AuthScheme } from '../../config/presets.ts';

/** A request that is about to be sent, as far as a signature covers it. */
export interface Unsigned {
  /** Which of the provider's keys, from 0. */
  readonly key: number;
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array<ArrayBuffer> | string | undefined;
}

/** Shows a provider who asks. */
export interface Authorizer {
  /**
   * The headers that do so. A promise where a token must be fetched or a signature made.
   * @throws ProxyError `auth` when no credentials are to be had, `network` when whoever gives them cannot be reached
   */
  headers(
    request: Unsigned,
    signal: AbortSignal,
  ): Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>;
}

/** A key as a header. */
export function keyHeaders(scheme: AuthScheme, key: string): Readonly<Record<string, string>> {
  if (scheme === 'none') return {};
  return scheme === 'bearer' ? { authorization: `Bearer ${key}` } : { [scheme]: key };
}
