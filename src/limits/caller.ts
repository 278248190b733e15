import type { Raise } from '../config/auth-schema.ts';
import type { LimitConfig } from '../config/limits-schema.ts';

/**
 * A caller as limits and lists see it. Each caller of a configuration is one object, the same for all its requests: what is
 * worked out from it is remembered by it.
 */
export interface Caller {
  /** Name of its key, `issuer:identity` of a token; `null` when the proxy is open. */
  readonly key: string | null;
  /** The group whose limits and lists hold for it. */
  readonly group: string | undefined;
  /** Globs of what it may use; all where one is left out. */
  readonly models: readonly string[] | undefined;
  readonly endpoints: readonly string[] | undefined;
  readonly providers: readonly string[] | undefined;
  /** Its own limits. */
  readonly limits: readonly LimitConfig[];
  /** Temporary raises of its own limits. */
  readonly raises: readonly Raise[];
  /** Words of the operator about it. */
  readonly labels: Readonly<Record<string, string>>;
}
