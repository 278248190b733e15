import type { HeaderMap } from '../wire/headers.ts';
import { ProxyError } from '../errors.ts';

/** The caller's own timeouts, milliseconds; `Infinity` if there is none. */
export interface CallerLimits {
  readonly beginWithinMs: number;
  readonly endWithinMs: number;
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000 };

/**
 * How long the caller waits: `x-request-timeout` for the whole answer, as seconds or "500ms", "30s", "2m"; the official
 * SDKs' `x-stainless-timeout` or `x-stainless-read-timeout`, in seconds, until it begins, which is what these SDKs wait
 * for.
 * @throws ProxyError `invalid_request`
 */
export function callerLimits(headers: HeaderMap): CallerLimits {
  const sdk = Number(headers['x-stainless-timeout'] ?? headers['x-stainless-read-timeout']);
  return {
    beginWithinMs: sdk > 0 ? sdk * 1_000 : Infinity,
    endWithinMs: spanOf(headers['x-request-timeout']),
  };
}

function spanOf(text: string | undefined): number {
  if (text === undefined) return Infinity;
  const [, amount, unit = 's'] = /^\s*(\d+(?:\.\d+)?)\s*(ms|s|m)?\s*$/.exec(text) ?? [];
  const ms = Number(amount) * UNITS[unit]!;
  if (ms > 0) return ms;
  throw new ProxyError(
    'invalid_request',
    `Cannot read the header x-request-timeout: "${text.slice(0, 40)}" is not seconds, or such as "500ms", "30s", "2m"`,
  );
}
