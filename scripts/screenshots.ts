/**
 * `make screenshots`: takes the pictures of docs/page.md from the binary with a log of several days, in the installed
 * Chromium.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import type { ConfigInput } from '../src/config/schema.ts';
import type { Look } from '../test/helpers/browser.ts';
import { built, cleared, folder, serveFolder } from '../test/helpers/binary.ts';
import { openBrowser, openPage } from '../test/helpers/browser.ts';
import { writeDemoLog } from '../test/helpers/demo-log.ts';
import { ROOT } from './compile.ts';

const IMAGES = join(ROOT, 'docs/images');

interface Picture extends Look {
  readonly view: string;
  readonly ready: string;
  /** Runs before the picture is taken. */
  readonly act?: (page: Page) => Promise<void>;
}

const PICTURES: Readonly<Record<string, Picture>> = {
  // Taken first, while only its own requests are in flight.
  requests: { view: 'requests', ready: '.running li:nth-child(2)', height: 800 },
  request: {
    view: 'requests?filter=attempts%3A%3E1',
    ready: '.requests-table tbody tr:nth-child(4)',
    scheme: 'dark',
    height: 800,
    async act(page) {
      await page.locator('.row-link').nth(1).click();
      await page.waitForSelector('.conversation');
    },
  },
  usage: {
    view: 'usage',
    ready: '.chart svg',
    height: 800,
    async act(page) {
      await page.getByRole('button', { name: 'Week' }).click();
      await page.waitForTimeout(800);
    },
  },
  providers: { view: 'providers', ready: '.held li', height: 720 },
  dataset: {
    view: 'dataset?filter=model%3Aclaude%20-failed',
    ready: '.row-preview',
    scheme: 'dark',
    height: 640,
  },
  phone: {
    view: 'requests',
    ready: '.requests-table tbody tr:nth-child(4)',
    width: 390,
    height: 800,
    scheme: 'dark',
  },
};

const mock = (name: string, model: string, behaviour: object, more: object = {}) => ({
  name,
  type: 'mock',
  models: [model],
  max_retries: 0,
  mock: behaviour,
  ...more,
});

const CONFIG: ConfigInput = {
  logging: { level: 'error', requests: { flush_interval: '20ms' } },
  providers: [
    mock('openai', 'gpt-5.2', { latency: '420ms', tokens_per_second: 6 }),
    mock('anthropic', 'claude-sonnet-4-6', { latency: '300ms', faults: { rate: 0.3, status: 529 } }),
    mock('bedrock', 'claude-sonnet-4-6', { latency: '380ms', tokens_per_second: 60 }, { priority: 2 }),
    mock('vertex', 'gemini-3-pro', { latency: '90ms', faults: { rate: 1, status: 429, retry_after: '2m' } }),
    mock('groq', 'llama-4-70b', { latency: '60ms', tokens_per_second: 300 }),
    mock('backup-eu', 'mistral-large', { faults: { rate: 1, status: 401 } }),
  ],
};

/** Requests a streamed answer from a model. */
async function ask(url: string, model: string): Promise<void> {
  const messages = [{ role: 'user', content: 'Summarise this ticket in two lines.' }];
  const body = JSON.stringify({ model, stream: true, messages });
  const headers = { 'content-type': 'application/json' };
  await (await fetch(`${url}/v1/chat/completions`, { method: 'POST', headers, body })).text();
}

built();
mkdirSync(IMAGES, { recursive: true });
const cwd = folder();
writeDemoLog(join(cwd, 'logs'), { nowMs: Date.now() - 15_000, days: 8, perDay: 1_600, lately: 420 });
writeFileSync(join(cwd, 'config.yaml'), JSON.stringify(CONFIG));
const { url } = await serveFolder(cwd);
const browser = await openBrowser();
try {
  // Two slow requests for the picture of requests in flight, and several others so that providers have statistics.
  const slow = Promise.all(['gpt-5.2', 'gpt-5.2'].map((model) => ask(url, model)));
  for (const [name, { view, ready, act, ...look }] of Object.entries(PICTURES)) {
    const { page, faults } = await openPage(browser, `${url}/#/${view}`, look);
    await page.waitForSelector(ready);
    await act?.(page);
    await page.waitForTimeout(1_200);
    await page.screenshot({ path: join(IMAGES, `${name}.png`) });
    if (name === 'requests') {
      await slow;
      const models = CONFIG.providers.map(({ models: [model] = [] }) => String(model));
      for (let turn = 0; turn < 4; turn++) await Promise.all(models.map((model) => ask(url, model)));
    }
    if (faults.length > 0) throw new Error(`Cannot take the picture ${name}: ${faults.join('; ')}`);
    await page.context().close();
  }
} finally {
  await browser.close();
  cleared();
}
process.stdout.write(`Took ${Object.keys(PICTURES).length} pictures into docs/images\n`);
process.exit(0);
