import { existsSync, readFileSync } from 'node:fs';
import type { Config } from '../../config/schema.ts';
import { ExitError } from '../exit.ts';
import { KEY_VARIABLE } from './programs.ts';

/** How long a proxy may take to answer, milliseconds. */
const PATIENCE_MS = 2_000;

/** The address in a flag, in the form that programs receive it. @throws ExitError 2 when it is invalid */
export function baseOfUrl(url: string): string {
  const parsed = URL.parse(url);
  if (!parsed || !/^https?:$/.test(parsed.protocol))
    throw new ExitError(2, `Cannot use --url ${url}: expected an http:// or https:// address`);
  return `${parsed.origin}${parsed.pathname}`.replace(/\/+$/, '').replace(/\/v1$/, '');
}

/** Where a proxy with this configuration listens; `undefined` for any free port, and for a unix socket, which these programs cannot use. */
export function baseOfConfig({ server: { host, port, tls, unix } }: Config): string | undefined {
  if (unix !== undefined || port === 0) return undefined;
  const local = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `${tls ? 'https' : 'http'}://${local.includes(':') ? `[${local}]` : local}:${port}`;
}

/** Whether this proxy, rather than another server, answers at an address. */
export async function isProxyAt(base: string): Promise<boolean> {
  try {
    const answer = await fetch(`${base}/health/live`, { signal: AbortSignal.timeout(PATIENCE_MS) });
    return ((await answer.json()) as { status?: unknown }).status === 'live';
  } catch {
    // Nothing listens there, or another server does.
    return false;
  }
}

/** The key that programs send. @throws ExitError when callers need one and none is given */
export function keyFor(config: Config | undefined): string {
  const given = process.env[KEY_VARIABLE];
  if (given) return given;
  const auth = config?.auth;
  if (auth === undefined || auth === 'none') return 'unused';
  const example = auth.keys.find(({ key_env: variable }) => variable !== undefined)?.key_env;
  const hint = example === undefined ? ' to one of `auth.keys`' : `, for example to that of ${example}`;
  throw new ExitError(1, `Cannot run it without a key: the proxy requires one. Set ${KEY_VARIABLE}${hint}`);
}

/** The models that a proxy lists. @throws ExitError when it refuses, or cannot be reached */
export async function modelsAt(base: string, key: string): Promise<readonly string[]> {
  const { status, body } = await getJson(`${base}/v1/models`, key);
  const { data, error } = body as { data?: { id: string }[]; error?: { message?: string } };
  if (status === 200 && Array.isArray(data)) return data.map(({ id }) => id);
  throw new ExitError(1, `Cannot use ${base}: ${error?.message ?? `it answered ${status}`}`);
}

/** Whether a proxy serves a model under any of its names. */
export async function servesModel(base: string, key: string, model: string): Promise<boolean> {
  return (await getJson(`${base}/v1/models/${encodeURIComponent(model)}`, key)).status === 200;
}

async function getJson(url: string, key: string): Promise<{ status: number; body: unknown }> {
  try {
    const headers = { authorization: `Bearer ${key}` };
    const answer = await fetch(url, { headers, signal: AbortSignal.timeout(5 * PATIENCE_MS) });
    return { status: answer.status, body: await answer.json() };
  } catch (cause) {
    throw new ExitError(1, `Cannot reach ${new URL(url).origin}: ${(cause as Error).message}`);
  }
}

/** The default configuration file: the current directory may contain a config.yaml of another program. */
export function configFileHere(flag: string | undefined): string | undefined {
  const named = flag ?? (process.env.LLMPROXY_CONFIG || undefined);
  if (named !== undefined || !existsSync('config.yaml')) return named;
  return /^providers\s*:/m.test(readFileSync('config.yaml', 'utf8')) ? 'config.yaml' : undefined;
}
