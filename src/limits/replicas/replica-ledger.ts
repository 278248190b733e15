import type { Clock } from '../../clock.ts';
import type { Charge, Ledger, Reading, Refusal, Reservation } from '../ledger.ts';
import type { Limit } from '../limit.ts';
import type { Place } from './place.ts';
import type { Server } from './share.ts';
import type { Chance } from './shortage.ts';
import { sleep } from '../../clock.ts';
import { extend, reserve, settle } from '../reserve.ts';
import { Link } from '../../redis/link.ts';
import { Places } from './places.ts';
import { Presence } from './presence.ts';
import { askInTurn, chanceOf, shortOf } from './shortage.ts';

export interface ReplicaLedgerOptions {
  /** The address of Redis or Valkey. */
  readonly url: string;
  /** The timeout of a command, milliseconds. */
  readonly timeoutMs: number;
  /** The smallest number of replicas by which limits are divided while the server is unavailable. */
  readonly replicas: number;
  readonly maxMeters: number;
  /** How long the server waits for a silent replica, milliseconds: its share counts as used afterwards. */
  readonly expiresMs?: number;
  readonly clock: Clock;
  readonly onProblem: (message: string) => void;
}

/** The state of the server, for operators. */
export interface SharedState {
  readonly up: boolean;
  readonly replicas: number;
  readonly failures: number;
}

/** A reservation, and its meters. */
interface Taken extends Reservation {
  readonly places: readonly Place[];
}

/** Much longer than a replica is ever silent. */
const EXPIRES_MS = 10_000;

/** The interval at which each share in use is reported to the server, milliseconds. */
const TICK_MS = 1_000;

/** Longer than a healthy replica is silent about a share in use. */
const SILENT_MS = 1_500;

/** If little is left of a limit, unused parts of a share are returned this soon, milliseconds. */
const SOON_MS = 5;

/**
 * The wait before the server is asked again for what it did not have, milliseconds; doubled each time. All of them are
 * longer than {@link TICK_MS}, within which every replica returns what it does not use.
 */
const PAUSE_MS = 3;

/**
 * How often it is asked again for what requests of other replicas have taken: those that have just ended are reported
 * within this time, and no refusal should take much longer.
 */
const TRIES_FOR_TAKEN = 4;

/** The number of shares reported in parallel. */
const AT_ONCE = 100;

/**
 * Limits that several machines share through Redis or Valkey. Each replica has a share of each limit it uses, and takes
 * from it without asking. While the server is unavailable, it may use its part of what was left.
 */
export class ReplicaLedger implements Ledger {
  readonly #options: ReplicaLedgerOptions;
  /** The connection to the server, for everything that replicas share by it. */
  readonly link: Link;
  readonly #places: Places;
  readonly #presence: Presence;
  readonly #server: { -readonly [key in keyof Server]: Server[key] };
  readonly #soon = new Set<Place>();
  #opening: Promise<void> | undefined;
  #cancelTick: (() => void) | undefined;
  #ticking: Promise<void> = Promise.resolve();
  #wasDown = false;

