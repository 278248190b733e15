import type { Clock } from '../clock.ts';
import type { Unpriced } from '../config/limits-schema.ts';
import type { Config } from '../config/schema.ts';
import type { Caller } from './caller.ts';
import type { Charge, Ledger, Refusal, Standing } from './ledger.ts';
import type { Limit } from './limit.ts';
import type { Parts, Planned } from './plan.ts';
import { ProxyError } from '../errors.ts';
import { isWorthTelling, Lease, warningOf } from './lease.ts';
import { priceOf, tokensOf, unitsOf } from './limit.ts';
import { LimitTree, meterOf, mostNow } from './plan.ts';
import { overLimit } from './refusal.ts';

/** Tokens and money that a request is expected to use. */
export interface Expected {
  readonly input: number;
  readonly output: number;
  /** Whether the request itself bounds its answer. */
  readonly bounded: boolean;
}

/** What limits look at of a request. */
export interface Marks {
  readonly caller: Caller;
  readonly endpoint: string;
  /** The model it asks for. */
  readonly model: string;
  /** Other names of what may answer, or has answered: models of providers, and "provider/model". */
  readonly targets: readonly string[];
  /** The end user whom the client names. */
  readonly user: string | null;
}

/** A request that asks to be admitted. */
export interface Asking extends Marks {
  /** Where it comes from; asked only where a limit counts by it. */
  readonly address: () => string | undefined;
  /** Asked only where a limit needs it. */
  readonly expected: () => Expected;
  /** USD for so many tokens at the dearest target; `null` where no price is known. */
  readonly price: (input: number, output: number) => number | null;
  /** Whether the price of every target is known. */
  readonly allPriced: () => boolean;
  /** Whether nobody can tell what it will use, nor of which model. */
  readonly untold?: boolean;
}

/** Another model is to answer, since a limit is used up. */
export interface Instead {
  readonly kind: 'instead';
  readonly model: string;
  /** The limit that is used up. */
  readonly limit: Limit;
  /** The refusal that follows where the other model cannot answer either. */
  readonly refuse: () => never;
}

/** What a request used that was answered before this process began. */
export interface Answered {
  readonly input: number;
  readonly output: number;
  /** `null` where the price is unknown. */
  readonly usd: number | null;
  /** Epoch milliseconds. */
  readonly beganMs: number;
  readonly endedMs: number;
  /** When what was used was last kept, epoch milliseconds. */
  readonly keptMs: number;
}

/** What limits decide of a request: another model may answer in place of the one that was asked for. */
export type Decision = 'admitted' | 'refused' | 'replaced';

export interface LimiterDeps {
  readonly clock: Clock;
  readonly ledger: Ledger;
  /** Told once for each refusal. */
  readonly refused: (limit: Limit) => void;
  /** Told what is decided of each request to which limits apply. */
  readonly decided: (decision: Decision) => void;
  /** Told once a window of each limit that warns. */
  readonly warns: (message: string) => void;
  /** Told once a window of each budget that has refused a request. */
  readonly usedUp: (message: string) => void;
  /** Until when it is told that a meter is nearly used up. Configurations that follow each other share it. */
  readonly warned: Map<string, number>;
}

/** Decides whether a request may be sent by all limits that apply to it, and holds what it takes of them. */
export class Limiter {
  readonly #tree: LimitTree;
  readonly #deps: LimiterDeps;

  constructor(config: Pick<Config, 'groups' | 'rate_limits'>, deps: LimiterDeps) {
    this.#tree = new LimitTree(config);
    this.#deps = deps;
  }

