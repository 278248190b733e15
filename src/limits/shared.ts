import type { Limits, Places, Room, RoomLimits } from './limits.ts';
import type { SharedMemory } from './shared-memory.ts';
import { FULL_POLL_MS } from './limits.ts';
import { SharedBucket } from './shared-bucket.ts';

/** One process's share in limits that hold for several. */
export interface Share {
  readonly memory: SharedMemory;
  /** Which of the processes, from 0. */
  readonly index: number;
  /** What is added to this process's clock for the one that all share, milliseconds. */
  readonly offsetMs: number;
}

/** What of a provider's configuration is shared. */
interface NamedLimits {
  readonly name: string;
  readonly rate_limit?: number | undefined;
}

/** Limits that hold for all processes that map the same memory. */
export function sharedLimits(share: Share): Limits {
  return {
    room: (provider) => new SharedRoom(share, provider),
    requests: new SharedPlaces(share, 'requests'),
  };
}

/**
 * Makes sure that there is a place for all limits of a configuration, before any process counts on it.
 * @throws Error when there is not
 */
export function reservePlaces(memory: SharedMemory, providers: readonly NamedLimits[]): void {
  const limits = sharedLimits({ memory, index: 0, offsetMs: 0 });
  for (const { name, rate_limit: rateLimit } of providers) {
    limits.room(name).configure({ rateLimit, maxConnections: undefined });
  }
}

/** How often one tries again that lost a race for the last place: the winner may be gone at once. */
const RACES = 8;

class SharedPlaces implements Places {
  readonly #memory: SharedMemory;
  readonly #index: number;
  readonly #place: number;

  constructor({ memory, index }: Share, name: string) {
    this.#memory = memory;
    this.#index = index;
    this.#place = memory.place(name);
  }

  /**
   * Takes a place first and looks then: of all that do so at once, the last to look sees all. Two that meet at the
   * last place may both step back, and try again.
   */
  take(most: number): boolean {
    if (most === Infinity) return this.#add();
    for (let race = 0; race < RACES; race += 1) {
      if (this.taken >= most) return false;
      this.#add();
      if (this.taken <= most) return true;
      this.free();
    }
    return false;
  }

  free(): void {
    this.#memory.add(this.#place, this.#index, -1);
  }

  #add(): true {
    this.#memory.add(this.#place, this.#index, 1);
    return true;
  }

  get taken(): number {
    return this.#memory.total(this.#place);
  }
}

class SharedRoom implements Room {
  readonly #share: Share;
  readonly #provider: string;
  readonly #calls: SharedPlaces;
  #maxConnections = Infinity;
  #bucket: SharedBucket | undefined;

  constructor(share: Share, provider: string) {
    this.#share = share;
    this.#provider = provider;
    this.#calls = new SharedPlaces(share, `calls of ${provider}`);
  }

  configure({ rateLimit, maxConnections }: RoomLimits): void {
    const { memory, offsetMs } = this.#share;
    this.#maxConnections = maxConnections ?? Infinity;
    // Another rate begins a bucket of its own, for all processes the same.
    const name = `${rateLimit} a minute of ${this.#provider}`;
    this.#bucket = rateLimit === undefined ? undefined : new SharedBucket(memory, name, rateLimit, offsetMs);
  }

  readyAt(nowMs: number): number {
    if (this.#maxConnections !== Infinity && this.#calls.taken >= this.#maxConnections) {
      return nowMs + FULL_POLL_MS;
    }
    return this.#bucket?.readyAt(nowMs) ?? 0;
  }

  reserve(nowMs: number): boolean {
    if (!this.#calls.take(this.#maxConnections)) return false;
    if (this.#bucket?.take(nowMs) ?? true) return true;
    this.#calls.free();
    return false;
  }

  /** It took its room already. */
  begin(): void {}

  end(): void {
    this.#calls.free();
  }
}
