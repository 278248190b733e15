import type { Counter } from '../ledger.ts';
import type { Limit } from '../limit.ts';
import type { Amount, Reply, Report } from './script.ts';
import { Meter } from '../meter.ts';
import { amountOf, Tally } from './tally.ts';

/** What a share needs to know about the server. */
export interface Server {
  /** The offset from this machine's clock to the server's, milliseconds. */
  readonly offsetMs: number;
  /** Whether it is available. */
  readonly up: boolean;
  /** For how long it has been available without interruption, milliseconds. */
  readonly connectedMs: number;
  /** The number of replicas, including this one. */
  readonly replicas: number;
  /** Whether this replica is about to stop, and keeps nothing. */
  readonly closing: boolean;
  /** Whether its clock is known. */
  readonly timed: boolean;
  /** After this silence a share counts as used, or is given to others, milliseconds. */
  readonly expiresMs: number;
  /** The timeout of its replies, milliseconds. */
  readonly answersMs: number;
  /** After this silence a replica counts as cut off, milliseconds. */
  readonly silentMs: number;
  /** A number that increases with every call. */
  next(): number;
}

/** What is requested from the server at once. */
export interface Need {
  /** The largest useful amount. */
  readonly amount: number;
  /** The smallest useful amount. */
  readonly least: number;
}

/** Within a second, the number of requests that run at once rises by no more than one in this many, usually. */
const RISE = 8;

/** The shortest period for computing a rate, seconds: two requests in a row do not make thousands a second. */
const PACE_S = 0.25;

/**
 * Little is left if a twentieth of it is less than a second's worth, or one request's: nothing is kept in advance then.
 */
const PARTS = 20;

/**
 * For how long a share lasts, seconds, and when more is fetched: if the server is lost, it must last until the others
 * know that.
 */
const AHEAD_S = 3;
const LOW_S = 2;

/** The part of the time until a share expires after which it is no longer used without asking. */
const OUTDATED = 0.8;

/** For how long after the last use a part of the rest is set apart, milliseconds: until the report after that. */
const IN_USE_MS = 1_000;

/**
 * The part of a limit that this replica may use without asking. What it holds, and has used since its last report,
 * never exceeds it; and the parts of all replicas plus the usage never exceed the limit.
 */
export class Share implements Counter {
  readonly limit: Limit;
  readonly #server: Server;
  /** The total usage as reported by the server, and the parts of the other replicas. */
  #seen: Meter;
  #others = 0;
  /** The part of theirs that their requests have not taken. */
  #unused = 0;
  #epoch = '';
  /** How much may be held and used here, without what was reported; and the amount of the limit that it is a part of. */
  #share = 0;
  #partOf: number;
  #held = 0;
  /** Usage that was not sent yet, and usage that was sent: it is sent again until the server confirms it. */
  #own: Tally;
  #sent: Tally;
  #batch = 0;
  /** Usage that the server has lost, and that is reported again. */
  #restores: readonly Amount[] = [];
  /** The amount taken since the last exchange; and recently per second. */
  #taken = 0;
  #pace = 0;
  /** The largest amount held at once since the last exchange; and recently. */
  #peak = 0;
  #level = 0;
  /** When something was last reported as taken. */
  #tookMs = -Infinity;
  /** Whether the server sets a part of the rest apart, in case this replica is cut off from it. */
  #claims = false;
  /** The largest amount recently needed at once. */
  #largest = 0;
  #requestedMs = -Infinity;
  #toldMs = -Infinity;
  #heardMs = -Infinity;
  #most: number;
  #toldMost = 0;
  #scarce = false;

  constructor(limit: Limit, server: Server) {
    this.limit = limit;
    this.#server = server;
    this.#most = limit.most;
    this.#partOf = limit.most;
    this.#seen = new Meter(limit.window);
    this.#own = new Tally(limit.window);
    this.#sent = new Tally(limit.window);
  }

  get reserved(): number {
    return this.#held;
  }

  /** What is held here, and what the others may use. */
  get reservedByAll(): number {
    return this.#held + this.#others;
  }

  /** Whether a report is due. */
  get active(): boolean {
    return this.#share > 0 || this.#claims || this.#held !== 0 || !this.#own.empty || !this.#sent.empty;
  }

