import type { Raise } from '../config/schema/auth.ts';
import type { LimitConfig } from '../config/schema/groups.ts';

/**
 * A caller as limits and lists see it. Each caller of a configuration is one object that all its requests share, so
 * that derived data can be cached per object.
 */
export interface Caller {
  /** The name of its key, or `issuer:identity` of a token; `null` when the proxy needs no keys. */
  readonly key: string | null;
  /** The group whose limits and lists apply to it. */
  readonly group: string | undefined;
  /** Globs of what it may use; everything if omitted. */
  readonly models: readonly string[] | undefined;
  readonly endpoints: readonly string[] | undefined;
  readonly providers: readonly string[] | undefined;
  /** Its own limits. */
  readonly limits: readonly LimitConfig[];
  /** Temporary raises of its own limits. */
  readonly raises: readonly Raise[];
  /** The operator's labels. */
  readonly labels: Readonly<Record<string, string>>;
}

/** The rest of a caller that no list and no limit of its own restricts. */
export const UNRESTRICTED: Omit<Caller, 'key' | 'group'> = {
  models: undefined,
  endpoints: undefined,
  providers: undefined,
  limits: [],
  raises: [],
  labels: {},
};
