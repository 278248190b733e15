import type { Config } from '../../config/schema.ts';
import type { DiscoveryDeps } from './discovery.ts';
import { fileReason } from '../../logs/names.ts';
import { modelsFile, readListings, writeListings } from '../../providers/model-cache.ts';
import { ModelDiscovery } from './discovery.ts';

export interface KeptDiscoveryDeps extends Omit<DiscoveryDeps, 'known' | 'listed'> {
  /** Called with all lists when one changes. */
  readonly listed?: DiscoveryDeps['listed'] | undefined;
  /** Called once when they cannot be written. */
  readonly problem: (message: string) => void;
}

/** Discovers models, and stores their lists beside all other persistent state. */
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
