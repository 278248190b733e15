/** The use of keys, as commands show it. */
import type { Config } from '../../config/schema.ts';
import { inMonth } from '../../limits/accounts.ts';
import { UNITS_PER_USD } from '../../limits/limit.ts';
import { readAccounts } from '../../limits/store.ts';

export interface KeyUse {
  /** When its last request ended, milliseconds since 1970. */
  readonly lastMs: number;
  /** The spend in the current month (UTC), as far as prices are known, USD. */
  readonly spent: number;
  readonly requests: number;
}

/** Last use and spend by key name, as persisted by `serve`; empty if nothing was persisted. */
export function lastUseAndSpend(
  { state }: Pick<Config, 'state'>,
  nowMs: number,
): ReadonlyMap<string, KeyUse> {
  const uses = new Map<string, KeyUse>();
  for (const [key, account] of readAccounts(state.directory) ?? []) {
    const { usedMs, monthSpent, monthRequests } = inMonth(account, nowMs);
    uses.set(key, { lastMs: usedMs, spent: monthSpent / UNITS_PER_USD, requests: monthRequests });
  }
  return uses;
}
