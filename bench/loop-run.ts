/** Normal requests at a steady rate, alone and beside an expensive one. */
import type { ConfigInput } from '../src/config/schema.ts';
import { join } from 'node:path';

export interface Waits {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  /** The longest wait of a request that the proxy answers without waiting: how long the event loop was blocked. */
  readonly held: number;
}

export interface Beside extends Waits {
  readonly status: number | string;
  /** How long the expensive request took, in milliseconds. */
  readonly tookMs: number;
}

/** Targets to which requests are relayed, translated to Claude, and translated to Gemini. */
export function loopConfig(upstream: string): ConfigInput {
  const shared = { api_key: 'none-at-all', max_retries: 0 };
  // Many patterns, of kinds that are matched in different ways.
  const patterns = Array.from({ length: 240 }, (_, n) => [
    `m${n}*-[a-z]?`,
    `*{x,y}*${n}`,
    `*n${n}*[^a]`,
  ]).flat();
  const models = ['*', 'a*-*-*-*-*-*-b', ...patterns];
  return {
    providers: [
      { name: 'up', type: 'openai-compatible', base_url: `${upstream}/v1`, models, ...shared },
      { name: 'claude', type: 'anthropic', base_url: upstream, models: ['x'], ...shared },
      { name: 'gem', type: 'gemini', base_url: upstream, models: ['x', 'vectors'], ...shared },
      { name: 'deepseek', type: 'deepseek', base_url: `${upstream}/v1`, models: ['x'], ...shared },
    ],
    // An expensive answer must not open the breaker of the target that the normal requests use.
    routing: { breaker: { failures: 1_000 } },
  };
}

const EVERY_MS = 10;
/** How long the normal requests go on after the expensive one, whose record is still being written. */
const AFTER_MS = 400;
/** An expensive request that has no answer by then is abandoned. */
const LONGEST_MS = 60_000;

const BODY = JSON.stringify({ model: 'up/normal', messages: [{ role: 'user', content: 'hello' }] });

/**
 * Sends a normal request every 10 ms, whether or not the previous one is answered, until the promise settles. @returns
 * the milliseconds of each
 */
export async function normal(url: string, until: Promise<unknown>): Promise<Waits> {
  const waits: number[] = [];
  const running: Promise<void>[] = [];
  const ending = { over: false };
  void until.then(() => (ending.over = true));
  const ask = async (): Promise<void> => {
    const began = performance.now();
    const response = await fetch(`${url}/v1/chat/completions`, { method: 'POST', body: BODY });
    await response.arrayBuffer();
    if (response.status !== 200) throw new Error(`A normal request was answered ${response.status}`);
    waits.push(performance.now() - began);
  };
  let held = 0;
  const ping = async (): Promise<void> => {
    const began = performance.now();
    await (await fetch(`${url}/health/live`)).arrayBuffer();
    held = Math.max(held, performance.now() - began);
  };
  while (!ending.over) {
    running.push(ask(), ping());
    await Bun.sleep(EVERY_MS);
  }
  await Promise.all(running);
  const sorted = waits.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { p50: at(0.5), p99: at(0.99), max: at(1), held };
}

/** The same beside an expensive request, which another process makes and sends. */
export async function beside(url: string, kind: string): Promise<Beside> {
  const child = Bun.spawn(
    [process.execPath, '--no-env-file', join(import.meta.dir, 'loop-heavy.ts'), url, kind],
    {
      stdin: 'pipe',
      stdout: 'pipe',
      stderr: 'inherit',
    },
  );
  const timer = setTimeout(() => child.kill('SIGKILL'), LONGEST_MS);
  let text = '';
  const told = Promise.withResolvers<void>();
  const ready = Promise.withResolvers<void>();
  const reading = (async () => {
    for await (const chunk of child.stdout) {
      text += new TextDecoder().decode(chunk);
      if (text.includes('\n')) ready.resolve();
    }
    ready.resolve();
    told.resolve();
  })();
  await ready.promise;
  const measured = normal(
    url,
    told.promise.then(() => Bun.sleep(AFTER_MS)),
  );
  await Bun.sleep(10 * EVERY_MS);
  child.stdin.write('go\n');
  child.stdin.end();
  await reading;
  clearTimeout(timer);
  const line = text.split('\n')[1];
  const { status, ms } = line
    ? (JSON.parse(line) as { status: number | string; ms: number })
    : { status: 'none', ms: LONGEST_MS };
  return { ...(await measured), status, tookMs: ms };
}
