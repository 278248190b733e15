import type { Socket } from 'bun';
import { MessageReader } from './http-message.ts';
import { Outbox } from './outbox.ts';

export interface LoadOptions {
  /** Connections, each with one request at a time. */
  readonly clients: number;
  readonly request: Buffer;
  /** What is counted: each answer, or each time these bytes occur in one. */
  readonly counts?: string;
  /** How long an answer takes: until it is whole, or until the first byte of its body. */
  readonly until?: 'whole' | 'first byte';
}

/** Clients that ask one after the other until they are told to stop. */
export interface Load {
  /** What was counted so far. */
  readonly completed: () => number;
  /** Milliseconds of each answer since this was last called. */
  readonly takeLatenciesMs: () => readonly number[];
  /** Rejects with what went wrong, if anything does. */
  readonly failed: Promise<never>;
  readonly stop: () => void;
}

/** Opens a connection for each client; each sends the request, reads the answer whole, and sends it again. */
export function startLoad(url: string, { clients, request, counts, until = 'whole' }: LoadOptions): Load {
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
