import type { HeaderMap } from '../../wire/headers.ts';
import { SESSION_MS } from './sessions.ts';

/** Cookies are not specific to a port: two proxies on one machine must not overwrite each other's. */
function cookieName({ host = '' }: HeaderMap): string {
  return `llmproxy_session_${/:(\d+)$/.exec(host)?.[1] ?? 'page'}`;
}

/** The token that a browser sends; empty if there is none. */
export function tokenIn(headers: HeaderMap): string {
  const name = `${cookieName(headers)}=`;
  const pairs = (headers.cookie ?? '').split(';').map((pair) => pair.trim());
  return pairs.find((pair) => pair.startsWith(name))?.slice(name.length) ?? '';
}

/** `Set-Cookie` with a token; an empty one deletes the cookie. @param path below which it is sent */
export function cookieWith(token: string, headers: HeaderMap, path: string): string {
  const seconds = token === '' ? 0 : SESSION_MS / 1_000;
  // A browser knows the scheme that it uses, even if TLS is terminated in front of the proxy.
  const secure = headers.origin?.startsWith('https:') ? '; Secure' : '';
  return `${cookieName(headers)}=${token}; Path=${path}; Max-Age=${seconds}; HttpOnly; SameSite=Strict${secure}`;
}
