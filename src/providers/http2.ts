import type { Fetch } from './transport.ts';
import { codeOf } from './transport.ts';

/** What Bun's fetch throws if HTTP/2 is required and not supported: nothing has been sent then. */
export const UNSUPPORTED = 'HTTP2Unsupported';

/** Sends a request by HTTP/2, which Bun's fetch supports over TLS only. */
export function http2Only(fetch: Fetch): Fetch {
  return (url, init) => fetch(url, { ...init, protocol: 'http2' });
}

/**
 * Sends a request by HTTP/2 if the origin supports it. Otherwise the request is sent by HTTP/1.1 at once, as are all
 * later ones. This does not count as a failure.
 */
export function http2First(fetch: Fetch): Fetch {
  const withoutHttp2 = new Set<string>();
  return async (url, init) => {
    const { protocol, origin } = url;
    if (protocol !== 'https:' || withoutHttp2.has(origin)) return await fetch(url, init);
    try {
      return await fetch(url, { ...init, protocol: 'http2' });
    } catch (cause) {
      if (codeOf(cause) !== UNSUPPORTED) throw cause;
      withoutHttp2.add(origin);
      return await fetch(url, init);
    }
  };
}
