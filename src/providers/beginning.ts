/** What is read of an answer that is only looked at, bytes: no token and no error is longer. */
const ENOUGH = 64 * 1024;

/** The beginning of a body as text; the rest is not waited for. @throws what reading it throws */
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
  // A body that already failed rejects this with what nobody asks for any more.
  reader.cancel().catch(() => undefined);
  return text;
}
