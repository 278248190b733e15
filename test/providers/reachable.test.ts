import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { describe, expect, test } from 'bun:test';
import type { BaseProvider } from '../../src/providers/base.ts';
import type { Dial } from '../../src/providers/transport.ts';
import { schema } from '../../src/config/schema.ts';
import { directDial } from '../../src/providers/connect.ts';
import { makeProviders } from '../../src/providers/make.ts';
import { FakeClock } from '../helpers/clock.ts';
import { until } from '../helpers/until.ts';

const clock = new FakeClock();

function dialedBy(dial: Dial): BaseProvider {
  const config = schema.parse({
    providers: [{ name: 'a', type: 'openai-compatible', base_url: 'http://127.0.0.1:1', models: ['m'] }],
  });
  return makeProviders(config, { env: {}, clock, dial })[0]!;
}

/** The result after this time has passed. */
async function after(asked: Promise<boolean>, ms: number): Promise<boolean> {
  clock.advance(ms);
  return await asked;
}

describe('BaseProvider.reachable()', () => {
  test('is true if a connection opens, and opens no other one for a while', async () => {
    let dials = 0;
    const provider = dialedBy(async () => void (dials += 1));
    expect([await provider.reachable(100), await provider.reachable(100), dials]).toEqual([true, true, 1]);
  });

  test('is true if a connection is refused, because the request itself will report that', async () => {
    const provider = dialedBy(() => Promise.reject(new Error('refused')));
    expect(await provider.reachable(100)).toBe(true);
  });

  test('is false if no connection opens in time, and tries again the next time', async () => {
    const signals: AbortSignal[] = [];
    const provider = dialedBy((_, signal) => {
      signals.push(signal);
      return signals.length === 1 ? new Promise(() => undefined) : Promise.resolve();
    });
    const both = [provider.reachable(100), provider.reachable(100)];
    expect(await Promise.all(both.map((asked) => after(asked, 100)))).toEqual([false, false]);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    expect(await provider.reachable(100)).toBe(true);
  });
});

test('directDial() closes a connection with a hanging TLS handshake when it is aborted', async () => {
  const sockets: Socket[] = [];
  let closed = 0;
  const mute = createServer((socket) => {
    sockets.push(socket.on('error', () => undefined).on('close', () => void (closed += 1)));
  });
  const { promise: listening, resolve } = Promise.withResolvers<void>();
  mute.listen(0, '127.0.0.1', resolve);
  await listening;
  const abort = new AbortController();
  const { port } = mute.address() as AddressInfo;
  const dialed = directDial({})!(new URL(`https://127.0.0.1:${port}`), abort.signal);
  await until('the connection', () => sockets.length, { is: 1 });
  abort.abort(new Error('given up'));
  expect(await dialed.catch((error: Error) => error.message)).toBe('given up');
  await until('the connection to be closed', () => closed, { is: 1 });
  mute.close();
});
