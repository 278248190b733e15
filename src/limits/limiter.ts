import type { Clock } from '../clock.ts';
import type { Unpriced } from '../config/schema/groups.ts';
import type { Config } from '../config/schema.ts';
import type { Asking, Going, Marks } from './asking.ts';
import type { Caller } from './caller.ts';
import type { Charge, Ledger, Refusal, Standing } from './ledger.ts';
import type { Limit } from './limit.ts';
import type { Parts, Planned } from './plan.ts';
import type { Reckoning } from './reckoning.ts';
import { applies, partsOf } from './asking.ts';
import { isWorthTelling, Lease, warningOf } from './lease.ts';
import { priceOf, tokensOf, unitsOf } from './limit.ts';
import { applyingOf, LimitTree, meterOf, mostNow } from './plan.ts';
import { chargeOf, NOTHING, reckoned, refuseUncountable } from './reckoning.ts';
import { overLimit } from './refusal.ts';
import { Warnings } from './warnings.ts';

/** A session as it was until now. */
export interface Until {
  readonly lease: Lease | undefined;
  /**
   * What was known about it, if it has named a model since: limits that did not apply then must have room, and count it
   * as a request. Otherwise another configuration applies, and nothing refuses it.
   */
  readonly marks?: Marks;
}

/** Another model should answer, since a limit is used up. */
export interface Instead {
  readonly kind: 'instead';
  readonly model: string;
  /** The limit that is used up. */
  readonly limit: Limit;
  /** The refusal if the other model cannot answer either. */
  readonly refuse: () => never;
}

/** The usage of a request that was answered before this process started. */
export interface Answered {
  readonly input: number;
  readonly output: number;
  /** `null` if the price is unknown. */
  readonly usd: number | null;
  /** Epoch milliseconds. */
  readonly beganMs: number;
  readonly endedMs: number;
  /** When usage was last persisted, epoch milliseconds. */
  readonly keptMs: number;
}

/** The decision of limits on a request: another model may answer in place of the requested one. */
export type Decision = 'admitted' | 'refused' | 'replaced';

export interface LimiterDeps {
  readonly clock: Clock;
  readonly ledger: Ledger;
  /** Called once for each refusal. */
  readonly refused: (limit: Limit) => void;
  /** Called with the decision on each request with limits. */
  readonly decided: (decision: Decision) => void;
  /** Called once per window of each limit with a warning. */
  readonly warns: (message: string) => void;
  /** Called once per window of each budget that has refused a request. */
  readonly usedUp: (message: string) => void;
  /** Until when a warning for a meter has been given. Successive configurations share it. */
  readonly warned: Map<string, number>;
}

/** Decides by all applicable limits whether a request may be sent, and holds what it takes of them. */
export class Limiter {
  readonly #tree: LimitTree;
  readonly #deps: LimiterDeps;
  readonly #warnings: Warnings;

  constructor(config: Pick<Config, 'groups' | 'rate_limits'>, deps: LimiterDeps) {
    this.#tree = new LimitTree(config);
    this.#deps = deps;
    this.#warnings = new Warnings(deps.warned);
  }

  /**
   * Reserves the estimated usage of a request in all applicable limits, or in none.
   * @param lenient limits that are used up, and for which another model was chosen
   * @returns `undefined` if no limit applies
   * @throws ProxyError `over_limit`, `over_budget`, or `not_permitted` for a model without a price
   */
  admit(asking: Asking, lenient: ReadonlySet<Limit> = NONE): Lease | Instead | undefined {
    const { ledger, clock } = this.#deps;
    const nowMs = clock.now();
    const wanted = this.#wanted(asking, lenient, nowMs);
    if (!wanted) return undefined;
    const answer = ledger.reserve(wanted.charges, nowMs);
    if (answer.kind === 'refused') return this.#refuse(answer, asking, nowMs);
    const { reckoning, unpriced } = wanted;
    const lease = new Lease(answer, { reckoning, unpriced, asking }, this.#deps);
    this.#deps.decided('admitted');
    for (const standing of answer.standings) if (isWorthTelling(standing)) this.#warn(standing, nowMs);
    return lease;
  }

  /** Like `admit`, after obtaining room from elsewhere if there is too little here. */
  async admitAfterAsking(asking: Asking): Promise<Lease | Instead | undefined> {
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const wait = this.ask(asking, tries);
      if (!wait || !(await wait)) break;
    }
    return this.admit(asking);
  }

