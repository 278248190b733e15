import type { Cells } from './cells.ts';
import type { RateLimit } from '../config/schema/provider-rate.ts';
import type { Limits } from './limits.ts';
import type { SharedMemory } from './shared-memory.ts';
import { CountedPlaces } from './counted-places.ts';
import { modelRoom } from './limits.ts';
import { LimitedRoom } from './room.ts';

/** One process's part in limits that apply to several. */
export interface Share {
  readonly memory: SharedMemory;
  /** The index of the process, from 0. */
  readonly index: number;
  /** The offset from this process's clock to the common one, milliseconds. */
  readonly offsetMs: number;
}

/** The shared parts of a provider's configuration. */
interface NamedLimits {
  readonly name: string;
  readonly rate_limit?: RateLimit | undefined;
  readonly models?:
    readonly (string | { readonly name: string; readonly rate_limit?: RateLimit | undefined })[] | undefined;
}

/** Limits that apply to all processes that map the same memory. */
export function sharedLimits(share: Share): Limits {
  const cells = sharedCells(share);
  return {
    room: (name) => new LimitedRoom(cells, name),
    requests: new CountedPlaces(cells.taken('requests')),
  };
}

/** Numbers shared by all processes that map the same memory. */
export function sharedCells({ memory, index, offsetMs }: Share): Cells {
  return {
    moment(name) {
      const place = memory.place(name);
      return {
        get: () => memory.time(place),
        move: (before, after) => memory.setTime(place, before, after),
      };
    },
    taken(name) {
      const place = memory.place(name);
      return {
        total: () => memory.total(place),
        add: (count) => memory.add(place, index, count),
      };
    },
    offsetMs,
  };
}

/**
 * Makes sure that there is room for all limits of a configuration before any process depends on it.
 * @throws Error when there is not
 */
export function reservePlaces(memory: SharedMemory, providers: readonly NamedLimits[]): void {
  const limits = sharedLimits({ memory, index: 0, offsetMs: 0 });
  const reserve = (name: string, rateLimit: RateLimit | undefined) =>
    limits.room(name).configure({ rateLimit, maxConnections: undefined });
  for (const { name, rate_limit: rateLimit, models = [] } of providers) {
    reserve(name, rateLimit);
    for (const model of models) {
      if (typeof model !== 'string' && model.rate_limit)
        reserve(modelRoom(name, model.name), model.rate_limit);
    }
  }
}
