import type { Server } from 'bun';
import type { ServerBindings } from './context.ts';

export interface Listener {
  readonly url: string;
  readonly port: number;
  /** Requests in flight, streams included. */
  readonly pending: () => number;
  /**
   * Accepts nothing new, lets requests finish for at most `limitMs`, then cuts the rest.
   * @returns whether all finished
   */
  drain(limitMs: number): Promise<boolean>;
  /** Cuts everything now. */
  stop(): Promise<void>;
}

export interface ListenOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
}

/** What answers requests. */
export interface App {
  readonly fetch: (request: Request, bindings: ServerBindings) => Response | Promise<Response>;
}

/** Binds the app to a socket. @throws what Bun throws when it cannot listen, `code` EADDRINUSE above all */
export function listen(app: App, { host, port }: ListenOptions): Listener {
  const server: Server<undefined> = Bun.serve({
    hostname: host,
    port,
    // A client that is slow to send its request is cut; the handlers take this limit off for their own time.
    idleTimeout: 60,
    // The app counts bodies itself (limits.max_body): Bun's own 413 would come without a word.
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    fetch: (request, bun) => app.fetch(request, { server: bun }),
    error: () => new Response('Internal error', { status: 500 }),
  });
  return {
    url: `http://${shown(host)}:${server.port}`,
    port: server.port ?? port,
    pending: () => server.pendingRequests,
    async drain(limitMs) {
      const closed = server.stop().then(() => true);
      const { promise, resolve } = Promise.withResolvers<false>();
      const timer = setTimeout(() => resolve(false), limitMs);
      const all = await Promise.race([closed, promise]);
      clearTimeout(timer);
      if (!all) await server.stop(true);
      return all;
    },
    stop: () => server.stop(true),
  };
}

function shown(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
