/** What a key was used for, as it is kept. */
export interface StoredAccount {
  readonly requests: number;
  readonly tokens: number;
  /** Units of money. */
  readonly spent: number;
  /** The month of the next two, epoch milliseconds of its beginning in UTC. */
  readonly monthMs: number;
  readonly monthRequests: number;
  readonly monthSpent: number;
  /** When it was last used, epoch milliseconds. */
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

/** Keys that are remembered where nothing is kept: tokens of identity providers may name anybody. */
const MAX_UNKEPT = 10_000;

/** What each key was used for, whatever its limits are: what is kept of it, and what came since. Months are those of UTC. */
export class Accounts {
  readonly #kept: ((key: string) => StoredAccount) | undefined;
  #since = new Map<string, StoredAccount>();

  /** @param kept reads what is kept of a key; left out where nothing is */
  constructor(kept?: (key: string) => StoredAccount) {
    this.#kept = kept;
  }

  /** @param units of money */
  add(key: string, tokens: number, units: number, nowMs: number): void {
    if (!this.#kept && this.#since.size >= MAX_UNKEPT && !this.#since.has(key)) this.#since.clear();
    const one = { ...inMonth(NO_ACCOUNT, nowMs), requests: 1, tokens, spent: units, monthRequests: 1 };
    this.#join(key, { ...one, monthSpent: units, usedMs: nowMs }, nowMs);
  }

  /** As it is now: a month that is over has nothing in it. */
  of(key: string, nowMs: number): StoredAccount {
    return joined(this.#kept?.(key) ?? NO_ACCOUNT, this.#since.get(key) ?? NO_ACCOUNT, nowMs);
  }

  /** Takes what came since, to add it to what is kept. */
  take(): Map<string, StoredAccount> {
    const taken = this.#since;
    this.#since = new Map();
    return taken;
  }

  /** What was taken could not be kept. */
  giveBack(taken: ReadonlyMap<string, StoredAccount>, nowMs: number): void {
    for (const [key, account] of taken) this.#join(key, account, nowMs);
  }

  #join(key: string, more: StoredAccount, nowMs: number): void {
    this.#since.set(key, joined(this.#since.get(key) ?? NO_ACCOUNT, more, nowMs));
  }
}

/** Two accounts of one key together, as they stand in the month of a moment. */
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

/** An account as it stands in the month of a moment. */
export function inMonth(account: StoredAccount, nowMs: number): StoredAccount {
  const now = new Date(nowMs);
  const monthMs = Date.UTC(now.getUTCFullYear(), now.getUTCMonth());
  return account.monthMs === monthMs ? account : { ...account, monthMs, monthRequests: 0, monthSpent: 0 };
}
