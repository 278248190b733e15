import type { Classified } from '../../wire/classify.ts';
import { ProxyError } from '../../errors.ts';
import { retryAfterMs } from '../../wire/retry-after.ts';

/**
 * A provider's error response as a typed error.
 * @param from.target "provider/model" @param from.nowMs since the epoch
 */
export function refusalOf(
  { fault, upstream }: Classified,
  { target, body, nowMs }: { readonly target: string; readonly body: string; readonly nowMs: number },
): ProxyError {
  // A message about a rejected key may quote the key.
  const words = upstream.message === '' || fault === 'auth' ? '' : `: ${upstream.message}`;
  const state = fault === 'auth' ? 'it refused our key with' : 'it answered';
  const message = `Cannot get an answer from ${target}: ${state} ${upstream.status}${words}`;
  return new ProxyError(fault, message, {
    target,
    retryAfterMs: retryAfterMs(upstream.headers, body, nowMs),
    upstream,
  });
}
