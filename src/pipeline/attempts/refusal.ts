import type { Classified } from '../../wire/classify.ts';
import type { Inbound } from '../inbound.ts';
import type { Target } from '../targets/target.ts';
import { ProxyError } from '../../errors.ts';
import { USAGE_REFUSED } from '../../wire/openai/unrequested-usage.ts';
import { retryAfterMs } from '../../wire/retry-after.ts';
import { PREFILL_REFUSED } from './continuation.ts';

/** Providers' messages that they cannot verify their own signatures, or decrypt their own content. */
const SEALS_REFUSED =
  /signature|encrypted[_ ]content|reasoning_details|(?:thinking|reasoning)\b.{0,80}(?:cannot be modified|could not be (?:verified|decrypted)|invalid|required)/is;

/**
 * Google's message that a call has no signature. Models before Gemini 3 need none, but were seen to demand them.
 * @see https://github.com/Gitlawb/openclaude/issues/583
 */
const SIGNATURE_LACKED = /missing a .?thought_?signature/i;

/** Providers' messages that they have not stored the response that a request refers to. */
const PREVIOUS_LACKED = /previous[_ ]response|response with id/i;

/** Providers' messages that they cannot compile a schema: it is too complex, or uses what they do not support. */
const SCHEMA_REFUSED = /schema|grammar|\bstrict\b|structured output|too many states/i;

/** Statuses for a request that the provider does not understand. */
const REFUSALS: ReadonlySet<number> = new Set([400, 422]);

/** What was refused, and by whom. */
export interface Refused {
  /** The client's request. */
  readonly inbound: Inbound;
  readonly target: Target;
  /** Whether usage was requested in addition to what the client requests. */
  readonly asksUsage: boolean;
  /** Whether the request contained something signed or encrypted by the provider. */
  readonly sealed: boolean;
  /** Whether the provider had to compile a schema for the request. */
  readonly schemas: boolean;
  /** The provider's error response. */
  readonly body: string;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
}

/**
 * A provider's error response as a typed error. If it refuses what was added to the client's request, or is sent back
 * to the provider, the error lets the request be repeated without it, and the target is not sent it again.
 */
export function refusal(classified: Classified, refused: Refused): ProxyError {
  const { fault, upstream } = classified;
  const { inbound, target, body } = refused;
  const { id } = target;
  if (inbound.continuation && fault === 'invalid_request' && PREFILL_REFUSED.test(upstream.message)) {
    target.refusesPrefill = true;
    const message = `Cannot begin the answer of ${id}: it does not accept a prefill`;
    return new ProxyError('prefill_unsupported', message, { target: id });
  }
  if (refused.asksUsage && REFUSALS.has(upstream.status) && USAGE_REFUSED.test(body)) {
    target.refusesUsageRequest = true;
    const message = `Cannot request the usage of a stream from ${id}: it does not support the field`;
    return new ProxyError('usage_unasked', message, { target: id, upstream });
  }
  const lacksPrevious = inbound.chained !== undefined && PREVIOUS_LACKED.test(upstream.message);
  const refusesSeals = fault === 'invalid_request' && SEALS_REFUSED.test(upstream.message);
  const lacksSignature = refusesSeals && !target.demandsSignatures && SIGNATURE_LACKED.test(upstream.message);
  if (lacksSignature) target.demandsSignatures = true;
  if ((refused.sealed && (refusesSeals || lacksPrevious)) || lacksSignature) {
    const message = `Cannot continue at ${id}: it refused the reasoning sent back to it (${upstream.message})`;
    return new ProxyError('seals_refused', message, { target: id, upstream });
  }
  if (refused.schemas && fault === 'invalid_request' && SCHEMA_REFUSED.test(upstream.message)) {
    const message = `Cannot request a schema at ${id}: it refused it (${upstream.message})`;
    return new ProxyError('schema_refused', message, { target: id, upstream });
  }
  return refusalOf(classified, { target: id, body, nowMs: refused.nowMs });
}

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
