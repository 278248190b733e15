import { defineCommand } from 'citty';
import type { HealthState } from '../pipeline/health.ts';
import { socketReason } from '../providers/transport.ts';
import type { HealthReport } from './health-text.ts';
import { ExitError } from './exit.ts';
import { healthText } from './health-text.ts';
import { print } from './output.ts';
import { widthOf } from './wrap.ts';

const EXIT: Record<HealthState, number> = { healthy: 0, degraded: 1, unhealthy: 2 };
const UNREACHABLE = 3;
const WATCH_MS = 2_000;

export default defineCommand({
  meta: {
    name: 'health',
    description:
      'Show the providers of a running proxy. Exit 0 healthy, 1 degraded, 2 unhealthy, 3 unreachable',
  },
  args: {
    url: {
      type: 'string',
      description: 'Address of the proxy',
      default: process.env.LLMPROXY_URL ?? 'http://127.0.0.1:8000',
    },
    key: { type: 'string', description: 'API key, where the proxy wants one (default: $LLMPROXY_KEY)' },
    json: { type: 'boolean', description: 'Print the report as JSON' },
    watch: { type: 'boolean', description: 'Show it again every 2 seconds until Ctrl-C' },
  },
  async run({ args }) {
    const base = addressOf(args.url);
    const key = args.key ?? process.env.LLMPROXY_KEY;
    if (args.watch) await watch(base, key, args.json ?? false);
    const report = await ask(base, key);
    print(args.json ? `${JSON.stringify(report, null, 2)}\n` : `${shown(report)}\n`);
    if (EXIT[report.status] !== 0) throw new ExitError(EXIT[report.status]);
  },
});

function addressOf(text: string): URL {
  const url = URL.parse(text);
  if (url && /^https?:$/.test(url.protocol)) return url;
  throw new ExitError(2, `Cannot use --url ${text}: expected an http:// or https:// address`);
}

async function watch(base: URL, key: string | undefined, json: boolean): Promise<void> {
  const clear = process.stdout.isTTY && !json ? '\x1b[H\x1b[2J' : '';
  for (;;) {
    const text = await ask(base, key).then(
      (report) => (json ? JSON.stringify(report) : shown(report)),
      (error: Error) => (json ? JSON.stringify({ error: error.message }) : error.message),
    );
    print(`${clear}${text}\n`);
    await Bun.sleep(WATCH_MS);
  }
}

/** @throws ExitError 3 when no proxy answers there */
async function ask(base: URL, key: string | undefined): Promise<HealthReport> {
  const url = new URL(base);
  url.pathname = `${url.pathname.replace(/\/(v1\/?)?$/, '')}/providers`;
  const headers: Record<string, string> = key === undefined ? {} : { authorization: `Bearer ${key}` };
  let response: Response;
  try {
    response = await fetch(url, { headers, signal: AbortSignal.timeout(5_000), redirect: 'manual' });
  } catch (cause) {
    throw new ExitError(UNREACHABLE, `Cannot reach ${base.origin}: ${reasonOf(cause as Error)}`);
  }
  const report: unknown = await response.json().catch(() => undefined);
  if (isReport(report)) return report;
  const reason = REFUSALS[codeOf(report)] ?? 'the server there is not llmproxy';
  throw new ExitError(UNREACHABLE, `Cannot ask ${base.origin}: ${reason}`);
}

function shown(report: HealthReport): string {
  return healthText(report, widthOf(process.stdout));
}

function reasonOf(cause: Error): string {
  if (cause.name === 'TimeoutError') return 'no answer within 5 s';
  return `${socketReason(cause)}. Is llmproxy running there? Give its address with --url`;
}

/** Why a proxy does not show its providers, by the code of its error. */
const REFUSALS: Readonly<Record<string, string>> = {
  invalid_api_key: 'set LLMPROXY_KEY to a key that may read ops pages',
  key_not_permitted: 'the key may not read its ops pages (auth.keys[].ops)',
  host_not_allowed: 'it does not answer to that name (server.hosts)',
};

function codeOf(report: unknown): string {
  const { error } = (report ?? {}) as { error?: { code?: unknown } };
  return String(error?.code);
}

function isReport(value: unknown): value is HealthReport {
  const { status, providers } = (value ?? {}) as Partial<HealthReport>;
  return typeof status === 'string' && status in EXIT && Array.isArray(providers);
}
