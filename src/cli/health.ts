import { defineCommand } from 'citty';
import type { HealthState } from '../pipeline/health.ts';
import type { HeldStatus, ProviderStatus } from '../pipeline/status.ts';
import { ExitError } from './exit.ts';
import { print } from './output.ts';
import { table } from './table.ts';

const EXIT: Record<HealthState, number> = { healthy: 0, degraded: 1, unhealthy: 2 };
const UNREACHABLE = 3;
const WATCH_MS = 2_000;

interface Report {
  readonly status: HealthState;
  readonly providers: readonly ProviderStatus[];
}

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
    print(args.json ? `${JSON.stringify(report, null, 2)}\n` : `${render(report)}\n`);
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
    const shown = await ask(base, key).then(
      (report) => (json ? JSON.stringify(report) : render(report)),
      (error: Error) => (json ? JSON.stringify({ error: error.message }) : error.message),
    );
    print(`${clear}${shown}\n`);
    await Bun.sleep(WATCH_MS);
  }
}

/** @throws ExitError 3 when no proxy answers there */
async function ask(base: URL, key: string | undefined): Promise<Report> {
  const url = new URL(base);
  url.pathname = `${url.pathname.replace(/\/(v1\/?)?$/, '')}/providers`;
  const headers: Record<string, string> = key === undefined ? {} : { authorization: `Bearer ${key}` };
  let response: Response;
  try {
    response = await fetch(url, { headers, signal: AbortSignal.timeout(5_000), redirect: 'manual' });
  } catch (cause) {
    const { name, message } = cause as Error;
    const reason = name === 'TimeoutError' ? 'no answer within 5 s' : message;
    throw new ExitError(UNREACHABLE, `Cannot reach ${base.origin}: ${reason}`);
  }
  const report: unknown = await response.json().catch(() => undefined);
  if (isReport(report)) return report;
  const reason = REFUSALS[codeOf(report)] ?? 'what answers there is no llmproxy';
  throw new ExitError(UNREACHABLE, `Cannot ask ${base.origin}: ${reason}`);
}

/** Why a proxy does not show its providers, by the code of its error. */
const REFUSALS: Readonly<Record<string, string>> = {
  invalid_api_key: 'it wants an API key that it knows, give --key',
  key_not_permitted: 'the key may not read its ops pages (auth.keys[].ops)',
  host_not_allowed: 'it does not answer to that name (server.hosts)',
};

function codeOf(report: unknown): string {
  const { error } = (report ?? {}) as { error?: { code?: unknown } };
  return String(error?.code);
}

function isReport(value: unknown): value is Report {
  const { status, providers } = (value ?? {}) as Partial<Report>;
  return typeof status === 'string' && status in EXIT && Array.isArray(providers);
}

function render({ status, providers }: Report): string {
  const rows = providers.map((provider) => [
    provider.name,
    provider.state,
    breakerText(provider),
    keysText(provider),
    provider.success_rate === null ? '-' : `${Math.round(provider.success_rate * 100)}%`,
    milliseconds(provider.p50_ms),
    milliseconds(provider.p95_ms),
    provider.next_probe === null ? '-' : time(provider.next_probe),
  ]);
  const header = ['PROVIDER', 'STATE', 'BREAKER', 'KEYS', 'OK', 'P50', 'P95', 'PROBE'];
  const shown = table(header, rows, process.stdout.columns ?? Infinity).trimEnd();
  return [status, shown, ...providers.flatMap(reasonLines)].join('\n');
}

function breakerText({ breakers }: ProviderStatus): string {
  const troubled = breakers.open + breakers.half_open;
  const all = troubled + breakers.closed;
  if (all === 0) return '-';
  return troubled === 0 ? 'closed' : `${troubled}/${all} open`;
}

function keysText({ keys }: ProviderStatus): string {
  if (keys.total < 2 && keys.down === 0) return '-';
  return keys.down === 0 ? `${keys.total}` : `${keys.down}/${keys.total} down`;
}

/** Why a provider is not healthy and what is held back, below the table, where there is room to read it. */
function reasonLines({ name, reasons, last_error: last, state, held }: ProviderStatus): string[] {
  const told = state === 'healthy' || !last ? [] : [`last error: ${last.message}`];
  return [...reasons, ...held.map(heldText), ...told].map((reason) => `${name}: ${reason}`);
}

function heldText({
  scope,
  model,
  endpoint,
  key,
  fault,
  message,
  since,
  next_trial: next,
}: HeldStatus): string {
  const which = [model, endpoint, key === null ? null : `key ${key + 1}`].filter((each) => each !== null);
  const whom = scope === 'provider' ? 'all of it' : which.join(', ');
  const trial = next === null ? 'being tried now' : `next trial ${time(next)}`;
  return `held back since ${time(since)} after ${fault}, ${trial}: ${whom} (${message})`;
}

/** The time of day, UTC. */
function time(iso: string): string {
  return iso.slice(11, 19);
}

function milliseconds(ms: number | null): string {
  if (ms === null) return '-';
  return ms < 1_000 ? `${Math.round(ms)}ms` : `${(ms / 1_000).toFixed(1)}s`;
}
