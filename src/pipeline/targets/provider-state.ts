import type { Limits, Room, RoomLimits } from '../../limits/limits.ts';
import type { BaseProvider } from '../../providers/base.ts';
import type { BreakerPolicy } from './breaker.ts';
import type { HealthPolicy } from './health.ts';
import type { Watch } from './watch.ts';
import { BothRooms } from '../../limits/both-rooms.ts';
import { modelRoom } from '../../limits/limits.ts';
import { limitedRow } from './limited-row.ts';
import { Breaker } from './breaker.ts';
import { Cooldown } from './cooldown.ts';
import { HealthWindow } from './health.ts';

export interface ProviderLimits extends RoomLimits {
  readonly keys: number;
}

export interface StatePolicy {
  readonly breaker: BreakerPolicy;
  readonly health: HealthPolicy;
  /** Called with what is put on hold, and what is available again. */
  readonly watch?: Watch | undefined;
}

/** What all models of one provider share: keys, connections, its rate limit, and its overall health. */
export class ProviderState {
  readonly name: string;
  readonly health: HealthWindow;
  /** Whether it can be reached at all. */
  readonly breaker: Breaker;
  readonly #policy: StatePolicy;
  readonly #random: () => number;
  readonly #limits: Limits;
  readonly #room: Room;
  /** For models with a limit of their own, by the name or glob that has it. */
  readonly #rooms = new Map<string, Room>();
  #keys: readonly Cooldown[] = [];
  #turn = 0;
  /** The number of calls of this process. */
  inFlight = 0;
  /** When it last responded to a call, in any way; on the monotonic clock. */
  answeredMs = -Infinity;
  /** When it is probed: never, while something is on hold that a probe can test, or always. */
  probed: 'never' | 'recovery' | 'always' = 'never';
  /** Whether the probed endpoint has ever answered properly: otherwise its silence means nothing. */
  probeWorks = false;
  /** When the next probe is due, milliseconds since the epoch. */
  nextProbeMs: number | undefined;

  /** @param parts.limits shared by all processes that serve together @param parts.random uniform in [0, 1) */
  constructor(
    name: string,
    limits: ProviderLimits,
    { policy, limits: rooms, random }: { policy: StatePolicy; limits: Limits; random: () => number },
  ) {
    this.name = name;
    this.#policy = policy;
    this.#random = random;
    this.#limits = rooms;
    this.#room = rooms.room(name);
    this.health = new HealthWindow(policy.health);
    this.breaker = new Breaker(policy.breaker, random, policy.watch?.({ scope: 'provider', name }));
    this.configure(limits);
  }

  /** Applies the limits of a new configuration. What was on hold gets a new chance; calls in progress stay counted. */
  configure(limits: ProviderLimits): void {
    this.#room.configure(limits);
    const { breaker, watch } = this.#policy;
    const { name } = this;
    this.#keys = Array.from({ length: limits.keys }, (_, key) => {
      const onHold = watch?.({ scope: 'key', name, key, keys: limits.keys });
      return new Cooldown(breaker, this.#random, onHold);
    });
    this.breaker.cooldown.revive();
  }

  /** The keys in the order of the configuration; another list after each configuration. */
  get keys(): readonly Cooldown[] {
    return this.#keys;
  }

  /** The room within the limits of the provider, and of this model. */
  roomFor({ name, settings }: BaseProvider, model: string): Room {
    const row = limitedRow(settings.models, model);
    if (!row) return this.#room;
    let room = this.#rooms.get(row.name);
    if (!room) this.#rooms.set(row.name, (room = this.#limits.room(modelRoom(name, row.name))));
    room.configure({ rateLimit: row.rateLimit, maxConnections: undefined });
    return new BothRooms(this.#room, room);
  }

  /** The keys in the order of their turns. */
  *turns(): Generator<number> {
    const { length } = this.#keys;
    for (let n = 0; n < length; n += 1) yield (this.#turn + n) % length;
  }

  begin(key: number): void {
    this.inFlight += 1;
    this.#turn = (key + 1) % this.#keys.length;
  }

  end(): void {
    this.inFlight -= 1;
  }
}
