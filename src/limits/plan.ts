import type { Raise } from '../config/schema/auth.ts';
import type { Apart, Unpriced } from '../config/schema/groups.ts';
import type { Config } from '../config/schema.ts';
import type { Caller } from './caller.ts';
import type { Limit } from './limit.ts';
import { groupsOf } from './access.ts';
import { limitsOf, UNITS_PER_USD } from './limit.ts';

/** The values of one request by which a limit may be counted separately. */
export type Parts = Readonly<Record<Apart, string>>;

/** A limit that may apply to a caller. */
export interface Planned {
  readonly limit: Limit;
  /** Temporary raises of it. */
  readonly raises: readonly Raise[];
  /** The name of the caller's meter; `undefined` if that depends on the request. */
  readonly meter: string | undefined;
}

/** Limits that apply together, and what has to be known about a request for them. */
export interface Applying {
  /** The caller's own limits first, those for everybody last. */
  readonly limits: readonly Planned[];
  readonly countsMoney: boolean;
  readonly countsTokens: boolean;
  /** Whether one of them is counted by the origin of requests. */
  readonly asksAddress: boolean;
}

/** All limits that may apply to a caller. */
export interface Plan extends Applying {
  /** Whether all of them apply to every request of the caller. */
  readonly always: boolean;
  /** Whether some of them apply to certain models only. */
  readonly looksAtModels: boolean;
  /** The rule for models without a price: the nearest setting from the caller to the root. */
  readonly unpriced: Unpriced;
  /** Whether a group sets it. */
  readonly saysUnpriced: boolean;
}

/** The limits of a configuration, as a tree from each caller to the root. */
export class LimitTree {
  readonly #groups: Config['groups'];
  readonly #everybody: readonly Limit[];
  readonly #plans = new WeakMap<Caller, Plan>();

  constructor({ groups, rate_limits: limits }: Pick<Config, 'groups' | 'rate_limits'>) {
    this.#groups = groups;
    this.#everybody = limitsOf(limits, { name: 'everybody', apart: [] });
  }

  /** Limits that are not counted separately: those of groups, and those for everybody. */
  get shared(): readonly Limit[] {
    const ofGroups = Object.entries(this.#groups).flatMap(([name, { limits }]) =>
      limitsOfGroup(name, limits),
    );
    return [...ofGroups, ...this.#everybody.filter(({ owner }) => owner.apart.length === 0)];
  }

  of(caller: Caller): Plan {
    let plan = this.#plans.get(caller);
    if (!plan) this.#plans.set(caller, (plan = this.#plan(caller)));
    return plan;
  }

  #plan(caller: Caller): Plan {
    const groups = groupsOf(caller.group, this.#groups);
    const stated = groups.find(({ group }) => group.unpriced !== undefined)?.group.unpriced;
    const limits = this.#limits(caller);
    return {
      ...applyingOf(limits),
      always: limits.every(({ limit }) => limit.allModels && limit.allEndpoints),
      looksAtModels: limits.some(({ limit }) => !limit.allModels),
      unpriced: stated ?? 'allow',
      saysUnpriced: stated !== undefined,
    };
  }

  #limits(caller: Caller): Planned[] {
    const { key, group, limits, raises } = caller;
    const parts: Parts = { ...NOWHERE, key: key ?? '', group: group ?? '' };
    const shared = (limit: Limit): Planned => ({
      limit,
      raises: [],
      meter: limit.owner.apart.every((part) => part === 'key' || part === 'group')
        ? meterOf(limit, parts)
        : undefined,
    });
    const raised = (limit: Limit): Planned => ({
      ...shared(limit),
      raises: raises.filter(({ kind }) => kind === limit.kind),
    });
    return [
      ...limitsOf(limits, { name: `key ${key}`, apart: [] }).map(raised),
      ...groupsOf(group, this.#groups).flatMap(({ name, group: each }) => [
        ...limitsOf(each.each_key, { name: `each key of group ${name}`, apart: ['key'] }).map(raised),
        ...limitsOf(each.each_user, { name: `each user of group ${name}`, apart: ['user'] }).map(shared),
        ...limitsOfGroup(name, each.limits).map(shared),
      ]),
      ...this.#everybody.map(shared),
    ];
  }
}

export function applyingOf(limits: readonly Planned[]): Applying {
  return {
    limits,
    countsMoney: limits.some(({ limit }) => limit.kind === 'budget'),
    countsTokens: limits.some(({ limit }) => limit.kind === 'tokens'),
    asksAddress: limits.some(({ limit }) => limit.owner.apart.includes('address')),
  };
}

function limitsOfGroup(name: string, limits: Config['groups'][string]['limits']): Limit[] {
  return limitsOf(limits, { name: `group ${name}`, apart: [] });
}

/** A request of which nothing is known. */
const NOWHERE: Parts = { key: '', group: '', user: '', address: '', model: '', endpoint: '' };

/** The current amount, including raises. */
export function mostNow({ limit, raises }: Planned, nowMs: number): number {
  let most = limit.most;
  for (const { by, until } of raises)
    if (until > nowMs) most += limit.kind === 'budget' ? Math.round(by * UNITS_PER_USD) : by;
  return most;
}

/** The name of a request's meter. */
export function meterOf({ id, owner }: Limit, parts: Parts): string {
  if (owner.apart.length === 0) return id;
  return `${id} | ${JSON.stringify(owner.apart.map((part) => parts[part]))}`;
}
