import type { Standing } from './ledger.ts';
import { span } from './span.ts';

/** The kinds of limits for which clients know headers, and the names of these. */
const TOLD = (['requests', 'tokens'] as const).map((kind) => ({
  kind,
  most: `x-ratelimit-limit-${kind}`,
  left: `x-ratelimit-remaining-${kind}`,
  resets: `x-ratelimit-reset-${kind}`,
  anthropic: {
    most: `anthropic-ratelimit-${kind}-limit`,
    left: `anthropic-ratelimit-${kind}-remaining`,
    resets: `anthropic-ratelimit-${kind}-reset`,
  },
}));

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
  for (const names of TOLD) {
    const narrowest = narrowestOf(standings, names.kind);
    if (!narrowest) continue;
    const { charge, resetMs } = narrowest;
    const most = String(charge.most);
    const left = String(leftOf(narrowest));
    const resets = Number.isFinite(resetMs) ? Math.max(nowMs, resetMs) : undefined;
    headers[names.most] = most;
    headers[names.left] = left;
    if (resets !== undefined) headers[names.resets] = span(resets - nowMs);
    if (!messages) continue;
    headers[names.anthropic.most] = most;
    headers[names.anthropic.left] = left;
    if (resets !== undefined)
      headers[names.anthropic.resets] = `${new Date(resets).toISOString().slice(0, 19)}Z`;
  }
  return headers;
}

function narrowestOf(
  standings: readonly Standing[],
  kind: (typeof TOLD)[number]['kind'],
): Standing | undefined {
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
