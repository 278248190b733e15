import type { Cells } from './cells.ts';
import type { Place, Room, RoomLimits } from './limits.ts';
import { Bucket } from './bucket.ts';
import { CountedPlaces } from './counted-places.ts';
import { FULL_POLL_MS } from './limits.ts';
import { TokenBucket } from './token-bucket.ts';

/** The room within the limits of one name: concurrent calls, and requests and tokens per minute. */
export class LimitedRoom implements Room {
  readonly #cells: Cells;
  readonly #name: string;
  readonly #calls: CountedPlaces;
  #maxConnections = Infinity;
  #perMinute: number | undefined;
  #tokensPerMinute: number | undefined;
  #requests: Bucket | undefined;
  #tokens: TokenBucket | undefined;

  constructor(cells: Cells, name: string) {
    this.#cells = cells;
    this.#name = name;
    this.#calls = new CountedPlaces(cells.taken(`calls of ${name}`));
  }

  get countsTokens(): boolean {
    return this.#tokens !== undefined;
  }

  /** Another rate is another bucket, in all processes alike. */
  configure({ rateLimit: { requests, tokens } = {}, maxConnections }: RoomLimits): void {
    this.#maxConnections = maxConnections ?? Infinity;
    if (requests !== this.#perMinute) {
      const name = `${requests} a minute of ${this.#name}`;
      this.#requests = requests === undefined ? undefined : new Bucket(this.#cells, name, requests);
    }
    if (tokens !== this.#tokensPerMinute) {
      const name = `${tokens} tokens a minute of ${this.#name}`;
      this.#tokens = tokens === undefined ? undefined : new TokenBucket(this.#cells, name, tokens);
    }
    this.#perMinute = requests;
    this.#tokensPerMinute = tokens;
  }

  readyAt(nowMs: number, tokens: number, requests = 1): number {
    const tokensMs = this.#tokens?.readyAt(nowMs, tokens) ?? 0;
    return Math.max(this.#connectionAt(nowMs, requests), this.#requestAt(nowMs, requests), tokensMs);
  }

  take(nowMs: number, tokens: number, requests = 1): Place | undefined {
    if (!this.#calls.take(this.#maxConnections, requests)) return undefined;
    const bucket = this.#requests;
    if (bucket && !bucket.take(nowMs, requests)) return this.#leave(requests);
    const held = this.#tokens?.hold(nowMs, tokens);
    if (this.#tokens && held === undefined) {
      bucket?.giveBack(nowMs, requests);
      return this.#leave(requests);
    }
    const tokensHeld = this.#tokens && { bucket: this.#tokens, held: held! };
    return new TakenPlace({ calls: this.#calls, bucket, tokens: tokensHeld, requests });
  }

  full(nowMs: number, tokens: number, requests = 1): string | undefined {
    if (this.#connectionAt(nowMs, requests) > 0) return `max_connections of ${this.#maxConnections}`;
    if (this.#requestAt(nowMs, requests) > 0) return `rate_limit of ${this.#perMinute} a minute`;
    if (this.#tokens && this.#tokens.readyAt(nowMs, tokens) > 0)
      return `rate_limit of ${this.#tokensPerMinute} tokens a minute`;
    return undefined;
  }

  #connectionAt(nowMs: number, requests: number): number {
    const { taken } = this.#maxConnections === Infinity ? NONE : this.#calls;
    return taken + requests > this.#maxConnections ? nowMs + FULL_POLL_MS : 0;
  }

  #requestAt(nowMs: number, requests: number): number {
    const waitMs = this.#requests?.waitMs(nowMs, requests) ?? 0;
    return waitMs > 0 ? nowMs + waitMs : 0;
  }

  #leave(requests: number): undefined {
    this.#calls.free(requests);
  }
}

const NONE = { taken: 0 };

/** What one call has taken of a room. */
interface Taken {
  readonly calls: CountedPlaces;
  readonly bucket: Bucket | undefined;
  readonly tokens: { readonly bucket: TokenBucket; readonly held: number } | undefined;
  readonly requests: number;
}

/** What one call has taken of a room: of the buckets that existed when it began, whatever is configured later. */
class TakenPlace implements Place {
  readonly #taken: Taken;

  constructor(taken: Taken) {
    this.#taken = taken;
  }

  end(nowMs: number, used: number | undefined): void {
    const { calls, tokens, requests } = this.#taken;
    calls.free(requests);
    if (tokens) tokens.bucket.settle(nowMs, tokens.held, used ?? tokens.held);
  }

  cancel(nowMs: number): void {
    const { bucket, requests } = this.#taken;
    bucket?.giveBack(nowMs, requests);
    this.end(nowMs, 0);
  }
}
