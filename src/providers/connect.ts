import type { Connect, Dial, Fetch } from './transport.ts';
import { http2First, http2Only } from './http2.ts';

/** A connection pool for Bun's fetch. @see docs/runtime/networking/fetch in bun-types */
export const connectPool: Connect = ({ keepaliveMs, http2 }) => {
  const session = new Bun.FetchSession({ keepAlive: { idleTimeout: Math.max(1, keepaliveMs / 1000) } });
  const fetch: Fetch = (url, init) => session.fetch(url, init);
  const fetchers = { off: fetch, auto: http2First(fetch), on: http2Only(fetch) };
  return { fetch: fetchers[http2], release: () => session.close() };
};

const PROXY_VARIABLES = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy'];

/** Opens a connection, including TLS, and closes it; does nothing if connections go through an HTTP proxy. */
export function directDial(env: Readonly<Record<string, string | undefined>>): Dial | undefined {
  if (PROXY_VARIABLES.some((name) => env[name])) return undefined;
  return async ({ hostname, port, protocol }, signal) => {
    const secure = protocol === 'https:';
    const host = hostname.replace(/^\[|\]$/g, '');
    const { promise: shaken, resolve, reject } = Promise.withResolvers<void>();
    let close = (): void => undefined;
    signal.addEventListener(
      'abort',
      () => {
        reject(signal.reason as Error);
        close();
      },
      { once: true },
    );
    Bun.connect({
      hostname: host,
      port: Number(port) || (secure ? 443 : 80),
      // Whether the certificate is valid is checked by the request itself.
      ...(secure ? { tls: { serverName: host, rejectUnauthorized: false } } : {}),
      socket: {
        open(socket) {
          close = () => socket.terminate();
          if (signal.aborted) close();
          else if (!secure) resolve();
        },
        data: () => undefined,
        handshake: () => resolve(),
        close: () => reject(new Error('closed within the TLS handshake')),
        error: (_, error) => reject(error),
      },
    }).catch(reject);
    try {
      await shaken;
    } finally {
      close();
    }
  };
}
