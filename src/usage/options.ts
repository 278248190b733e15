/** What may be asked of the request log: plain data, so that it can go to another thread. */
import type { PriceSetup } from './pricing.ts';

/** A usage that cannot be asked for; the message is for the user. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** What the requests of a row have in common, where a name says it all. */
export const FACETS = [
  'key',
  'model',
  'provider',
  'upstream_model',
  'endpoint',
  'group',
  'user',
  'day',
  'hour',
  'month',
  'outcome',
] as const;

/** Of these there is one for each name: `tag.team`. */
export const NAMED_FACETS = ['tag', 'label'] as const;

export interface UsageOptions {
  /** Files, directories, globs, `s3://` prefixes, `-`. None where there is no log yet. */
  readonly inputs: readonly string[];
  /** What rows are by, the first first; none for the total alone. See {@link facetsOf}. */
  readonly by: readonly string[];
  /** First moment, milliseconds since 1970. */
  readonly fromMs?: number;
  /** Last moment, inclusive. */
  readonly untilMs?: number;
  /** Where days, hours and months begin: an IANA name. */
  readonly timeZone: string;
  /** Requests of this key alone. */
  readonly key?: string;
  /** Rows shown; the others become one. */
  readonly top?: number;
  /** Prices all requests again, in place of what the log says they cost. */
  readonly prices?: PriceSetup;
  /** Whether rows name the requests without a price, and the aborted ones. */
  readonly ids?: boolean;
  /** 0 for none beside the one that asks. As many as the machine runs at once when left out, for a log that is worth it. */
  readonly threads?: number;
}

/**
 * What rows are by, out of "model,day".
 * @throws UsageError
 */
export function facetsOf(text: string): string[] {
  const facets = text
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '');
  for (const facet of facets) {
    if (isFacet(facet)) continue;
    const known = [...FACETS, ...NAMED_FACETS.map((each) => `${each}.NAME`)].join(', ');
    throw new UsageError(`Cannot count by ${facet}: expected ${known}`);
  }
  return [...new Set(facets)];
}

function isFacet(facet: string): boolean {
  if ((FACETS as readonly string[]).includes(facet)) return true;
  return NAMED_FACETS.some((each) => facet.startsWith(`${each}.`) && facet.length > each.length + 1);
}
