/**
 * `make outages`: the compiled binary with its default settings between callers and a provider that goes away and comes
 * back, all patterns in parallel. Prints how long after its return the provider was used again, how long the slowest
 * caller waited, and how often the provider was asked while it was away. Exits 1 if a recovery took over 15 s, or if a
 * caller got an error although a second provider could answer.
 * Usage: bun bench/outages.ts [--scale N]   (0.2 shortens the outages to a fifth, but not the settings)
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { children, started } from './children.ts';

const { values } = parseArgs({ options: { scale: { type: 'string', default: '1' } } });
const SCALE = Number(values.scale);
const ROOT = join(import.meta.dir, '..');
const ASK_EVERY_MS = 500;
const MOST_MS = 15_000;

/** Seconds away and seconds back, in turn. */
const PATTERNS: Readonly<Record<string, readonly number[]>> = {
  '60 s': [60],
  '180 s': [180],
  '20 s on and off': [20, 20, 20, 20, 20, 20, 20],
};

const AWAY: Readonly<Record<string, () => Response | Promise<Response>>> = {
  '503': () => Response.json({ error: { message: 'away' } }, { status: 503 }),
  '401': () => Response.json({ error: { message: 'away' } }, { status: 401 }),
  silent: () => new Promise<Response>(() => undefined),
};

const answer = () =>
  Response.json({
    id: 'c',
    object: 'chat.completion',
    created: 1,
    model: 'm',
    choices: [{ index: 0, message: { role: 'assistant', content: 'ok' }, finish_reason: 'stop' }],
  });

const folder = mkdtempSync(join(tmpdir(), 'llmproxy-outages-'));
process.on('SIGINT', () => process.exit(130));
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

interface Row {
  readonly name: string;
  readonly stream: boolean;
  backMs: number;
  slowestMs: number;
  asked: number;
  failed: number;
}

/** One provider that goes away and comes back, and requests for it at a steady rate. */
class Outage {
  readonly model: string;
  readonly server: Bun.Server<undefined>;
  readonly #spans: readonly number[];
  readonly row: Row;
  #away = false;
  #backAtMs = 0;

  constructor(kind: string, pattern: string, probe: 'honest' | 'blind') {
    const stream = kind === 'silent';
    this.row = {
      name: `${kind}, ${pattern}, probe ${probe}`,
      stream,
      backMs: 0,
      slowestMs: 0,
      asked: 0,
      failed: 0,
    };
    this.model = `${kind}-${pattern}-${probe}`.replaceAll(' ', '_');
    this.#spans = PATTERNS[pattern]!;
    this.server = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      idleTimeout: 0,
      fetch: ({ url }) => {
        const probing = url.endsWith('/models');
        if (probing && probe === 'blind') return new Response('', { status: 404 });
        if (!probing && this.#away) this.row.asked += 1;
        return this.#away ? AWAY[kind]!() : answer();
      },
    });
  }

  async run(url: string): Promise<void> {
    const over = new AbortController();
    const asking: Promise<void>[] = [];
    const callers = async () => {
      while (!over.signal.aborted) {
        asking.push(this.#ask(url));
        await Bun.sleep(ASK_EVERY_MS);
      }
    };
    const called = callers();
    for (const [at, seconds] of this.#spans.entries()) {
      this.#away = at % 2 === 0;
      if (!this.#away) this.#backAtMs = performance.now();
      await Bun.sleep(seconds * 1_000 * SCALE);
      if (!this.#away) this.#used();
    }
    this.#away = false;
    this.#backAtMs = performance.now();
    const untilMs = this.#backAtMs + 60_000;
    while (this.#backAtMs > 0 && performance.now() < untilMs) await Bun.sleep(50);
    this.#used();
    over.abort();
    await called;
    await Promise.all(asking);
    this.server.stop(true);
  }

  /** A return that nobody noticed counts with its full duration. */
  #used(): void {
    if (this.#backAtMs > 0) this.row.backMs = Math.max(this.row.backMs, performance.now() - this.#backAtMs);
    this.#backAtMs = 0;
  }

  async #ask(url: string): Promise<void> {
    const beganMs = performance.now();
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({
        model: this.model,
        stream: this.row.stream,
        messages: [{ role: 'user', content: 'hi' }],
      }),
    });
    await response.text();
    this.row.slowestMs = Math.max(this.row.slowestMs, performance.now() - beganMs);
    if (response.status !== 200) this.row.failed += 1;
    if (response.headers.get('x-llmproxy-provider')?.startsWith('first') && beganMs > this.#backAtMs)
      this.#used();
  }
}

const outages = Object.keys(AWAY).flatMap((kind) =>
  Object.keys(PATTERNS).flatMap((pattern) =>
    (['honest', 'blind'] as const).map((probe) => new Outage(kind, pattern, probe)),
  ),
);
const second = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: answer });
const provider = (name: string, port: number | undefined, priority: number, model: string) => ({
  name,
  type: 'openai-compatible',
  base_url: `http://127.0.0.1:${port}`,
  models: [model],
  priority,
});
const providers = [
  ...outages.map(({ server, model }, n) => provider(`first-${n}`, server.port, 1, model)),
  provider('second', second.port, 2, '*'),
];
writeFileSync(
  join(folder, 'config.yaml'),
  JSON.stringify({ providers, logging: { requests: { enabled: false } } }),
);
const { url } = await started([join(ROOT, 'dist/llmproxy'), 'serve', '--port', '0'], folder);

// A machine that stalls, as virtual ones sometimes do, is not a provider outage.
let tickMs = performance.now();
let stoodMs = 0;
const ticking = setInterval(() => {
  const nowMs = performance.now();
  stoodMs = Math.max(stoodMs, nowMs - tickMs);
  tickMs = nowMs;
}, 100);
await Promise.all(outages.map((outage) => outage.run(url)));
clearInterval(ticking);

const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;
for (const { row } of outages) {
  const { name, backMs, slowestMs, asked, failed } = row;
  process.stdout.write(
    `${name.padEnd(36)} used again after ${seconds(backMs).padStart(7)}, slowest caller ${seconds(slowestMs).padStart(7)}, asked ${String(asked).padStart(4)} times while away, ${failed} failed\n`,
  );
}
if (stoodMs > 2_000) process.stdout.write(`This machine stalled for ${seconds(stoodMs)}: run it again.\n`);
const bad = outages.filter(({ row }) => row.backMs > MOST_MS || row.failed > 0);
process.exit(bad.length > 0 ? 1 : 0);
