import type { Server } from 'bun';
import { chmodSync } from 'node:fs';
import type { TlsConfig } from '../config/schema/socket.ts';
import type { TlsMaterial } from '../config/tls-files.ts';
import type { ServerBindings, SocketHandler } from './context.ts';
import { http2Answer } from './http2-answer.ts';
import { sockets } from './sockets.ts';
import { afterBody } from './unread-body.ts';

export interface Listener {
  readonly url: string;
  readonly port: number;
  /** Requests in progress, including streams. */
  readonly pending: () => number;
  /**
   * Waits a moment for clients that keep connections to learn that these will be closed, then accepts nothing new, lets
   * requests finish for at most `limitMs`, and aborts the rest.
   * @param served.refuse refuses requests from now on
   * @param served.cut aborts them in an orderly way, before their connections are closed
   * @returns whether all finished
   */
  drain(limitMs: number, served: { refuse(): void; cut(): void }): Promise<boolean>;
  /** Aborts everything now. @param cut lets answers report that they were interrupted, if given */
  stop(cut?: () => void): Promise<void>;
  /** Serves new connections with another certificate; without effect if there is none. */
  certify(material: TlsMaterial): void;
}

export interface ListenOptions {
  readonly host: string;
  /** 0 selects a free one. */
  readonly port: number;
  /** Whether other processes listen on the same port, and get a share of the connections. Linux only. */
  readonly shared?: boolean;
  /** Whether HTTP/2 is supported as well. */
  readonly http2?: boolean;
}

export interface TlsListenOptions extends ListenOptions {
  readonly material: TlsMaterial;
  readonly clientAuth: TlsConfig['client_auth'];
}

export interface UnixListenOptions {
  /** The path, at which nothing may exist. */
  readonly path: string;
  /** The permissions of the socket. */
  readonly mode: number;
  readonly http2?: boolean;
}

/** The handler of requests. */
export interface App {
  readonly fetch: (request: Request, bindings: ServerBindings) => Response | Promise<Response>;
  /**
   * Handles a request for a WebSocket; without a response if it was upgraded.
   * @returns `undefined` if its path has no WebSockets: `fetch` handles it then
   */
  readonly upgrade?: (
    request: Request,
    bindings: ServerBindings,
  ) => Promise<Response | undefined> | undefined;
  /** The largest message of a WebSocket, bytes. */
  readonly maxMessage?: number;
}

/** How long a connection may be idle. */
export const IDLE_SECONDS = 60;

/** Binds the app to a port. @throws as Bun does when it cannot listen, above all `code` EADDRINUSE */
export function listen(app: App, options: ListenOptions): Listener {
  const { host, port } = options;
  const served = serve(options, app, (request, server) => answerOf(app, request, server));
  const { server } = served;
  return listenerOf(served, { url: `http://${shown(host)}:${server.port}`, port: server.port ?? port });
}

/** Binds the app to a port with TLS. @throws as the system does when it cannot listen */
export async function listenTls(app: App, options: TlsListenOptions): Promise<Listener> {
  const { host, shared = false, http2 = false } = options;
  const { TlsFront } = await import('./tls/front.ts');
  const { CERTIFICATE } = await import('./tls/client-certificate.ts');
  const innerPort = () => served.server.port!;
  const front = new TlsFront({ ...options, shared, http2, innerPort });
  const served = serve({ host: '127.0.0.1', port: 0, http2 }, app, (request, server) => {
    const peer = front.peerAt(server.requestIP(request)?.port);
    // Another program on this machine has connected to the internal port: it has presented no certificate.
    if (!peer) return new Response(null, { status: 403 });
    if (peer.names !== undefined) request.headers.set(CERTIFICATE, peer.names);
    const timeout = (of: Request, seconds: number) => server.timeout(of, seconds);
    const upgrade = (of: Request, options: { data: SocketHandler }) => server.upgrade(of, options);
    return answerOf(app, request, { timeout, requestIP: () => peer, upgrade });
  });
  try {
    const port = await front.listen();
    const url = `https://${shown(host)}:${port}`;
    const certify = (material: TlsMaterial) => front.replace(material);
    return listenerOf(served, { url, port, certify, close: () => front.stopListening() });
  } catch (thrown) {
    await served.server.stop(true);
    throw thrown;
  }
}

/** Binds the app to a unix socket. @throws as Bun does when it cannot listen */
export function listenUnix(app: App, { path, mode, http2 = false }: UnixListenOptions): Listener {
  // Others must not be able to connect before the permissions are set.
  const umask = process.umask(0o177);
  try {
    const served = serve({ unix: path, http2 }, app, (request, server) => answerOf(app, request, server));
    chmodSync(path, mode);
    return listenerOf(served, { url: `unix:${path}`, port: 0 });
  } finally {
    process.umask(umask);
  }
}

