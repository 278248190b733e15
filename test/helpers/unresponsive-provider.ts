import { dlopen, ptr } from 'bun:ffi';
import type { Socket } from 'node:net';
import { connect } from 'node:net';

const AF_INET = 2;
const SOCK_STREAM = 1;

export interface UnresponsiveProvider extends Disposable {
  readonly url: string;
}

/**
 * An address at which connections are neither opened nor refused, as behind a firewall that drops packets: a listening
 * socket that never accepts, with a full queue. Linux only.
 */
export function unresponsiveProvider(): UnresponsiveProvider {
  const { symbols: libc } = dlopen('libc.so.6', {
    socket: { args: ['int', 'int', 'int'], returns: 'int' },
    bind: { args: ['int', 'ptr', 'int'], returns: 'int' },
    listen: { args: ['int', 'int'], returns: 'int' },
    getsockname: { args: ['int', 'ptr', 'ptr'], returns: 'int' },
    close: { args: ['int'], returns: 'int' },
  });
  const address = new Uint8Array(16);
  new DataView(address.buffer).setUint16(0, AF_INET, true);
  address.set([127, 0, 0, 1], 4);
  const descriptor = libc.socket(AF_INET, SOCK_STREAM, 0);
  libc.bind(descriptor, ptr(address), address.length);
  libc.listen(descriptor, 0);
  libc.getsockname(descriptor, ptr(address), ptr(new Uint32Array([address.length])));
  const port = new DataView(address.buffer).getUint16(2);
  const waiting: Socket[] = Array.from({ length: 3 }, () =>
    connect(port, '127.0.0.1').on('error', () => undefined),
  );
  return {
    url: `http://127.0.0.1:${port}`,
    [Symbol.dispose]() {
      for (const socket of waiting) socket.destroy();
      libc.close(descriptor);
    },
  };
}
