import type { ProviderModel } from '../../providers/base.ts';
import { globMatcher, isGlob } from '../../config/globs.ts';

/**
 * The configured model whose rate limit applies to a model: an exact name takes precedence over a glob, and the last of
 * several is used, as in the resolution of names.
 * @param model the upstream name
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
