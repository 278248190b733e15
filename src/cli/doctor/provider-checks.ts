/** Checks whether providers answer and accept their keys. None of these requests costs anything. */
import { lookup } from 'node:dns/promises';
import type { Config, ProviderConfig } from '../../config/schema.ts';
import type { PluginClass } from '../../providers/factory.ts';
import type { BaseProvider } from '../../providers/base.ts';
import type { Dial } from '../../providers/transport.ts';
import { hasCredentials, offReason, resolveKeys } from '../../config/keys.ts';
import { toProxyError } from '../../errors.ts';
import { directDial } from '../../providers/connect.ts';
import { HttpProvider } from '../../providers/http.ts';
import { providerFactory } from '../../providers/make.ts';
import { isSocketError, socketReason } from '../../providers/transport.ts';
import type { Finding } from './finding.ts';
import { failed, ok, skipped, warning } from './finding.ts';

type Env = Readonly<Record<string, string | undefined>>;

export interface ProviderCheck {
  readonly findings: readonly Finding[];
  /** How far the clocks of providers are ahead of this one, milliseconds. */
  readonly skewsMs: readonly number[];
  /** Whether anything beyond this machine answered. */
  readonly reached: 'yes' | 'no' | 'unknown';
}

export interface Asking {
  readonly env: Env;
  readonly classes: ReadonlyMap<string, PluginClass>;
  /** Cancels all checks; its reason tells how long they took. */
  readonly signal: AbortSignal;
  /** The number of providers that are checked in parallel. */
  readonly atOnce: number;
}

/** Checks every enabled provider with each of its keys. */
export async function checkProviders(
  { providers }: Pick<Config, 'providers'>,
  asking: Asking,
): Promise<ProviderCheck> {
  const waiting = [...providers];
  const results = new Map<ProviderConfig, readonly ProviderResult[]>();
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next; next = waiting.shift())
      results.set(next, await checkProvider(next, asking));
  };
  await Promise.all(Array.from({ length: asking.atOnce }, work));
  const all = providers.flatMap((provider) => results.get(provider) ?? []);
  const outside = all.filter(({ answered }) => answered !== undefined);
  return {
    findings: all.map(({ finding }) => finding),
    skewsMs: all.flatMap(({ skewMs }) => skewMs ?? []),
    reached: outside.length === 0 ? 'unknown' : outside.some(({ answered }) => answered) ? 'yes' : 'no',
  };
}

interface ProviderResult {
  readonly finding: Finding;
  readonly skewMs?: number | undefined;
  /** Whether it answered at all; `undefined` if it was not called, or is on this machine. */
  readonly answered?: boolean | undefined;
}

async function checkProvider(config: ProviderConfig, asking: Asking): Promise<readonly ProviderResult[]> {
  const { name } = config;
  const { env, classes } = asking;
  if (!config.enabled || !hasCredentials(config, env)) return [{ finding: off(config, env) }];
  if (config.type === 'mock') return [{ finding: ok(name, 'built in') }];
  let provider: BaseProvider;
  try {
    provider = providerFactory({ env, plugins: classes }).create(config);
  } catch (thrown) {
    return [{ finding: failed(name, (thrown as Error).message) }];
  }
  const { keys, source } = resolveKeys(config, env);
  const indexes = keys.length === 0 ? [0] : [...keys.keys()];
  return await Promise.all(
    indexes.map(async (key) => {
      const many = keys.length > 1 ? ` (key ${key + 1})` : '';
      const result = await ask(
        {
          provider,
          config,
          key,
          source,
          keyed: keys.length > 0,
          dial: directDial(env),
        },
        asking.signal,
      );
      return { ...result, finding: { ...result.finding, name: `${name}${many}` } };
    }),
  );
}

function off(config: ProviderConfig, env: Env): Finding {
  const reason = offReason(config, env);
  if (reason === 'not enabled') return skipped(config.name, 'not enabled');
  return warning(config.name, 'off: it has no key', `${reason.replace(/^no key: s/, 'S')}.`);
}

interface Question {
  readonly provider: BaseProvider;
  readonly config: ProviderConfig;
  readonly key: number;
  /** Where the key is from. */
  readonly source: string;
  readonly keyed: boolean;
  /** Opens a connection; omitted if that is the task of an HTTP proxy. */
  readonly dial: Dial | undefined;
}

async function ask(question: Question, signal: AbortSignal): Promise<ProviderResult> {
  const { provider, config } = question;
  const host = hostOf(provider, config);
  if (!provider.probes) return await reach(question, signal);
  const beganMs = Date.now();
  try {
    const reply = await bounded(provider.probe(question.key, signal), signal);
    const ms = Date.now() - beganMs;
    await reply.body?.cancel();
    const finding = answer(question, reply.status, ms);
    return {
      finding,
      skewMs: skewOf(reply.headers, beganMs, ms),
      answered: isOutside(host) ? true : undefined,
    };
  } catch (thrown) {
    return {
      finding: await unreached(question, thrown, host),
      answered: isOutside(host) ? false : undefined,
    };
  }
}

