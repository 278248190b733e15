/** How long the end of a stream is delayed if its connection ends with it, milliseconds. */
const LINGER_MS = 250;

/**
 * The number of unsent bytes above which a stream's client counts as slow. All streams of a connection share a flow
 * control window, often of 64 KiB, so that hundreds of them may have to wait for a moment; for HTTP/1.1 the system has
 * a larger buffer for each connection.
 */
const AHEAD = 64 * 1024;

/**
 * Adapts a streamed answer to HTTP/2. Once the proxy stops, the end of the stream is delayed until its client has read
 * what precedes it: Bun closes a connection with its last stream, and frames that the client sends afterwards, as it
 * does while reading, reach a closed socket; the system answers with a reset, which discards what the client has not
 * read.
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
