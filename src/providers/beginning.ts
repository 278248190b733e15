/** How much of a response is read if only its beginning matters, bytes: no token and no error is longer. */
const ENOUGH = 64 * 1024;

/** The beginning of a body as text, without waiting for the rest. @throws as reading the body does */
export async function beginning(body: ReadableStream<Uint8Array> | null): Promise<string> {
  if (!body) return '';
  const decoder = new TextDecoder();
  const reader = body.getReader();
  let text = '';
  for (let length = 0; length < ENOUGH;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    text += decoder.decode(value.subarray(0, ENOUGH - length), { stream: true });
    length += value.length;
  }
  // Cancelling a body that has failed rejects with an error that is no longer of interest.
  reader.cancel().catch(() => undefined);
  return text;
}
