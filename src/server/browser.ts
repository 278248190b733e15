/**
 * Restrictions for web pages. A browser sends requests to loopback on behalf of any page, and a page whose own name
 * resolves to this machine (DNS rebinding) can even read the answers. Browsers identify the page in headers that pages
 * cannot change; other programs do not send these, and are not affected.
 */
import type { Config } from '../config/schema.ts';
import { isLoopback } from '../config/references.ts';
import type { HeaderMap } from '../wire/headers.ts';
import { ProxyError } from '../errors.ts';
import { hostName, isLoopbackName } from './host-names.ts';

type ServerConfig = Config['server'];

/** The values of `Sec-Fetch-Site` for requests that no page sent, or a page of this server. */
const OWN_SITES: readonly string[] = ['same-origin', 'none'];

/** Whether `server.cors` lists an origin. `*` allows all, including opaque ones. */
export function listedOrigins(cors: ServerConfig['cors']): (origin: string | undefined) => boolean {
  const origins = cors === false ? [] : cors.origins.map((origin) => origin.toLowerCase().replace(/\/$/, ''));
  return (origin) =>
    origins.includes('*') || (origin !== undefined && origins.includes(origin.toLowerCase()));
}

/**
 * The check of each request before it is handled. Throws ProxyError `foreign_host`, `foreign_origin`.
 * @param open whether callers need no key
 */
export function pageGuard(server: ServerConfig, open: boolean): (headers: HeaderMap) => void {
  const { host, hosts, cors } = server;
  const names = new Set([host.includes(':') ? `[${host}]` : host, ...hosts].map(hostName));
  // A caller with a key is not a DNS rebinding page; and the names of non-loopback addresses are unknown here.
  const named = hosts.length > 0 || (open && isLoopback(host));
  const listed = listedOrigins(cors);
  // Nearly all requests use the same name.
  let lastOwn: string | undefined;
  const isOwn = (host: string | undefined): boolean => {
    if (host === lastOwn) return true;
    const own = isOwnHost(host, names);
    if (own) lastOwn = host;
    return own;
  };
  return (headers) => {
    if (named && !isOwn(headers.host)) {
      throw new ProxyError(
        'foreign_host',
        'Cannot accept the request: its Host header is not a name of this server; add the name to server.hosts to allow it',
      );
    }
    if (isForeign(headers) && !listed(headers.origin)) {
      throw new ProxyError(
        'foreign_origin',
        'Cannot accept the request: it was sent by a web page of another origin; add the origin to server.cors.origins to allow it',
      );
    }
  };
}

function isOwnHost(header: string | undefined, names: ReadonlySet<string | undefined>): boolean {
  // HTTP/1.0 has none, and browsers always send one.
  if (header === undefined || header === '') return true;
  const name = hostName(header);
  return name !== undefined && (names.has(name) || isLoopbackName(name));
}

/** Whether a page of another origin sent it. */
function isForeign(headers: HeaderMap): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined && !OWN_SITES.includes(site)) return true;
  const origin = headers.origin?.toLowerCase();
  if (origin === undefined) return false;
  const host = headers.host?.toLowerCase() ?? '';
  // TLS may be terminated in front of the proxy, so that it does not know its own scheme.
  return origin !== `http://${host}` && origin !== `https://${host}`;
}
