import type { HeaderMap } from '../../wire/headers.ts';
import { SESSION_MS } from './sessions.ts';

/** Cookies do not know ports: two proxies on one machine must not sign each other out. */
function cookieName({ host = '' }: HeaderMap): string {
  return `llmproxy_session_${/:(\d+)$/.exec(host)?.[1] ?? 'page'}`;
}

/** The token that a browser sends; empty where it sends none. */
export function tokenIn(headers: HeaderMap): string {
  const name = `${cookieName(headers)}=`;
  const pairs = (headers.cookie ?? '').split(';').map((pair) => pair.trim());
  return pairs.find((pair) => pair.startsWith(name))?.slice(name.length) ?? '';
}

/** `Set-Cookie` with a token; with an empty one the browser forgets it. @param path below which it is sent */
export function cookieWith(token: string, headers: HeaderMap, path: string): string {
  const seconds = token === '' ? 0 : SESSION_MS / 1_000;
  // A browser names the scheme that it sees, also where TLS ends in front of the proxy.
  const secure = headers.origin?.startsWith('https:') ? '; Secure' : '';
  return `${cookieName(headers)}=${token}; Path=${path}; Max-Age=${seconds}; HttpOnly; SameSite=Strict${secure}`;
}
