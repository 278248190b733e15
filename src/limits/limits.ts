/** Limits on what happens at once and in a minute. Where several processes serve one port, they hold for all together. */

export interface RoomLimits {
  /** Requests per minute. */
  readonly rateLimit: number | undefined;
  readonly maxConnections: number | undefined;
}

/** What a provider's own limits leave room for. */
export interface Room {
  /** Takes over other limits. Calls in flight stay counted. */
  configure(limits: RoomLimits): void;
  /** When a call may be made, on the clock of `nowMs`: 0 for now. */
  readyAt(nowMs: number): number;
  /**
   * Takes the room of a call that begins in this very moment.
   * @returns false where another process took it since `readyAt` was asked
   */
  reserve(nowMs: number): boolean;
  /** The call begins. */
  begin(): void;
  end(): void;
}

/** How many there may be at once, whoever counts them. */
export interface Places {
  /** Takes one unless `most` are taken. */
  take(most: number): boolean;
  free(): void;
}

export interface Limits {
  /** The room of the provider with this name. */
  room(provider: string): Room;
  /**
   * Requests in flight, where other processes serve some; `undefined` where this one serves all, and knows them.
   */
  readonly requests: Places | undefined;
}

/** Looking again this often is cheaper than a queue, and no slower than a provider's own answer. */
export const FULL_POLL_MS = 25;
