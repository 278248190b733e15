/**
 * The binary's page in a real browser: each view, with mouse and keyboard, wide and narrow, light and dark.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { createRequire } from 'node:module';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import type { ConfigInput } from '../../src/config/schema.ts';
import type { Look } from '../helpers/browser.ts';
import type { Serving } from '../helpers/binary.ts';
import { built, cleared, folder, serveFolder } from '../helpers/binary.ts';
import { chromiumPath, openBrowser, openPage } from '../helpers/browser.ts';
import { writeDemoLog } from '../helpers/demo-log.ts';
import { until } from '../helpers/until.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const VIEWS = ['requests', 'usage', 'providers', 'playground', 'dataset', 'config'] as const;
const missing = chromiumPath() === undefined;
if (missing)
  process.stderr.write(
    'The page is not tried in a browser: Chromium is not installed (apt-get install chromium)\n',
  );

let browser: Browser;
beforeAll(async () => {
  built();
  if (!missing) browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  cleared();
});

const PROVIDERS: ConfigInput['providers'] = [
  { name: 'fine', type: 'mock', models: ['gpt-5.2', 'mock'], mock: { tokens_per_second: 200 } },
  {
    name: 'broken',
    type: 'mock',
    models: ['claude'],
    max_retries: 0,
    mock: { faults: { rate: 1, status: 401 } },
  },
  { name: 'off', type: 'mock', models: ['x'], enabled: false },
];

async function served(more: Partial<ConfigInput> = {}): Promise<Serving> {
  const cwd = folder();
  writeDemoLog(join(cwd, 'logs'), { nowMs: Date.now() - 120_000, days: 2, perDay: 400 });
  const config = {
    logging: { level: 'error', requests: { flush_interval: '20ms' } },
    providers: PROVIDERS,
    ...more,
  };
  writeFileSync(join(cwd, 'config.yaml'), JSON.stringify(config));
  return await serveFolder(cwd);
}

const ask = async (url: string, body: object = {}, headers: Record<string, string> = {}) =>
  await (
    await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({
        model: 'mock',
        messages: [{ role: 'user', content: '<img src=x onerror=alert(1)>' }],
        ...body,
      }),
    })
  ).text();

const open = async (url: string, view: string, look: Look = {}) =>
  await openPage(browser, `${url}/#/${view}`, look);

/** The violations found by axe that are serious or critical. */
async function findings(page: Page): Promise<unknown> {
  // Injected by the test, bypassing the page's content security policy.
  await page.evaluate(AXE);
  return await page.evaluate(`axe.run().then(({ violations }) => violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => id + ': ' + nodes[0].html))`);
}

const FITS = 'document.documentElement.scrollWidth <= innerWidth';

