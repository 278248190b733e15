import type { StoredAccount } from './store.ts';

export const NO_ACCOUNT: StoredAccount = {
  requests: 0,
  tokens: 0,
  spent: 0,
  monthMs: 0,
  monthRequests: 0,
  monthSpent: 0,
  usedMs: 0,
};

/** What each key was used for, whatever its limits are. Months are those of UTC. */
export class Accounts {
  readonly #accounts: Map<string, StoredAccount>;
  readonly #changed = new Set<string>();

  constructor(stored: Map<string, StoredAccount>) {
    this.#accounts = stored;
  }

  /** @param units of money */
  add(key: string, tokens: number, units: number, nowMs: number): void {
    const account = this.of(key, nowMs);
    this.#accounts.set(key, {
      requests: account.requests + 1,
      tokens: account.tokens + tokens,
      spent: account.spent + units,
      monthMs: account.monthMs,
      monthRequests: account.monthRequests + 1,
      monthSpent: account.monthSpent + units,
      usedMs: nowMs,
    });
    this.#changed.add(key);
  }

  /** As it is now: a month that is over has nothing in it. */
  of(key: string, nowMs: number): StoredAccount {
    return inMonth(this.#accounts.get(key) ?? NO_ACCOUNT, nowMs);
  }

  /** All of them changed, as far as anybody is to know. */
  touchAll(): void {
    for (const key of this.#accounts.keys()) this.#changed.add(key);
  }

  /** What changed since this was last asked. */
  changes(): [key: string, account: StoredAccount][] {
    const changed = Array.from(this.#changed, (key): [string, StoredAccount] => [
      key,
      this.#accounts.get(key)!,
    ]);
    this.#changed.clear();
    return changed;
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
