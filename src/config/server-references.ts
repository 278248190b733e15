import type { Positions } from './positions.ts';
import type { Problem } from './problems.ts';
import type { Config } from './schema.ts';
import type { ReadPem } from './tls-files.ts';
import { KnownNames } from './suggest.ts';
import { readTls } from './tls-files.ts';

const CERTS = ['server', 'tls', 'client_certs'];

/** Checks the combination of the addresses and sockets to listen on. */
export function checkServer({ server, providers }: Config, positions: Positions): Problem[] {
  const { tls, unix } = server;
  const problems: Problem[] = [];
  if (unix !== undefined && tls) {
    const message = '`tls` belongs to a port: traffic to a unix socket does not leave this machine';
    problems.push(positions.atKey(['server'], 'tls', message));
  }
  if (tls && tls.client_ca === undefined && tls.client_certs.length > 0) {
    const message = '`client_certs` needs `client_ca`: the authorities whose certificates are trusted';
    problems.push(positions.atKey(['server', 'tls'], 'client_certs', message));
  }
  for (const [index, { http2, base_url: url }] of providers.entries()) {
    if (http2 !== 'on' || url === undefined || url.startsWith('https:')) continue;
    const message = 'HTTP/2 requires TLS: base_url begins with http://';
    problems.push(positions.atValue(['providers', index, 'http2'], message));
  }
  return problems;
}

/** Checks that the files of `server.tls` can be used. */
export function checkTls(
  { server: { tls } }: Config,
  positions: Positions,
  folder: string,
  read: ReadPem,
): Problem[] {
  if (!tls) return [];
  return readTls(tls, folder, read, Date.now()).faults.map(({ field, message, severity }) =>
    positions.atValue(['server', 'tls', field], message, { severity }),
  );
}

/** Checks that client certificates are mapped to existing keys. */
export function checkClientCerts({ server: { tls }, auth }: Config, positions: Positions): Problem[] {
  const certs = tls?.client_certs ?? [];
  if (certs.length === 0) return [];
  if (auth === undefined || auth === 'none')
    return [positions.atValue(CERTS, '`client_certs` needs `auth.keys`: without keys all callers are alike')];
  const keys = new Set(auth.keys.map(({ name }) => name));
  const names = new KnownNames(() => [...keys]);
  return certs.flatMap(({ key }, index) => {
    if (keys.has(key)) return [];
    const message = `there is no key named \`${key}\` in \`auth\``;
    return [positions.atValue([...CERTS, index, 'key'], message, names.hint(key))];
  });
}
