/** The dependencies of the routes for stored responses. */
import type { Config } from '../../config/schema.ts';
import type { Store } from '../../stored/store.ts';
import type { StoredOptions } from '../../stored/entries.ts';
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

/** @param isShared whether other processes use the same file */
export function storedOptions({ responses, limits }: Config, isShared: boolean): StoredOptions {
  return { maxBytes: responses.max_size, maxChain: limits.max_body, isShared };
}
