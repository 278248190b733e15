import type { Expected } from '../../limits/asking.ts';
import type { Inbound } from '../inbound.ts';
import type { Call } from '../targets/target.ts';
import { requestedAnswers, fanOutCount } from '../attempts/fan-out-count.ts';
import { ENDPOINTS } from '../../wire/endpoints.ts';

/** How much of a body's beginning and end is hashed, bytes. */
const SAMPLE = 32 * 1024;

/** The families of endpoints that generate text. */
const TALK: ReadonlySet<string> = new Set(['chat', 'completions', 'realtime', 'live']);

/**
 * The properties of a request that matter to targets.
 * @param need its estimated usage @param apart whether callers have keys of their own
 */
export function callOf(inbound: Inbound, need: () => Expected, apart = false): Call {
  const { endpoint, stream, bytes } = inbound;
  const isSeveral = requestedAnswers(inbound) > 1;
  return {
    requests: isSeveral ? (target) => fanOutCount(inbound, target) : undefined,
    endpoint: stream ? `${endpoint}, streamed` : endpoint,
    caller: apart ? inbound.caller : null,
    fingerprint: () => fingerprintOf(bytes),
    isTalk: TALK.has(ENDPOINTS[endpoint].family),
    bytes: bytes.length,
    need,
  };
}

/** FNV-1a of length, beginning and end: equal for repeated requests. */
function fingerprintOf(bytes: Uint8Array): string {
  let hash = 0x811c9dc5;
  const add = (part: Uint8Array) => {
    for (const byte of part) hash = Math.imul(hash ^ byte, 0x01000193);
  };
  add(bytes.subarray(0, SAMPLE));
  if (bytes.length > SAMPLE) add(bytes.subarray(Math.max(SAMPLE, bytes.length - SAMPLE)));
  return `${bytes.length}-${hash >>> 0}`;
}
