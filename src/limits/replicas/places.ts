import type { Limit } from '../limit.ts';
import type { PlaceDeps } from './place.ts';
import type { Server } from './share.ts';
import { CrowdCount, hasOwnMeter } from '../crowd.ts';
import { Place } from './place.ts';
import { Share } from './share.ts';

/** The interval at which empty shares are searched for, milliseconds. */
const SWEEP_MS = 1_000;

/** The shares of a replica by the names of their meters. */
export class Places {
  readonly #places = new Map<string, Place>();
  readonly #crowds = new CrowdCount();
  readonly #server: Server;
  readonly #deps: PlaceDeps;
  #sweptMs = -Infinity;
  /** The number of shares above which new meters of a limit have one together. */
  maxMeters: number;

  constructor(maxMeters: number, server: Server, deps: PlaceDeps) {
    this.maxMeters = maxMeters;
    this.#server = server;
    this.#deps = deps;
  }

  of(limit: Limit, name: string, nowMs: number): Place {
    const known = this.#places.get(name);
    if (known) return known;
    const isOwn = limit.owner.apart.length === 0 || this.#hasRoom(limit, name, nowMs);
    const own = isOwn ? name : `${limit.id} | all others`;
    return this.#places.get(own) ?? this.#make(limit, own);
  }

  /** Those about which there is something to report. */
  active(): Place[] {
    return this.all().filter(({ share }) => share.active);
  }

  all(): Place[] {
    return [...this.#places.values()];
  }

  #make(limit: Limit, name: string): Place {
    const place = new Place(keyOf(name), new Share(limit, this.#server), this.#deps);
    this.#places.set(name, place);
    this.#crowds.add(limit, name);
    return place;
  }

  /** Whether one more share may be added; deletes empty ones if necessary. */
  #hasRoom(limit: Limit, name: string, nowMs: number): boolean {
    if (this.#isFree(limit, name)) return true;
    if (nowMs - this.#sweptMs < SWEEP_MS) return false;
    this.#sweptMs = nowMs;
    for (const [each, place] of this.#places) {
      if (place.busy || !place.share.idle(nowMs)) continue;
      this.#places.delete(each);
      this.#crowds.delete(each);
    }
    return this.#isFree(limit, name);
  }

  #isFree(limit: Limit, name: string): boolean {
    const meters = { all: this.#places.size, ofCrowd: (crowd: string) => this.#crowds.of(crowd) };
    return hasOwnMeter(limit, name, meters, this.maxMeters);
  }
}

/**
 * The key of a limit: hashed, so that names and addresses cannot be read on the server; all keys of a limit are in one
 * cluster slot.
 */
function keyOf(meter: string): string {
  return `llmproxy:{${new Bun.CryptoHasher('sha256').update(meter).digest('hex').slice(0, 32)}}`;
}
