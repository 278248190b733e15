import { MessageReader } from './http-message.ts';
import { requestBytes, SLOW, STREAM } from './requests.ts';
import type { Instance } from './subjects.ts';

const CLIENTS = 64;
const LEAVES_MS = 5;

/**
 * Sends requests, each on its own connection, and disconnects before the answer is complete: every other one while the
 * provider is still silent, the rest at the first bytes of the stream.
 */
export async function abortedRequests({ url, headers }: Instance, requests: number): Promise<void> {
  const { hostname, port } = new URL(url);
  const slow = requestBytes(SLOW, headers);
  const stream = requestBytes(STREAM, headers);
  let begun = 0;

  const abort = async (bytes: Buffer) => {
    const left = Promise.withResolvers<void>();
    const reader = new MessageReader({
      head: (text) => {
        if (!text.startsWith('200', 9)) left.reject(new Error(`it answered ${text.split('\r\n')[0]}`));
      },
      body: () => void socket.terminate(),
      end: () => undefined,
    });
    const socket = await Bun.connect({
      hostname,
      port: Number(port),
      socket: {
        data: (_socket, part) => reader.read(part),
        close: () => left.resolve(),
      },
    });
    socket.write(bytes);
    if (bytes === slow) setTimeout(() => socket.terminate(), LEAVES_MS);
    await left.promise;
  };
  const client = async () => {
    while (begun < requests) {
      begun += 1;
      await abort(begun % 2 === 0 ? slow : stream);
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
}
