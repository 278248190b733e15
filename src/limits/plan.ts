import type { Raise } from '../config/auth-schema.ts';
import type { Apart } from '../config/limits-schema.ts';
import type { Config } from '../config/schema.ts';
import type { Caller } from './caller.ts';
import type { Limit } from './limit.ts';
import { groupsOf } from './access.ts';
import { limitsOf, UNITS_PER_USD } from './limit.ts';

/** What a limit may be counted apart by, of one request. */
export type Parts = Readonly<Record<Apart, string>>;

/** A limit that may apply to a caller. */
export interface Planned {
  readonly limit: Limit;
  /** Temporary raises of it. */
  readonly raises: readonly Raise[];
}

/** The limits of a configuration, as a tree from each caller to the root. */
export class LimitTree {
  readonly #groups: Config['groups'];
  readonly #everybody: readonly Planned[];
  readonly #plans = new WeakMap<Caller, readonly Planned[]>();

  constructor({ groups, rate_limits: limits }: Pick<Config, 'groups' | 'rate_limits'>) {
    this.#groups = groups;
    this.#everybody = limitsOf(limits, { name: 'everybody', apart: [] }).map(unraised);
  }

  /** All limits that may apply to a caller, its own first and everybody's last. */
  of(caller: Caller): readonly Planned[] {
    let plan = this.#plans.get(caller);
    if (!plan) this.#plans.set(caller, (plan = this.#plan(caller)));
    return plan;
  }

  /** The nearest word on models without a price, from the caller to the root. */
  unpriced(caller: Caller): Config['groups'][string]['unpriced'] {
    return groupsOf(caller.group, this.#groups).find(({ group }) => group.unpriced !== undefined)?.group
      .unpriced;
  }

  #plan(caller: Caller): Planned[] {
    const { key, limits, raises } = caller;
    const own = limitsOf(limits, { name: `key ${key}`, apart: [] });
    const raised = (limit: Limit): Planned => ({
      limit,
      raises: raises.filter(({ kind }) => kind === limit.kind),
    });
    const shared = groupsOf(caller.group, this.#groups).flatMap(({ name, group }) => [
      ...limitsOf(group.each_key, { name: `each key of group ${name}`, apart: ['key'] }).map(raised),
      ...limitsOf(group.each_user, { name: `each user of group ${name}`, apart: ['user'] }).map(unraised),
      ...limitsOf(group.limits, { name: `group ${name}`, apart: [] }).map(unraised),
    ]);
    return [...own.map(raised), ...shared, ...this.#everybody];
  }
}

const unraised = (limit: Limit): Planned => ({ limit, raises: [] });

/** The most that may be used now. */
export function mostNow({ limit, raises }: Planned, nowMs: number): number {
  let most = limit.most;
  for (const { by, until } of raises)
    if (until > nowMs) most += limit.kind === 'budget' ? Math.round(by * UNITS_PER_USD) : by;
  return most;
}

/** The name of the meter in which a request is counted. */
export function meterOf({ id, owner }: Limit, parts: Parts): string {
  if (owner.apart.length === 0) return id;
  return `${id} | ${JSON.stringify(owner.apart.map((part) => parts[part]))}`;
}
