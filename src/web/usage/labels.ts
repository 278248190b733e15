/** The names of places on the axis of time. */
import { day, place } from '../lib/format.ts';

interface Axis {
  readonly fromMs: number;
  readonly stepMs: number;
  readonly count: number;
  /** Of a place, pixels. */
  readonly step: number;
}

export interface Label {
  readonly index: number;
  readonly text: string;
}

/** What a name takes, with the space to the next, pixels. */
const WIDTH = 56;

/** Names that do not touch: of days where there are several, else of round times. */
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
