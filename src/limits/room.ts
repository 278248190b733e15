import type { Cells } from './cells.ts';
import type { Place, Room, RoomLimits } from './limits.ts';
import { Bucket } from './bucket.ts';
import { CountedPlaces } from './counted-places.ts';
import { FULL_POLL_MS } from './limits.ts';
import { TokenBucket } from './token-bucket.ts';

/** The room that limits of one name leave: calls at once, and requests and tokens in a minute. */
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

  /** Another rate begins a bucket of its own, for all processes the same. */
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

  readyAt(nowMs: number, tokens: number): number {
    const tokensMs = this.#tokens?.readyAt(nowMs, tokens) ?? 0;
    return Math.max(this.#connectionAt(nowMs), this.#requestAt(nowMs), tokensMs);
  }

  take(nowMs: number, tokens: number): Place | undefined {
    if (!this.#calls.take(this.#maxConnections)) return undefined;
    const bucket = this.#requests;
    if (bucket && !bucket.take(nowMs, 1)) return this.#leave();
    const held = this.#tokens?.hold(nowMs, tokens);
    if (this.#tokens && held === undefined) {
      bucket?.giveBack(nowMs, 1);
      return this.#leave();
    }
    return new TakenPlace(this.#calls, bucket, this.#tokens && { bucket: this.#tokens, held: held! });
  }

  full(nowMs: number, tokens: number): string | undefined {
    if (this.#connectionAt(nowMs) > 0) return `max_connections of ${this.#maxConnections}`;
    if (this.#requestAt(nowMs) > 0) return `rate_limit of ${this.#perMinute} a minute`;
    if (this.#tokens && this.#tokens.readyAt(nowMs, tokens) > 0)
      return `rate_limit of ${this.#tokensPerMinute} tokens a minute`;
    return undefined;
  }

  #connectionAt(nowMs: number): number {
    const { taken } = this.#maxConnections === Infinity ? NONE : this.#calls;
    return taken >= this.#maxConnections ? nowMs + FULL_POLL_MS : 0;
  }

  #requestAt(nowMs: number): number {
    const waitMs = this.#requests?.waitMs(nowMs, 1) ?? 0;
    return waitMs > 0 ? nowMs + waitMs : 0;
  }

  #leave(): undefined {
    this.#calls.free();
  }
}

const NONE = { taken: 0 };

/** What one call has of a room: of the buckets that there were when it began, whatever is configured later. */
class TakenPlace implements Place {
  readonly #calls: CountedPlaces;
  readonly #requests: Bucket | undefined;
  readonly #tokens: { readonly bucket: TokenBucket; readonly held: number } | undefined;

  constructor(
    calls: CountedPlaces,
    requests: Bucket | undefined,
    tokens: { readonly bucket: TokenBucket; readonly held: number } | undefined,
  ) {
    this.#calls = calls;
    this.#requests = requests;
    this.#tokens = tokens;
  }

  end(nowMs: number, used: number | undefined): void {
    this.#calls.free();
    if (this.#tokens) this.#tokens.bucket.settle(nowMs, this.#tokens.held, used ?? this.#tokens.held);
  }

  cancel(nowMs: number): void {
    this.#requests?.giveBack(nowMs, 1);
    this.end(nowMs, 0);
  }
}
