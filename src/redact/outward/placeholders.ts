import type { RedactKind } from '../../config/redact-kinds.ts';
import type { Replacing } from '../replacements.ts';

/** What looks like a placeholder, whoever wrote it. */
export const PLACEHOLDER = /\[[A-Z][A-Z0-9_]{0,40}_[1-9]\d{0,5}\]/g;

/**
 * Numbers values in the order in which they are found. Each spelling of a value has a placeholder of its own, so that it comes back
 * as it was written; and a request that goes on from an earlier one gives the same values the same placeholders.
 */
export class Placeholders implements Replacing {
  readonly counts = new Map<string, number>();
  readonly marks = PLACEHOLDER;
  readonly #taken: ReadonlySet<string>;
  readonly #numbers = new Map<string, number>();
  readonly #kept = new Map<string, { readonly placeholder: string; readonly name: string }>();

  /** @param taken placeholders that the request itself contains: they stand for no value */
  constructor(taken: ReadonlySet<string>) {
    this.#taken = taken;
  }

  /** Each placeholder and its value, in the order of their numbers. */
  get values(): readonly (readonly [placeholder: string, value: string])[] {
    return Array.from(this.#kept, ([value, { placeholder }]) => [placeholder, value] as const);
  }

  of({ name }: { readonly name: string; readonly kind: RedactKind | 'custom' }, value: string): string {
    const known = this.again(value);
    if (known !== undefined) return known;
    const placeholder = this.#next(name);
    this.#kept.set(value, { placeholder, name });
    this.#count(name);
    return placeholder;
  }

  /** Of a value that has one. */
  again(value: string): string | undefined {
    const known = this.#kept.get(value);
    if (known) this.#count(known.name);
    return known?.placeholder;
  }

  fresh(): void {
    this.#numbers.clear();
    this.#kept.clear();
  }

  #next(name: string): string {
    for (let number = (this.#numbers.get(name) ?? 0) + 1; ; number += 1) {
      const placeholder = `[${name.toUpperCase()}_${number}]`;
      if (this.#taken.has(placeholder)) continue;
      this.#numbers.set(name, number);
      return placeholder;
    }
  }

  #count(name: string): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
  }
}
