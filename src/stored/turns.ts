import type { Owner } from './entries.ts';

/** What waits for one owner, in its order. */
interface Line<Item> {
  items: Item[];
  /** How many of them were taken. */
  taken: number;
}

/**
 * What waits, by whose it is: owners take turns, so that nobody's many hold up another's one, and what is of one owner keeps its
 * order.
 */
export class OwnersTurns<Item> {
  /** Whoever is first is next. */
  readonly #lines = new Map<Owner, Line<Item>>();
  size = 0;

  push(owner: Owner, item: Item): void {
    const line = this.#lines.get(owner);
    if (line) line.items.push(item);
    else this.#lines.set(owner, { items: [item], taken: 0 });
    this.size += 1;
  }

  /** Takes the next one, after which it is the others' turn. */
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

/** Lets go of what was taken, as soon as it is the larger part. */
function shortened<Item>(line: Line<Item>): Line<Item> {
  return line.taken * 2 < line.items.length ? line : { items: line.items.slice(line.taken), taken: 0 };
}
