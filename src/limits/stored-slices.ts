/** The persisted usage of a meter, of which a part may be somewhere else. */
import type { StoredMeter } from './meter.ts';
import type { Window } from './window.ts';

/** Both together, in order of time. No slice is negative: nothing is taken back that is not there. */
export function sumOf(one: StoredMeter, other: StoredMeter): StoredMeter {
  if (other.length === 0) return one;
  const slices = new Map(one.map((slice) => [slice[0], slice]));
  for (const [startMs, endMs, amount] of other) {
    const sum = Math.max(0, (slices.get(startMs)?.[2] ?? 0) + amount);
    slices.set(startMs, [startMs, endMs, sum]);
  }
  return [...slices.values()].toSorted(([a], [b]) => a - b);
}

/**
 * What must be added to a meter in order that it becomes another one.
 * @param window that of the limit; what it has forgotten needs no change
 */
export function differenceOf(
  to: StoredMeter,
  from: StoredMeter,
  window: Window | undefined,
  nowMs: number,
): StoredMeter {
  const before = new Map(from.map((slice) => [slice[0], slice]));
  const more = to.flatMap(([startMs, endMs, amount]) => {
    const difference = amount - (before.get(startMs)?.[2] ?? 0);
    before.delete(startMs);
    return difference === 0 ? [] : [[startMs, endMs, difference] as const];
  });
  const gone = [...before.values()].flatMap(([startMs, endMs, amount]) => {
    const counts = window && window.forgets({ startMs, endMs: endMs ?? Infinity }) > nowMs;
    return counts && amount !== 0 ? [[startMs, endMs, -amount] as const] : [];
  });
  return [...gone, ...more].toSorted(([a], [b]) => a - b);
}
