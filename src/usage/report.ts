/** What was used, as it is answered: JSON. */

/** What some requests used together. */
export interface Sums {
  /** All of them, whatever became of them. */
  requests: number;
  /** Those without an answer, or with half of one (`error`, `truncated`). */
  errors: number;
  /** Those whose client left. */
  aborted: number;
  /** Cached ones included. */
  input_tokens: number;
  cached_tokens: number;
  cache_write_tokens: number;
  /** Reasoning included. */
  output_tokens: number;
  reasoning_tokens: number;
  /** USD, of those that have a price. */
  cost: number;
  /** Those that used something that has no known price. */
  unpriced: number;
  /** Those that were cut or left while a provider was at work, before all of their usage was told: it may have charged more. */
  cut: number;
  /** Those that were answered by a provider that told no usage. */
  untold: number;
  /** USD that the last two may have cost beyond `cost`, about, where limits were charged for them. */
  estimated_cost: number;
}

/** What requests with something in common used. */
export interface UsageRow extends Sums {
  /** What they have in common, by the names in `by`; null where the log has no such thing. */
  readonly group: Readonly<Record<string, string | null>>;
  /** Where they were asked for. */
  readonly ids?: RequestIds;
}

export interface RequestIds {
  readonly unpriced: readonly string[];
  readonly cut: readonly string[];
}

export interface UsageReport {
  readonly object: 'usage';
  readonly by: readonly string[];
  /** The span that was asked for; null where it is open. */
  readonly since: string | null;
  readonly until: string | null;
  readonly time_zone: string;
  /** recorded: as each request was priced when it was made. now: by the prices of today, for the time it was made. */
  readonly prices: 'recorded' | 'now';
  /** Arrival of the first and of the last request; null without any. */
  readonly first: string | null;
  readonly last: string | null;
  readonly total: Sums;
  /** In the order of time where they are by time, else the dearest first. */
  readonly rows: readonly UsageRow[];
  /** What is not in `rows`; null when all is. */
  readonly others: (Sums & { readonly rows: number }) | null;
  /** Some models without a price, as "provider/model". */
  readonly unpriced_models: readonly string[];
  /** Files that were read, and lines in them that are no requests of ours. */
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
