import type { ProviderModel } from '../providers/base.ts';
import { globMatcher, isGlob } from '../config/globs.ts';

/**
 * The row of a provider's models whose rate limit holds for a model: one that names it goes before a glob, and of several the last
 * one counts, as where names lead.
 * @param model the name the provider knows
 */
export function limitedRow(
  rows: readonly ProviderModel[] | undefined,
  model: string,
): ProviderModel | undefined {
  const limited = (rows ?? []).filter(({ rateLimit }) => rateLimit !== undefined);
  return (
    limited.findLast(({ name, upstream = name }) => upstream === model && !isGlob(upstream)) ??
    limited.findLast(
      ({ name, upstream }) => upstream === undefined && isGlob(name) && globMatcher(name)(model),
    )
  );
}
