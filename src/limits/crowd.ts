/**
 * How the meters that limits may have are divided. Whoever names users or models could otherwise take all of them, and
 * the callers of other groups would be counted together.
 */
import type { Apart } from '../config/schema/groups.ts';
import type { Limit } from './limit.ts';

/** The share of all meters that is left to callers. */
const CALLERS_SHARE = 0.1;

/**
 * A crowd may have this many times as many meters as are free. However many crowds there are, something is left for the
 * next one, and one alone may have eight ninths.
 * @see https://doi.org/10.1109/90.664262 which divides the memory of a switch among its queues in this way
 */
const TIMES_FREE = 8;

/** The number of meters. */
export interface Meters {
  readonly all: number;
  /** Those of a crowd, by the beginning of their names. */
  readonly ofCrowd: (prefix: string) => number;
}

/**
 * Whether a new meter of a limit is counted separately; otherwise with all others that are not.
 * @param max the most meters of all limits
 */
export function hasOwnMeter(limit: Limit, name: string, { all, ofCrowd }: Meters, max: number): boolean {
  if (limit.owner.apart.every(isCaller)) return all < max;
  const free = Math.ceil(max * (1 - CALLERS_SHARE)) - all;
  const most = TIMES_FREE * free;
  // Usually there are so few that no crowd can have too many.
  return free > 0 && (all < most || ofCrowd(crowdOf(limit, name)) < most);
}

/** How the names of the meters begin that are a crowd with this one: those of a group, a key, or the owner of a limit. */
export function crowdOf({ id, owner }: Limit, name: string): string {
  const [first] = owner.apart;
  if (first === undefined || !isCaller(first)) return `${owner.name} | `;
  const end = name.indexOf('",', id.length);
  return end < 0 ? `${owner.name} | ` : name.slice(0, end + 2);
}

/** The number of meters of each crowd in this process. */
export class CrowdCount {
  readonly #crowds = new Map<string, string>();
  readonly #counts = new Map<string, number>();

  add(limit: Limit, name: string): void {
    if (limit.owner.apart.every(isCaller)) return;
    const crowd = crowdOf(limit, name);
    this.#crowds.set(name, crowd);
    this.#counts.set(crowd, this.of(crowd) + 1);
  }

  delete(name: string): void {
    const crowd = this.#crowds.get(name);
    if (crowd === undefined) return;
    this.#crowds.delete(name);
    const left = this.of(crowd) - 1;
    if (left > 0) this.#counts.set(crowd, left);
    else this.#counts.delete(crowd);
  }

  of(crowd: string): number {
    return this.#counts.get(crowd) ?? 0;
  }
}

function isCaller(part: Apart): boolean {
  return part === 'key' || part === 'group';
}