type Place = Pick<ListenOptions, 'host' | 'port' | 'shared' | 'http2'> | { unix: string; http2: boolean };

type Answer = Response | undefined | Promise<Response | undefined>;

/** The response of an app; none if the request was upgraded to a WebSocket. */
function answerOf(app: App, request: Request, server: ServerBindings['server']): Answer {
  const bindings = server ? { server } : {};
  const isUpgrade = request.method === 'GET' && request.headers.get('upgrade') !== null;
  return (isUpgrade ? app.upgrade?.(request, bindings) : undefined) ?? app.fetch(request, bindings);
}

interface Served {
  readonly server: Server<SocketHandler>;
  /** Accepts nothing new; resolves when every connection has ended. */
  readonly stop: () => Promise<void>;
  /** The number of requests that have begun. */
  readonly begun: () => number;
}

function serve(
  place: Place,
  { maxMessage }: App,
  answer: (request: Request, server: Server<SocketHandler>) => Answer,
): Served {
  let begun = 0;
  let stopping = false;
  const { http2 = false } = place;
  const server: Server<SocketHandler> = Bun.serve({
    ...('unix' in place
      ? { unix: place.unix }
      : { hostname: place.host, port: place.port, reusePort: place.shared ?? false }),
    ...(http2 ? { http2 } : {}),
    // A client that sends its request slowly is disconnected; handlers lift this timeout for their own duration.
    idleTimeout: IDLE_SECONDS,
    // The app limits bodies itself (limits.max_body): Bun's own 413 would have no message.
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    fetch(request: Request, bun: Server<SocketHandler>) {
      begun += 1;
      return http2 ? whole(request, answer(request, bun), () => stopping) : answer(request, bun);
    },
    websocket: sockets(maxMessage),
    error: () => new Response('Internal error', { status: 500 }),
  } as Bun.Serve.Options<SocketHandler>);
  const stop = (): Promise<void> => {
    stopping = true;
    return server.stop();
  };
  return { server, stop, begun: () => begun };
}

/** Adapts a response so that HTTP/2 clients receive all of it: see {@link afterBody} and {@link http2Answer}. */
async function whole(
  request: Request,
  answer: Answer,
  stopping: () => boolean,
): Promise<Response | undefined> {
  const answered = await answer;
  if (!answered) return undefined;
  const given = http2Answer(answered, stopping);
  return given.status < 400 ? given : await afterBody(request, given);
}

interface Shown {
  readonly url: string;
  readonly port: number;
  readonly certify?: (material: TlsMaterial) => void;
  /** Stops a listener that is not Bun.serve's. */
  readonly close?: () => void;
}

function listenerOf(
  { server, stop: stopServer, begun }: Served,
  { url, port, certify, close }: Shown,
): Listener {
  const stop = (): Promise<void> => {
    close?.();
    return stopServer();
  };
  return {
    url,
    port,
    pending: () => server.pendingRequests + server.pendingWebSockets,
    certify: (material) => certify?.(material),
    async drain(limitMs, { refuse, cut }) {
      const isQuiet = await quiet(begun);
      refuse();
      // A refusal tells clients to ask elsewhere; a connection that breaks does not say whether the request was served.
      if (!isQuiet) await quiet(begun);
      const closed = stop();
      if (await within(limitMs, closed)) return true;
      cut();
      await within(LAST_WORD_MS, closed);
      await server.stop(true);
      return false;
    },
    async stop(cut) {
      if (cut) {
        const closed = stop();
        cut();
        await within(LAST_WORD_MS, closed);
      }
      close?.();
      await server.stop(true);
    },
  };
}

/** How long the last bytes of an aborted answer may take to reach its client, milliseconds. */
const LAST_WORD_MS = 500;

/**
 * Idle connections are closed at once, and a request on its way is lost. Clients with persistent connections are
 * therefore given a moment to learn, with an answer, that theirs will be closed: until nothing has arrived for this
 * long. Requests that arrive meanwhile are answered, so that load balancers which do not repeat requests lose none.
 */
const QUIET_MS = 250;
const QUIET_AFTER_MS = 1_000;

/**
 * Waits until no request has begun for a while. @param begun the number of requests so far @returns false if the time
 * is over before
 */
async function quiet(begun: () => number): Promise<boolean> {
  if (begun() === 0) return true;
  for (let waitedMs = 0; waitedMs < QUIET_AFTER_MS; waitedMs += QUIET_MS) {
    const before = begun();
    await Bun.sleep(QUIET_MS);
    if (begun() === before) return true;
  }
  return false;
}

/** Whether a condition becomes true in time. */
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
