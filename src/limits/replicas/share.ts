import type { Counter } from '../ledger.ts';
import type { Limit } from '../limit.ts';
import type { Amount, Heard, Told } from './script.ts';
import { Meter } from '../meter.ts';
import { amountOf, Tally } from './tally.ts';

/** What a share needs to know of the server. */
export interface Server {
  /** What is added to this machine's clock for the server's, milliseconds. */
  readonly offsetMs: number;
  /** Whether it answers. */
  readonly up: boolean;
  /** How many replicas there are, this one included. */
  readonly replicas: number;
  /** Whether this replica is about to end, and keeps nothing. */
  readonly closing: boolean;
  /** Whether its clock is known. */
  readonly timed: boolean;
  /** After so long nobody waits for its answer, milliseconds. */
  readonly answersMs: number;
  /** Who has told it nothing for so long is taken to be cut off, milliseconds. */
  readonly silentMs: number;
  /** A higher number than ever before. */
  next(): number;
}

/** What is wanted of the server at once. */
export interface Need {
  /** As much as would be taken. */
  readonly amount: number;
  /** With less than this nothing can be done. */
  readonly least: number;
}

/** The least time over which a pace is worked out, seconds: two requests in a row are not yet thousands a second. */
const PACE_S = 0.25;

/** What is left is little where a twentieth of it is less than a second's worth, or one request's: then nothing is kept for later. */
const PARTS = 20;

/** For how long a share lasts, seconds, and from when on more is fetched: where the server is gone, it must last until the others know that. */
const AHEAD_S = 3;
const LOW_S = 2;

/**
 * The part of a limit that this replica may use without asking. What it holds, and has used since it last told the server, is never
 * more than that; and the parts of all replicas and what is used are together never more than the limit.
 */
export class Share implements Counter {
  readonly limit: Limit;
  readonly #server: Server;
  /** What all have used, as the server told it, and what the other replicas have of the limit. */
  #seen: Meter;
  #others = 0;
  #epoch = '';
  /** What may be held and used here, without what was sent. */
  #share = 0;
  #held = 0;
  /** What was used and not sent yet, and what was sent: it is sent again until the server says that it has it. */
  #own: Tally;
  #sent: Tally;
  #batch = 0;
  /** What the server has forgotten, and is told again. */
  #restores: readonly Amount[] = [];
  /** Taken since the server was last asked; and in a second, of late. */
  #taken = 0;
  #pace = 0;
  /** The most that was needed at once, of late. */
  #largest = 0;
  #askedMs = -Infinity;
  #toldMs = -Infinity;
  #heardMs = -Infinity;
  #most: number;
  #scarce = false;

