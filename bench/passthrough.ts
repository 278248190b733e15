/**
 * The least that a proxy on Bun can do: read the request, fetch, and pass the answer on as it arrives; or read all of
 * it first, as any proxy that logs it must.
 * Usage: bun bench/passthrough.ts UPSTREAM [--whole]
 */
const base = process.argv[2]!;
const whole = process.argv.includes('--whole');
const { port } = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  async fetch(request) {
    const body = await request.arrayBuffer();
    const { pathname } = new URL(request.url);
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(base + pathname, {
      method: 'POST',
      body,
      headers,
      decompress: false,
      signal: request.signal,
    });
    if (!whole) return answer;
    const type = answer.headers.get('content-type') ?? '';
    return new Response(await answer.arrayBuffer(), { headers: { 'content-type': type } });
  },
});
process.stdout.write(`http://127.0.0.1:${port}\n`);
