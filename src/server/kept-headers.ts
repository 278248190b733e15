/** The headers of the last response with certain names. */
interface Kept {
  readonly headers: Headers;
  /** In the order of the names. */
  readonly values: string[];
}

/** A place in the tree of names: what the last response with these names had, and the names that may follow. */
interface Place {
  kept: Kept | undefined;
  readonly next: Map<string, Place>;
}

/** The number of places in the tree; providers can send any names. */
const MAX_PLACES = 500;

/**
 * Makes the headers of responses. The runtime takes much longer to set a header than to copy all headers at once, and
 * most values are those of the last response with the same names: only the others are set.
 */
export class KeptHeaders {
  #root: Place = { kept: undefined, next: new Map() };
  #places = 0;

  /**
   * @param wanted by lower-case name
   * @returns headers to copy at once, as `new Response` does: the next call changes them
   * @throws TypeError if a name or a value is invalid
   */
  of(wanted: Readonly<Record<string, string>>): Headers {
    let place = this.#root;
    for (const name in wanted) place = place.next.get(name) ?? this.#add(place, name);
    const { kept } = place;
    if (!kept) return (place.kept = { headers: new Headers(wanted), values: Object.values(wanted) }).headers;
    const { headers, values } = kept;
    let index = 0;
    for (const name in wanted) {
      const value = wanted[name]!;
      if (values[index] !== value) {
        headers.set(name, value);
        values[index] = value;
      }
      index += 1;
    }
    return headers;
  }

  #add(place: Place, name: string): Place {
    if (this.#places >= MAX_PLACES) {
      this.#root.next.clear();
      this.#places = 0;
    }
    const added: Place = { kept: undefined, next: new Map() };
    place.next.set(name, added);
    this.#places += 1;
    return added;
  }
}
