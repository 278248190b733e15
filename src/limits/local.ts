import type { Limits, Room, RoomLimits } from './limits.ts';
import { RateBucket } from './bucket.ts';
import { FULL_POLL_MS } from './limits.ts';

/** The limits of a process that serves alone: nobody takes room between two of its own steps. */
export const LOCAL_LIMITS: Limits = { room: () => new LocalRoom(), requests: undefined };

class LocalRoom implements Room {
  #inFlight = 0;
  #maxConnections = Infinity;
  #perMinute: number | undefined;
  #bucket: RateBucket | undefined;

  configure({ rateLimit, maxConnections }: RoomLimits): void {
    this.#maxConnections = maxConnections ?? Infinity;
    if (rateLimit !== this.#perMinute) {
      this.#bucket = rateLimit === undefined ? undefined : new RateBucket(rateLimit);
    }
    this.#perMinute = rateLimit;
  }

  readyAt(nowMs: number): number {
    if (this.#inFlight >= this.#maxConnections) return nowMs + FULL_POLL_MS;
    return this.#bucket?.readyAt(nowMs) ?? 0;
  }

  reserve(): boolean {
    return true;
  }

  begin(): void {
    this.#inFlight += 1;
    this.#bucket?.take();
  }

  end(): void {
    this.#inFlight -= 1;
  }
}
