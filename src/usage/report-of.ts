/** Builds the report from the counts. */
import type { UsageOptions } from './options.ts';
import type { Sums, UsageReport, UsageRow } from './report.ts';
import type { Counted, TallyRow } from './tally.ts';
import { isOfTime } from './facets.ts';
import { addSums, noSums } from './report.ts';
import { COSTS_IN_USD } from './tally.ts';

export function reportOf(counted: Counted, options: UsageOptions, files: number): UsageReport {
  const { by, fromMs, untilMs, timeZone, prices, top = Infinity } = options;
  const total = noSums();
  for (const { sums } of counted.rows) addSums(total, sums);
  const dearest = counted.rows.toSorted(dearestFirst);
  const shown = by.length === 0 ? [] : dearest.slice(0, top);
  const rest = by.length === 0 ? [] : dearest.slice(top);
  const others = noSums();
  for (const { sums } of rest) addSums(others, sums);
  return {
    object: 'usage',
    by,
    since: fromMs === undefined ? null : new Date(fromMs).toISOString(),
    until: untilMs === undefined ? null : new Date(untilMs).toISOString(),
    time_zone: timeZone,
    prices: prices ? 'now' : 'recorded',
    first: counted.first,
    last: counted.last,
    total: inUsd(total),
    rows: ordered(shown, by).map((row) => rowOf(row, by)),
    others: rest.length > 0 ? { rows: rest.length, ...inUsd(others) } : null,
    unpriced_models: counted.unpricedModels.toSorted(),
    files,
    unreadable: counted.unreadable,
  };
}

function rowOf({ group, sums, ids }: TallyRow, by: readonly string[]): UsageRow {
  const named = Object.fromEntries(by.map((facet, at) => [facet, group[at] ?? null]));
  return { group: named, ...inUsd(sums), ...(ids ? { ids } : {}) };
}

function inUsd(sums: Sums): Sums {
  const { cost, estimated_cost: estimated } = sums;
  return { ...sums, cost: cost / COSTS_IN_USD, estimated_cost: estimated / COSTS_IN_USD };
}

function dearestFirst(a: TallyRow, b: TallyRow): number {
  return (
    b.sums.cost - a.sums.cost ||
    b.sums.requests - a.sums.requests ||
    compare(JSON.stringify(a.group), JSON.stringify(b.group))
  );
}

/** Chronological for every property that is a time; otherwise by cost, highest first. */
function ordered(rows: readonly TallyRow[], by: readonly string[]): readonly TallyRow[] {
  const times = by.flatMap((facet, at) => (isOfTime(facet) ? [at] : []));
  return rows.toSorted((a, b) => {
    for (const at of times) {
      const order = compare(a.group[at] ?? '', b.group[at] ?? '');
      if (order !== 0) return order;
    }
    return 0;
  });
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
