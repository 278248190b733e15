/**
 * Accepts TLS connections and passes their bytes to the HTTP server, which listens on loopback. Bun.serve supports TLS
 * itself, but exposes no client certificates, and cannot change its own certificate: another server on the same port
 * would have to replace it, and connections that are being opened meanwhile would be lost.
 */
import type { Socket } from 'bun';
import type { Server, TLSSocket } from 'node:tls';
import { createServer } from 'node:tls';
import type { TlsConfig } from '../../config/schema/socket.ts';
import type { TlsMaterial } from '../../config/tls-files.ts';
import { alternativeNames, sealNames } from './client-certificate.ts';

/** The peer of a connection. */
export interface Peer {
  readonly address: string;
  /** The sealed identity in its certificate; `undefined` if it presented none. */
  readonly names: string | undefined;
}

export interface FrontOptions {
  readonly host: string;
  /** 0 selects a free one. */
  readonly port: number;
  /** Whether other processes listen on the same port. */
  readonly shared: boolean;
  readonly http2: boolean;
  readonly clientAuth: TlsConfig['client_auth'];
  readonly material: TlsMaterial;
  /** The address of the HTTP server on loopback. */
  readonly innerPort: () => number;
}

/** The timeout of the TLS handshake, milliseconds. */
const HANDSHAKE_MS = 10_000;

/** How long the last bytes may take to reach a client whose connection has ended, milliseconds. */
const LINGER_MS = 10_000;

/** Data that the inner connection has not accepted yet. */
interface Inner {
  rest: Buffer | undefined;
}

export class TlsFront {
  readonly #options: FrontOptions;
  readonly #server: Server;
  /** By the local port of the connection to the HTTP server. */
  readonly #peers = new Map<number, Peer>();

  constructor(options: FrontOptions) {
    this.#options = options;
    const { material, http2, clientAuth } = options;
    this.#server = createServer({
      ...contextOf(material),
      ALPNProtocols: http2 ? ['h2', 'http/1.1'] : ['http/1.1'],
      requestCert: material.clientCa !== undefined,
      rejectUnauthorized: clientAuth === 'required',
      handshakeTimeout: HANDSHAKE_MS,
      noDelay: true,
    });
    this.#server.on('secureConnection', (client) => this.#accept(client));
    // A failed handshake concerns the client only: TLS reports it.
    this.#server.on('tlsClientError', (_, client) => client.destroy());
  }

  /** Starts to listen. @returns the port @throws as the system does, above all `code` EADDRINUSE */
  async listen(): Promise<number> {
    const { host, port, shared } = this.#options;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once('error', reject);
    this.#server.listen({ host, port, reusePort: shared }, resolve);
    await promise;
    this.#server.off('error', reject);
    return (this.#server.address() as { port: number }).port;
  }

  /**
   * The peer that sent a request, by the port of the inner connection; `undefined` for one that arrived another way.
   */
  peerAt(port: number | undefined): Peer | undefined {
    return port === undefined ? undefined : this.#peers.get(port);
  }

  /** Serves new connections with another certificate. Open ones keep theirs. */
  replace(material: TlsMaterial): void {
    this.#server.setSecureContext(contextOf(material));
  }

  /** Accepts nothing new. Open connections continue. */
  stopListening(): void {
    this.#server.close();
  }

  #accept(client: TLSSocket): void {
    const names = this.#namesOf(client);
    // An unverified certificate counts as none, but is distinguished from it.
    if (names === 'refused') return void client.destroy();
    const peer = { address: client.remoteAddress ?? '', names };
    let port: number | undefined;
    const forget = (): void => {
      if (port !== undefined && this.#peers.get(port) === peer) this.#peers.delete(port);
    };
    client.pause();
    client.on('error', () => client.destroy());
    Bun.connect<Inner>({
      hostname: '127.0.0.1',
      port: this.#options.innerPort(),
      data: { rest: undefined },
      socket: {
        open: (inner) => {
          if (client.destroyed) return inner.terminate();
          port = inner.localPort;
          this.#peers.set(port, peer);
          join(client, inner, forget);
        },
        drain: (inner) => flush(client, inner),
        data: (inner, bytes) => {
          if (!client.write(bytes)) inner.pause();
        },
        close: () => {
          forget();
          end(client);
        },
        error: () => undefined,
      },
    }).catch(() => client.destroy());
  }

  #namesOf(client: TLSSocket): string | 'refused' | undefined {
    if (this.#options.material.clientCa === undefined) return undefined;
    const { subject, subjectaltname } = client.getPeerCertificate() ?? {};
    if (subject === undefined) return undefined;
    if (!client.authorized) return 'refused';
    return sealNames({ subject: { ...subject }, alternative: alternativeNames(subjectaltname) });
  }
}

function contextOf({ cert, key, clientCa }: TlsMaterial): { cert: string; key: string; ca?: string } {
  return { cert, key, ...(clientCa === undefined ? {} : { ca: clientCa }) };
}

/** Passes bytes to the HTTP server as fast as it accepts them. @param forget called before it ends */
function join(client: TLSSocket, inner: Socket<Inner>, forget: () => void): void {
  client.on('data', (bytes: Buffer) => {
    const written = inner.write(bytes);
    if (written >= bytes.length) return;
    client.pause();
    inner.data.rest = bytes.subarray(Math.max(0, written));
  });
  client.on('drain', () => inner.resume());
  client.on('close', () => {
    forget();
    inner.terminate();
  });
  client.resume();
}

/** Writes buffered data, and resumes reading when everything is written. */
function flush(client: TLSSocket, inner: Socket<Inner>): void {
  const { rest } = inner.data;
  if (!rest) return;
  const written = Math.max(0, inner.write(rest));
  inner.data.rest = written < rest.length ? rest.subarray(written) : undefined;
  if (!inner.data.rest) client.resume();
}

/** Ends a connection after its last data, with a time limit for clients that do not read. */
function end(client: TLSSocket): void {
  if (client.destroyed) return;
  client.end();
  const late = setTimeout(() => client.destroy(), LINGER_MS);
  late.unref();
  client.once('close', () => clearTimeout(late));
}
