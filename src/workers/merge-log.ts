import type { LogState } from '../logs/trouble.ts';
import { mergeUploads } from './merge-uploads.ts';
import { mergeReasons } from './merge-reasons.ts';

/** The state of one worker's request log; null if it writes none. */
export interface SeenLog {
  /** From 1. */
  readonly worker: number;
  readonly log: LogState | null;
}

/**
 * Merges the states of the workers' logs. The result fails if any of them fails, since the earliest failure; counts are
 * added.
 */
export function mergeLogs(seen: readonly SeenLog[]): LogState | null {
  const known = seen.flatMap(({ worker, log }) => (log ? [{ worker, ...log }] : []));
  if (known.length === 0) return null;
  const failing = known.filter(({ state }) => state === 'failing');
  const reasons = mergeReasons(
    known.map(({ worker, reason }) => ({ worker, reasons: reason === null ? [] : [reason] })),
  );
  const upload = mergeUploads(known.map(({ worker, upload }) => ({ worker, upload })));
  return {
    state: failing.length > 0 ? 'failing' : 'ok',
    // ISO 8601 times in the same zone sort like strings.
    since: failing.flatMap(({ since }) => since ?? []).toSorted()[0] ?? null,
    reason: reasons.length > 0 ? reasons.join('; ') : null,
    pending: known.reduce((sum, { pending }) => sum + pending, 0),
    lost: known.reduce((sum, { lost }) => sum + lost, 0),
    ...(upload ? { upload } : {}),
  };
}
