import type { LogRecord } from '../../logs/record.ts';
import type { Family, Sample } from './prometheus.ts';
import { chargedFor } from '../../logs/record.ts';
import { counter } from './prometheus.ts';
import { Series } from './series.ts';

/**
 * The number of keys, and of label values, that are counted separately. Tokens of identity providers may carry any
 * name.
 */
const MAX_APART = 200;

/** The usage of a caller. */
interface Used {
  requests: number;
  input: number;
  output: number;
  cost: number;
}

const KINDS = ['input', 'output'] as const;

/** Counters by key, and by the operator's labels of keys. */
export class CallerMetrics {
  readonly #keys = new Series(['key', 'group'], nothing, MAX_APART);
  readonly #labels = new Series(['label', 'value'], nothing, MAX_APART);

  observe(record: LogRecord): void {
    const { key, group, labels } = record;
    if (key === null) return;
    add(this.#keys.at(key, group ?? ''), record);
    for (const label in labels) add(this.#labels.at(label, labels[label]!), record);
  }

  families(): Family[] {
    return [
      ...familiesOf('key', 'the name of the key', this.#keys),
      ...familiesOf('label', 'label', this.#labels),
    ];
  }
}

const nothing = (): Used => ({ requests: 0, input: 0, output: 0, cost: 0 });

function add(used: Used, record: LogRecord): void {
  const { input, output, cost } = chargedFor(record);
  used.requests += 1;
  used.input += input;
  used.output += output;
  used.cost += cost ?? 0;
}

function familiesOf(name: string, words: string, { all }: Series<string, Used>): Family[] {
  const samples = (value: (used: Used) => number): Sample[] =>
    all.map(([labels, used]) => ({ labels, value: value(used) }));
  return [
    counter(
      `${name}_requests_total`,
      `Requests by ${words}`,
      samples(({ requests }) => requests),
    ),
    counter(
      `${name}_tokens_total`,
      `Tokens by ${words} and kind, estimated where providers do not report them`,
      all.flatMap(([labels, used]) =>
        KINDS.map((kind) => ({ labels: { ...labels, kind }, value: used[kind] })),
      ),
    ),
    counter(
      `${name}_cost_usd_total`,
      `Cost by ${words}`,
      samples(({ cost }) => cost),
    ),
  ];
}
