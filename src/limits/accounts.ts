import { windowOf } from './window.ts';

/** The usage of a key, as it is persisted. */
export interface StoredAccount {
  readonly requests: number;
  readonly tokens: number;
  /** Units of money. */
  readonly spent: number;
  /** The month of the next two fields: its beginning in UTC, epoch milliseconds. */
  readonly monthMs: number;
  readonly monthRequests: number;
  readonly monthSpent: number;
  /** When the key was last used, epoch milliseconds. */
  readonly usedMs: number;
}

export const NO_ACCOUNT: StoredAccount = {
  requests: 0,
  tokens: 0,
  spent: 0,
  monthMs: 0,
  monthRequests: 0,
  monthSpent: 0,
  usedMs: 0,
};

type Writable<T> = { -readonly [Name in keyof T]: T[Name] };

/** The most keys kept if nothing is persisted: tokens of identity providers may carry any name. */
const MAX_UNKEPT = 10_000;

/** The usage of each key, regardless of its limits: the persisted part, and what was added since. Months are in UTC. */
export class Accounts {
  readonly #kept: ((key: string) => StoredAccount) | undefined;
  /** Requests are added in place until `take` is called. */
  #since = new Map<string, StoredAccount>();

  /** @param kept reads the persisted usage of a key; omitted if nothing is persisted */
  constructor(kept?: (key: string) => StoredAccount) {
    this.#kept = kept;
  }

  /** @param units of money */
  add(key: string, tokens: number, units: number, nowMs: number): void {
    const known = this.#since.get(key);
    if (!known && !this.#kept && this.#since.size >= MAX_UNKEPT) this.#since.clear();
    const account: Writable<StoredAccount> = inMonth(known ?? { ...NO_ACCOUNT }, nowMs);
    if (account !== known) this.#since.set(key, account);
    account.requests += 1;
    account.tokens += tokens;
    account.spent += units;
    account.monthRequests += 1;
    account.monthSpent += units;
    account.usedMs = Math.max(account.usedMs, nowMs);
  }

  /** The current values: a past month counts as empty. */
  of(key: string, nowMs: number): StoredAccount {
    return joined(this.#kept?.(key) ?? NO_ACCOUNT, this.#since.get(key) ?? NO_ACCOUNT, nowMs);
  }

  /** Takes what was added, in order to persist it. */
  take(): Map<string, StoredAccount> {
    const taken = this.#since;
    this.#since = new Map();
    return taken;
  }

  /** Returns what was taken, because it could not be persisted. */
  giveBack(taken: ReadonlyMap<string, StoredAccount>, nowMs: number): void {
    for (const [key, account] of taken) this.#join(key, account, nowMs);
  }

  #join(key: string, more: StoredAccount, nowMs: number): void {
    this.#since.set(key, joined(this.#since.get(key) ?? NO_ACCOUNT, more, nowMs));
  }
}

const MONTHS = windowOf({ per: 'month', time_zone: 'UTC' });

/** The sum of two accounts of one key, in the month of a moment. */
export function joined(one: StoredAccount, other: StoredAccount, nowMs: number): StoredAccount {
  const [a, b] = [inMonth(one, nowMs), inMonth(other, nowMs)];
  return {
    requests: a.requests + b.requests,
    tokens: a.tokens + b.tokens,
    spent: a.spent + b.spent,
    monthMs: a.monthMs,
    monthRequests: a.monthRequests + b.monthRequests,
    monthSpent: a.monthSpent + b.monthSpent,
    usedMs: Math.max(a.usedMs, b.usedMs),
  };
}

/** An account in the month of a moment. */
export function inMonth(account: StoredAccount, nowMs: number): StoredAccount {
  const { startMs: monthMs } = MONTHS.slice(nowMs);
  return account.monthMs === monthMs ? account : { ...account, monthMs, monthRequests: 0, monthSpent: 0 };
}
