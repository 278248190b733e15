import type { Positions } from './positions.ts';
import type { Problem } from './problems.ts';
import type { Config } from './schema.ts';
import { isLoopback } from './references.ts';
import { modeOf } from './schema/socket.ts';

/** Why a proxy must not listen on its address: others can reach it, and nothing restricts who may call. */
export interface OpenAccess {
  readonly message: string;
  /** The key of `server` that makes it reachable. */
  readonly key: 'host' | 'unix_mode';
}

/**
 * A proxy that others can reach needs keys, client certificates, or an explicit statement that it needs neither.
 * @param server the address on which the process listens
 */
export function openAccess(
  { auth }: Pick<Config, 'auth'>,
  { host, unix, unix_mode, tls }: Config['server'],
): OpenAccess | undefined {
  if (auth !== undefined) return undefined;
  if (unix !== undefined) {
    if ((modeOf(unix_mode) & 0o077) === 0) return undefined;
    const where = `at ${unix} with permissions beyond its owner`;
    return { message: messageOf(where, 'server.unix_mode "0600"'), key: 'unix_mode' };
  }
  const certified = tls?.client_ca !== undefined && tls.client_auth === 'required';
  if (isLoopback(host) || certified) return undefined;
  return { message: messageOf(`on ${host}`, 'server.tls.client_ca'), key: 'host' };
}

/** The same as an error of the file, which flags of `serve` may resolve. */
export function checkOpenAccess(config: Config, positions: Positions): Problem[] {
  const open = openAccess(config, config.server);
  return open ? [positions.atValue(['server', open.key], open.message)] : [];
}

function messageOf(where: string, other: string): string {
  return `Cannot listen ${where}: others could use your keys. Add auth.keys or ${other} to the configuration, or write auth: none if that is wanted`;
}
