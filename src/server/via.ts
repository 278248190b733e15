import type { HeaderMap } from '../wire/headers.ts';
import { ProxyError } from '../errors.ts';

/** Detects requests that have returned to this proxy: the header lists the ids of the proxies they passed. */
export const VIA = 'x-llmproxy-via';

/** The number of proxies in a row that is still not a loop. */
const MAX_HOPS = 8;

/**
 * The header to send on.
 * @throws ProxyError `loop` when the request was here before, or passed too many others
 */
export function viaHere(headers: HeaderMap, instance: string): string {
  const given = headers[VIA];
  if (given === undefined) return instance;
  const hops = given.split(',').map((hop) => hop.trim());
  if (hops.includes(instance) || hops.length >= MAX_HOPS) {
    throw new ProxyError('loop', 'Cannot forward the request: it came back to this proxy; check base_url');
  }
  return `${given.trim()}, ${instance}`;
}
