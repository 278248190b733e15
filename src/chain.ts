/** An item of a chain, by which it is removed. */
export interface Link<T> {
  readonly item: T;
  /** Whether the item is in the chain. */
  held: boolean;
  before: Link<T> | undefined;
  behind: Link<T> | undefined;
}

/**
 * Items in the order in which they were added, each of which can be removed at once. A `Map` or `Set` to which many
 * items are added and soon removed retains them in its older tables, which costs the garbage collector more than a
 * tenth of a request.
 */
export class Chain<T> {
  #first: Link<T> | undefined;
  #last: Link<T> | undefined;

  get isEmpty(): boolean {
    return this.#first === undefined;
  }

  add(item: T): Link<T> {
    const link: Link<T> = { item, held: true, before: this.#last, behind: undefined };
    if (this.#last) this.#last.behind = link;
    else this.#first = link;
    this.#last = link;
    return link;
  }

  /** @returns whether the item was in the chain */
  remove(link: Link<T>): boolean {
    if (!link.held) return false;
    const { before, behind } = link;
    if (before) before.behind = behind;
    else this.#first = behind;
    if (behind) behind.before = before;
    else this.#last = before;
    link.held = false;
    link.before = link.behind = undefined;
    return true;
  }

  /** Removes the first item. @returns its link; `undefined` if the chain is empty */
  shift(): Link<T> | undefined {
    const link = this.#first;
    if (link) this.remove(link);
    return link;
  }

  /** The items. None may be removed meanwhile. */
  *[Symbol.iterator](): Iterator<T> {
    for (let link = this.#first; link; link = link.behind) yield link.item;
  }
}
