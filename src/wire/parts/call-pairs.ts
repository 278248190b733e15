interface Made {
  readonly id: string;
  readonly name: string;
  answered: boolean;
}

/**
 * Which result is of which call, in protocols where ids are optional: without them results are of the calls of their name, in
 * order. Chat must have ids: those that are missing are counted, so that the same conversation always has the same ones.
 */
export class CallPairs {
  readonly #made: Made[] = [];
  /** The calls of the last turn that made any begin here. */
  #turn = 0;
  #count = 0;

  /** The model says something: results that follow are of what it calls now. */
  turn(): void {
    this.#turn = this.#made.length;
  }

  /** A name that nothing else in the conversation has. */
  next(): string {
    this.#count += 1;
    return `call_n${this.#count}`;
  }

  /** A call. @returns its id */
  called(given: string | undefined, name: string): string {
    const id = given || this.next();
    this.#made.push({ id, name, answered: false });
    return id;
  }

  /**
   * A result.
   * @param name of its call; where it has none it is of whichever comes next
   * @returns the id of its call; one of its own where there is no such call
   */
  answered(given: string | undefined, name: string | undefined): string {
    const made = given
      ? this.#find((call) => call.id === given)
      : this.#find((call) => !call.answered && (name === undefined || call.name === name));
    if (made) made.answered = true;
    return made?.id ?? (given || this.next());
  }

  /** Of the last turn first: earlier ones may have left calls of the same name without a result. */
  #find(matches: (call: Made) => boolean): Made | undefined {
    return this.#made.slice(this.#turn).find(matches) ?? this.#made.find(matches);
  }
}