/** A provider without a free endpoint: only whether a connection can be opened is checked. */
async function reach({ provider, config, dial }: Question, signal: AbortSignal): Promise<ProviderResult> {
  const { name } = config;
  const url = addressOf(provider, config);
  const host = hostOf(provider, config);
  if (!url || host === undefined) return { finding: skipped(name, 'it has no free endpoint') };
  if (!dial)
    return { finding: skipped(name, `${host} is called through an HTTP proxy: only a request can tell`) };
  const outside = isOutside(host);
  try {
    await bounded(lookup(host), signal);
    await bounded(dial(url, signal), signal);
    const message = `${host} can be reached; only a request can tell whether its key is valid`;
    return { finding: ok(name, message), answered: outside ? true : undefined };
  } catch (thrown) {
    const reason = isSocketError(thrown) ? new Error(socketReason(thrown)) : thrown;
    return {
      finding: failed(name, reasonOf(reason, host), fixFor(reason)),
      answered: outside ? false : undefined,
    };
  }
}

const REACH_FIX = 'Check base_url, the network, and HTTPS_PROXY if you need one.';

/** What a response shows about address and key. */
function answer({ config, source, keyed }: Question, status: number, ms: number): Finding {
  const { name } = config;
  const after = `answers in ${ms} ms`;
  if (status < 300) return ok(name, keyed ? `${after}, its key is valid` : after);
  if (status === 401 || status === 403) {
    if (!keyed) return failed(name, `${after}, but requires a key (${status})`, 'Set api_key_env.');
    const what = status === 401 ? 'refuses its key' : 'does not let its key list models';
    const fix = `Set another key: ${source}.`;
    return status === 401
      ? failed(name, `${after}, but ${what} (401)`, fix)
      : warning(name, `${after}, but ${what} (403)`, fix);
  }
  if (status === 404)
    return warning(name, `${after}, but has no list of models there (404)`, addressHint(config));
  if (status === 429) return warning(name, `${after}, but its limit is used up (429)`);
  if (status < 400)
    return failed(
      name,
      `${after}, but redirects (${status})`,
      'Set base_url to the address it redirects to, perhaps with https://.',
    );
  return warning(name, `${after}, but with status ${status}: it may be temporarily down`);
}

function addressHint({ base_url: address }: ProviderConfig): string {
  if (address === undefined) return 'The vendor may have changed it: send a request to a model.';
  return /\/v\d/.test(address)
    ? 'Check base_url: is its path correct?'
    : 'Most servers need /v1 at the end of base_url.';
}

/** Why a provider did not answer: DNS, connection, or timeout. */
async function unreached(
  { config, source }: Question,
  thrown: unknown,
  host: string | undefined,
): Promise<Finding> {
  const { name } = config;
  const error = toProxyError(thrown);
  if (error.fault === 'auth') return failed(name, error.message, `Check ${source || 'its credentials'}.`);
  return failed(name, reasonOf(thrown, host), fixFor(thrown));
}

function reasonOf(thrown: unknown, host: string | undefined): string {
  const { code } = thrown as { code?: string };
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN' || code?.startsWith('DNS') === true)
    return `${host}: host name not found (DNS)`;
  const message = (thrown as Error).message.replace(/^Cannot reach \S+: /, '');
  return host === undefined
    ? message
    : `${host}: ${/host name not found/.test(message) ? `${message} (DNS)` : message}`;
}

function fixFor(thrown: unknown): string {
  const { message } = thrown as Error;
  if (/unknown authority|self-signed|cannot be verified/.test(message))
    return 'Add its authority to NODE_EXTRA_CA_CERTS; a proxy that intercepts TLS has its own.';
  if (/expired/.test(message))
    return 'Its certificate must be renewed, or the clock of this machine is wrong.';
  if (/refused/.test(message)) return 'Is it running there? Check base_url.';
  return REACH_FIX;
}

/** The URL that is called; `null` if only a plugin's code knows it. */
function addressOf(provider: BaseProvider, { base_url: written }: ProviderConfig): URL | null {
  return URL.parse(written ?? (provider instanceof HttpProvider ? provider.baseUrl : ''));
}

function hostOf(provider: BaseProvider, config: ProviderConfig): string | undefined {
  return addressOf(provider, config)?.hostname.replace(/^\[|\]$/g, '');
}

function isOutside(host: string | undefined): boolean {
  return host !== undefined && !/^(?:localhost|127\.|::1$|0\.0\.0\.0$)/.test(host);
}

/** How far the clock of the response is ahead: its seconds have no fraction. */
function skewOf(headers: Headers, beganMs: number, ms: number): number | undefined {
  const serverMs = Date.parse(headers.get('date') ?? '');
  return Number.isNaN(serverMs) ? undefined : serverMs + 500 - (beganMs + ms / 2);
}

/** Rejects when the signal aborts, even if the work ignores it. */
async function bounded<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const end = (): void => reject(signal.reason as Error);
  signal.addEventListener('abort', end, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', end);
  }
}
