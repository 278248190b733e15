import type { Place, Room, RoomLimits } from './limits.ts';

/** A room within another one: a call takes room in both, or in neither. */
export class BothRooms implements Room {
  readonly #outer: Room;
  readonly #inner: Room;

  constructor(outer: Room, inner: Room) {
    this.#outer = outer;
    this.#inner = inner;
  }

  get countsTokens(): boolean {
    return this.#outer.countsTokens || this.#inner.countsTokens;
  }

  /** The lease in the inner room. */
  configure(limits: RoomLimits): void {
    this.#inner.configure(limits);
  }

  readyAt(nowMs: number, tokens: number, requests = 1): number {
    return Math.max(
      this.#outer.readyAt(nowMs, tokens, requests),
      this.#inner.readyAt(nowMs, tokens, requests),
    );
  }

  take(nowMs: number, tokens: number, requests = 1): Place | undefined {
    const outer = this.#outer.take(nowMs, tokens, requests);
    const inner = outer && this.#inner.take(nowMs, tokens, requests);
    if (!inner) {
      outer?.cancel(nowMs);
      return undefined;
    }
    return {
      end(endMs, used) {
        outer.end(endMs, used);
        inner.end(endMs, used);
      },
      cancel(cancelMs) {
        outer.cancel(cancelMs);
        inner.cancel(cancelMs);
      },
    };
  }

  full(nowMs: number, tokens: number, requests = 1): string | undefined {
    return this.#outer.full(nowMs, tokens, requests) ?? this.#inner.full(nowMs, tokens, requests);
  }
}
