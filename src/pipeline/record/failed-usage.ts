import type { LogRecord } from '../../logs/record.ts';
import type { Usage } from '../../wire/usage.ts';
import { sumOf } from '../../wire/units.ts';

type Sum = NonNullable<LogRecord['failed']>;

/** The usage reported by the failed attempts of one request. */
export class FailedUsage {
  readonly #names = new Set<string>();
  #sum: Sum | undefined;

  /** @param cost USD, `null` if the price is unknown @param names of the target, as limits know it */
  add({ input, output }: Usage, cost: number | null, names: readonly string[]): Sum {
    for (const name of names) this.#names.add(name);
    const before = this.#sum ?? { input_tokens: 0, output_tokens: 0, cost: 0 };
    this.#sum = {
      input_tokens: sumOf(before.input_tokens, input),
      output_tokens: sumOf(before.output_tokens, output),
      cost: before.cost === null || cost === null ? null : before.cost + cost,
    };
    return { input_tokens: input, output_tokens: output, cost };
  }

  /** The total; `undefined` if none was reported. */
  get sum(): Sum | undefined {
    return this.#sum;
  }

  /** The names of the targets. */
  get names(): readonly string[] {
    return [...this.#names];
  }
}
