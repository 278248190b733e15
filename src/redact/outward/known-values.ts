import { PLACEHOLDER } from './placeholders.ts';

/** Shorter values are words like any other: they are hidden only where their surroundings tell what they are. */
const SHORTEST = 6;

/** Characters by which a value is looked for. */
const KEY = 4;

const SLOTS = 1 << 16;

/**
 * Finds values again that are known by now, wherever they stand. Many are recognized by the words around them, which are others where
 * a model repeats the value. A text is gone through once, however many values there are.
 */
export class KnownValues {
  /** Which hashes of the first characters some value has: nearly every place of a text is told by this. */
  readonly #slots = new Uint8Array(SLOTS);
  /** By their first characters: all values, and how long they are, the longest first. */
  readonly #values = new Map<string, { readonly all: Set<string>; lengths: number[] }>();
  readonly #placeholders = new Set<string>();
  readonly #again: (value: string) => string | undefined;

  /** @param again told of each value that is found: gives its placeholder, and counts it */
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

  /** The text without them. What stands in the place of others already stays. */
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

  /** The same for a text without placeholders. */
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
