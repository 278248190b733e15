import type { KeyConfig, Raise } from '../../config/schema/auth.ts';
import { endText, minuteText } from './moments.ts';
import type { PlacedKey } from './place.ts';
import type { KeyUse } from './use.ts';

/** A key as `--json` prints it, without hashes: a reader of the list does not need them. */
export interface DescribedKey {
  readonly name: string;
  readonly where: 'configuration' | 'keys_file';
  readonly state: 'active' | 'disabled' | 'expired';
  readonly prefix: string | null;
  readonly group: string | null;
  readonly models: readonly string[] | null;
  readonly endpoints: readonly string[] | null;
  readonly providers: readonly string[] | null;
  readonly limits: KeyConfig['limits'];
  readonly raises: readonly DescribedRaise[];
  readonly expires: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly log: string | null;
  readonly ops: boolean | 'only' | null;
  readonly created: string | null;
  readonly rotated: string | null;
  /** Until when previous secrets of it stay valid. */
  readonly previous_until: readonly string[];
  readonly last_used: string | null;
  /** USD in the current month (UTC), as far as prices are known. */
  readonly spent_this_month: number;
  readonly requests_this_month: number;
}

export interface DescribedRaise {
  readonly kind: Raise['kind'];
  readonly by: number;
  readonly until: string;
}

export interface About {
  readonly raises: readonly Raise[];
  readonly use: KeyUse | undefined;
  readonly nowMs: number;
}

export function described({ key, inFile }: PlacedKey, { raises, use, nowMs }: About): DescribedKey {
  const { expires, disabled } = key;
  const iso = (ms: number) => new Date(ms).toISOString();
  const former = (key.previous ?? []).filter(({ until }) => until > nowMs);
  return {
    name: key.name,
    where: inFile ? 'keys_file' : 'configuration',
    state: disabled ? 'disabled' : expires !== undefined && expires <= nowMs ? 'expired' : 'active',
    prefix: key.prefix ?? null,
    group: key.group ?? null,
    models: key.models ?? null,
    endpoints: key.endpoints ?? null,
    providers: key.providers ?? null,
    limits: key.limits,
    raises: raises
      .filter((each) => each.key === key.name && each.until > nowMs)
      .map(({ kind, by, until }) => ({ kind, by, until: iso(until) })),
    expires: expires === undefined ? null : iso(expires),
    labels: key.labels,
    log: key.log ?? null,
    ops: key.ops ?? null,
    created: key.created ?? null,
    rotated: key.rotated ?? null,
    previous_until: former.map(({ until }) => iso(until)),
    last_used: use ? iso(use.lastMs) : null,
    spent_this_month: use?.spent ?? 0,
    requests_this_month: use?.requests ?? 0,
  };
}

/** An expiry as text; a dash if there is none. */
export function endOf(iso: string | null): string {
  return iso === null ? '-' : endText(Date.parse(iso));
}

/** A time as text; a dash if there is none. */
export function momentText(iso: string | null): string {
  return iso === null ? '-' : minuteText(Date.parse(iso));
}

/** An amount of money as text. */
export function usd(amount: number): string {
  return amount === 0 || amount >= 0.01 ? amount.toFixed(2) : amount.toPrecision(2);
}
