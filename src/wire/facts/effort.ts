/** How hard a model may be asked to think, least first. */
export type Effort = 'none' | 'minimal' | 'low' | 'medium' | 'high' | 'xhigh' | 'max';

export const EFFORTS: readonly Effort[] = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'];

/**
 * The word that a model takes for an effort: the same, else the next lower one, else its lowest.
 * @param taken those that it takes @returns `undefined` where it takes none; what is no effort stays as it is
 */
export function effortFor(asked: unknown, taken: readonly Effort[]): unknown {
  const place = EFFORTS.findIndex((effort) => effort === asked);
  if (place < 0 && taken.length > 0) return asked;
  const known = EFFORTS.filter((effort) => taken.includes(effort));
  return known.findLast((effort) => EFFORTS.indexOf(effort) <= place) ?? known[0];
}