  /**
   * Takes what a request is expected to use of all limits that apply, or of none.
   * @param lenient limits that are used up, and for which another model was chosen
   * @returns `undefined` where no limit applies
   * @throws ProxyError `over_limit`, `over_budget`, or `not_permitted` for a model without a price
   */
  admit(asking: Asking, lenient: ReadonlySet<Limit> = NONE): Lease | Instead | undefined {
    const { ledger, clock } = this.#deps;
    const nowMs = clock.now();
    const wanted = this.#wanted(asking, lenient, nowMs);
    if (!wanted) return undefined;
    const answer = ledger.reserve(wanted.charges, nowMs);
    if (answer.kind === 'refused') return this.#refuse(answer, asking, nowMs);
    const lease = new Lease(answer, { ...wanted.terms, asking }, this.#deps);
    this.#deps.decided('admitted');
    for (const standing of answer.standings) if (isWorthTelling(standing)) this.#warn(standing, nowMs);
    return lease;
  }

  /** As `admit`, after it has got room from elsewhere where too little is at hand. */
  async admitAfterAsking(asking: Asking): Promise<Lease | Instead | undefined> {
    for (let asked = 0; asked < MAX_ASKED; asked += 1) {
      const wait = this.ask(asking);
      if (!wait || !(await wait)) break;
    }
    return this.admit(asking);
  }

  /**
   * Gets room for a request where limits are counted elsewhere and too little is at hand. To be waited for before it is admitted.
   * @returns `undefined` where there is nothing to wait for, as always where this process counts alone; else whether it is worth asking
   * again, which is done at most {@link MAX_ASKED} times
   * @throws ProxyError `not_permitted` for a model without a price
   */
  ask(asking: Asking, lenient: ReadonlySet<Limit> = NONE): Promise<boolean> | undefined {
    const { ledger, clock } = this.#deps;
    if (!ledger.ask) return undefined;
    const nowMs = clock.now();
    const wanted = this.#wanted(asking, lenient, nowMs);
    return wanted && ledger.ask(wanted.charges, nowMs);
  }

  /** Gets what is used of a caller's limits from where they are counted, to be told by `standingsOf`. */
  async refresh(caller: Caller): Promise<void> {
    const { ledger } = this.#deps;
    if (!ledger.refresh) return;
    const meters = this.#tree.of(caller).limits.filter(({ meter }) => meter !== undefined);
    await Promise.all(meters.map(({ limit, meter }) => ledger.refresh!(limit, meter!)));
  }

  /** What one caller may use, and how much of it is used: limits that are counted apart by others are left out. */
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

  /** What is used of the limits that hold for several callers together. */
  shared(): { readonly limit: Limit; readonly taken: number }[] {
    const nowMs = this.#deps.clock.now();
    return this.#tree.shared.map((limit) => {
      const { used, reserved } = this.#deps.ledger.read(limit, limit.id, nowMs);
      return { limit, taken: used + reserved };
    });
  }

  /** Counts a request that was answered before this process began, in the windows of that time. */
  recover(marks: Marks, used: Answered): void {
    const { unpriced } = this.#tree.of(marks.caller);
    const { ledger } = this.#deps;
    // Where it came from was not recorded.
    const applying = this.#tree
      .of(marks.caller)
      .limits.filter(({ limit }) => applies(limit, marks) && !limit.owner.apart.includes('address'));
    const parts = partsOf({ ...marks, address: () => undefined }, applying);
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
    // Requests count from when they begin, and those that had begun by then are counted already.
    if (used.beganMs > used.keptMs) ledger.add(requests!, used.beganMs);
    ledger.add(amounts!, used.endedMs);
  }

  /** What a request takes of each limit that applies to it; `undefined` where none does. */
  #wanted(asking: Asking, lenient: ReadonlySet<Limit>, nowMs: number): Wanted | undefined {
    const { limits, unpriced, saysUnpriced } = this.#tree.of(asking.caller);
    if (limits.length === 0) return undefined;
    if (asking.untold) refuseUntold(asking, limits, saysUnpriced ? unpriced : 'refuse');
    const applying = limits.filter(({ limit }) => applies(limit, asking));
    if (applying.length === 0) return undefined;
    const reckoning = reckoned(asking, applying, unpriced);
    let known: Parts | undefined;
    const parts = () => (known ??= partsOf(asking, applying));
    const charges = applying.map((each) =>
      chargeOf(each, reckoning, { parts, nowMs, lenient: lenient.has(each.limit) }),
    );
    return { charges, terms: { reckoning, unpriced } };
  }

  /** Tells the operator, once a window. */
  #warn(standing: Standing, nowMs: number): void {
    if (this.#isNew(standing, 'nearly', nowMs)) this.#deps.warns(warningOf(standing));
  }

  /** Whether this has not been told in the present window. */
  #isNew({ charge: { meter, limit } }: Standing, what: string, nowMs: number): boolean {
    const { warned } = this.#deps;
    const told = `${what} ${meter}`;
    if ((warned.get(told) ?? -Infinity) > nowMs) return false;
    if (warned.size >= MAX_WARNED) warned.clear();
    const { window } = limit;
    warned.set(told, window ? window.forgets(window.slice(nowMs)) : nowMs + HELD_MS);
    return true;
  }

  #refuse(refusal: Refusal, { endpoint }: Asking, nowMs: number): Instead {
    const { standing } = refusal;
    const { limit } = standing.charge;
    if (limit.kind === 'budget' && this.#isNew(standing, 'used', nowMs)) {
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

/** What a request is expected to use. */
export interface Reckoning {
  readonly expected: Expected;
  /** Units of money. */
  readonly units: number;
  /** The part of it that is known beforehand. */
  readonly knownUnits: number;
}

interface Wanted {
  readonly charges: readonly Charge[];
  readonly terms: { readonly reckoning: Reckoning; readonly unpriced: Unpriced };
}

/** How often room is asked for that others may take meanwhile. */
export const MAX_ASKED = 10;

/** How long a warning holds of what has no window, milliseconds. */
const HELD_MS = 60_000;

/** Meters of which it is remembered that somebody was warned. */
const MAX_WARNED = 10_000;

const NONE: ReadonlySet<Limit> = new Set();
const NOTHING: Reckoning = { expected: { input: 0, output: 0, bounded: true }, units: 0, knownUnits: 0 };

/** What a request is expected to use, as far as its limits ask. @throws ProxyError `not_permitted` */
function reckoned(asking: Asking, applying: readonly Planned[], unpriced: Unpriced): Reckoning {
  const money = applying.some(({ limit }) => limit.kind === 'budget');
  if (!money && !applying.some(({ limit }) => limit.kind === 'tokens')) return NOTHING;
  const expected = asking.expected();
  const { input, output, bounded } = expected;
  if (!money) return { expected, units: 0, knownUnits: 0 };
  const units = unitsFor(asking, unpriced, input, output);
  return { expected, units, knownUnits: bounded ? units : unitsFor(asking, unpriced, input, 0) };
}

function unitsFor(asking: Asking, unpriced: Unpriced, input: number, output: number): number {
  const usd = asking.price(input, output) ?? 0;
  if (unpriced === 'allow' || asking.allPriced()) return unitsOf(usd);
  if (unpriced !== 'refuse') return unitsOf(Math.max(usd, priceOf(unpriced, input, output)));
  throw new ProxyError(
    'not_permitted',
    `Cannot use model "${asking.model}": its price is unknown, and a budget applies that allows priced models only`,
    { param: 'model' },
  );
}

/**
 * What cannot be counted must not evade a limit that counts it. That a model without a price is allowed where nobody says otherwise is
 * no word on this: a group must say it. @throws ProxyError `not_permitted`
 */
function refuseUntold({ endpoint }: Asking, limits: readonly Planned[], unpriced: Unpriced): void {
  if (unpriced !== 'refuse') return;
  const counting = limits.find(
    ({ limit }) => (limit.kind === 'tokens' || limit.kind === 'budget') && limit.coversEndpoint(endpoint),
  );
  if (!counting) return;
  throw new ProxyError(
    'not_permitted',
    `Cannot use the endpoint ${endpoint}: what it costs cannot be told, and ${counting.limit.name} applies; ask the operator for \`unpriced: allow\` in the group, or for a limit that does not cover it`,
  );
}

function applies(limit: Limit, { endpoint, model, targets }: Marks): boolean {
  if (!limit.coversEndpoint(endpoint)) return false;
  return limit.allModels || limit.coversModel(model) || targets.some(limit.coversModel);
}

function partsOf(
  { caller, user, model, targets, endpoint, address }: Marks & Pick<Asking, 'address'>,
  applying: readonly Planned[],
): Parts {
  const asks = applying.some(({ limit }) => limit.owner.apart.includes('address'));
  return {
    key: caller.key ?? '',
    group: caller.group ?? '',
    user: user ?? '',
    address: (asks ? address() : undefined) ?? '',
    // One model may have several names, each of which clients can ask for.
    model: targets[0] ?? model,
    endpoint,
  };
}

function chargeOf(
  planned: Planned,
  { expected, units, knownUnits }: Reckoning,
  {
    parts,
    nowMs,
    lenient,
  }: { readonly parts: () => Parts; readonly nowMs: number; readonly lenient: boolean },
): Charge {
  const { limit, raises } = planned;
  let amount = 1;
  let known = 1;
  if (limit.kind === 'tokens') {
    const { input, bounded } = expected;
    amount = tokensOf(limit, expected);
    known = bounded ? amount : tokensOf(limit, { input, output: 0 });
  } else if (limit.kind === 'budget') {
    amount = units;
    known = knownUnits;
  }
  const most = raises.length === 0 ? limit.most : mostNow(planned, nowMs);
  return { limit, meter: planned.meter ?? meterOf(limit, parts()), most, amount, known, lenient };
}
