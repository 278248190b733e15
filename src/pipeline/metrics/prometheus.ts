/** The Prometheus text format. @see https://prometheus.io/docs/instrumenting/exposition_formats/ */
import type { Steps } from '../../turns.ts';

export const PROMETHEUS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

type Labels = Readonly<Record<string, string | number>>;

export interface Sample {
  readonly labels: Labels;
  readonly value: number;
  /** For histograms: the name with `_bucket`, `_sum` or `_count`. */
  readonly metricName?: string;
}

/** One metric with all its values; the JSON of /metrics is a list of these. */
export interface Family {
  readonly help: string;
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly values: readonly Sample[];
  /** How the values of several processes are merged: by sum, by maximum, or as a state. */
  readonly aggregator: 'sum' | 'largest' | 'state';
}

/** A histogram of durations: a count for each bound, of what is less or equal. */
export class Histogram {
  readonly #bounds: readonly number[];
  readonly #counts: number[];
  #sum = 0;
  #count = 0;

  /** @param bounds ascending; anything above the last only counts towards count and sum */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = bounds.map(() => 0);
  }

  observe(value: number): void {
    this.#sum += value;
    this.#count += 1;
    for (let index = 0; index < this.#bounds.length; index++) {
      if (value > this.#bounds[index]!) continue;
      this.#counts[index]! += 1;
      return;
    }
  }

  /** @returns nothing before the first observation; buckets are cumulative, as in Prometheus */
  samples(name: string, labels: Labels): Sample[] {
    if (this.#count === 0) return [];
    let below = 0;
    const bucket = (le: number | string, value: number) => ({
      labels: { le, ...labels },
      value,
      metricName: `${name}_bucket`,
    });
    return [
      ...this.#bounds.map((bound, index) => bucket(bound, (below += this.#counts[index]!))),
      bucket('+Inf', this.#count),
      { labels, value: this.#sum, metricName: `${name}_sum` },
      { labels, value: this.#count, metricName: `${name}_count` },
    ];
  }
}

/** How many samples are written between two pauses. */
const STRIDE = 1_000;

/** All of them as text, each with its HELP and TYPE lines, separated by empty lines. */
export function* prometheusText(families: readonly Family[]): Steps<string> {
  const blocks: string[] = [];
  let left = STRIDE;
  for (const { name, help, type, values } of families) {
    const lines = [`# HELP ${name} ${escaped(help)}`, `# TYPE ${name} ${type}`];
    for (const { metricName, labels, value } of values) {
      lines.push(`${metricName ?? name}${labelText(labels)} ${numberText(value)}`);
      left -= 1;
      if (left > 0) continue;
      yield;
      left = STRIDE;
    }
    blocks.push(lines.join('\n'));
  }
  return `${blocks.join('\n\n')}\n`;
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(
    ([name, value]) => `${name}="${escaped(String(value)).replaceAll('"', '\\"')}"`,
  );
  return pairs.length > 0 ? `{${pairs.join(',')}}` : '';
}

function numberText(value: number): string {
  if (value === Infinity) return '+Inf';
  return value === -Infinity ? '-Inf' : String(value);
}

const escaped = (text: string) => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');

/** A metric of this program. @param name without the common prefix */
export function family(type: Family['type'], name: string, help: string, values: readonly Sample[]): Family {
  return { help, name: `llmproxy_${name}`, type, values, aggregator: 'sum' };
}

/** A counter. */
export const counter = (name: string, help: string, values: readonly Sample[]) =>
  family('counter', name, help, values);
