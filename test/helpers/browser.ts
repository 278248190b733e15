/** The installed Chromium, driven by Playwright. Nothing is downloaded. */
import { existsSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { chromium } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];
const PLACES = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
];

/** The path of Chromium; `undefined` if it is not installed. `LLMPROXY_CHROMIUM` names another. */
export function chromiumPath(): string | undefined {
  const named = process.env.LLMPROXY_CHROMIUM;
  if (named) return named;
  return (
    NAMES.map((name) => Bun.which(name)).find((path) => path !== null) ??
    PLACES.find((path) => existsSync(path))
  );
}

export async function openBrowser(): Promise<Browser> {
  const executablePath = chromiumPath();
  if (executablePath === undefined) throw new Error('Cannot open a browser: Chromium is not installed');
  // Its sandbox needs privileges that containers and root do not have. It opens only this project's own page.
  return await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
}

export interface Look {
  readonly width?: number;
  readonly height?: number;
  readonly scheme?: 'light' | 'dark';
}

/** Opens a new tab, whose errors and requests to other hosts are collected in `faults`. */
export async function openPage(
  browser: Browser,
  url: string,
  { width = 1280, height = 860, scheme = 'light' }: Look = {},
): Promise<{ page: Page; faults: string[] }> {
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: scheme,
    timezoneId: 'UTC',
  });
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('pageerror', ({ message }) => faults.push(message));
  page.on('console', (message) => {
    // The browser also logs a rejected sign-in to its console.
    if (message.type() === 'error' && !/status of 40[13]/.test(message.text())) faults.push(message.text());
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(new URL(url).origin) && !request.url().startsWith('data:'))
      faults.push(request.url());
  });
  await page.goto(url);
  return { page, faults };
}
