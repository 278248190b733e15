/** Labels on the time axis. */
import { day, place } from '../lib/format.ts';

interface Axis {
  readonly fromMs: number;
  readonly stepMs: number;
  readonly count: number;
  /** The position, pixels. */
  readonly step: number;
}

export interface Label {
  readonly index: number;
  readonly text: string;
}

/** The width of a label including its gap, pixels. */
const WIDTH = 56;

/** Labels that do not overlap: dates if there are several, otherwise round times. */
export function labels({ fromMs, stepMs, count, step }: Axis): Label[] {
  const all = Array.from({ length: count }, (_, index) => ({ index, ms: fromMs + index * stepMs }));
  const byDay = stepMs * count > 2 * 86_400_000;
  const beginnings = byDay ? all.filter(({ ms }, at) => at > 0 && day(ms) !== day(ms - stepMs)) : all;
  const perPlace = byDay ? (86_400_000 / Math.max(stepMs, 1)) * step : step;
  const every = Math.max(1, Math.ceil(WIDTH / Math.max(1, perPlace)));
  return beginnings
    .filter((_, at) => (beginnings.length - 1 - at) % every === 0)
    .filter(({ index }) => index * step > 8)
    .map(({ index, ms }) => ({ index, text: byDay ? day(ms) : place(ms, stepMs).slice(6) }));
}