describe.skipIf(missing)('the page', () => {
  /** The address of a proxy that tests only look at. */
  let shown: string;
  beforeAll(async () => {
    ({ url: shown } = await served());
    await ask(shown, { model: 'claude' });
  });

  describe.each([
    ['1280 px, light', { width: 1280, scheme: 'light' }],
    ['1280 px, dark', { width: 1280, scheme: 'dark' }],
    ['390 px, light', { width: 390, height: 844, scheme: 'light' }],
    ['390 px, dark', { width: 390, height: 844, scheme: 'dark' }],
    ['320 px, dark', { width: 320, height: 640, scheme: 'dark' }],
    ['768 px, light', { width: 768, height: 900, scheme: 'light' }],
  ] satisfies [string, Look][])('%s', (_, look) => {
    test('every view fits, has no serious axe findings, contacts no other host, and has no errors', async () => {
      for (const view of VIEWS) {
        const { page, faults } = await open(shown, view, look);
        await page.waitForSelector(READY[view]);
        const fits = await page.evaluate(FITS);
        expect([view, fits, await findings(page), faults]).toEqual([view, true, [], []]);
        await page.context().close();
      }
      // On a busy machine, a view takes seconds.
    }, 180_000);

    test('a request opens beside the list, or over it, and fits', async () => {
      const { page, faults } = await open(shown, 'requests', look);
      await page.locator('.row-link').first().click();
      await page.waitForSelector('.conversation');
      expect(await page.evaluate(FITS)).toBeTrue();
      expect([await findings(page), faults]).toEqual([[], []]);
      await page.context().close();
    }, 60_000);
  });

  /** The selector that appears when a view has loaded. */
  const READY: Readonly<Record<(typeof VIEWS)[number], string>> = {
    requests: '.requests-table tbody tr',
    usage: '.chart svg',
    providers: '.provider-card',
    playground: '.compose',
    dataset: '.row-preview',
    config: '.yaml b',
  };

  test('live requests appear as they end, and their content is always shown as text', async () => {
    const { url } = await served();
    const { page, faults } = await open(url, 'requests?filter=model:mock');
    await page.waitForSelector('.pulse.live');
    expect(await page.locator('.requests-table tbody tr').count()).toBe(0);
    await ask(url);
    await page.locator('.requests-table tbody tr').first().click();
    const said = page.locator('.message.user .said');
    expect(await said.textContent()).toBe('<img src=x onerror=alert(1)>');
    expect(await said.locator('img').count()).toBe(0);
    await page.locator('details.raw summary').first().click();
    expect(await page.locator('details.raw pre').first().textContent()).toContain('"model": "mock"');
    await page.getByRole('button', { name: 'Close' }).click();
    await page.getByRole('button', { name: 'Pause' }).click();
    await ask(url);
    await page.getByRole('button', { name: '1 new' }).click();
    await until('the page to change', () =>
      page.evaluate(`document.querySelectorAll('.requests-table tbody tr').length === 2`),
    );
    await page.getByRole('button', { name: 'Failed' }).click();
    await page.waitForSelector('text=No request matches the filter');
    expect(faults).toEqual([]);
    await page.context().close();
  }, 60_000);

  test.each([320, 768, 1000, 1280])(
    'long and strange names fit into %d px, and stay text',
    async (width) => {
      const long = 'n'.repeat(64);
      const models = [
        '<img src=x onerror=alert(1)>',
        '\u202Eمزود',
        'm'.repeat(200),
        'two words '.repeat(12).trim(),
      ];
      const { url } = await served({
        auth: { keys: [{ name: long, key: 'k-boss-0123456789', ops: true }] },
        providers: [
          { name: `${long}1`, type: 'mock', models },
          { name: `${long}2`, type: 'mock', models: ['broken'], mock: { faults: { rate: 1, status: 401 } } },
        ],
      });
      for (const model of [...models, 'broken'])
        await ask(url, { model, user: 'u'.repeat(200) }, { authorization: 'Bearer k-boss-0123456789' });
      const { page, faults } = await open(url, 'requests', { width });
      await page.getByLabel('API key').fill('k-boss-0123456789');
      await page.keyboard.press('Enter');
      for (const view of VIEWS) {
        await page.goto(`${url}/#/${view}`);
        await page.waitForSelector(READY[view]);
        expect([view, await page.evaluate(FITS), faults]).toEqual([view, true, []]);
      }
      await page.goto(`${url}/#/requests`);
      await page.locator('.row-link').first().click();
      await page.waitForSelector('.conversation');
      expect([await page.evaluate(FITS), faults]).toEqual([true, []]);
      await page.context().close();
    },
    60_000,
  );

  test('can be used with the keyboard', async () => {
    const { url } = await served();
    const { page } = await open(url, 'requests');
    await page.waitForSelector('.requests-table tbody tr:nth-child(3)');
    const ids = await page
      .locator('.row-link')
      .evaluateAll((links) => links.map((link) => link.getAttribute('href')));
    const press = async (key: string) => await page.keyboard.press(key);
    for (const key of ['j', 'j', 'k', 'j']) await press(key);
    await press('Enter');
    await page.waitForSelector('.detail');
    expect(new URL(page.url()).hash).toBe(ids[1]!);
    await press('j');
    await until('the page to change', () => page.evaluate(`location.hash === ${JSON.stringify(ids[2])}`));
    await press('Escape');
    await page.waitForSelector('.detail', { state: 'detached' });
    expect(await page.evaluate(`document.activeElement?.className`)).toBe('row-link');
    await press('/');
    expect(await page.evaluate(`document.activeElement?.id`)).toBe('filter');
    await page.keyboard.type('model:gpt');
    await press('Enter');
    await until('the page to change', () => page.evaluate(`location.hash.includes('gpt')`));
    await until('the page to change', () =>
      page.evaluate(
        `[...document.querySelectorAll('.requests-table .model')].every((cell) => cell.textContent?.startsWith('gpt'), )`,
      ),
    );
    await press('?');
    await page.waitForSelector('dialog[open]');
    expect(await findings(page)).toEqual([]);
    await press('Escape');
    await page.waitForSelector('dialog', { state: 'detached' });
    const background = async () =>
      await page.evaluate(`getComputedStyle(document.documentElement).backgroundColor`);
    const light = await background();
    await press('t');
    await press('t');
    expect(await page.evaluate(`document.documentElement.dataset.theme`)).toBe('dark');
    expect(await background()).not.toBe(light);
    await page.reload();
    await page.waitForSelector('.requests-table');
    expect(await page.evaluate(`document.documentElement.dataset.theme`)).toBe('dark');
    await press('3');
    await page.waitForSelector('.provider-card');
    await page.context().close();
  }, 60_000);

  test('shows usage by key over a week, with details under the pointer', async () => {
    const { url } = await served();
    const { page, faults } = await open(url, 'usage');
    await page.getByRole('button', { name: 'Week' }).click();
    await page.getByRole('button', { name: 'Key', exact: true }).click();
    await page.waitForSelector('.roomy tbody th:has-text("web-app")');
    const box = (await page.locator('.chart .plot').first().boundingBox())!;
    await page.mouse.move(box.x + box.width - 40, box.y + 60);
    expect(await page.locator('.tip').first().textContent()).toMatch(/web-app.*\$/);
    expect(await page.locator('.chart svg rect.fill').count()).toBeGreaterThan(10);
    expect(faults).toEqual([]);
    await page.context().close();
  }, 60_000);

  test('shows why providers are unavailable, and when they are tried again', async () => {
    const { url } = await served({ routing: { breaker: { cooldown: '1h', max_cooldown: '1h' } } });
    await ask(url, { model: 'claude' });
    const { page } = await open(url, 'providers');
    const broken = page.getByRole('region', { name: 'broken' });
    await broken.locator('.held li').first().waitFor();
    expect(await broken.textContent()).toMatch(/unhealthy.*auth.*key 1.*401.*next trial/s);
    expect(await page.getByRole('region', { name: 'off' }).textContent()).toContain('disabled');
    await page.context().close();
  }, 60_000);

  test('streams in the playground, and links to the request', async () => {
    const { url } = await served();
    const { page, faults } = await open(url, 'playground');
    await page.getByLabel('Model').fill('mock');
    await page.getByLabel('Message').fill('Tell me');
    await page.waitForSelector('button.primary:has-text("Send"):enabled');
    await page.getByLabel('Message').press('Enter');
    await page.waitForSelector('.turn-facts');
    expect(await page.locator('.message.assistant .said').textContent()).toStartWith('You said: Tell me');
    expect(await page.locator('.turn-facts').textContent()).toMatch(
      /^fine\/mock · first content .* out · request$/,
    );
    await page.getByRole('link', { name: 'request', exact: true }).click();
    await page.waitForSelector('.conversation');
    expect(await page.locator('.detail .message.user .said').textContent()).toBe('Tell me');
    expect(faults).toEqual([]);
    await page.context().close();
  }, 60_000);

  test('keeps the model that is typed in the playground while the models are loaded', async () => {
    const { url } = await served();
    const { page } = await open(url, 'requests');
    const loading = Promise.withResolvers<void>();
    await page.route('**/page/models', async (route) => {
      await loading.promise;
      await route.continue();
    });
    await page.goto(`${url}/#/playground`);
    const model = page.getByLabel('Model');
    await model.focus();
    loading.resolve();
    await page.waitForSelector('#models option', { state: 'attached' });
    await page.keyboard.type('mock');
    expect(await model.inputValue()).toBe('mock');
    // Without one, the first model answers.
    await model.fill('');
    await page.getByLabel('Message').fill('Tell me');
    await page.getByLabel('Message').press('Enter');
    await page.waitForSelector('.turn-facts:has-text("fine/gpt-5.2")');
    await page.context().close();
  }, 60_000);

  test('exports the same dataset as its command', async () => {
    const { url, cwd } = await served();
    const { page } = await open(url, 'dataset?filter=model:gpt');
    await page.waitForSelector('.row-preview');
    const command = (await page.locator('.command pre').textContent())!;
    expect(command).toBe(
      'llmproxy export --model-filter gpt --successful-only --format openai --output dataset.jsonl',
    );
    const { BINARY } = await import('../helpers/binary.ts');
    const made = Bun.spawnSync(['sh', '-c', command.replace('llmproxy', BINARY)], { env: process.env, cwd });
    expect(made.exitCode).toBe(0);
    const rows = readFileSync(join(cwd, 'dataset.jsonl'), 'utf8').trimEnd().split('\n');
    const shown = await page.locator('.row-preview').allTextContents();
    expect(
      shown.map((text) => JSON.stringify(JSON.parse(text))).every((row) => rows.includes(row)),
    ).toBeTrue();
    await page.context().close();
  }, 60_000);

  test('asks for a key if keys are configured, and forgets it on signing out', async () => {
    const keys = [
      { name: 'boss', key: 'k-boss-0123456789', ops: true },
      { name: 'ann', key: 'k-ann-0123456789' },
    ];
    const { url } = await served({ auth: { keys } });
    const { page, faults } = await open(url, 'config');
    const field = page.getByLabel('API key');
    await field.fill('k-ann-0123456789');
    await page.keyboard.press('Enter');
    await page.waitForSelector('[role=alert]:has-text("ops: true")');
    expect(await findings(page)).toEqual([]);
    await field.fill('k-boss-0123456789');
    await page.keyboard.press('Enter');
    await page.waitForSelector('.yaml b');
    expect(await page.locator('.yaml').textContent()).not.toContain('0123456789');
    const [cookie] = await page.context().cookies();
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict', path: '/page' });
    expect(await page.evaluate(`document.cookie + JSON.stringify({ ...localStorage })`)).not.toContain(
      'k-boss',
    );
    await page.reload();
    await page.waitForSelector('.yaml b');
    await page.getByRole('button', { name: 'Sign out boss' }).click();
    await page.waitForSelector('.sign-in');
    expect(faults).toEqual([]);
    await page.context().close();
  }, 60_000);

  test('reconnects by itself when the proxy is back', async () => {
    const serving = await served();
    const { page } = await open(serving.url, 'requests?filter=model:mock');
    await page.waitForSelector('.pulse.live');
    serving.process.kill('SIGTERM');
    await page.waitForSelector('.pulse.lost');
    await serving.process.exited;
    await page.getByRole('link', { name: 'Config' }).click();
    await page.waitForSelector('text=The proxy cannot be reached');
    const { port } = new URL(serving.url);
    const config = JSON.parse(readFileSync(join(serving.cwd, 'config.yaml'), 'utf8')) as ConfigInput;
    writeFileSync(
      join(serving.cwd, 'config.yaml'),
      JSON.stringify({ ...config, server: { port: Number(port) } }),
    );
    const { serveAsWritten } = await import('../helpers/binary.ts');
    const again = await serveAsWritten(serving.cwd);
    await page.waitForSelector('.pulse.live');
    await page.waitForSelector('.yaml b');
    await page.getByRole('link', { name: 'Requests', exact: true }).click();
    await page.waitForSelector('.requests-table');
    await ask(again.url);
    await page.waitForSelector('.requests-table tbody tr');
    await page.context().close();
  }, 60_000);
});
