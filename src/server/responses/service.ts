/** The dependencies of the routes for stored responses. */
import type { Config } from '../../config/schema.ts';
import type { Store } from '../../stored/store.ts';
import type { StoredOptions } from '../../stored/entries.ts';
import type { RedisPlace } from '../../stored/messages.ts';
import type { Background } from './background.ts';
import type { Followers } from './followers.ts';

export interface StoredService {
  readonly store: Store;
  readonly background: Background;
  readonly followers: Followers;
  readonly keep: 'logged' | 'asked';
  /** How long something is stored, milliseconds. */
  readonly ttlMs: number;
}

/** How long content may be stored, milliseconds: the retention of the log also applies. */
export function storedMs({ responses, logging }: Pick<Config, 'responses' | 'logging'>): number {
  const { content, head } = logging.requests.retention;
  return Math.min(responses.ttl, content || Infinity, head || Infinity);
}

/**
 * Stored data may be large, and few requests wait for it: its server has at least this long to answer,
 * milliseconds.
 */
const LEAST_TIMEOUT_MS = 1_000;

/** The server through which replicas share what is stored, where there is one. */
export function sharedPlace({
  responses,
  state: { redis, redis_timeout: ms },
}: Config): RedisPlace | undefined {
  if (redis === undefined || responses.store === 'never') return undefined;
  return { url: redis, timeoutMs: Math.max(ms, LEAST_TIMEOUT_MS) };
}

/** @param isShared whether other processes use the same file */
export function storedOptions({ responses, limits }: Config, isShared: boolean): StoredOptions {
  return { maxBytes: responses.max_size, maxChain: limits.max_body, isShared };
}
