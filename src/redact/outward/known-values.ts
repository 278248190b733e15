import { PLACEHOLDER } from './placeholders.ts';

/** Shorter values may be ordinary words: they are replaced only where the text around them tells what they are. */
const SHORTEST = 6;

/** The number of characters at the beginning of a value by which it is found. */
const KEY = 4;

const SLOTS = 1 << 16;

/**
 * Finds further occurrences of values that were found before. Many values are recognized only by the words around them,
 * which are missing where a model repeats the value. Each text is read once, regardless of the number of values.
 */
export class KnownValues {
  /** The hashes of the first characters of all values: a quick test that excludes nearly every place in a text. */
  readonly #slots = new Uint8Array(SLOTS);
  /** The values and their lengths, longest first, by their first characters. */
  readonly #values = new Map<string, { readonly all: Set<string>; lengths: number[] }>();
  readonly #placeholders = new Set<string>();
  readonly #again: (value: string) => string | undefined;

  /** @param again called for each value that is found: returns its placeholder and counts it */
  constructor(
    values: readonly (readonly [placeholder: string, value: string])[],
    again: (value: string) => string | undefined,
  ) {
    this.#again = again;
    for (const [placeholder, value] of values) {
      this.#placeholders.add(placeholder);
      if (value.length < SHORTEST) continue;
      const key = value.slice(0, KEY);
      let some = this.#values.get(key);
      if (!some) this.#values.set(key, (some = { all: new Set(), lengths: [] }));
      some.all.add(value);
      this.#slots[slotAt(value, 0)] = 1;
    }
    for (const some of this.#values.values())
      some.lengths = [...new Set(Array.from(some.all, ({ length }) => length))].sort((a, b) => b - a);
  }

  get none(): boolean {
    return this.#values.size === 0;
  }

  /** Replaces the values in a text. Placeholders in it stay. */
  replaced(text: string): string {
    if (this.none || text.length < SHORTEST) return text;
    if (!text.includes('[')) return this.#between(text);
    let out = '';
    let from = 0;
    for (const { 0: found, index } of text.matchAll(PLACEHOLDER)) {
      if (!this.#placeholders.has(found)) continue;
      out += this.#between(text.slice(from, index)) + found;
      from = index + found.length;
    }
    return out + this.#between(text.slice(from));
  }

  /** Replaces the values in a text without placeholders. */
  #between(text: string): string {
    let out = '';
    let from = 0;
    for (let at = 0; at + SHORTEST <= text.length;) {
      const value = this.#slots[slotAt(text, at)] === 1 ? this.#valueAt(text, at) : undefined;
      const placeholder = value === undefined ? undefined : this.#again(value);
      if (placeholder === undefined) {
        at += 1;
        continue;
      }
      out += text.slice(from, at) + placeholder;
      at += value!.length;
      from = at;
    }
    return from === 0 ? text : out + text.slice(from);
  }

  #valueAt(text: string, at: number): string | undefined {
    const some = this.#values.get(text.slice(at, at + KEY));
    if (!some) return undefined;
    for (const length of some.lengths) {
      if (at + length > text.length) continue;
      const found = text.slice(at, at + length);
      if (some.all.has(found)) return found;
    }
    return undefined;
  }
}

function slotAt(text: string, at: number): number {
  const first = text.charCodeAt(at) * 31 + text.charCodeAt(at + 1);
  const second = text.charCodeAt(at + 2) * 31 + text.charCodeAt(at + 3);
  return (first * 4099 + second) & (SLOTS - 1);
}
