/** Most of a body that is read although nobody needs it, bytes. */
const MOST = 1024 * 1024;

/** How long it may take to come, milliseconds. */
const PATIENCE_MS = 1_000;

/**
 * An answer that is given before its request was read, after what is left of the request. Bun resets an HTTP/2 stream once
 * it has answered, as it may, where more of the request is to come; common clients (curl 7 among them) then take the answer
 * for lost.
 */
export async function afterBody(request: Request, answer: Response): Promise<Response> {
  if (request.bodyUsed || !request.body) return answer;
  const reader = request.body.getReader();
  const { promise: late, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => resolve(undefined), PATIENCE_MS);
  try {
    for (let bytes = 0; bytes <= MOST;) {
      const piece = await Promise.race([reader.read(), late]);
      if (!piece || piece.done) break;
      bytes += piece.value.length;
    }
  } catch {
    // The client has left: nobody reads the answer.
  } finally {
    clearTimeout(timer);
    reader.releaseLock();
  }
  return answer;
}
