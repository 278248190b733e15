/**
 * Limits on concurrency and on rates per minute. If several processes serve one port, the limits apply to all together.
 */

import type { RateLimit } from '../config/schema/provider-rate.ts';

export interface RoomLimits {
  readonly rateLimit: RateLimit | undefined;
  readonly maxConnections: number | undefined;
}

/** The room that a call has taken. Exactly one of the two methods is called, once. */
export interface Place {
  /**
   * The call has ended.
   * @param used tokens that it used, input and output; as many as were reserved if unknown
   */
  end(nowMs: number, used: number | undefined): void;
  /** The call was never made: everything is returned. */
  cancel(nowMs: number): void;
}

/** The room within the limits of one provider or model. */
export interface Room {
  /** Whether the number of tokens of a call matters. */
  readonly countsTokens: boolean;
  /** Applies other limits. Calls in progress stay counted. */
  configure(limits: RoomLimits): void;
  /**
   * When a call may be made, on the clock of `nowMs`: 0 for now. If it waits for another call to end, this is when to
   * check again.
   * @param tokens that it may use, input and output
   * @param requests that it sends at once; 1 by default
   */
  readyAt(nowMs: number, tokens: number, requests?: number): number;
  /** Takes the room for a call. @returns `undefined` if there is none */
  take(nowMs: number, tokens: number, requests?: number): Place | undefined;
  /** The limit that rejects such a call, in words; `undefined` if none does. */
  full(nowMs: number, tokens: number, requests?: number): string | undefined;
}

/** A limit on concurrency, whichever way it is counted. */
export interface Places {
  /** Takes a place unless `most` are taken. */
  take(most: number): boolean;
  free(): void;
}

export interface Limits {
  /** The room with this name: of a provider, or of one of its models as "provider/model". */
  room(name: string): Room;
  /**
   * The number of requests in progress, if other processes serve some; `undefined` if this process serves all and knows
   * them.
   */
  readonly requests: Places | undefined;
}

/** The name of a model's room. @param row the name or glob of the provider's model that has the limit */
export function modelRoom(provider: string, row: string): string {
  return `${provider}/${row}`;
}

/** Polling at this interval is cheaper than a queue, and adds little to a provider's own latency. */
export const FULL_POLL_MS = 25;
