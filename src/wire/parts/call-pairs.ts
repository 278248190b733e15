interface Made {
  readonly id: string;
  readonly name: string;
  answered: boolean;
}

/**
 * Matches results to calls in protocols where ids are optional: without ids, results belong to the calls of the same
 * name, in order. Chat requires ids: missing ones are numbered, so that the same conversation always gets the same ids.
 */
export class CallPairs {
  readonly #made: Made[] = [];
  /** The index of the first call of the last turn with calls. */
  #turn = 0;
  #count = 0;

  /** Begins a turn of the model: the following results belong to its calls. */
  turn(): void {
    this.#turn = this.#made.length;
  }

  /** An id that does not occur elsewhere in the conversation. */
  next(): string {
    this.#count += 1;
    return `call_n${this.#count}`;
  }

  /** Adds a call. @returns its id */
  called(given: string | undefined, name: string): string {
    const id = given || this.next();
    this.#made.push({ id, name, answered: false });
    return id;
  }

  /**
   * Adds a result.
   * @param name of its function; without one it belongs to the next call without a result
   * @returns the id of its call; a new one if there is no such call
   */
  answered(given: string | undefined, name: string | undefined): string {
    const made = given
      ? this.#find((call) => call.id === given)
      : this.#find((call) => !call.answered && (name === undefined || call.name === name));
    if (made) made.answered = true;
    return made?.id ?? (given || this.next());
  }

  /** The last turn is searched first: earlier ones may have calls of the same name without a result. */
  #find(matches: (call: Made) => boolean): Made | undefined {
    return this.#made.slice(this.#turn).find(matches) ?? this.#made.find(matches);
  }
}
