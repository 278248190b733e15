import type { Socket } from 'bun';
import { MessageReader } from './http-message.ts';
import { Outbox } from './outbox.ts';

/** Clients that ask one after the other until they are told to stop. */
export interface Load {
  /** Answers so far. */
  readonly completed: () => number;
  /** Milliseconds of each answer since this was last called. */
  readonly takeLatenciesMs: () => readonly number[];
  /** Rejects with what went wrong, if anything does. */
  readonly failed: Promise<never>;
  readonly stop: () => void;
}

/** Opens a connection for each client; each sends the request, reads the answer whole, and sends it again. */
export function startLoad(url: string, clients: number, request: Buffer): Load {
  const { hostname, port } = new URL(url);
  const failure = Promise.withResolvers<never>();
  // Who does not wait for it at the moment will look at the next window.
  failure.promise.catch(() => undefined);
  const sockets = new Set<Socket<unknown>>();
  let latenciesMs: number[] = [];
  let completed = 0;
  let stopped = false;

  const client = () => {
    const outbox = new Outbox();
    let asked = 0;
    let to: Socket<unknown>;
    let whole = true;
    const ask = () => {
      asked = performance.now();
      whole = false;
      outbox.write(to, request);
    };
    const reader = new MessageReader({
      head: (text) => {
        if (!text.startsWith('200', 9))
          failure.reject(new Error(`Cannot load ${url}: it answered ${text.split('\r\n')[0]}`));
      },
      body: () => undefined,
      end: () => {
        latenciesMs.push(performance.now() - asked);
        completed += 1;
        whole = true;
        if (!stopped) ask();
      },
    });
    Bun.connect({
      hostname,
      port: Number(port),
      socket: {
        open: (socket) => {
          sockets.add(socket);
          to = socket;
          ask();
        },
        data: (_socket, bytes) => reader.read(bytes),
        drain: (socket) => outbox.drain(socket),
        close: (socket) => {
          sockets.delete(socket);
          if (stopped) return;
          if (reader.within || !whole)
            return failure.reject(new Error(`Cannot load ${url}: it closed the connection`));
          client();
        },
      },
    }).catch(failure.reject);
  };
  for (let n = 0; n < clients; n += 1) client();

  return {
    completed: () => completed,
    takeLatenciesMs: () => {
      const taken = latenciesMs;
      latenciesMs = [];
      return taken;
    },
    failed: failure.promise,
    stop: () => {
      stopped = true;
      for (const socket of sockets) socket.terminate();
    },
  };
}
