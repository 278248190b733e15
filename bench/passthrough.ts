/** The least a Bun proxy can do: read the body, fetch, hand the answer on. */
const base = process.argv[2]!;
const { port } = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  async fetch(request) {
    const body = await request.arrayBuffer();
    const { pathname } = new URL(request.url);
    const headers = { 'content-type': 'application/json' };
    return fetch(base + pathname, {
      method: 'POST',
      body,
      headers,
      decompress: false,
      signal: request.signal,
    });
  },
});
process.stdout.write(`http://127.0.0.1:${port}\n`);
