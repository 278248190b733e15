import { lstatSync, unlinkSync } from 'node:fs';
import { resolve } from 'node:path';
import { claimName } from './claimed-name.ts';

/** How long a process may take to accept a connection at its socket, milliseconds, before it counts as one that serves. */
const PATIENCE_MS = 1_000;

/** A path at which a socket may be made. */
export interface ClaimedSocket {
  readonly path: string;
  release(): void;
}

/**
 * Makes sure that nothing is at a path where a unix socket is to be made. A socket whose process has ended without
 * removing it is removed.
 * @throws Error with `code` EADDRINUSE where another process listens there, EEXIST where something else lies there
 */
export async function claimSocket(given: string): Promise<ClaimedSocket> {
  const path = resolve(given);
  // Of two that begin at once, neither may remove what the other has just made. Such a name is short, as a path need not be.
  const release = claimName(`unix ${Bun.SHA256.hash(path, 'hex')}`);
  try {
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found && !found.isSocket()) throw coded('EEXIST', 'something that is no socket lies there');
    if (found && (await listens(path))) throw coded('EADDRINUSE', 'another process listens there');
    if (found) unlinkSync(path);
    return { path, release };
  } catch (thrown) {
    release();
    throw thrown;
  }
}

/** Whether a process accepts connections at a socket. One that does not answer at all is there. */
async function listens(path: string): Promise<boolean> {
  const { promise, resolve: tell } = Promise.withResolvers<boolean>();
  const late = setTimeout(() => tell(true), PATIENCE_MS);
  Bun.connect({
    unix: path,
    socket: {
      open(socket) {
        tell(true);
        socket.terminate();
      },
      data: () => undefined,
      error: () => undefined,
    },
  }).catch((cause: { code?: string }) => tell(cause.code !== 'ECONNREFUSED' && cause.code !== 'ENOENT'));
  try {
    return await promise;
  } finally {
    clearTimeout(late);
  }
}

function coded(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
