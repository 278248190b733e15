/** Adds up the usage of requests by their properties. Pure: heads in, sums out. */
import type { JsonObject } from '../wire/json.ts';
import type { Facet } from './facets.ts';
import type { UsageOptions } from './options.ts';
import type { Repricer } from './pricing.ts';
import type { RequestIds, Sums } from './report.ts';
import type { EndpointSpec } from '../wire/endpoints.ts';
import type { Usage } from '../wire/usage.ts';
import { ENDPOINTS } from '../wire/endpoints.ts';
import { countOf, entryOf, numberOf, objectOf, stringOf } from '../wire/json.ts';
import { plainUsage, UNKNOWN_USAGE } from '../wire/usage.ts';
import { facetOf } from './facets.ts';
import { usageOf } from './pricing.ts';
import { addSums, noSums } from './report.ts';

/** The most rows that are counted separately: clients choose names freely, and memory is bounded. */
export const MAX_ROWS = 100_000;

/** The row for everything that arrives after {@link MAX_ROWS} rows. */
export const FURTHER = '(further)';

const MAX_IDS = 1_000;
const MAX_UNPRICED_MODELS = 10;

/**
 * Costs are multiples of a ten-billionth of a dollar, as in the records. Integer sums do not depend on the order of
 * addition.
 */
export const COSTS_IN_USD = 1e10;

/** The counts of one row. Costs are in units of {@link COSTS_IN_USD}. */
export interface TallyRow {
  readonly group: readonly (string | null)[];
  readonly sums: Sums;
  readonly ids?: { readonly unpriced: string[]; readonly cut: string[] } & RequestIds;
}

/** What a thread has counted: plain data. */
export interface Counted {
  readonly rows: readonly TallyRow[];
  readonly unpricedModels: readonly string[];
  readonly first: string | null;
  readonly last: string | null;
  readonly unreadable: number;
}

export class Tally {
  readonly #facets: readonly Facet[];
  readonly #options: Pick<UsageOptions, 'key' | 'ids' | 'by'>;
  readonly #repricer: Repricer | undefined;
  readonly #rows = new Map<string, TallyRow>();
  readonly #unpricedModels = new Set<string>();
  #first: string | null = null;
  #last: string | null = null;
  unreadable = 0;

  constructor(options: UsageOptions, repricer: Repricer | undefined) {
    this.#options = options;
    this.#facets = options.by.map((facet) => facetOf(facet, options.timeZone));
    this.#repricer = repricer;
  }