  constructor(options: ReplicaLedgerOptions) {
    this.#options = options;
    const { url, timeoutMs, clock, replicas, maxMeters, expiresMs = EXPIRES_MS, onProblem } = options;
    const host = URL.parse(url)?.host ?? '';
    const link = new Link({
      url,
      timeoutMs,
      clock,
      onUp: () => {
        if (this.#wasDown) onProblem(`Limits are shared through ${host} (state.redis) again`);
        this.#wasDown = false;
        // All of it: the server may have lost shares that are not in use now.
        this.#tick(true);
      },
      onDown: (reason) => {
        this.#wasDown = true;
        const { replicas: seen } = this.#server;
        const part = seen === 1 ? 'all' : `1/${seen}`;
        onProblem(
          `Cannot share limits through ${host} (state.redis): ${reason}; until it is available again, this replica may use ${part} of what was left of each limit`,
        );
      },
    });
    this.link = link;
    let last = 0;
    this.#server = {
      offsetMs: 0,
      timed: false,
      // A process whose timer was late waits once more; and clocks cannot be compared more exactly than a round trip
      // takes.
      answersMs: 3 * timeoutMs,
      silentMs: SILENT_MS,
      expiresMs,
      replicas,
      closing: false,
      get up() {
        return link.up;
      },
      get connectedMs() {
        return link.upForMs;
      },
      next: () => (last += 1),
    };
    const replica = crypto.randomUUID();
    this.#presence = new Presence({ link, clock, replica, replicas }, this.#server);
    this.#places = new Places(maxMeters, this.#server, {
      link,
      clock,
      replica,
      patience: { silentMs: SILENT_MS, expiresMs },
      looksAtClock: () => this.#presence.announce('is there'),
      tellSoon: (place) => this.#tellSoon(place),
    });
    this.#opening = link.open().finally(() => (this.#opening = undefined));
  }

  /** The number of meters above which new ones of a limit are counted together. */
  set maxMeters(most: number) {
    this.#places.maxMeters = most;
  }

  get state(): SharedState {
    return { up: this.link.up, replicas: this.#server.replicas, failures: this.link.failures };
  }

  /** Resolves when the server has answered, or is known to be unavailable. */
  async opened(): Promise<void> {
    await this.#opening;
    await this.#ticking;
  }

  reserve(charges: readonly Charge[], nowMs: number): Taken | Refusal {
    const places = charges.map(({ limit, meter }) => this.#places.of(limit, meter, nowMs));
    const answer = reserve(
      charges,
      places.map(({ share }) => share),
      nowMs,
    );
    if (answer.kind === 'refused') return answer;
    this.#fill(places, nowMs);
    // Others wait for what seems to be unused, and can tell then that it is not, or when there is room again.
    for (const place of places) if (place.share.scarce) this.#tellSoon(place);
    return Object.assign(answer, { places });
  }

  /** A running stream may exceed the share if the limit had room when the server last answered; places are never more. */
  extend(reservation: Taken, index: number, amount: number, nowMs: number, used = false): boolean {
    const place = reservation.places[index]!;
    const { share } = place;
    const isStream = share.limit.kind !== 'concurrent';
    const isThere = isStream && this.link.up && share.left(nowMs) >= amount;
    const taken = extend(reservation, index, amount, { meter: share, nowMs, used: used || isThere });
    this.#fill([place], nowMs);
    return taken;
  }

  settle(reservation: Taken, amounts: readonly number[], nowMs: number): void {
    const { places } = reservation;
    settle(
      reservation,
      amounts,
      places.map(({ share }) => share),
      nowMs,
    );
    for (const place of places) if (place.share.scarce) this.#tellSoon(place);
  }

  read(limit: Limit, meter: string, nowMs: number): Reading {
    const place = this.#places.of(limit, meter, nowMs);
    const { share } = place;
    if (share.stale(nowMs, TICK_MS) && !place.busy) void place.ask();
    return { used: share.used(nowMs), reserved: share.reservedByAll, resetMs: share.emptyAt(nowMs) };
  }

  add(charges: readonly Charge[], nowMs: number): void {
    for (const { limit, meter, amount } of charges)
      if (limit.window) this.#places.of(limit, meter, nowMs).share.use(amount, nowMs, nowMs);
  }

  ask(charges: readonly Charge[], nowMs: number, tries = 0): Promise<boolean> | undefined {
    if (!this.link.up && !this.#opening && !this.link.again) return undefined;
    if (shortOf(this.#places, charges, nowMs, tries > 0).length === 0) return undefined;
    return this.#askAndPause(charges, nowMs, tries);
  }

  refresh(limit: Limit, meter: string): Promise<void> {
    return this.#within(this.#places.of(limit, meter, this.#options.clock.now()).ask(), undefined);
  }

  /** Reports all usage, and returns the rest. */
  async close(): Promise<void> {
    this.#server.closing = true;
    this.#cancelTick?.();
    await this.#ticking;
    // Usage during an outage would otherwise be lost.
    if (!this.link.up) await this.link.open();
    await this.#tellAll(this.#places.active());
    await this.#presence.announce('leaves');
    this.link.close();
  }

  async #askAndPause(charges: readonly Charge[], nowMs: number, tries: number): Promise<boolean> {
    const chance = await this.#within(this.#get(charges, nowMs, tries > 0), 'none');
    if (chance === 'now') return true;
    if (chance === 'none' || (chance === 'when others end' && tries >= TRIES_FOR_TAKEN)) return false;
    // Replicas that have obtained what the other one is waiting for do not meet again.
    await sleep(this.#options.clock, PAUSE_MS * 2 ** tries * (0.75 + Math.random() / 2));
    return true;
  }

  /**
   * @param again whether it was in vain before: two replicas could each have obtained what the other one is waiting for
   */
  async #get(charges: readonly Charge[], nowMs: number, again: boolean): Promise<Chance> {
    const counting = charges.filter(({ lenient, amount }) => !lenient && amount > 0);
    const waits = counting.map(({ limit, meter, amount, known }) => ({
      place: this.#places.of(limit, meter, nowMs),
      need: { amount, least: known },
    }));
    for (const { place, need } of waits) place.enter(need);
    try {
      await (this.#opening ?? this.link.again);
      const { clock } = this.#options;
      const short = shortOf(this.#places, charges, clock.now(), again);
      if (again) await askInTurn(short, clock);
      else await Promise.all(short.map(({ place }) => place.ask()));
      return chanceOf(shortOf(this.#places, charges, clock.now(), true), clock.now());
    } finally {
      for (const { place, need } of waits) {
        place.leave(need);
        // In vain, or it is taken by then.
        if (place.isWithheld(this.#options.clock.now())) this.#tellSoon(place);
      }
    }
  }

  /** Obtains more before it is needed. */
  #fill(places: readonly Place[], nowMs: number): void {
    if (!this.link.up) return;
    for (const place of places) if (!place.busy && place.share.low(nowMs)) void place.ask();
  }

  #tellSoon(place: Place): void {
    if (this.#soon.size === 0)
      this.#options.clock.after(SOON_MS, () => {
        const places = [...this.#soon];
        this.#soon.clear();
        void this.#tellAll(places);
      });
    this.#soon.add(place);
  }

  #tick(all = false): void {
    this.#cancelTick?.();
    if (this.#server.closing) return;
    this.#cancelTick = this.#options.clock.after(TICK_MS, () => this.#tick());
    this.#ticking = this.#tellAfter(this.#ticking, all);
  }

  async #tellAfter(last: Promise<void>, all: boolean): Promise<void> {
    await last;
    await this.#presence.announce('is there');
    await this.#tellAll(all ? this.#places.all() : this.#places.active());
  }

  async #tellAll(places: readonly Place[]): Promise<void> {
    for (let at = 0; at < places.length && this.link.up; at += AT_ONCE)
      await Promise.all(places.slice(at, at + AT_ONCE).map((place) => place.ask()));
  }

  /**
   * No request waits longer than allowed, however many replies it needs. @param late the result if it takes too long
   */
  #within<T>(answer: Promise<T>, late: T): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    // If the server does not answer at all, it is known to be unavailable by then.
    const cancel = this.#options.clock.after(3 * this.#options.timeoutMs, () => resolve(late));
    void answer.then(resolve, reject).finally(cancel);
    return promise;
  }
}
