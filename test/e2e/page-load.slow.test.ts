/**
 * The page at a thousand requests per second: the memory of the proxy and the browser stays bounded, even
 * with clients that stop reading.
 */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import type { Serving } from '../helpers/binary.ts';
import { built, cleared, serveConfig } from '../helpers/binary.ts';
import { chromiumPath, openBrowser, openPage } from '../helpers/browser.ts';
import { residentBytes } from '../helpers/memory.ts';
import { until } from '../helpers/until.ts';

beforeAll(built, 60_000);
afterAll(cleared);

const WARM_UP = 6_000;
const REQUESTS = 12_000;
const PER_SECOND = 1_000;
const MIB = 1024 ** 2;

const serving = async () =>
  await serveConfig({
    logging: { level: 'error' },
    providers: [{ name: 'm', type: 'mock', models: ['mock'] }],
  });

/**
 * Sends this many requests as fast as the machine can, at most a thousand per second.
 * @returns how many were answered
 */
async function send(url: string, count: number): Promise<number> {
  const body = JSON.stringify({ model: 'mock', max_tokens: 1, messages: [{ role: 'user', content: 'hi' }] });
  const headers = { 'content-type': 'application/json' };
  const beganMs = performance.now();
  let [sent, answered] = [0, 0];
  const one = async (): Promise<void> => {
    while (sent < count) {
      const aheadMs = (++sent / PER_SECOND) * 1_000 - (performance.now() - beganMs);
      if (aheadMs > 5) await Bun.sleep(aheadMs);
      const reply = await fetch(`${url}/v1/chat/completions`, { method: 'POST', headers, body });
      await reply.text();
      if (reply.status === 200) answered += 1;
    }
  };
  await Promise.all(Array.from({ length: 24 }, one));
  return answered;
}

/** Opens the stream of live requests without reading it. */
function stalled({ url }: Serving): Socket {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname, () => {
    socket.write(`GET /page/live HTTP/1.1\r\nHost: ${hostname}:${port}\r\n\r\n`);
    socket.pause();
  });
  socket.on('error', () => undefined);
  return socket;
}

test('five readers that stall use no memory, and delay no request', async () => {
  const at = await serving();
  const sockets = Array.from({ length: 5 }, () => stalled(at));
  await send(at.url, WARM_UP);
  const before = residentBytes(at);
  expect(await send(at.url, REQUESTS)).toBe(REQUESTS);
  expect((residentBytes(at) - before) / MIB).toBeLessThan(48);
  for (const socket of sockets) socket.destroy();
}, 120_000);

test.skipIf(chromiumPath() === undefined)(
  'a browser shows the newest, and its memory stays what it is',
  async () => {
    const at = await serving();
    await using browser = await openBrowser();
    const { page, faults } = await openPage(browser, `${at.url}/#/requests`);
    await page.waitForSelector('.pulse.live');
    const devtools = await page.context().newCDPSession(page);
    const heap = async () => {
      await devtools.send('HeapProfiler.collectGarbage');
      return (await devtools.send('Runtime.getHeapUsage')).usedSize;
    };
    await send(at.url, WARM_UP);
    const [proxy, tab] = [residentBytes(at), await heap()];
    expect(await send(at.url, REQUESTS)).toBe(REQUESTS);
    expect((residentBytes(at) - proxy) / MIB).toBeLessThan(64);
    expect(((await heap()) - tab) / MIB).toBeLessThan(24);
    expect(await page.locator('.requests-table tbody tr').count()).toBe(100);
    const last = await fetch(`${at.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-request-id': 'the-last-one' },
      body: JSON.stringify({ model: 'mock', messages: [{ role: 'user', content: 'hi' }] }),
    });
    await last.text();
    await until('the last one to be shown', async () => {
      const href = await page.locator('.row-link').first().getAttribute('href');
      return href?.includes('the-last-one');
    });
    expect(faults).toEqual([]);
  },
  180_000,
);
