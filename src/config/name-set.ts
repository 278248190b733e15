import { globMatcher, globsOverlap, isGlob } from './globs.ts';

/** A glob, prepared. */
interface Pattern {
  readonly text: string;
  readonly matches: (name: string) => boolean;
}

/** Names and globs of which a configuration may have thousands: each glob is prepared once, and names are looked up. */
export class NameSet {
  readonly #names = new Set<string>();
  readonly #patterns = new Map<string, Pattern>();

  constructor(names: Iterable<string> = []) {
    for (const name of names) this.add(name);
  }

  add(name: string): void {
    if (!isGlob(name)) this.#names.add(name);
    else if (!this.#patterns.has(name)) this.#patterns.set(name, { text: name, matches: globMatcher(name) });
  }

  /** Whether it has a name, or a glob that matches it. @param counts whether a glob counts; all do if omitted */
  covers(name: string, counts: (glob: string) => boolean = () => true): boolean {
    if (this.#names.has(name)) return true;
    for (const { text, matches } of this.#patterns.values()) if (counts(text) && matches(name)) return true;
    return false;
  }

  /** Whether some name may match both an entry and one of these. */
  overlaps(entry: string): boolean {
    if (!isGlob(entry)) return this.covers(entry);
    for (const glob of this.#patterns.keys()) if (globsOverlap(entry, glob)) return true;
    const matches = globMatcher(entry);
    for (const name of this.#names) if (matches(name)) return true;
    return false;
  }
}
