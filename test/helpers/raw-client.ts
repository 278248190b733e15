import type { Socket } from 'node:net';
import { connect } from 'node:net';

/** A client on a raw connection: it sends any bytes, and reads only when told to. */
export interface RawClient extends Disposable {
  readonly socket: Socket;
  /** Everything read so far. */
  readonly text: () => string;
  readonly send: (text: string) => void;
  /** Resolves when the words were read, or the connection ended. */
  readonly read: (words: string) => Promise<string>;
  readonly ended: Promise<void>;
}

export async function rawClient(url: string): Promise<RawClient> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  const end = Promise.withResolvers<void>();
  let text = '';
  let over = false;
  const looks = new Set<() => void>();
  const looked = () => {
    for (const look of looks) look();
  };
  socket.on('data', (bytes) => {
    text += String(bytes);
    looked();
  });
  socket.on('error', () => socket.destroy());
  socket.on('close', () => {
    over = true;
    end.resolve();
    looked();
  });
  await new Promise<void>((resolve) => socket.once('connect', resolve));
  return {
    socket,
    text: () => text,
    send: (words) => void socket.write(words),
    read: (words) =>
      new Promise((resolve) => {
        const look = () => {
          if (!over && !text.includes(words)) return;
          looks.delete(look);
          resolve(text);
        };
        looks.add(look);
        look();
      }),
    ended: end.promise,
    [Symbol.dispose]: () => void socket.destroy(),
  };
}

/** The bytes of a chat completion request. */
export function chatRequest(
  model: string,
  { stream = true, length }: { stream?: boolean; length?: number } = {},
): string {
  const body = JSON.stringify({ model, stream, messages: [{ role: 'user', content: 'hi' }] });
  return `POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${length ?? Buffer.byteLength(body)}\r\n\r\n${body}`;
}
