import type { Expected } from '../limits/limiter.ts';
import type { Inbound } from './inbound.ts';
import type { Call } from './target.ts';
import { answersAsked, fannedCount } from './fanned-count.ts';
import { ENDPOINTS } from '../wire/endpoints.ts';

/** How much of a body's beginning and of its end tells it from others, bytes. */
const SAMPLE = 32 * 1024;

/** Families of endpoints that give what models say. */
const TALK: ReadonlySet<string> = new Set(['chat', 'completions', 'realtime', 'live']);

/** A request as far as targets are concerned. @param need what it is expected to use */
export function callOf(inbound: Inbound, need: () => Expected): Call {
  const { endpoint, stream, bytes } = inbound;
  const isSeveral = answersAsked(inbound) > 1;
  return {
    requests: isSeveral ? (target) => fannedCount(inbound, target) : undefined,
    endpoint: stream ? `${endpoint}, streamed` : endpoint,
    fingerprint: () => fingerprintOf(bytes),
    isTalk: TALK.has(ENDPOINTS[endpoint].family),
    bytes: bytes.length,
    need,
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
