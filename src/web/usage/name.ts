import type { SeriesGroup } from '../api.ts';

/** The display name of a group. */
export function nameOf({ name, others }: SeriesGroup): string {
  return others ? 'others' : (name ?? '(none)');
}
