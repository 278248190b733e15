/** How long the end of a stream waits where its connection ends with it, milliseconds. */
const LINGER_MS = 250;

/**
 * Bytes that may wait for a client before its stream counts as one whose client is behind. All streams of a connection share
 * a window, often of 64 KiB, so that hundreds of them may have to wait for a moment; a connection of HTTP/1.1 has a
 * larger buffer in the system.
 */
const AHEAD = 64 * 1024;

/**
 * A streamed answer as HTTP/2 needs it. Its end waits for its client to read what came before, once the proxy stops: Bun then
 * closes a connection as soon as its last stream has ended. What the client sends meanwhile, and it sends much while it
 * reads, meets a socket that is closed; the system answers with a reset, by which the client loses what it had not read.
 * @param stopping whether the proxy stops
 */
export function http2Answer(answer: Response, stopping: () => boolean): Response {
  const { body } = answer;
  if (!body || answer.headers.has('content-length')) return answer;
  const reader = body.getReader();
  const given = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await reader.read();
        if (!done) return controller.enqueue(value);
        if (stopping()) await Bun.sleep(LINGER_MS);
        controller.close();
      },
      cancel: (reason) => reader.cancel(reason),
    },
    new ByteLengthQueuingStrategy({ highWaterMark: AHEAD }),
  );
  return new Response(given, answer);
}
