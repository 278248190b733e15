/** A provider and a client that wait for each other, so that nothing is sent in one piece that is meant to be two. */
import type { Socket } from 'bun';
import { ANSWER, FIRST_CHUNK, LAST_CHUNK, NEXT_CHUNK } from '../../bench/answers.ts';
import { MessageReader } from '../../bench/http-message.ts';
import type { BenchRequest } from '../../bench/requests.ts';
import { requestBytes } from '../../bench/requests.ts';

export interface LockstepProvider extends Disposable {
  readonly url: string;
  /** Sends the next chunk of the stream that is under way; the last one after so many. */
  readonly next: (chunks: number) => void;
}

/** A provider of chat that streams to one client at a time, a chunk whenever it is told. */
export function lockstepProvider(): LockstepProvider {
  let streaming: Socket<MessageReader>;
  let sent = 0;
  const server = Bun.listen<MessageReader>({
    hostname: '127.0.0.1',
    port: 0,
    socket: {
      open: (socket) => {
        let stream = false;
        socket.data = new MessageReader({
          head: () => undefined,
          body: (part) => {
            stream = part.includes('"stream":true');
          },
          end: () => {
            if (!stream) return void socket.write(ANSWER);
            [streaming, sent] = [socket, 1];
            socket.write(FIRST_CHUNK);
          },
        });
      },
      data: (socket, bytes) => socket.data.read(bytes),
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    next: (chunks) => {
      sent += 1;
      streaming.write(sent > chunks ? LAST_CHUNK : NEXT_CHUNK);
    },
    [Symbol.dispose]: () => server.stop(true),
  };
}

export interface LockstepClient extends Disposable {
  /** Resolves when the answer is whole. @param onWord called for each word of a stream as it comes */
  readonly ask: (asked: BenchRequest, onWord?: () => void) => Promise<void>;
}

/** A client on one connection, with one request at a time. */
export async function lockstepClient(url: string): Promise<LockstepClient> {
  const { hostname, port } = new URL(url);
  let whole = Promise.withResolvers<void>();
  let word: (() => void) | undefined;
  const reader = new MessageReader({
    head: (text) => {
      if (!text.startsWith('200', 9)) whole.reject(new Error(`Cannot count: ${text}`));
    },
    body: (part) => {
      if (part.includes('word ')) word?.();
    },
    end: () => whole.resolve(),
  });
  const socket = await Bun.connect({
    hostname,
    port: Number(port),
    socket: {
      data: (_socket, bytes) => reader.read(bytes),
      close: () => whole.reject(new Error('Cannot count: the connection was closed')),
    },
  });
  return {
    ask: (asked, onWord) => {
      whole = Promise.withResolvers<void>();
      word = onWord;
      socket.write(requestBytes(asked, ''));
      return whole.promise;
    },
    [Symbol.dispose]: () => socket.terminate(),
  };
}
