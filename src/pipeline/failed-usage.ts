import type { LogRecord } from '../logs/record.ts';
import type { Usage } from '../wire/usage.ts';
import { sumOf } from '../wire/usage.ts';

type Sum = NonNullable<LogRecord['failed']>;

/** What the failed attempts of one request have told that they used. */
export class FailedUsage {
  readonly #names = new Set<string>();
  #sum: Sum | undefined;

  /** @param cost USD, `null` where the price is unknown @param names of the target, as limits know it */
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

  /** All together; `undefined` where none told anything. */
  get sum(): Sum | undefined {
    return this.#sum;
  }

  /** Whom it was used at. */
  get names(): readonly string[] {
    return [...this.#names];
  }
}
