/**
 * Who may ask for the page's data. It shows what people wrote, so that it is stricter than what programs ask: nothing is
 * answered to a page of another origin, also where `server.cors` lists it.
 */
import type { HeaderMap } from '../../wire/headers.ts';
import { ProxyError } from '../../errors.ts';

/** A header that a page of another origin cannot send without being asked whether it may. */
export const OWN_HEADER = 'x-llmproxy-page';

/** @throws ProxyError `foreign_origin` for what a page of another origin sent, or a form of it */
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
  // TLS may end in front of the proxy, so that it does not know its own scheme.
  return origin.toLowerCase() === `http://${own}` || origin.toLowerCase() === `https://${own}`;
}

function foreign(why: string): ProxyError {
  return new ProxyError('foreign_origin', `Cannot accept the request: ${why}`);
}

/** Of all answers: nothing runs but the page's own files, and nobody frames it. */
export const SAFE_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    // Pictures of a conversation are shown where they are within it, and never fetched.
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
