import { lstatSync, unlinkSync } from 'node:fs';
import { resolve } from 'node:path';
import { claimName } from './claimed-name.ts';

/** How long a process may take to accept a connection on its socket before it counts as serving, milliseconds. */
const PATIENCE_MS = 1_000;

/** A path at which a socket may be created. */
export interface ClaimedSocket {
  readonly path: string;
  release(): void;
}

/**
 * Makes sure that nothing exists at a path where a unix socket is to be created. The socket of a process that has ended
 * without removing it is deleted.
 * @throws Error with `code` EADDRINUSE if another process listens there, EEXIST if something else exists there
 */
export async function claimSocket(given: string): Promise<ClaimedSocket> {
  const path = resolve(given);
  // If two processes start at once, neither may delete the other's new socket. A claimed name is short, unlike a path.
  const release = claimName(`unix ${Bun.SHA256.hash(path, 'hex')}`);
  try {
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found && !found.isSocket()) throw coded('EEXIST', 'something other than a socket exists there');
    if (found && (await listens(path))) throw coded('EADDRINUSE', 'another process listens there');
    if (found) unlinkSync(path);
    return { path, release };
  } catch (thrown) {
    release();
    throw thrown;
  }
}

/** Whether a process accepts connections on a socket. A process that does not answer at all exists. */
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
