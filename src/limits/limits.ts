/** Limits on what happens at once and in a minute. Where several processes serve one port, they hold for all together. */

import type { RateLimit } from '../config/rate-limit-schema.ts';

export interface RoomLimits {
  readonly rateLimit: RateLimit | undefined;
  readonly maxConnections: number | undefined;
}

/** The room that a call has taken. One of the two ends it, once. */
export interface Place {
  /**
   * The call is over.
   * @param used tokens that it used, in and out; as many as were reserved where nobody knows
   */
  end(nowMs: number, used: number | undefined): void;
  /** The call was never made: everything is given back. */
  cancel(nowMs: number): void;
}

/** What limits of one's own leave room for. */
export interface Room {
  /** Whether it makes a difference how many tokens a call needs. */
  readonly countsTokens: boolean;
  /** Takes over other limits. Calls in flight stay counted. */
  configure(limits: RoomLimits): void;
  /**
   * When a call may be made, on the clock of `nowMs`: 0 for now. Where it waits for another one to end, that is when to
   * look again.
   * @param tokens that it may use, in and out
   * @param requests that it sends at once; 1 where it is left out
   */
  readyAt(nowMs: number, tokens: number, requests?: number): number;
  /** Takes the room of a call. @returns `undefined` where there is none */
  take(nowMs: number, tokens: number, requests?: number): Place | undefined;
  /** The limit that keeps such a call out, in words; `undefined` where none does. */
  full(nowMs: number, tokens: number, requests?: number): string | undefined;
}

/** How many there may be at once, whoever counts them. */
export interface Places {
  /** Takes one unless `most` are taken. */
  take(most: number): boolean;
  free(): void;
}

export interface Limits {
  /** The room with this name: of a provider, or of one of its models as "provider/model". */
  room(name: string): Room;
  /**
   * Requests in flight, where other processes serve some; `undefined` where this one serves all, and knows them.
   */
  readonly requests: Places | undefined;
}

/** What the room of a model is called. @param row the name or glob of the provider's model that has the limit */
export function modelRoom(provider: string, row: string): string {
  return `${provider}/${row}`;
}

/** Looking again this often is cheaper than a queue, and no slower than a provider's own answer. */
export const FULL_POLL_MS = 25;
