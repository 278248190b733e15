import type { Server } from 'bun';
import type { ServerBindings } from './context.ts';

export interface Listener {
  readonly url: string;
  readonly port: number;
  /** Requests in flight, streams included. */
  readonly pending: () => number;
  /**
   * Accepts nothing new, lets requests finish for at most `limitMs`, then cuts the rest.
   * @param cut ends them in their own way, before their connections are
   * @returns whether all finished
   */
  drain(limitMs: number, cut: () => void): Promise<boolean>;
  /** Cuts everything now. @param cut lets answers say that they are cut, where it is given */
  stop(cut?: () => void): Promise<void>;
}

export interface ListenOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** Whether other processes listen on the same port, and get their share of the connections. Linux only. */
  readonly shared?: boolean;
}

/** What answers requests. */
export interface App {
  readonly fetch: (request: Request, bindings: ServerBindings) => Response | Promise<Response>;
}

/** How long a connection may lie idle. */
export const IDLE_SECONDS = 60;

/** Binds the app to a socket. @throws what Bun throws when it cannot listen, `code` EADDRINUSE above all */
export function listen(app: App, { host, port, shared = false }: ListenOptions): Listener {
  let begun = 0;
  const server: Server<undefined> = Bun.serve({
    hostname: host,
    port,
    reusePort: shared,
    // A client that is slow to send its request is cut; the handlers take this limit off for their own time.
    idleTimeout: IDLE_SECONDS,
    // The app counts bodies itself (limits.max_body): Bun's own 413 would come without a word.
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    fetch(request, bun) {
      begun += 1;
      return app.fetch(request, { server: bun });
    },
    error: () => new Response('Internal error', { status: 500 }),
  });
  return {
    url: `http://${shown(host)}:${server.port}`,
    port: server.port ?? port,
    pending: () => server.pendingRequests,
    async drain(limitMs, cut) {
      await quiet(() => begun);
      const closed = server.stop();
      if (await within(limitMs, closed)) return true;
      cut();
      await within(LAST_WORD_MS, closed);
      await server.stop(true);
      return false;
    },
    async stop(cut) {
      if (cut) {
        const closed = server.stop();
        cut();
        await within(LAST_WORD_MS, closed);
      }
      await server.stop(true);
    },
  };
}

/** How long the last word of an answer that is cut may take to reach its client, milliseconds. */
const LAST_WORD_MS = 500;

/**
 * What lies idle is closed at once, and a request on its way there is lost. So those that keep connections are given
 * a moment to hear, with an answer, that theirs is closed: until nothing came for this long.
 */
const QUIET_MS = 250;
const QUIET_AFTER_MS = 1_000;

/** Waits until nothing begins any more, or has begun for long enough. @param begun how much has so far */
async function quiet(begun: () => number): Promise<void> {
  if (begun() === 0) return;
  for (let waitedMs = 0; waitedMs < QUIET_AFTER_MS; waitedMs += QUIET_MS) {
    const before = begun();
    await Bun.sleep(QUIET_MS);
    if (begun() === before) return;
  }
}

/** Whether it comes true in time. */
async function within(ms: number, event: Promise<unknown>): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<false>();
  const timer = setTimeout(() => resolve(false), ms);
  const inTime = await Promise.race([event.then(() => true), promise]);
  clearTimeout(timer);
  return inTime;
}

function shown(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