  constructor(limit: Limit, server: Server) {
    this.limit = limit;
    this.#server = server;
    this.#most = limit.most;
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

  /** Whether the server is to hear of it again. */
  get active(): boolean {
    return this.#share > 0 || this.#held !== 0 || !this.#own.empty || !this.#sent.empty;
  }

  /** Whether little is left of the limit: what is not used goes back at once, so that others have it. */
  get scarce(): boolean {
    return this.#scarce;
  }

  /** Whether nothing is remembered here. */
  idle(nowMs: number): boolean {
    return !this.active && this.used(nowMs) === 0;
  }

  used(nowMs: number): number {
    return this.#told(nowMs) + this.#own.total(this.#at(nowMs));
  }

  room(most: number, nowMs: number): number {
    this.#most = most;
    const free = most - this.#told(nowMs);
    return Math.min(this.#allowed(free, nowMs), free) - this.#mine(nowMs);
  }

  /** What nobody had when the server last answered, without what was taken here beyond the share since. */
  left(nowMs: number): number {
    return this.#most - this.#told(nowMs) - this.#others - Math.max(this.#share, this.#mine(nowMs));
  }

  /** Whether more is to be fetched before it is needed. */
  low(nowMs: number): boolean {
    if (this.#server.closing || Math.abs(nowMs - this.#askedMs) < 20) return false;
    const spare = this.#share - this.#mine(nowMs);
    return spare < 0 || (!this.#scarce && spare < LOW_S * this.#pace);
  }

  /** Whether the server has said nothing about it for so long. */
  stale(nowMs: number, ms: number): boolean {
    return nowMs >= this.#heardMs + ms;
  }

  hold(amount: number): void {
    this.#held += amount;
    this.#taken += amount;
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

  /** What the server is told now. From here on only so much is taken as it will leave in any case. */
  tell(replica: string, { amount, least }: Need, nowMs: number): Told {
    const now = this.#at(nowMs);
    if (this.#sent.empty && !this.#own.empty) {
      this.#batch = this.#server.next();
      this.#share -= Math.max(0, this.#own.total(now));
      this.#sent = this.#own;
      this.#own = new Tally(this.limit.window);
    }
    this.#toldMs = nowMs;
    this.#largest = Math.max(amount, this.#largest / 2);
    const ahead = this.#ahead(nowMs);
    const mine = this.#mine(nowMs);
    const kept = Math.max(0, Math.min(this.#share - mine, Math.max(ahead, amount)));
    this.#share = mine + kept;
    const needs = Math.max(0, amount - kept);
    const { window } = this.limit;
    const { timed, answersMs, closing, replicas } = this.#server;
    return {
      replica,
      number: this.#server.next(),
      batch: this.#batch,
      used: this.#sent.amounts,
      epoch: this.#epoch,
      newEpoch: replica,
      most: this.#most,
      keeps: this.#share,
      least: Math.max(0, least - kept),
      needs,
      wants: Math.max(needs, ahead - kept),
      now: window && amountOf(window, now, 0),
      restores: this.#restores,
      deadlineMs: timed ? now + answersMs : Infinity,
      parts: closing ? 1 : replicas,
    };
  }

  hear(heard: Extract<Heard, { kind: 'heard' }>, nowMs: number): void {
    this.#seen = new Meter(this.limit.window, heard.slices);
    this.#others = heard.others;
    this.#epoch = heard.epoch;
    this.#share = heard.share;
    this.#sent = new Tally(this.limit.window);
    this.#restores = [];
    this.#heardMs = nowMs;
    this.#scarce = this.left(nowMs) < PARTS * Math.max(1, this.#pace, this.#largest);
  }

  /** The server has lost what it knew: it gets back what this replica has seen of it. */
  forgotten(): void {
    this.#epoch = '';
    const { window } = this.limit;
    if (!window) return;
    this.#restores = this.#seen.stored().map(([startMs, end, amount]) => {
      const slice = { startMs, endMs: end ?? Infinity };
      return { ...slice, forgetMs: window.forgets(slice), amount };
    });
  }

  /** How much is to be at hand for the seconds to come; less and less where nobody takes any. */
  #ahead(nowMs: number): number {
    const seconds = (nowMs - this.#askedMs) / 1_000;
    this.#pace = Math.max(this.#pace / 2 ** Math.max(0, seconds), this.#taken / Math.max(seconds, PACE_S));
    this.#askedMs = nowMs;
    this.#taken = 0;
    return this.#scarce || this.#server.closing ? 0 : Math.floor(AHEAD_S * this.#pace);
  }

  /**
   * While the server is unavailable, a replica has its share, and its part of what was not reserved. If little is left, it gets that
   * part only once the server, which others may still reach, has set it apart: they could use all of it before.
   */
  #allowed(free: number, nowMs: number): number {
    if (this.#server.up || nowMs < this.#partMs()) return this.#share;
    const nobodys = free - this.#others - this.#share;
    return this.#share + Math.ceil(Math.max(0, nobodys) / this.#server.replicas);
  }

  /** From when on the part of what nobody had may be used, if the server is away. */
  #partMs(): number {
    const { replicas, answersMs, silentMs } = this.#server;
    // What was sent and not answered may have arrived until then.
    const isPlenty = this.#heardMs > -Infinity && !this.#scarce;
    return replicas === 1 || isPlenty ? -Infinity : this.#toldMs + answersMs + silentMs;
  }

  #mine(nowMs: number): number {
    return this.#held + this.#own.total(this.#at(nowMs));
  }

  /** What is used, as far as the server knows or will. */
  #told(nowMs: number): number {
    const now = this.#at(nowMs);
    return this.#seen.used(now) + this.#sent.total(now);
  }

  /** The server's time. */
  #at(nowMs: number): number {
    return nowMs + this.#server.offsetMs;
  }
}
