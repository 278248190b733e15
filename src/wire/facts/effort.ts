/** The reasoning efforts, lowest first. */
export type Effort = 'none' | 'minimal' | 'low' | 'medium' | 'high' | 'xhigh' | 'max';

export const EFFORTS: readonly Effort[] = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'];

/**
 * The supported value for an effort: the same, otherwise the next lower one, otherwise the lowest.
 * @param taken the supported values @returns `undefined` if there are none; a value that is not an effort is kept
 */
export function effortFor(requested: unknown, taken: readonly Effort[]): unknown {
  const place = EFFORTS.findIndex((effort) => effort === requested);
  if (place < 0 && taken.length > 0) return requested;
  const known = EFFORTS.filter((effort) => taken.includes(effort));
  return known.findLast((effort) => EFFORTS.indexOf(effort) <= place) ?? known[0];
}
