/** A provider that answers every request with the same bytes, including bytes that no HTTP library would send. */
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

export interface RawUpstream extends AsyncDisposable {
  readonly url: string;
}

/** @param reply the complete reply; the connection is closed after it, unless `open` says to keep it */
export async function rawUpstream(reply: string | Uint8Array, { open = false } = {}): Promise<RawUpstream> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    socket.once('data', () => (open ? void socket.write(reply) : void socket.end(reply)));
  });
  const { promise: listening, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', () => resolve());
  await listening;
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      const { promise: closed, resolve: done } = Promise.withResolvers<void>();
      server.close(() => done());
      await closed;
    },
  };
}
