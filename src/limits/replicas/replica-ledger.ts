import type { Clock } from '../../clock.ts';
import { sleep } from '../../clock.ts';
import type { Charge, Ledger, Reading, Refusal, Reservation } from '../ledger.ts';
import type { Limit } from '../limit.ts';
import type { Answer } from '../../redis/link.ts';
import type { Server } from './share.ts';
import { CrowdCount, hasOwnMeter } from '../crowd.ts';
import { extend, reserve, settle } from '../reserve.ts';
import { Link, LinkDown } from '../../redis/link.ts';
import { Place } from './place.ts';
import { PRESENCE_SCRIPT } from './script.ts';
import { Share } from './share.ts';

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

/** A charge for which there is too little here. */
interface Short {
  readonly place: Place;
  readonly charge: Charge;
}

/** When the server may have room, the soonest first: some of it may be held by other replicas. */
const CHANCES = ['now', 'when others return it', 'when others end', 'none'] as const;
type Chance = (typeof CHANCES)[number];

/** Much longer than a replica is ever silent. */
const EXPIRES_MS = 10_000;

/** The interval at which each share in use is reported to the server, milliseconds. */
const TICK_MS = 1_000;

/** Longer than a healthy replica is silent about a share in use. */
const SILENT_MS = 1_500;

/** A replica that is silent for this long no longer counts as one, milliseconds. */
const GONE_MS = 5_000;

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

/** The interval at which empty shares are searched for, milliseconds. */
const SWEEP_MS = 1_000;

/**
 * Limits that several machines share through Redis or Valkey. Each replica has a share of each limit it uses, and takes
 * from it without asking. While the server is unavailable, it may use its part of what was left.
 */
export class ReplicaLedger implements Ledger {
  readonly #options: ReplicaLedgerOptions;
  readonly #replica = crypto.randomUUID();
  /** The connection to the server, for everything that replicas share by it. */
  readonly link: Link;
  readonly #places = new Map<string, Place>();
  readonly #crowds = new CrowdCount();
  readonly #server: { -readonly [key in keyof Server]: Server[key] };
  readonly #soon = new Set<Place>();
  #opening: Promise<void> | undefined;
  #cancelTick: (() => void) | undefined;
  #ticking: Promise<void> = Promise.resolve();
  #sweptMs = -Infinity;
  /** The tolerance for the offset of the server's clock, milliseconds. */
  #clockErrorMs = Infinity;
  #wasDown = false;
  maxMeters: number;

  constructor(options: ReplicaLedgerOptions) {
    this.#options = options;
    this.maxMeters = options.maxMeters;
    const { url, timeoutMs, clock, onProblem } = options;
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
        const { replicas } = this.#server;
        const part = replicas === 1 ? 'all' : `1/${replicas}`;
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
      replicas: options.replicas,
      closing: false,
      get up() {
        return link.up;
      },
      get connectedMs() {
        return link.upForMs;
      },
      next: () => (last += 1),
    };
    this.#opening = link.open().finally(() => (this.#opening = undefined));
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
    const places = charges.map(({ limit, meter }) => this.#place(limit, meter, nowMs));
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
    const place = this.#place(limit, meter, nowMs);
    const { share } = place;
    if (share.stale(nowMs, TICK_MS) && !place.busy) void place.ask();
    return { used: share.used(nowMs), reserved: share.reservedByAll, resetMs: share.emptyAt(nowMs) };
  }

  add(charges: readonly Charge[], nowMs: number): void {
    for (const { limit, meter, amount } of charges)
      if (limit.window) this.#place(limit, meter, nowMs).share.use(amount, nowMs, nowMs);
  }

  ask(charges: readonly Charge[], nowMs: number, tries = 0): Promise<boolean> | undefined {
    if (!this.link.up && !this.#opening && !this.link.again) return undefined;
    if (this.#short(charges, nowMs, tries > 0).length === 0) return undefined;
    return this.#askAndPause(charges, nowMs, tries);
  }

  refresh(limit: Limit, meter: string): Promise<void> {
    return this.#within(this.#place(limit, meter, this.#options.clock.now()).ask(), undefined);
  }

  /** Reports all usage, and returns the rest. */
  async close(): Promise<void> {
    this.#server.closing = true;
    this.#cancelTick?.();
    await this.#ticking;
    // Usage during an outage would otherwise be lost.
    if (!this.link.up) await this.link.open();
    await this.#tellAll([...this.#places.values()].filter(({ share }) => share.active));
    await this.#present('leaves');
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
      place: this.#place(limit, meter, nowMs),
      need: { amount, least: known },
    }));
    for (const { place, need } of waits) place.enter(need);
    try {
      await (this.#opening ?? this.link.again);
      const { clock } = this.#options;
      const short = this.#short(charges, clock.now(), again);
      if (again) await askInTurn(short, clock);
      else await Promise.all(short.map(({ place }) => place.ask()));
      return this.#chance(charges, clock.now());
    } finally {
      for (const { place, need } of waits) {
        place.leave(need);
        // In vain, or it is taken by then.
        if (place.isWithheld(this.#options.clock.now())) this.#tellSoon(place);
      }
    }
  }

  /** When there may be room for everything that is missing here. */
  #chance(charges: readonly Charge[], nowMs: number): Chance {
    let worst: Chance = 'now';
    for (const { place, charge } of this.#short(charges, nowMs, true)) {
      const chance = chanceOf(place.share, charge, nowMs);
      if (CHANCES.indexOf(chance) > CHANCES.indexOf(worst)) worst = chance;
    }
    return worst;
  }

  /**
   * The charges for which there is too little here.
   * @param atLeast whether only that counts without which the request is refused
   */
  #short(charges: readonly Charge[], nowMs: number, atLeast: boolean): Short[] {
    const short: Short[] = [];
    for (const charge of charges) {
      if (charge.lenient || charge.amount === 0) continue;
      const place = this.#place(charge.limit, charge.meter, nowMs);
      const wanted = atLeast ? leastOf(charge) : charge.amount;
      if (place.share.room(charge.most, nowMs) < wanted) short.push({ place, charge });
    }
    return short;
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
    await this.#present('is there');
    await this.#tellAll([...this.#places.values()].filter(({ share }) => all || share.active));
  }

