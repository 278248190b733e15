/** What providers report about their own limits in response headers. */
import type { HeaderMap } from './headers.ts';
import type { Reset } from './retry-after.ts';
import { readReset } from './retry-after.ts';

/** What a limit counts: tokens may be input and output together, or either of them. */
export type Counted = 'requests' | 'tokens' | 'input' | 'output';

/** The state of a limit. */
export interface ReportedLimit {
  readonly counts: Counted;
  /** The total; `undefined` if it is not reported. */
  readonly limit: number | undefined;
  readonly remaining: number;
  /** When all of it is available again. */
  readonly reset: Reset;
}

/** The headers of one limit. */
interface Named {
  readonly counts: Counted;
  readonly limit: string;
  readonly remaining: string;
  readonly reset: string;
}

/** @see https://platform.openai.com/docs/guides/rate-limits#rate-limits-in-headers */
const OF_OPENAI: readonly Named[] = (['requests', 'tokens'] as const).map((counts) => ({
  counts,
  limit: `x-ratelimit-limit-${counts}`,
  remaining: `x-ratelimit-remaining-${counts}`,
  reset: `x-ratelimit-reset-${counts}`,
}));

/** @see https://docs.claude.com/en/api/rate-limits#response-headers */
const OF_ANTHROPIC: readonly Named[] = (
  [
    ['requests', 'requests'],
    ['tokens', 'tokens'],
    ['input', 'input-tokens'],
    ['output', 'output-tokens'],
  ] as const
).map(([counts, name]) => ({
  counts,
  limit: `anthropic-ratelimit-${name}-limit`,
  remaining: `anthropic-ratelimit-${name}-remaining`,
  reset: `anthropic-ratelimit-${name}-reset`,
}));

const ALL = [...OF_OPENAI, ...OF_ANTHROPIC];

const NOTHING: readonly ReportedLimit[] = [];

/**
 * The limits in the headers of a response. A limit with invalid or repeated values is left out.
 * @param nowMs milliseconds since the epoch, for dates
 */
export function rateLimitsIn(headers: HeaderMap, nowMs: number): readonly ReportedLimit[] {
  let limits: ReportedLimit[] | undefined;
  for (const named of ALL) {
    const remaining = headers[named.remaining];
    if (remaining === undefined) continue;
    const limit = read(named, remaining, headers, nowMs);
    if (limit) (limits ??= []).push(limit);
  }
  return limits ?? NOTHING;
}

function read(named: Named, limits: string, headers: HeaderMap, nowMs: number): ReportedLimit | undefined {
  const remaining = whole(limits);
  const reset = readReset(headers[named.reset] ?? '', nowMs);
  if (remaining === undefined || !reset) return undefined;
  return { counts: named.counts, limit: whole(headers[named.limit]), remaining, reset };
}

/** A non-negative integer in a header. */
function whole(text: string | undefined): number | undefined {
  return text !== undefined && /^\s*\d{1,15}\s*$/.test(text) ? Number(text) : undefined;
}
