type Branch<T> = Map<string, Branch<T> | T>;

/** The label value for all combinations above the limit. */
const OTHER = 'other';

/** One object for each combination of label values, created on first use, and found by one map lookup per label. */
export class Series<Name extends string, T> {
  readonly #names: readonly Name[];
  readonly #make: (values: readonly string[]) => T;
  readonly #most: number;
  readonly #root: Branch<T> = new Map();
  readonly #all: [labels: Record<Name, string>, found: T][] = [];

  /**
   * @param make called with the label values, in the order of their names
   * @param most the number of combinations that are distinguished: all others are one
   */
  constructor(names: readonly Name[], make: (values: readonly string[]) => T, most = Infinity) {
    this.#most = most;
    this.#names = names;
    this.#make = make;
  }

  /** @param values one for each name */
  at(...values: readonly string[]): T {
    let branch = this.#root;
    const last = values.length - 1;
    for (let index = 0; index < last; index++) {
      let next = branch.get(values[index]!) as Branch<T> | undefined;
      if (next === undefined) branch.set(values[index]!, (next = new Map()));
      branch = next;
    }
    const found = branch.get(values[last]!) as T | undefined;
    return found ?? this.#begin(branch, values);
  }

  #begin(branch: Branch<T>, values: readonly string[]): T {
    if (this.#all.length >= this.#most && values[0] !== OTHER)
      return this.at(...values.map((_, index) => (index === 0 ? OTHER : '')));
    const made = this.#make(values);
    branch.set(values.at(-1)!, made);
    const labels = Object.fromEntries(this.#names.map((name, index) => [name, values[index]!]));
    this.#all.push([labels as Record<Name, string>, made]);
    return made;
  }

  /** In order of creation. */
  get all(): readonly (readonly [labels: Readonly<Record<Name, string>>, found: T])[] {
    return this.#all;
  }
}