  /** @param head of a record whose `ts` is an ISO time in the period */
  add(head: JsonObject): void {
    const { key } = this.#options;
    // Feedback refers to requests and is not one.
    if (head.endpoint === 'feedback' || (key !== undefined && head.key !== key)) return;
    const ts = head.ts as string;
    if (this.#first === null || ts < this.#first) this.#first = ts;
    if (this.#last === null || ts > this.#last) this.#last = ts;
    const row = this.#rowOf(this.#facets.map((facet) => facet(head)));
    count(row.sums, head);
    this.#price(row, head, ts);
  }

  /** Adds the counts of another tally. */
  merge(counted: Counted): void {
    for (const { group, sums, ids } of counted.rows) {
      const row = this.#rowOf(group);
      addSums(row.sums, sums);
      for (const kind of ['unpriced', 'cut'] as const)
        for (const id of ids?.[kind] ?? []) keep(row.ids?.[kind], id);
    }
    for (const model of counted.unpricedModels) this.#nameUnpriced(model);
    const { first, last } = counted;
    if (first !== null && (this.#first === null || first < this.#first)) this.#first = first;
    if (last !== null && (this.#last === null || last > this.#last)) this.#last = last;
    this.unreadable += counted.unreadable;
  }

  get counted(): Counted {
    return {
      rows: [...this.#rows.values()],
      unpricedModels: [...this.#unpricedModels],
      first: this.#first,
      last: this.#last,
      unreadable: this.unreadable,
    };
  }

  #rowOf(group: readonly (string | null)[]): TallyRow {
    const key = group.length === 1 ? (group[0] ?? '\0') : JSON.stringify(group);
    const known = this.#rows.get(key);
    if (known) return known;
    if (this.#rows.size >= MAX_ROWS && group.some((each) => each !== FURTHER))
      return this.#rowOf(group.map(() => FURTHER));
    const row = { group, sums: noSums(), ...(this.#options.ids ? { ids: { unpriced: [], cut: [] } } : {}) };
    this.#rows.set(key, row);
    return row;
  }

  #price({ sums, ids }: TallyRow, head: JsonObject, ts: string): void {
    const usage = usageOf(head);
    const cost = this.#cost(head, usage, ts);
    const isCut = wasCut(head, usage);
    if (cost !== null) sums.cost += Math.round(cost * COSTS_IN_USD);
    else if (usage) {
      sums.unpriced += 1;
      keep(ids?.unpriced, head.id);
      this.#nameUnpriced(`${stringOf(head.provider) ?? ''}/${stringOf(head.upstream_model) ?? ''}`);
    } else if (head.outcome === 'success') sums.untold += 1;
    if (isCut) {
      sums.cut += 1;
      keep(ids?.cut, head.id);
    }
    const more = (this.#estimated(head, ts) ?? 0) - (cost ?? 0);
    if (head.estimate !== undefined && more > 0) sums.estimated_cost += Math.round(more * COSTS_IN_USD);
  }

  #cost(head: JsonObject, usage: Usage | undefined, ts: string): number | null {
    if (!this.#repricer) return numberOf(head.cost) ?? null;
    // For a request that is passed through, only the request itself may have a price.
    const priced = usage ?? (passesUnread(head) ? UNKNOWN_USAGE : undefined);
    return priced ? this.#repricer.cost(head, priced, Date.parse(ts)) : null;
  }

  #estimated({ estimate, ...head }: JsonObject, ts: string): number | null {
    const { input_tokens: input, output_tokens: output, cost } = objectOf(estimate);
    if (!this.#repricer) return numberOf(cost) ?? null;
    const usage = plainUsage(countOf(input) ?? 0, countOf(output) ?? 0);
    return estimate === undefined ? null : this.#repricer.cost(head, usage, Date.parse(ts));
  }

  #nameUnpriced(model: string): void {
    if (this.#unpricedModels.size < MAX_UNPRICED_MODELS) this.#unpricedModels.add(model);
  }
}

/** Whether it was cut off while a provider worked on it, before the complete usage was reported. */
function wasCut({ outcome, attempts, finish, fault }: JsonObject, usage: Usage | undefined): boolean {
  if ((outcome !== 'truncated' && outcome !== 'client_abort') || !countOf(attempts)) return false;
  // Some providers report the input at the start. If an answer has a finish reason, its usage is complete.
  return usage === undefined || (stringOf(finish) === undefined && fault !== 'unknown_ending');
}

/** Whether its endpoint is one whose answers are passed through without being read. */
function passesUnread({ endpoint, outcome }: JsonObject): boolean {
  const spec = entryOf<EndpointSpec>(ENDPOINTS, endpoint);
  return outcome !== 'error' && spec?.understood === false;
}

function keep(ids: string[] | undefined, id: unknown): void {
  if (ids && ids.length < MAX_IDS && typeof id === 'string') ids.push(id);
}

function count(sums: Sums, head: JsonObject): void {
  sums.requests += 1;
  if (head.outcome === 'client_abort') sums.aborted += 1;
  else if (head.outcome !== 'success') sums.errors += 1;
  sums.input_tokens += countOf(head.input_tokens) ?? 0;
  sums.cached_tokens += countOf(head.cached_tokens) ?? 0;
  sums.cache_write_tokens += countOf(head.cache_write_tokens) ?? 0;
  sums.output_tokens += countOf(head.output_tokens) ?? 0;
  sums.reasoning_tokens += countOf(head.reasoning_tokens) ?? 0;
  const failed = objectOf(head.failed);
  sums.input_tokens += countOf(failed.input_tokens) ?? 0;
  sums.output_tokens += countOf(failed.output_tokens) ?? 0;
  sums.cost += Math.round((numberOf(failed.cost) ?? 0) * COSTS_IN_USD);
}
