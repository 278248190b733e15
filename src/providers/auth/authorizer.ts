import type { AuthScheme } from '../../config/presets.ts';

/** A request that is about to be sent, as far as a signature covers it. */
export interface Unsigned {
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array<ArrayBuffer> | string | undefined;
}

/** Shows a provider who asks. */
export interface Authorizer {
  /**
   * The headers that do so. A promise where a token must be fetched or a signature made.
   * @param key which of the provider's keys, from 0
   * @throws ProxyError `auth` when no credentials are to be had, `network` when whoever gives them cannot be reached
   */
  headers(
    key: number,
    request: Unsigned,
    signal: AbortSignal,
  ): Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>;
  /** The names of those headers, with a word in place of the secret. */
  readonly outline: Readonly<Record<string, string>>;
}

/** A key as a header, the same on every request. */
export function keyAuth(scheme: AuthScheme, keys: readonly string[]): Authorizer {
  const all = keys.map((key) => keyHeaders(scheme, key));
  const outline = keys.length > 0 ? keyHeaders(scheme, '[masked]') : {};
  return { headers: (key) => all[key] ?? {}, outline };
}

function keyHeaders(scheme: AuthScheme, key: string): Readonly<Record<string, string>> {
  if (scheme === 'none') return {};
  return scheme === 'bearer' ? { authorization: `Bearer ${key}` } : { [scheme]: key };
}
