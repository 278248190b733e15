import type { Limit } from './limit.ts';

/** What a request takes of one limit. */
export interface Charge {
  readonly limit: Limit;
  /** Whose share it is: the limit's id, and what it is counted apart by. */
  readonly meter: string;
  /** The most that may be used, raises included. */
  readonly most: number;
  /** What is expected to be used. */
  readonly amount: number;
  /** The part of it that is known beforehand: for this much there must be room. The rest is taken as far as there is. */
  readonly known: number;
  /** Whether it is counted, but refuses nothing: another model answers because it is used up. */
  readonly lenient: boolean;
}

/** How one limit stood after a reservation, or when it refused one. */
export interface Standing {
  readonly charge: Charge;
  /** Used and reserved, this request included. */
  readonly taken: number;
  /** When the whole of it is free again, if nothing else is used; epoch milliseconds, `Infinity` for never. */
  readonly resetMs: number;
}

/** What was taken for a request, until it is settled. */
export interface Reservation {
  readonly kind: 'taken';
  readonly standings: readonly Standing[];
  /** What is held of each charge, in their order. */
  readonly held: number[];
  /** When it was made, epoch milliseconds. */
  readonly atMs: number;
}

/** A limit that has too little room. Nothing was taken. */
export interface Refusal {
  readonly kind: 'refused';
  readonly standing: Standing;
  /** When there may be room, epoch milliseconds; `Infinity` for never, `undefined` where nobody knows. */
  readonly freeMs: number | undefined;
}

/** How much of a limit is used, for whom. */
export interface Reading {
  readonly used: number;
  readonly reserved: number;
  readonly resetMs: number;
}

/** How much of one limit is used and reserved, for one of those whom it is counted apart by: what the rules of reserving ask of it. */
export interface Counter {
  /** What requests under way hold. */
  readonly reserved: number;
  /** What is used in the window that ends now. */
  used(nowMs: number): number;
  /** How much more may be taken. @param most the most that may be used in all */
  room(most: number, nowMs: number): number;
  hold(amount: number): void;
  release(amount: number): void;
  /** Adds to what is used, or takes back what an earlier moment added. @param amount less than 0 to take back */
  use(amount: number, atMs: number, nowMs: number): void;
  /** When so much is no longer used that `wanted` more fits, whatever is held; `Infinity` when that is never. */
  freeAt(wanted: number, most: number, nowMs: number): number;
  /** When all of it is free again, if nothing is used meanwhile; now when it is. */
  emptyAt(nowMs: number): number;
}

/**
 * Where what is used is counted. Charges of one request are taken all or none, in one step that nobody else's falls between;
 * they are settled once. All of it answers at once: a ledger that several machines share has a part of each limit at hand, and is asked
 * beforehand, by `ask`, to get more of it.
 */
export interface Ledger {
  reserve(charges: readonly Charge[], nowMs: number): Reservation | Refusal;
  /**
   * Takes more of one charge for a request under way.
   * @param used whether it is used already: then it is taken whatever the room
   * @returns whether it was taken
   */
  extend(reservation: Reservation, index: number, amount: number, nowMs: number, used?: boolean): boolean;
  /**
   * Ends a reservation: what was used stays, the rest is given back.
   * @param amounts what was used of each charge
   */
  settle(reservation: Reservation, amounts: readonly number[], nowMs: number): void;
  read(limit: Limit, meter: string, nowMs: number): Reading;
  /** Counts what is known to have been used, without asking whether it may be. */
  add(charges: readonly Charge[], nowMs: number): void;
  /**
   * Gets room for charges from elsewhere where there is too little here.
   * @returns `undefined` where there is nothing to wait for: then they are to be reserved at once. Else what never rejects and takes a
   * bounded time: whether it is worth asking again, since others may have been faster
   */
  ask?(charges: readonly Charge[], nowMs: number): Promise<boolean> | undefined;
  /** Gets what is used of a meter from elsewhere, before it is read. Never rejects and takes a bounded time. */
  refresh?(limit: Limit, meter: string): Promise<void>;
}
