import type { Fetch } from './transport.ts';
import { codeOf } from './transport.ts';

/** What Bun's fetch throws where HTTP/2 is wanted and not spoken: nothing was sent then. */
export const UNSUPPORTED = 'HTTP2Unsupported';

/** Asks by HTTP/2, of which Bun's fetch speaks none without TLS. */
export function http2Only(fetch: Fetch): Fetch {
  return (url, init) => fetch(url, { ...init, protocol: 'http2' });
}

/**
 * Asks by HTTP/2 where it is spoken. An origin that does not is asked the same by HTTP/1.1 at once, and from then on.
 * Nobody hears of it: it is no failure.
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
