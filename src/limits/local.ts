import type { Cells, Moment, Taken } from './cells.ts';
import type { Limits } from './limits.ts';
import { LimitedRoom } from './room.ts';

/** Numbers in this process only: each request for one creates a new one. */
export const LOCAL_CELLS: Cells = {
  moment: () => new LocalMoment(),
  taken: () => new LocalTaken(),
  offsetMs: 0,
};

/** The limits of a process that serves alone: nothing else takes room between two of its steps. */
export const LOCAL_LIMITS: Limits = {
  room: (name) => new LimitedRoom(LOCAL_CELLS, name),
  requests: undefined,
};

class LocalMoment implements Moment {
  #us = 0;

  get(): number {
    return this.#us;
  }

  move(_before: number, after: number): boolean {
    this.#us = after;
    return true;
  }
}

class LocalTaken implements Taken {
  #count = 0;

  total(): number {
    return this.#count;
  }

  add(count: number): void {
    this.#count += count;
  }
}
