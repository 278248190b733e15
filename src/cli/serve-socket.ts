import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Config } from '../config/schema.ts';
import type { App, Listener } from '../server/listen.ts';
import type { ProgramLog } from './log.ts';
import { modeOf } from '../config/schema/socket.ts';
import { readTls } from '../config/tls-files.ts';
import { listen, listenTls, listenUnix } from '../server/listen.ts';
import { claimSocket } from '../server/socket-file.ts';
import { watchCertificates } from './certificates.ts';
import { ExitError } from './exit.ts';
import { cannotListen } from './serve-settings.ts';

export interface SocketOptions {
  /** The directory of the configuration, for the files that it names. */
  readonly path: string | undefined;
  /** Whether other processes listen on the same port. */
  readonly shared: boolean;
  readonly log: ProgramLog;
}

/** A listener, and what belongs to its socket. */
export interface OpenSocket {
  readonly listener: Listener;
  /** Must be called when nothing is served any more. */
  readonly close: () => void;
}

/** Listens as configured: on a port, with or without TLS, or on a unix socket. @throws ExitError */
export async function openSocket(
  app: App,
  { server }: Config,
  { path, shared, log }: SocketOptions,
): Promise<OpenSocket> {
  const { host, port, http2, unix, unix_mode: mode, tls } = server;
  try {
    if (unix !== undefined) {
      const { path: socket, release } = await claimSocket(unix);
      try {
        return { listener: listenUnix(app, { path: socket, mode: modeOf(mode), http2 }), close: release };
      } catch (thrown) {
        release();
        throw thrown;
      }
    }
    if (!tls) return { listener: listen(app, { host, port, shared, http2 }), close: () => undefined };
    const folder = dirname(path ?? '.');
    const { material, faults } = readTls(tls, folder, readPem, Date.now());
    if (!material) throw new Error(faults.map(({ message }) => message).join('; '));
    const listener = await listenTls(app, {
      host,
      port,
      shared,
      http2,
      material,
      clientAuth: tls.client_auth,
    });
    return { listener, close: watchCertificates(tls, { folder, log, certify: listener.certify }) };
  } catch (cause) {
    throw cause instanceof ExitError ? cause : cannotListen(server, cause);
  }
}

/** The text of a file. @throws as the file system does */
export function readPem(path: string): string {
  return readFileSync(path, 'utf8');
}
