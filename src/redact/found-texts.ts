import type { Hit } from './redactor.ts';

/** How much is remembered of what was searched last, characters, at most twice. */
const MOST = 8 * 1024 * 1024;

/** What an entry takes beside its text, in characters. */
const ENTRY = 64;

/** By label, then by text. */
type Found = Map<string, Map<string, readonly Hit[]>>;

/**
 * What was found in the texts that were searched last. Agents send their history with each request, and programs their
 * instructions and tools: most texts of a log are not searched again. What replaces a hit is not remembered, since it
 * depends on what precedes it.
 */
export class FoundTexts {
  /** When the newer one is full, it becomes the older one, and what is not used again is forgotten. */
  #newer: Found = new Map();
  #older: Found = new Map();
  #size = 0;
  readonly #most: number;

  constructor(most = MOST) {
    this.#most = most;
  }

  /** The hits in a text. @param find searches it if it is not known */
  of(text: string, label: string, find: () => readonly Hit[]): readonly Hit[] {
    const known = this.#newer.get(label)?.get(text);
    if (known) return known;
    const hits = this.#older.get(label)?.get(text) ?? find();
    this.#add(text, label, hits);
    return hits;
  }

  #add(text: string, label: string, hits: readonly Hit[]): void {
    const size = text.length + ENTRY * (1 + hits.length);
    if (size > this.#most) return;
    if (this.#size + size > this.#most) {
      this.#older = this.#newer;
      this.#newer = new Map();
      this.#size = 0;
    }
    this.#size += size;
    const sameLabel = this.#newer.get(label);
    if (sameLabel) sameLabel.set(text, hits);
    else this.#newer.set(label, new Map([[text, hits]]));
  }
}
