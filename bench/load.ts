const BODY = JSON.stringify({ model: 'bench', messages: [{ role: 'user', content: 'x'.repeat(900) }] });
const STREAM_BODY = JSON.stringify({
  model: 'bench',
  stream: true,
  messages: [{ role: 'user', content: 'x' }],
});

export interface Load {
  readonly requests: number;
  readonly seconds: number;
  readonly p50Ms: number;
}

const post = (url: string, body: string) =>
  fetch(url, { method: 'POST', body, headers: { 'content-type': 'application/json' } });

/** So many clients ask one after the other for so long. @throws when an answer is not 200 */
export async function load(url: string, clients: number, ms: number): Promise<Load> {
  const latencies: number[] = [];
  const began = performance.now();
  const client = async () => {
    while (performance.now() - began < ms) {
      const asked = performance.now();
      const response = await post(url, BODY);
      await response.arrayBuffer();
      if (response.status !== 200) throw new Error(`${url} answered ${response.status}`);
      latencies.push(performance.now() - asked);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  const sorted = latencies.toSorted((a, b) => a - b);
  return {
    requests: sorted.length,
    seconds: (performance.now() - began) / 1000,
    p50Ms: sorted[sorted.length >> 1]!,
  };
}

/** Median time to the first byte of a stream, milliseconds. */
export async function streamStart(url: string, times: number): Promise<number> {
  const first: number[] = [];
  for (let n = 0; n < times; n += 1) {
    const asked = performance.now();
    const response = await post(url, STREAM_BODY);
    const reader = response.body!.getReader();
    await reader.read();
    first.push(performance.now() - asked);
    for (let more = await reader.read(); !more.done; more = await reader.read());
  }
  return first.toSorted((a, b) => a - b)[times >> 1]!;
}
