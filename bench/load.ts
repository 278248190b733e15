import type { Socket } from 'bun';
import { MessageReader } from './http-message.ts';
import { Outbox } from './outbox.ts';

export interface LoadOptions {
  /** The number of connections, each with one request at a time. */
  readonly clients: number;
  readonly request: Buffer;
  /** What to count: complete answers, or each occurrence of these bytes. */
  readonly counts?: string;
  /** When the latency of an answer ends: at its last byte, or at the first byte of its body. */
  readonly until?: 'whole' | 'first byte';
}

/** Clients that send one request after another until they are stopped. */
export interface Load {
  /** The count so far. */
  readonly completed: () => number;
  /** The latencies of the answers since the last call, in milliseconds. */
  readonly takeLatenciesMs: () => readonly number[];
  /** Rejects with the first error. */
  readonly failed: Promise<never>;
  readonly stop: () => void;
}

/** Opens a connection for each client, which sends the request, reads the complete answer, and sends it again. */
export function startLoad(url: string, { clients, request, counts, until = 'whole' }: LoadOptions): Load {
  const { hostname, port } = new URL(url);
  const failure = Promise.withResolvers<never>();
  // Callers that are not waiting for it now see the failure in the next window.
  failure.promise.catch(() => undefined);
  const sockets = new Set<Socket<unknown>>();
  let latenciesMs: number[] = [];
  let completed = 0;
  let stopped = false;

  const client = () => {
    const outbox = new Outbox();
    let askedAt = 0;
    let to: Socket<unknown>;
    let waiting: 'for nothing' | 'for the first byte' | 'for the rest' = 'for nothing';
    const ask = () => {
      askedAt = performance.now();
      waiting = 'for the first byte';
      outbox.write(to, request);
    };
    const reader = new MessageReader({
      head: (text) => {
        if (!text.startsWith('200', 9)) failure.reject(new Error(`it answered ${text.split('\r\n')[0]}`));
      },
      body: (part) => {
        if (waiting === 'for the first byte' && until === 'first byte')
          latenciesMs.push(performance.now() - askedAt);
        waiting = 'for the rest';
        if (counts !== undefined) completed += occurrences(part, counts);
      },
      end: () => {
        if (until === 'whole') latenciesMs.push(performance.now() - askedAt);
        if (counts === undefined) completed += 1;
        waiting = 'for nothing';
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
          if (waiting === 'for nothing') return client();
          failure.reject(new Error('it closed the connection in an answer'));
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

function occurrences(bytes: Buffer, text: string): number {
  let count = 0;
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + text.length)) count += 1;
  return count;
}
