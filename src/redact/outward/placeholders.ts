import type { RedactKind } from '../../config/redact-kinds.ts';
import type { Replacing } from '../replacements.ts';

/** The form of a placeholder. */
export const PLACEHOLDER = /\[[A-Z][A-Z0-9_]{0,40}_[1-9]\d{0,5}\]/g;

/**
 * Assigns placeholders to values, numbered in the order in which they are found. A request that continues a
 * conversation therefore has the same placeholders for the same values. Each spelling of a value has its own
 * placeholder, so that it can be restored exactly.
 */
export class Placeholders implements Replacing {
  readonly counts = new Map<string, number>();
  readonly marks = PLACEHOLDER;
  readonly #taken: ReadonlySet<string>;
  readonly #numbers = new Map<string, number>();
  readonly #kept = new Map<string, { readonly placeholder: string; readonly name: string }>();

  /** @param taken placeholders that the request itself contains, which are not to be assigned */
  constructor(taken: ReadonlySet<string>) {
    this.#taken = taken;
  }

  /** The assigned placeholders and their values, in the order in which they were found. */
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

  /** The placeholder of a value that already has one. */
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
