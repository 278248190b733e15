/** The binary with the receiver of the OpenTelemetry Collector, built by scripts/collector.ts. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { built, cleared, serveConfig } from '../helpers/binary.ts';
import { until } from '../helpers/until.ts';

beforeAll(built, 60_000);
afterAll(cleared);

/** A free port: the receiver does not report which port it uses. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

test.each([
  ['http/protobuf', 'none', 'latest'],
  ['http/protobuf', 'gzip', '1.41'],
  ['http/json', 'none', '1.41'],
  ['http/json', 'gzip', 'latest'],
] as const)('%s, compression %s, conventions %s', async (protocol, compression, semconv) => {
  const address = `127.0.0.1:${await freePort()}`;
  const receiver = Bun.spawn([process.env.LLMPROXY_COLLECTOR!, address], {
    stdout: 'pipe',
    stderr: 'inherit',
  });
  let printed = '';
  const reading = (async () => {
    for await (const chunk of receiver.stdout) printed += new TextDecoder().decode(chunk);
  })();
  await until('the receiver', () => printed.startsWith('ready\n'));
  const serving = await serveConfig({
    providers: [{ name: 'mock', type: 'mock', models: ['*'] }],
    telemetry: {
      enabled: true,
      endpoint: `http://${address}`,
      protocol,
      compression,
      semconv,
      content: true,
    },
    logging: { level: 'warn' },
  });
  for (const stream of [false, true]) {
    const body = JSON.stringify({ model: 'm', stream, messages: [{ role: 'user', content: 'Grüße 🌳' }] });
    await (await fetch(`${serving.url}/v1/chat/completions`, { method: 'POST', body })).text();
  }
  serving.process.kill('SIGTERM');
  expect(await serving.process.exited).toBe(0);
  expect(await serving.process.stderr.text()).toBe('');
  receiver.kill('SIGTERM');
  await receiver.exited;
  await reading;
  const taken = (kind: string) =>
    printed
      .split('\n')
      .filter((line) => line.startsWith(`${kind} `))
      .map((line) => line.slice(kind.length + 1))
      .join('');
  expect(taken('traces').match(/"spanId":"[0-9a-f]{16}"/g)).toHaveLength(4);
  expect(taken('traces')).toContain('Grüße 🌳');
  expect(taken('metrics')).toContain(
    semconv === 'latest' ? '"gen_ai.client.inference.duration"' : '"gen_ai.client.operation.duration"',
  );
  expect(taken('metrics')).toContain('"llmproxy_overhead_seconds"');
});
