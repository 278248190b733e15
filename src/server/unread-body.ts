/** The limit for discarding an unneeded body, bytes. */
const MOST = 1024 * 1024;

/** How long it may take to arrive, milliseconds. */
const PATIENCE_MS = 1_000;

/**
 * Delays a response that is given before its request was read until the rest of the request has arrived. Otherwise Bun
 * resets the HTTP/2 stream after the response, as it may; common clients (curl 7 among them) then discard the response.
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
    // The client has disconnected and will not read the response.
  } finally {
    clearTimeout(timer);
    reader.releaseLock();
  }
  return answer;
}
