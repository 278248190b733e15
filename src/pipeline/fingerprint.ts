import type { Inbound } from './inbound.ts';
import type { Need } from './need.ts';
import type { Call } from './target.ts';
import { needOf } from './need.ts';

/** How much of a body's beginning and of its end tells it from others, bytes. */
const SAMPLE = 32 * 1024;

/**
 * A request as far as targets are concerned.
 * @param assumedOutput tokens of an answer that the request does not bound
 */
export function callOf(inbound: Inbound, assumedOutput: number): Call {
  const { endpoint, stream, bytes } = inbound;
  let need: Need | undefined;
  return {
    endpoint: stream ? `${endpoint}, streamed` : endpoint,
    fingerprint: () => fingerprintOf(bytes),
    bytes: bytes.length,
    need: () => (need ??= needOf(inbound, assumedOutput)),
  };
}

/** FNV-1a over the length, the beginning and the end: requests that are sent again look the same. */
function fingerprintOf(bytes: Uint8Array): string {
  let hash = 0x811c9dc5;
  const add = (part: Uint8Array) => {
    for (const byte of part) hash = Math.imul(hash ^ byte, 0x01000193);
  };
  add(bytes.subarray(0, SAMPLE));
  if (bytes.length > SAMPLE) add(bytes.subarray(Math.max(SAMPLE, bytes.length - SAMPLE)));
  return `${bytes.length}-${hash >>> 0}`;
}
