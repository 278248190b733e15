/** Lets what is about the same thing happen one after the other, in the order in which it came; all else at once. */
export class Order {
  readonly #last = new Map<string, Promise<void>>();

  /** Runs it at once where nothing of the same names is under way. */
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
