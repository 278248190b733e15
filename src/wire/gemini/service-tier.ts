import type { ChatRequest } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { Quirks } from '../quirks.ts';

/** Google's tiers besides the standard one, by OpenAI's names. */
const TIERS: ReadonlySet<unknown> = new Set(['flex', 'priority']);

/** OpenAI's names for the standard tier. */
const STANDARD: ReadonlySet<unknown> = new Set([undefined, null, 'auto', 'default']);

interface AskedTier {
  readonly fields?: JsonObject;
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether Google has no such tier. */
  readonly isUnknown?: true;
}

/**
 * A request for a service tier: a field of the body for Google AI, a header for Vertex AI.
 * @see https://ai.google.dev/gemini-api/docs/priority-inference
 * @see https://docs.cloud.google.com/vertex-ai/generative-ai/docs/priority-paygo
 */
export function askedTier({ service_tier: tier }: ChatRequest, { tierHeader }: Quirks = {}): AskedTier {
  if (STANDARD.has(tier)) return {};
  if (typeof tier !== 'string' || !TIERS.has(tier)) return { isUnknown: true };
  return tierHeader === undefined ? { fields: { serviceTier: tier } } : { headers: { [tierHeader]: tier } };
}
