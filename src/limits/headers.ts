import type { Standing } from './ledger.ts';
import { span } from './span.ts';

/** The kinds of limits for which clients know headers. */
const TOLD = ['requests', 'tokens'] as const;

/**
 * What is left of the narrowest limit of requests, and of tokens, in the headers of OpenAI and, for Messages requests,
 * of Anthropic.
 */
export function limitHeaders(
  standings: readonly Standing[],
  nowMs: number,
  messages: boolean,
): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const kind of TOLD) {
    const narrowest = narrowestOf(standings, kind);
    if (!narrowest) continue;
    const { charge, resetMs } = narrowest;
    const left = String(leftOf(narrowest));
    const resets = Number.isFinite(resetMs) ? Math.max(nowMs, resetMs) : undefined;
    headers[`x-ratelimit-limit-${kind}`] = String(charge.most);
    headers[`x-ratelimit-remaining-${kind}`] = left;
    if (resets !== undefined) headers[`x-ratelimit-reset-${kind}`] = span(resets - nowMs);
    if (!messages) continue;
    headers[`anthropic-ratelimit-${kind}-limit`] = String(charge.most);
    headers[`anthropic-ratelimit-${kind}-remaining`] = left;
    if (resets !== undefined)
      headers[`anthropic-ratelimit-${kind}-reset`] = `${new Date(resets).toISOString().slice(0, 19)}Z`;
  }
  return headers;
}

function narrowestOf(standings: readonly Standing[], kind: (typeof TOLD)[number]): Standing | undefined {
  let found: Standing | undefined;
  for (const standing of standings) {
    if (standing.charge.limit.kind !== kind) continue;
    if (!found || leftOf(standing) < leftOf(found)) found = standing;
  }
  return found;
}

function leftOf({ charge, taken }: Standing): number {
  return Math.max(0, charge.most - taken);
}
