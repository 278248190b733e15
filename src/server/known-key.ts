import type { Clock } from '../clock.ts';
import type { AuthConfig, KeyConfig, Raise } from '../config/schema/auth.ts';
import type { Config } from '../config/schema.ts';
import type { Caller } from '../limits/caller.ts';
import type { Client } from './client.ts';
import { ProxyError } from '../errors.ts';
import { accessOf } from '../limits/access.ts';
import { RECOGNIZED, Refused } from './refused.ts';

/** A key of the configuration. */
export interface KnownKey {
  readonly name: string;
  readonly client: Client;
  /** When it expires, milliseconds since 1970. */
  readonly expires: number;
  readonly disabled: boolean;
  /** Whether it may send requests to models. */
  readonly asks: boolean;
  /** Whether it may read the operational endpoints. */
  readonly operates: boolean;
}

/** The owner of the only key operates the proxy; if there may be several callers, the message names the operators. */
export function isAlone({
  keys,
  keys_file: file,
  issuers,
}: Exclude<AuthConfig, 'none' | undefined>): boolean {
  return keys.length === 1 && file === undefined && issuers.length === 0;
}

export function knownKey(
  key: KeyConfig,
  { groups, raises, alone }: { groups: Config['groups']; raises: readonly Raise[]; alone: boolean },
): KnownKey {
  const { name, group, models, endpoints, providers, limits, labels, ops = alone } = key;
  const caller: Caller = { key: name, group, models, endpoints, providers, limits, raises, labels };
  return {
    name,
    client: { ...caller, content: key.log, access: accessOf(caller, groups) },
    expires: key.expires ?? Infinity,
    disabled: key.disabled,
    asks: ops !== 'only',
    operates: ops !== false,
  };
}

/** The caller with a key. @throws ProxyError `not_permitted` when the key may not send requests to models */
export function asking({ client, asks }: KnownKey): Client {
  if (asks) return client;
  throw new ProxyError('not_permitted', 'Cannot accept the request: this key may only read ops pages');
}

/**
 * Why a key is refused now. Only its owner is told.
 * @param until when its secret was replaced by another, milliseconds since 1970; `Infinity` for the current one
 */
export function refusalOf(
  { name, expires, disabled }: KnownKey,
  until: number,
  clock: Pick<Clock, 'now'>,
): ProxyError | undefined {
  if (!disabled && expires === Infinity && until === Infinity) return undefined;
  const nowMs = clock.now();
  if (disabled)
    return new ProxyError(
      'not_permitted',
      `Cannot accept the request: the API key "${name}" is disabled; ask the operator`,
    );
  if (nowMs >= expires)
    return new Refused(
      RECOGNIZED.meant,
      `Cannot accept the request: the API key "${name}" expired on ${lastDay(expires)}; ask the operator for a new one`,
    );
  if (nowMs < until) return undefined;
  return new Refused(
    RECOGNIZED.meant,
    `Cannot accept the request: the API key "${name}" was rotated, and the old key expired on ${lastDay(until)}`,
  );
}

/** The last day, in UTC, before a moment. */
function lastDay(ms: number): string {
  return new Date(ms - 1).toISOString().slice(0, 10);
}
