/**
 * From this size on, Bun 1.4.5 makes a system call, and sends a packet, for each name and value in the head of an
 * answer that was not available immediately, bytes. The head of a stream is sent together with its first piece.
 */
export const SCATTERED = 15 * 1024;

/** A whole answer as a stream with a single piece. */
export function inOnePiece(bytes: Uint8Array): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(bytes);
      controller.close();
    },
  });
}
