/** Checks environment variables that affect how providers are called. */
import { existsSync } from 'node:fs';
import type { Config } from '../../config/schema.ts';
import { isLoopback } from '../../config/references.ts';
import type { Finding } from './finding.ts';
import { failed, ok, warning } from './finding.ts';

type Env = Readonly<Record<string, string | undefined>>;

const PROXIES = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy'];

/** HTTP proxies, and settings for certificates. */
export function checkEnvironment({ providers }: Pick<Config, 'providers'>, env: Env): Finding[] {
  return [...proxies(providers, env), ...certificates(env)];
}

function proxies(providers: Config['providers'], env: Env): Finding[] {
  const set = PROXIES.filter((name) => env[name]);
  if (set.length === 0) return [ok('http proxy', 'none: providers are called directly')];
  return set.map((name) => {
    const url = URL.parse(env[name]!);
    if (!url || !/^https?:$/.test(url.protocol))
      return failed(
        'http proxy',
        `${name} is not an http:// or https:// address`,
        `Set it to http://HOST:PORT, or unset it.`,
      );
    const local = providers.filter(({ enabled, base_url }) => enabled && isPassed(base_url, name, env));
    const names = local.map((each) => each.name).join(', ');
    const where = `${name}: providers are called through ${url.host}`;
    if (local.length === 0) return ok('http proxy', where);
    return warning(
      'http proxy',
      `${where}, ${names} on this machine too`,
      'Add localhost,127.0.0.1,::1 to NO_PROXY.',
    );
  });
}

/** Whether a server on this machine would be called through a proxy. */
function isPassed(address: string | undefined, name: string, env: Env): boolean {
  const url = address === undefined ? null : URL.parse(address);
  if (!url || !isLoopback(url.hostname.replace(/^\[|\]$/g, ''))) return false;
  const except = `${env.NO_PROXY ?? env.no_proxy ?? ''}`.split(',').map((each) => each.trim());
  return (
    name.toLowerCase() === `${url.protocol.slice(0, -1)}_proxy` &&
    !except.some((each) => each === '*' || each === url.hostname)
  );
}

function certificates(env: Env): Finding[] {
  const found: Finding[] = [];
  if (env.NODE_TLS_REJECT_UNAUTHORIZED === '0')
    found.push(
      failed(
        'certificates',
        'NODE_TLS_REJECT_UNAUTHORIZED=0: certificates are not verified',
        'Unset it; name your authority in NODE_EXTRA_CA_CERTS.',
      ),
    );
  const extra = env.NODE_EXTRA_CA_CERTS;
  if (extra && !existsSync(extra))
    found.push(
      failed(
        'certificates',
        `NODE_EXTRA_CA_CERTS names ${extra}, which does not exist`,
        'Set it to a PEM file, or unset it.',
      ),
    );
  return found;
}
