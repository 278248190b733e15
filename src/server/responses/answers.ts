/** HTTP responses made from stored data. */

export function json(body: string): Response {
  return new Response(body, { headers: { 'content-type': 'application/json' } });
}

export function events(body: ReadableStream<Uint8Array> | null): Response {
  return new Response(body, {
    headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' },
  });
}
