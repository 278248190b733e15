import type { Family, Sample } from '../pipeline/metrics/prometheus.ts';

/** The health of a provider on which workers disagree: degraded. */
const MIXED = 1;

/** Merges the metrics of several workers; values with the same labels are combined. */
export function mergeFamilies(lists: readonly (readonly Family[])[]): Family[] {
  const byName = Map.groupBy(lists.flat(), ({ name }) => name);
  return [...byName.values()].map((families) => ({
    ...families[0]!,
    values: mergeSamples(
      families.flatMap(({ values }) => values),
      families[0]!.aggregator,
    ),
  }));
}

/** Keeps only counters: what a worker counted stays counted after it has ended. */
export function withoutGauges(families: readonly Family[]): Family[] {
  return families.filter(({ type }) => type !== 'gauge');
}

function mergeSamples(samples: readonly Sample[], aggregator: Family['aggregator']): Sample[] {
  const alike = Map.groupBy(samples, ({ metricName, labels }) => JSON.stringify([metricName, labels]));
  return [...alike.values()].map((group) => {
    const values = group.map(({ value }) => value);
    return { ...group[0]!, value: COMBINED[aggregator](values) };
  });
}

const agreed = (values: readonly number[]) =>
  values.every((value) => value === values[0]) ? values[0]! : MIXED;

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

const COMBINED = { sum, state: agreed, largest: (values: readonly number[]) => Math.max(...values) } as const;
