/**
 * A provider with OpenAI's chat API that uses as little CPU as possible, so that the proxy in front of it is the
 * bottleneck. The model determines how it answers; the names are in requests.ts.
 */
import type { Socket } from 'bun';
import { ANSWER, FIRST_CHUNK, LARGE_ANSWER, LAST_CHUNK, NEXT_CHUNK } from './answers.ts';
import { MessageReader } from './http-message.ts';
import { Outbox } from './outbox.ts';

const PACED_CHUNKS = 100;
const PACE_MS = 10;
const SLOW_MS = 100;

interface Connection {
  readonly outbox: Outbox;
  readonly reader: MessageReader;
}

/** A stream in progress. */
interface Paced {
  readonly send: (bytes: Buffer) => void;
  left: number;
  dueMs: number;
}

const streams = new Map<Socket<Connection>, Paced>();
setInterval(pace, 1);

const { port } = Bun.listen<Connection>({
  hostname: '127.0.0.1',
  port: 0,
  socket: {
    open: (socket) => {
      socket.data = connection(socket);
    },
    data: (socket, bytes) => socket.data.reader.read(bytes),
    drain: (socket) => socket.data.outbox.drain(socket),
    close: (socket) => void streams.delete(socket),
    error: (socket) => void streams.delete(socket),
  },
});
process.stdout.write(`http://127.0.0.1:${port}\n`);

function connection(socket: Socket<Connection>): Connection {
  const outbox = new Outbox();
  let parts: Buffer[] = [];
  const reader = new MessageReader({
    head: () => undefined,
    // Copied, because the socket may reuse its buffer.
    body: (part) => void parts.push(Buffer.from(part)),
    end: () => {
      const body = parts.length === 1 ? parts[0]! : Buffer.concat(parts);
      parts = [];
      answer(socket, body);
    },
  });
  return { outbox, reader };
}

function answer(socket: Socket<Connection>, body: Buffer): void {
  const send = (bytes: Buffer) => socket.data.outbox.write(socket, bytes);
  switch (modelOf(body)) {
    case 'bench-large':
      return send(LARGE_ANSWER);
    case 'bench-slow':
      return void setTimeout(() => socket.readyState > 0 && send(ANSWER), SLOW_MS);
    case 'bench-brief':
      send(FIRST_CHUNK);
      return void setTimeout(() => socket.readyState > 0 && send(LAST_CHUNK), 1);
    case 'bench-paced':
      send(FIRST_CHUNK);
      // Streams that start together must not send in lockstep for ever.
      return void streams.set(socket, {
        send,
        left: PACED_CHUNKS - 1,
        dueMs: performance.now() + PACE_MS * (0.5 + Math.random()),
      });
    default:
      return send(ANSWER);
  }
}

function pace(): void {
  const now = performance.now();
  for (const [socket, stream] of streams) {
    if (stream.dueMs > now) continue;
    stream.dueMs += PACE_MS;
    stream.left -= 1;
    stream.send(stream.left < 0 ? LAST_CHUNK : NEXT_CHUNK);
    if (stream.left < 0) streams.delete(socket);
  }
}

function modelOf(body: Buffer): string | undefined {
  const at = body.indexOf('"model"');
  return /"model": ?"([\w-]+)"/.exec(body.toString('latin1', at, at + 50))?.[1];
}
