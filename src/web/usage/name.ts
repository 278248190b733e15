import type { SeriesGroup } from '../api.ts';

/** What a group is called. */
export function nameOf({ name, others }: SeriesGroup): string {
  return others ? 'others' : (name ?? '(none)');
}
