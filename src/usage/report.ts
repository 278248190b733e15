/** The usage report: JSON. */

/** The combined usage of several requests. */
export interface Sums {
  /** All requests, with any outcome. */
  requests: number;
  /** Requests without a complete answer (`error`, `truncated`). */
  errors: number;
  /** Requests whose client disconnected. */
  aborted: number;
  /** Including cached ones. */
  input_tokens: number;
  cached_tokens: number;
  cache_write_tokens: number;
  /** Including reasoning. */
  output_tokens: number;
  reasoning_tokens: number;
  /** USD, for the requests that have a price. */
  cost: number;
  /** Requests that used something without a known price. */
  unpriced: number;
  /** Requests that were cut off before the provider reported their complete usage: it may have charged more. */
  cut: number;
  /** Requests that were answered without reported usage. */
  untold: number;
  /** The estimated cost of the last two beyond `cost`, USD, as charged to limits. */
  estimated_cost: number;
}

/** The usage of requests with a common property. */
export interface UsageRow extends Sums {
  /** The common properties, by the names in `by`; null if the log does not have one. */
  readonly group: Readonly<Record<string, string | null>>;
  /** The ids of requests without a price, and of aborted ones, if requested. */
  readonly ids?: RequestIds;
}

export interface RequestIds {
  readonly unpriced: readonly string[];
  readonly cut: readonly string[];
}

export interface UsageReport {
  readonly object: 'usage';
  readonly by: readonly string[];
  /** The period of the report; null where it is open. */
  readonly since: string | null;
  readonly until: string | null;
  readonly time_zone: string;
  /** recorded: as priced when each request was made. now: with current prices for the time of each request. */
  readonly prices: 'recorded' | 'now';
  /** Arrival of the first and of the last request; null if there are none. */
  readonly first: string | null;
  readonly last: string | null;
  readonly total: Sums;
  /** Chronological if grouped by time, otherwise by cost, highest first. */
  readonly rows: readonly UsageRow[];
  /** The sum of everything that is not in `rows`; null if nothing is missing. */
  readonly others: (Sums & { readonly rows: number }) | null;
  /** Some of the models without a price, as "provider/model". */
  readonly unpriced_models: readonly string[];
  /** The number of files read, and of lines in them that are not valid records. */
  readonly files: number;
  readonly unreadable: number;
}

export const SUMS = [
  'requests',
  'errors',
  'aborted',
  'input_tokens',
  'cached_tokens',
  'cache_write_tokens',
  'output_tokens',
  'reasoning_tokens',
  'cost',
  'unpriced',
  'cut',
  'untold',
  'estimated_cost',
] as const satisfies (keyof Sums)[];

export function noSums(): Sums {
  return {
    requests: 0,
    errors: 0,
    aborted: 0,
    input_tokens: 0,
    cached_tokens: 0,
    cache_write_tokens: 0,
    output_tokens: 0,
    reasoning_tokens: 0,
    cost: 0,
    unpriced: 0,
    cut: 0,
    untold: 0,
    estimated_cost: 0,
  };
}

export function addSums(sums: Sums, more: Sums): void {
  for (const name of SUMS) sums[name] += more[name];
}
