import type { Dial, Fetch } from './transport.ts';

/** A connection pool of Bun's fetch. @see docs/runtime/networking/fetch in bun-types */
export function connectPool({ keepaliveMs }: { keepaliveMs: number }): { fetch: Fetch; release: () => void } {
  const session = new Bun.FetchSession({ keepAlive: { idleTimeout: Math.max(1, keepaliveMs / 1000) } });
  return { fetch: (url, init) => session.fetch(url, init), release: () => session.close() };
}

const PROXY_VARIABLES = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy'];

/** Opens a TCP connection and closes it; nothing where connections go through an HTTP proxy. */
export function directDial(env: Readonly<Record<string, string | undefined>>): Dial | undefined {
  if (PROXY_VARIABLES.some((name) => env[name])) return undefined;
  return async ({ hostname, port, protocol }) => {
    const socket = await Bun.connect({
      hostname: hostname.replace(/^\[|\]$/g, ''),
      port: Number(port) || (protocol === 'https:' ? 443 : 80),
      socket: { data: () => undefined },
    });
    socket.end();
  };
}