  /** Whether little is left of the limit: unused parts are returned at once, so that others have them. */
  get scarce(): boolean {
    return this.#scarce;
  }

  /** Whether nothing is counted here. */
  idle(nowMs: number): boolean {
    return !this.active && this.used(nowMs) === 0;
  }

  used(nowMs: number): number {
    return this.#reported(nowMs) + this.#own.total(this.#at(nowMs));
  }

  room(most: number, nowMs: number): number {
    this.#most = most;
    const free = most - this.#reported(nowMs);
    return Math.min(this.#allowed(free, nowMs), free) - this.#mine(nowMs);
  }

  /** The unreserved rest at the last reply, minus what was taken here beyond the share since. */
  left(nowMs: number): number {
    return this.#most - this.#reported(nowMs) - this.#others - Math.max(this.#share, this.#mine(nowMs));
  }

  /** What others hold, and might give up within moments. */
  get othersHold(): number {
    return this.#others;
  }

  /** As much of that as their requests have not taken: they give it up, or it turns out to be taken. */
  get othersLeaveUnused(): number {
    return this.#unused;
  }

  /** The part that is not taken here, and that others may need. */
  spare(nowMs: number): number {
    return this.#share - this.#mine(nowMs);
  }

  /** Whether more should be fetched in advance. */
  low(nowMs: number): boolean {
    if (this.#server.closing || Math.abs(nowMs - this.#requestedMs) < 20) return false;
    const spare = this.spare(nowMs);
    return spare < 0 || (!this.#scarce && spare < LOW_S * this.#pace);
  }

  /** Whether the server has not replied about it for this long. */
  stale(nowMs: number, ms: number): boolean {
    return nowMs >= this.#heardMs + ms;
  }

  hold(amount: number): void {
    this.#held += amount;
    this.#taken += amount;
    this.#peak = Math.max(this.#peak, this.#held);
  }

  release(amount: number): void {
    this.#held -= amount;
  }

  use(amount: number, atMs: number, _nowMs: number): void {
    if (this.limit.kind === 'requests') this.#taken += Math.max(0, amount);
    this.#own.add(amount, this.#at(atMs));
  }

  freeAt(wanted: number, most: number, nowMs: number): number {
    const now = this.#at(nowMs);
    const all = new Meter(this.limit.window, this.#seen.stored());
    for (const { amount, startMs } of [...this.#sent.amounts, ...this.#own.amounts])
      all.use(amount, startMs, now);
    return all.freeAt(wanted, most, now) - this.#server.offsetMs;
  }

  emptyAt(nowMs: number): number {
    const now = this.#at(nowMs);
    const last = Math.max(this.#seen.emptyAt(now), this.#own.emptyAt(now), this.#sent.emptyAt(now));
    return last - this.#server.offsetMs;
  }

  /** The message for the server. From here on only as much is taken as it will leave in any case. */
  tell(replica: string, { amount, least }: Need, nowMs: number): Report {
    const now = this.#at(nowMs);
    if (this.#sent.empty && !this.#own.empty) {
      this.#batch = this.#server.next();
      this.#share -= Math.max(0, this.#own.total(now));
      this.#sent = this.#own;
      this.#own = new Tally(this.limit.window);
    }
    this.#toldMs = nowMs;
    this.#toldMost = this.#most;
    this.#largest = Math.max(amount, this.#largest / 2);
    if (this.#taken > 0) this.#tookMs = nowMs;
    const ahead = this.#ahead(nowMs);
    const mine = this.#mine(nowMs);
    const kept = this.#isOutdated(nowMs)
      ? 0
      : Math.max(0, Math.min(this.#share - mine, Math.max(ahead, amount)));
    this.#share = mine + kept;
    const needs = Math.max(0, amount - kept);
    const { window } = this.limit;
    const { timed, answersMs, closing, replicas, connectedMs } = this.#server;
    // A replica whose share is used up is as busy as one that has some left.
    const inUse = this.#share > 0 || Math.abs(nowMs - this.#tookMs) < IN_USE_MS;
    this.#claims = inUse && !closing && replicas > 1;
    return {
      replica,
      number: this.#server.next(),
      batch: this.#batch,
      used: this.#sent.amounts,
      epoch: this.#epoch,
      newEpoch: replica,
      most: this.#most,
      keeps: this.#share,
      taken: mine,
      least: Math.max(0, least - kept),
      needs,
      wants: Math.max(needs, ahead - kept),
      now: window && amountOf(window, now, 0),
      restores: this.#restores,
      deadlineMs: timed ? now + answersMs : Infinity,
      parts: this.#claims ? replicas : 1,
      connectedMs: Math.floor(connectedMs),
    };
  }

  hear(reply: Extract<Reply, { kind: 'heard' }>, nowMs: number): void {
    this.#seen = new Meter(this.limit.window, reply.slices);
    this.#others = reply.others;
    this.#unused = reply.unused;
    this.#epoch = reply.epoch;
    this.#share = reply.share;
    this.#partOf = this.#toldMost;
    this.#sent = new Tally(this.limit.window);
    this.#restores = [];
    this.#heardMs = nowMs;
    this.#scarce = this.left(nowMs) < PARTS * Math.max(1, this.#pace, this.#largest);
  }

  /** The server has lost its data: it gets back what this replica has seen. */
  forgotten(): void {
    this.#epoch = '';
    const { window } = this.limit;
    if (!window) return;
    this.#restores = this.#seen.stored().map(([startMs, end, amount]) => {
      const slice = { startMs, endMs: end ?? Infinity };
      return { ...slice, forgetMs: window.forgets(slice), amount };
    });
  }

  /** How much should be available for the next seconds; it shrinks while none is taken. */
  #ahead(nowMs: number): number {
    const seconds = (nowMs - this.#requestedMs) / 1_000;
    const fades = 2 ** Math.max(0, seconds);
    this.#level = Math.max(this.#level / fades, this.#peak);
    // Places are returned: however many requests there are, only as many are needed as run at once.
    this.#pace = this.limit.window
      ? Math.max(this.#pace / fades, this.#taken / Math.max(seconds, PACE_S))
      : this.#level / RISE;
    const below = this.limit.window ? 0 : this.#level - this.#held;
    this.#requestedMs = nowMs;
    this.#taken = 0;
    this.#peak = this.#held;
    return this.#scarce || this.#server.closing ? 0 : Math.floor(below + AHEAD_S * this.#pace);
  }

  /**
   * While the server is unavailable, a replica has its share, and its part of what was not reserved. If little is left,
   * it gets that part only once the server, which others may still reach, has set it apart: they could use all of it
   * before.
   */
  #allowed(free: number, nowMs: number): number {
    if (this.#server.up && this.#isOutdated(nowMs)) return Math.min(this.#share, this.#mine(nowMs));
    if (this.#server.up || nowMs < this.#partMs()) return this.#share;
    const nobodys = free - this.#others - this.#share;
    return this.#share + Math.ceil(Math.max(0, nobodys) / this.#server.replicas);
  }

  /**
   * Whether the server has to be asked before anything else is taken: the limit was lowered, so that all shares together
   * may be more than all of it; or this process was suspended for so long that others may have the share.
   */
  #isOutdated(nowMs: number): boolean {
    return this.#most < this.#partOf || nowMs - this.#heardMs > OUTDATED * this.#server.expiresMs;
  }

  /** From when the part of the unreserved rest may be used, if the server is unavailable. */
  #partMs(): number {
    const { replicas, answersMs, silentMs } = this.#server;
    // What was sent without a reply may have arrived until then.
    const isPlenty = this.#heardMs > -Infinity && !this.#scarce;
    return replicas === 1 || isPlenty ? -Infinity : this.#toldMs + answersMs + silentMs;
  }

  #mine(nowMs: number): number {
    return this.#held + this.#own.total(this.#at(nowMs));
  }

  /** The usage, as far as the server knows or will know. */
  #reported(nowMs: number): number {
    const now = this.#at(nowMs);
    return this.#seen.used(now) + this.#sent.total(now);
  }

  /** The server's time. */
  #at(nowMs: number): number {
    return nowMs + this.#server.offsetMs;
  }
}
