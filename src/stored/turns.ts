import type { Owner } from './entries.ts';

/** The queue of one owner, in order. */
interface Line<Item> {
  items: Item[];
  /** The number of entries that were taken. */
  taken: number;
}

/**
 * Queues by owner: owners take turns, so that many entries of one do not delay another's, and each owner's entries keep
 * their order.
 */
export class OwnersTurns<Item> {
  /** The first owner is next. */
  readonly #lines = new Map<Owner, Line<Item>>();
  size = 0;

  push(owner: Owner, item: Item): void {
    const line = this.#lines.get(owner);
    if (line) line.items.push(item);
    else this.#lines.set(owner, { items: [item], taken: 0 });
    this.size += 1;
  }

  /** Takes the next entry, after which it is the other owners' turn. */
  next(): Item | undefined {
    const [first] = this.#lines;
    if (!first) return undefined;
    const [owner, line] = first;
    const item = line.items[line.taken]!;
    line.taken += 1;
    this.size -= 1;
    this.#lines.delete(owner);
    if (line.taken < line.items.length) this.#lines.set(owner, shortened(line));
    return item;
  }

  clear(): void {
    this.#lines.clear();
    this.size = 0;
  }
}

/** Drops taken entries as soon as they are the larger part. */
function shortened<Item>(line: Line<Item>): Line<Item> {
  return line.taken * 2 < line.items.length ? line : { items: line.items.slice(line.taken), taken: 0 };
}