  async #tellAll(places: readonly Place[]): Promise<void> {
    for (let at = 0; at < places.length && this.link.up; at += AT_ONCE)
      await Promise.all(places.slice(at, at + AT_ONCE).map((place) => place.ask()));
  }

  /** Announces that this replica exists or leaves, and learns the number of replicas and the server's time. */
  async #present(what: 'is there' | 'leaves'): Promise<void> {
    if (!this.link.up) return;
    const { clock, replicas } = this.#options;
    const sentMs = clock.now();
    try {
      const args = [this.#replica, String(GONE_MS), what];
      const [count, serverMs] = await this.link.run(PRESENCE_SCRIPT, 'llmproxy:{replicas}', args, presenceOf);
      this.#server.replicas = Math.max(replicas, count, 1);
      this.#compareClocks(serverMs, sentMs, clock.now());
    } catch (thrown) {
      if (!(thrown instanceof LinkDown)) throw thrown;
    }
  }

  /** Adopts an offset of the server's clock, unless the known one is more exact and agrees with it. */
  #compareClocks(serverMs: number, sentMs: number, nowMs: number): void {
    const offsetMs = serverMs - (sentMs + nowMs) / 2;
    const errorMs = Math.max(0, nowMs - sentMs) / 2;
    // Clocks drift.
    this.#clockErrorMs = 1.05 * this.#clockErrorMs + 0.1;
    const agrees = Math.abs(offsetMs - this.#server.offsetMs) <= errorMs;
    if (this.#server.timed && agrees && errorMs > this.#clockErrorMs) return;
    this.#clockErrorMs = errorMs;
    this.#server.offsetMs = offsetMs;
    this.#server.timed = true;
  }

  #place(limit: Limit, name: string, nowMs: number): Place {
    const known = this.#places.get(name);
    if (known) return known;
    const isOwn = limit.owner.apart.length === 0 || this.#hasRoom(limit, name, nowMs);
    const own = isOwn ? name : `${limit.id} | all others`;
    return this.#places.get(own) ?? this.#make(limit, own);
  }

  #make(limit: Limit, name: string): Place {
    const { clock, expiresMs = EXPIRES_MS } = this.#options;
    const deps = {
      link: this.link,
      clock,
      replica: this.#replica,
      patience: { silentMs: SILENT_MS, expiresMs },
      looksAtClock: () => this.#present('is there'),
      tellSoon: (withheld: Place) => this.#tellSoon(withheld),
    };
    const place = new Place(keyOf(name), new Share(limit, this.#server), deps);
    this.#places.set(name, place);
    this.#crowds.add(limit, name);
    return place;
  }

  /** Whether one more share may be added; deletes empty ones if necessary. */
  #hasRoom(limit: Limit, name: string, nowMs: number): boolean {
    if (this.#isFree(limit, name)) return true;
    if (nowMs - this.#sweptMs < SWEEP_MS) return false;
    this.#sweptMs = nowMs;
    for (const [each, place] of this.#places) {
      if (place.busy || !place.share.idle(nowMs)) continue;
      this.#places.delete(each);
      this.#crowds.delete(each);
    }
    return this.#isFree(limit, name);
  }

  #isFree(limit: Limit, name: string): boolean {
    const meters = { all: this.#places.size, ofCrowd: (crowd: string) => this.#crowds.of(crowd) };
    return hasOwnMeter(limit, name, meters, this.maxMeters);
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

/** Asks for one after another, in the same order on all replicas, as long as each is obtained. */
async function askInTurn(short: readonly Short[], clock: Clock): Promise<void> {
  for (const { place, charge } of short.toSorted((one, other) =>
    one.place.key < other.place.key ? -1 : 1,
  )) {
    await place.ask();
    if (place.share.room(charge.most, clock.now()) < leastOf(charge)) return;
  }
}

function chanceOf(share: Share, charge: Charge, nowMs: number): Chance {
  const missing = leastOf(charge) - share.room(charge.most, nowMs) - Math.max(0, share.left(nowMs));
  if (missing <= 0) return 'now';
  if (missing <= share.othersLeaveUnused) return 'when others return it';
  return missing <= share.othersHold ? 'when others end' : 'none';
}

/** What a request must at least obtain. */
function leastOf({ known }: Charge): number {
  return Math.max(1, known);
}

/**
 * The key of a limit: hashed, so that names and addresses cannot be read on the server; all keys of a limit are in one
 * cluster slot.
 */
function keyOf(meter: string): string {
  return `llmproxy:{${new Bun.CryptoHasher('sha256').update(meter).digest('hex').slice(0, 32)}}`;
}

/** @throws Error when it is not a reply of the script */
function presenceOf(answer: Answer): [number, number] {
  if (!Array.isArray(answer)) throw new Error('Cannot read the answer of the server: it is not a list');
  const [count, serverMs] = answer as readonly Answer[];
  return [Number(count), Number(serverMs)];
}