  /**
   * What a session holds of its limits that goes on under others: another configuration applies, or it has named a model.
   * It keeps its places, and its further usage is charged as it arises.
   * @returns `undefined` if no limit applies. It may lack places
   * @throws ProxyError `over_limit`, `over_budget` when it has named a model, and a limit on that has no room
   */
  carry(going: Going, until: Until): Lease | undefined {
    const { ledger, clock } = this.#deps;
    const nowMs = clock.now();
    const asking: Asking = { ...going, ...FREE };
    const wanted = this.#wanted(asking, NONE, nowMs);
    if (!wanted) return undefined;
    const answer = ledger.reserve(carriedOf(wanted.charges, until), nowMs);
    // No other model can answer instead.
    if (answer.kind === 'refused') return this.#refuse(answer, asking, nowMs).refuse();
    const { reckoning, unpriced } = wanted;
    return new Lease(answer, { reckoning, unpriced, asking, carried: true }, this.#deps);
  }

  /** Obtains room for a session that has named a model. @returns what to wait for, as `ask` does */
  askToCarry(going: Going, tries: number, until: Until): Promise<boolean> | undefined {
    const { ledger, clock } = this.#deps;
    if (!ledger.ask) return undefined;
    const nowMs = clock.now();
    const wanted = this.#wanted({ ...going, ...FREE }, NONE, nowMs);
    return wanted && ledger.ask(carriedOf(wanted.charges, until), nowMs, tries);
  }

  /**
   * Obtains room for a request if limits are counted elsewhere and there is too little here. Must be awaited before
   * `admit`.
   * @param tries how often it was called for this request before
   * @returns `undefined` if there is nothing to wait for, as always if this process counts alone; otherwise whether
   * retrying is worthwhile, at most {@link MAX_TRIES} times
   * @throws ProxyError `not_permitted` for a model without a price
   */
  ask(asking: Asking, tries: number, lenient: ReadonlySet<Limit> = NONE): Promise<boolean> | undefined {
    const { ledger, clock } = this.#deps;
    if (!ledger.ask) return undefined;
    const nowMs = clock.now();
    const wanted = this.#wanted(asking, lenient, nowMs);
    return wanted && ledger.ask(wanted.charges, nowMs, tries);
  }

  /** Whether some of a caller's limits apply to certain models only. */
  looksAtModels(caller: Caller): boolean {
    return this.#tree.of(caller).looksAtModels;
  }

  /** Updates the usage of a caller's limits from where they are counted, before `standingsOf`. */
  async refresh(caller: Caller): Promise<void> {
    const { ledger } = this.#deps;
    if (!ledger.refresh) return;
    const meters = this.#tree.of(caller).limits.filter(({ meter }) => meter !== undefined);
    await Promise.all(meters.map(({ limit, meter }) => ledger.refresh!(limit, meter!)));
  }

  /** What one caller may use, and has used: limits that are counted separately for others are left out. */
  standingsOf(caller: Caller): {
    readonly limit: Limit;
    readonly most: number;
    readonly used: number;
    readonly reserved: number;
    readonly resetMs: number;
  }[] {
    const nowMs = this.#deps.clock.now();
    return this.#tree
      .of(caller)
      .limits.filter(({ meter }) => meter !== undefined)
      .map((planned) => ({
        limit: planned.limit,
        most: mostNow(planned, nowMs),
        ...this.#deps.ledger.read(planned.limit, planned.meter!, nowMs),
      }));
  }

  /** The usage of limits that several callers share. */
  shared(): { readonly limit: Limit; readonly taken: number }[] {
    const nowMs = this.#deps.clock.now();
    return this.#tree.shared.map((limit) => {
      const { used, reserved } = this.#deps.ledger.read(limit, limit.id, nowMs);
      return { limit, taken: used + reserved };
    });
  }

  /** Counts a request that was answered before this process started, in the windows of that time. */
  recover(marks: Marks, used: Answered): void {
    const { unpriced } = this.#tree.of(marks.caller);
    const { ledger } = this.#deps;
    // Its origin was not recorded.
    const applying = this.#tree
      .of(marks.caller)
      .limits.filter(({ limit }) => applies(limit, marks) && !limit.owner.apart.includes('address'));
    const parts = partsOf({ ...marks, address: () => undefined }, NO_ADDRESS);
    const charge = ({ limit }: Planned): Charge => {
      const amount = {
        requests: 1,
        concurrent: 0,
        tokens: tokensOf(limit, used),
        budget: unitsOf(used.usd ?? priceOf(unpriced, used.input, used.output)),
      }[limit.kind];
      return { limit, meter: meterOf(limit, parts), most: limit.most, amount, known: amount, lenient: true };
    };
    const [requests, amounts] = [true, false].map((counts) =>
      applying.filter(({ limit }) => (limit.kind === 'requests') === counts).map(charge),
    );
    // Requests count from their start, and those that had begun by then are already counted.
    if (used.beganMs > used.keptMs) ledger.add(requests!, used.beganMs);
    ledger.add(amounts!, used.endedMs);
  }

  /** What a request takes of each applicable limit; `undefined` if none applies. */
  #wanted(asking: Asking, lenient: ReadonlySet<Limit>, nowMs: number): Wanted | undefined {
    const plan = this.#tree.of(asking.caller);
    const { limits, unpriced, saysUnpriced } = plan;
    if (limits.length === 0) return undefined;
    if (asking.untold) refuseUncountable(asking, limits, saysUnpriced ? unpriced : 'refuse');
    const applying = plan.always ? plan : applyingOf(limits.filter(({ limit }) => applies(limit, asking)));
    if (applying.limits.length === 0) return undefined;
    const reckoning = reckoned(asking, applying, unpriced);
    let parts: Parts | undefined;
    const charges: Charge[] = [];
    for (const planned of applying.limits) {
      const { limit } = planned;
      const meter = planned.meter ?? meterOf(limit, (parts ??= partsOf(asking, applying)));
      charges.push(chargeOf(planned, meter, reckoning, { nowMs, lenient: lenient.has(limit) }));
    }
    return { charges, reckoning, unpriced };
  }

  /** Warns the operator, once per window. */
  #warn(standing: Standing, nowMs: number): void {
    if (this.#warnings.isNew(standing, 'nearly', nowMs)) this.#deps.warns(warningOf(standing));
  }

  #refuse(refusal: Refusal, { endpoint }: Asking, nowMs: number): Instead {
    const { standing } = refusal;
    const { limit } = standing.charge;
    if (limit.kind === 'budget' && this.#warnings.isNew(standing, 'used', nowMs)) {
      const then =
        limit.use === undefined ? 'requests that need more are refused' : `${limit.use} answers instead`;
      this.#deps.usedUp(`${warningOf(standing)}: ${then}`);
    }
    const refuse = () => {
      this.#deps.refused(limit);
      this.#deps.decided('refused');
      throw overLimit(refusal, nowMs, endpoint.startsWith('messages'));
    };
    if (limit.use === undefined) return refuse();
    this.#deps.decided('replaced');
    return { kind: 'instead', model: limit.use, limit, refuse };
  }
}

interface Wanted {
  readonly charges: readonly Charge[];
  readonly reckoning: Reckoning;
  readonly unpriced: Unpriced;
}

/** How often room is requested that others may take meanwhile. */
export const MAX_TRIES = 10;

const NONE: ReadonlySet<Limit> = new Set();
const NO_ADDRESS = { asksAddress: false };
/** Nothing is reserved in advance. */
const FREE = { expected: () => NOTHING.expected, price: () => 0, allPriced: () => true };

/** What a session takes of the limits under which it goes on. */
function carriedOf(charges: readonly Charge[], { lease, marks }: Until): Charge[] {
  return charges.map((charge): Charge => {
    if (marks && !applies(charge.limit, marks)) return { ...charge, amount: 1, known: 1 };
    if (lease?.keeps(charge, marks !== undefined)) return { ...charge, lenient: true };
    // Requests count from their start, so that this one is counted already; and places are taken where there are any.
    return { ...charge, amount: 0, known: 0 };
  });
}
