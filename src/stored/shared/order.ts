/** Runs work on the same names one after the other, in order of arrival, and all other work concurrently. */
export class Order {
  readonly #last = new Map<string, Promise<void>>();

  /** Runs work, synchronously up to its first wait if nothing with the same names is in progress. */
  async run<T>(names: readonly string[], work: () => Promise<T>): Promise<T> {
    const before = names.flatMap((name) => this.#last.get(name) ?? []);
    const { promise: over, resolve } = Promise.withResolvers<void>();
    for (const name of names) this.#last.set(name, over);
    try {
      if (before.length > 0) await Promise.all(before);
      return await work();
    } finally {
      resolve();
      for (const name of names) if (this.#last.get(name) === over) this.#last.delete(name);
    }
  }
}
