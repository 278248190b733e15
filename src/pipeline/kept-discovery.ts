import type { Config } from '../config/schema.ts';
import type { DiscoveryDeps } from './discovery.ts';
import { fileReason } from '../logs/names.ts';
import { modelsFile, readListings, writeListings } from '../providers/model-cache.ts';
import { ModelDiscovery } from './discovery.ts';

export interface KeptDiscoveryDeps extends Omit<DiscoveryDeps, 'known' | 'listed'> {
  /** Told of all lists when one is new. */
  readonly listed?: DiscoveryDeps['listed'] | undefined;
  /** Told, once, that they cannot be written. */
  readonly problem: (message: string) => void;
}

/** Discovers models, and keeps their lists beside all else that outlives the process. */
export function keptDiscovery(
  { state: { directory } }: Pick<Config, 'state'>,
  { listed, problem, ...deps }: KeptDiscoveryDeps,
): ModelDiscovery {
  const path = modelsFile(directory);
  let failed = false;
  return new ModelDiscovery({
    ...deps,
    known: readListings(path),
    listed(listings) {
      listed?.(listings);
      try {
        writeListings(path, listings);
        failed = false;
      } catch (cause) {
        if (!failed) problem(`Cannot keep the lists of models in ${path}: ${fileReason(cause)}`);
        failed = true;
      }
    },
  });
}
