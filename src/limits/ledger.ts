import type { Limit } from './limit.ts';

/** What a request takes of one limit. */
export interface Charge {
  readonly limit: Limit;
  /** The meter: the limit's id, and the value by which it is counted separately. */
  readonly meter: string;
  /** The limit's amount, including raises. */
  readonly most: number;
  /** The expected usage. */
  readonly amount: number;
  /** The part of it that is known in advance and must fit. The rest is reserved as far as there is room. */
  readonly known: number;
  /** Whether it is counted without refusing anything: another model answers because the limit is used up. */
  readonly lenient: boolean;
}

/** The state of one limit after a reservation, or when it refused one. */
export interface Standing {
  readonly charge: Charge;
  /** Used and reserved, including this request. */
  readonly taken: number;
  /** When all of it is free again if nothing else is used; epoch milliseconds, `Infinity` for never. */
  readonly resetMs: number;
}

/** What is reserved for a request until it is settled. */
export interface Reservation {
  readonly kind: 'taken';
  readonly standings: readonly Standing[];
  /** The amount held for each charge, in the same order. */
  readonly held: number[];
  /** When it was reserved, epoch milliseconds. */
  readonly atMs: number;
}

/** A limit without enough room. Nothing was reserved. */
export interface Refusal {
  readonly kind: 'refused';
  readonly standing: Standing;
  /** When there may be room, epoch milliseconds; `Infinity` for never, `undefined` if unknown. */
  readonly freeMs: number | undefined;
}

/** How much of a limit is used by one meter. */
export interface Reading {
  readonly used: number;
  readonly reserved: number;
  readonly resetMs: number;
}

/** The usage and reservations of one meter of a limit, as the rules of reservation need them. */
export interface Counter {
  /** The amount held by running requests. */
  readonly reserved: number;
  /** The amount used in the window that ends now. */
  used(nowMs: number): number;
  /** How much more may be taken. @param most the limit's amount */
  room(most: number, nowMs: number): number;
  hold(amount: number): void;
  release(amount: number): void;
  /** Adds to the used amount, or takes back what was added at an earlier moment. @param amount negative to take back */
  use(amount: number, atMs: number, nowMs: number): void;
  /** When enough usage has expired for `wanted` more, regardless of what is held; `Infinity` for never. */
  freeAt(wanted: number, most: number, nowMs: number): number;
  /** When all of it is free again if nothing is used meanwhile; now if it already is. */
  emptyAt(nowMs: number): number;
}

/**
 * Counts usage. All charges of one request are reserved or none, in one atomic step; they are settled once. Everything
 * returns immediately: a ledger shared by several machines holds a part of each limit locally, and obtains more of it
 * through `ask` beforehand.
 */
export interface Ledger {
  reserve(charges: readonly Charge[], nowMs: number): Reservation | Refusal;
  /**
   * Reserves more of one charge for a running request.
   * @param used whether it is used already: it is then taken regardless of room
   * @returns whether it was taken
   */
  extend(reservation: Reservation, index: number, amount: number, nowMs: number, used?: boolean): boolean;
  /**
   * Settles a reservation: what was used stays, the rest is released.
   * @param amounts the amount used of each charge
   */
  settle(reservation: Reservation, amounts: readonly number[], nowMs: number): void;
  read(limit: Limit, meter: string, nowMs: number): Reading;
  /** Counts known usage, without checking the limit. */
  add(charges: readonly Charge[], nowMs: number): void;
  /**
   * Obtains room for charges from elsewhere if there is too little here.
   * @param tries how often it was called for this request before; 0 if omitted
   * @returns `undefined` if there is nothing to wait for: they should be reserved at once. Otherwise a promise that
   * never rejects and settles within a bounded time: whether asking again is worthwhile, since others may have been
   * faster, or may return what they do not use
   */
  ask?(charges: readonly Charge[], nowMs: number, tries?: number): Promise<boolean> | undefined;
  /** Updates a meter from elsewhere before it is read. Never rejects and takes a bounded time. */
  refresh?(limit: Limit, meter: string): Promise<void>;
}
