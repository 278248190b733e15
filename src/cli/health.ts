import { defineCommand } from 'citty';
import { about } from './argv/command.ts';
import type { HealthState } from '../pipeline/targets/health.ts';
import { socketReason } from '../providers/transport.ts';
import type { HealthReport } from './health-text.ts';
import { ExitError } from './exit.ts';
import type { Address } from './health-address.ts';
import { addressOf } from './health-address.ts';
import { healthText } from './health-text.ts';
import { print } from './output.ts';
import { widthOf } from './wrap.ts';

const EXIT: Record<HealthState, number> = { healthy: 0, degraded: 1, unhealthy: 2 };
const UNREACHABLE = 3;
const WATCH_MS = 2_000;

export default defineCommand({
  meta: about({
    name: 'health',
    description:
      'Show the state of a running proxy and its providers. Exit status: 0 healthy, 1 degraded, 2 unhealthy, 3 unreachable',
    examples: [
      'llmproxy health',
      'llmproxy health --url https://llm.example --key "$OPS_KEY"',
      'llmproxy health --url unix:/run/llmproxy.sock --watch',
    ],
  }),
  args: {
    url: {
      type: 'string',
      valueHint: 'address',
      description:
        'Address of the proxy, or unix:/path/to/socket (default: $LLMPROXY_URL, then http://127.0.0.1:8000)',
    },
    key: { type: 'string', description: 'API key, if the proxy requires one (default: $LLMPROXY_KEY)' },
    ca: {
      type: 'string',
      valueHint: 'file',
      description: 'Certificates of additional trusted authorities (PEM)',
    },
    insecure: {
      type: 'boolean',
      description: 'Accept any certificate, only for a proxy on this machine',
    },
    'client-cert': {
      type: 'string',
      valueHint: 'file',
      description: 'Client certificate to present to the proxy (PEM)',
    },
    'client-key': { type: 'string', valueHint: 'file', description: 'Its private key (PEM)' },
    live: { type: 'boolean', description: 'Check only whether it responds, which needs no key' },
    ready: { type: 'boolean', description: 'Check only whether it can accept requests, which needs no key' },
    json: { type: 'boolean', description: 'Print the report as JSON' },
    watch: { type: 'boolean', description: 'Refresh every 2 seconds until Ctrl-C' },
  },
  async run({ args }) {
    const url = args.url ?? (process.env.LLMPROXY_URL || 'http://127.0.0.1:8000');
    const address = addressOf({ ...args, url });
    if (args.live || args.ready) return probe(address, args.ready ? 'ready' : 'live');
    const key = args.key ?? process.env.LLMPROXY_KEY;
    if (args.watch) await watch(address, key, args.json ?? false);
    const report = await ask(address, key);
    print(args.json ? `${JSON.stringify(report, null, 2)}\n` : `${shown(report)}\n`);
    if (EXIT[report.status] !== 0) throw new ExitError(EXIT[report.status]);
  },
});

/**
 * Performs the check of a container or orchestrator probe, and prints the one word of the answer.
 * @throws ExitError 2 when the answer is negative, 3 when no proxy answers
 */
async function probe(address: Address, question: 'live' | 'ready'): Promise<void> {
  const response = await get(address, `/health/${question}`, {});
  const { status } = (await response.json().catch(() => ({}))) as { status?: unknown };
  if (typeof status !== 'string') {
    throw new ExitError(UNREACHABLE, `Cannot ask ${address.shown}: the server there is not llmproxy`);
  }
  print(`${status}\n`);
  if (!response.ok) throw new ExitError(EXIT.unhealthy);
}

async function watch(address: Address, key: string | undefined, json: boolean): Promise<void> {
  const clear = process.stdout.isTTY && !json ? '\x1b[H\x1b[2J' : '';
  for (;;) {
    const text = await ask(address, key).then(
      (report) => (json ? JSON.stringify(report) : shown(report)),
      (error: Error) => (json ? JSON.stringify({ error: error.message }) : error.message),
    );
    print(`${clear}${text}\n`);
    await Bun.sleep(WATCH_MS);
  }
}

/** @throws ExitError 3 when no proxy answers */
async function ask(address: Address, key: string | undefined): Promise<HealthReport> {
  const response = await get(
    address,
    '/providers',
    key === undefined ? {} : { authorization: `Bearer ${key}` },
  );
  const report: unknown = await response.json().catch(() => undefined);
  if (isReport(report)) return report;
  const reason = REFUSALS[codeOf(report)] ?? 'the server there is not llmproxy';
  throw new ExitError(UNREACHABLE, `Cannot ask ${address.shown}: ${reason}`);
}

/** @throws ExitError 3 when nothing answers within 5 seconds */
async function get(
  { shown: where, url: base, init }: Address,
  path: string,
  headers: Readonly<Record<string, string>>,
): Promise<Response> {
  const url = new URL(base);
  url.pathname = `${url.pathname.replace(/\/(v1\/?)?$/, '')}${path}`;
  try {
    const signal = AbortSignal.timeout(5_000);
    return await fetch(url, { ...init, headers, signal, redirect: 'manual' });
  } catch (cause) {
    throw new ExitError(UNREACHABLE, `Cannot reach ${where}: ${reasonOf(cause as Error)}`);
  }
}

function shown(report: HealthReport): string {
  return healthText(report, widthOf(process.stdout));
}

function reasonOf(cause: Error): string {
  if (cause.name === 'TimeoutError') return 'no answer within 5 s';
  const reason = UNIX_REASONS[(cause as { code?: string }).code ?? ''] ?? socketReason(cause);
  if (reason.startsWith('TLS certificate')) return `${reason}. Name its authority with --ca`;
  return `${reason}. Is llmproxy running there? Give its address with --url`;
}

/** Why a unix socket cannot be reached. */
const UNIX_REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such socket',
  EACCES: 'permission denied',
};

/** Why a proxy does not show its providers, by error code. */
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
