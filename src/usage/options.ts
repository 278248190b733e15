/** The parameters of a usage report: plain data that can be sent to another thread. */
import type { PriceSetup } from './pricing.ts';

/** An invalid request for a report; the message is meant for the user. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The properties that are identified by a name alone. */
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

/** Properties that take a name: `tag.team`. */
export const NAMED_FACETS = ['tag', 'label'] as const;

export interface UsageOptions {
  /** Files, directories, globs, `s3://` prefixes, `-`. Empty if there is no log yet. */
  readonly inputs: readonly string[];
  /** The properties to group by, outermost first; none for the total only. See {@link facetsOf}. */
  readonly by: readonly string[];
  /** Start of the period, milliseconds since 1970. */
  readonly fromMs?: number;
  /** End of the period, inclusive. */
  readonly untilMs?: number;
  /** The time zone of days, hours and months: an IANA name. */
  readonly timeZone: string;
  /** Only requests with this key. */
  readonly key?: string;
  /** The number of rows to show; the others are combined into one. */
  readonly top?: number;
  /** Reprices all requests instead of using the logged costs. */
  readonly prices?: PriceSetup;
  /** Whether rows include the ids of requests without a price, and of aborted ones. */
  readonly ids?: boolean;
  /** The number of threads; 0 for the calling thread only. By default one per processor if the log is large enough. */
  readonly threads?: number;
}

/**
 * The properties to group by, from "model,day".
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
