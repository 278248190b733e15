/**
 * Who may request the page's data. It includes the content of requests, so it is stricter than the API: pages of other
 * origins get nothing, even if `server.cors` lists them.
 */
import type { HeaderMap } from '../../wire/headers.ts';
import { ProxyError } from '../../errors.ts';

/** A header that a page of another origin cannot send without a preflight request. */
export const OWN_HEADER = 'x-llmproxy-page';

/** @throws ProxyError `foreign_origin` for requests from a page, or a form, of another origin */
export function ownPagesOnly(method: string, headers: HeaderMap): void {
  const site = headers['sec-fetch-site'];
  if ((site !== undefined && site !== 'same-origin' && site !== 'none') || !isOwnOrigin(headers))
    throw foreign('it was sent by a web page of another origin');
  if (method === 'GET' || method === 'HEAD') return;
  if (headers[OWN_HEADER] === undefined) throw foreign(`the header ${OWN_HEADER} is missing`);
  if (!/^application\/json\b/i.test(headers['content-type'] ?? ''))
    throw foreign('its content-type is not application/json');
}

function isOwnOrigin({ origin, host = '' }: HeaderMap): boolean {
  if (origin === undefined) return true;
  const own = host.toLowerCase();
  // TLS may be terminated in front of the proxy, so that it does not know its own scheme.
  return origin.toLowerCase() === `http://${own}` || origin.toLowerCase() === `https://${own}`;
}

function foreign(why: string): ProxyError {
  return new ProxyError('foreign_origin', `Cannot accept the request: ${why}`);
}

/** Headers of all responses: only the page's own scripts run, and it cannot be framed. */
export const SAFE_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    // Images of a conversation are shown if they are embedded in it, and never fetched.
    "img-src 'self' data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
};
