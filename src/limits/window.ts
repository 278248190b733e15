import type { LimitConfig, Period } from '../config/limits-schema.ts';
import { changeBetween, offsetAt, toZone } from '../config/time-zone.ts';

/** A part of time in which what is used is added up. */
export interface Slice {
  readonly startMs: number;
  /** When the next one begins; `Infinity` where none does. */
  readonly endMs: number;
}

/** The window of a limit: which slices of time it looks at. */
export interface Window {
  /** The slice that a moment falls in. */
  slice(nowMs: number): Slice;
  /** When what was used in a slice no longer counts. */
  forgets(slice: Slice): number;
}

const DAY_MS = 86_400_000;
const LENGTHS = { second: 1_000, minute: 60_000, hour: 3_600_000, day: DAY_MS, week: 7 * DAY_MS } as const;

/** What rolls counts a month as so many days. */
const MONTH_MS = 30 * DAY_MS;

/** In how many steps a rolling window moves. */
export const STEPS = 60;

/** Whether a window of this length begins with the calendar where nothing else is said. */
export function rolls({ per, window }: Pick<LimitConfig, 'per' | 'window'>): boolean {
  if (window !== undefined) return window === 'rolling' && per !== 'total';
  return per === 'second' || per === 'minute' || per === 'hour';
}

/** @param limit one that has a window */
export function windowOf(limit: Pick<LimitConfig, 'per' | 'window' | 'time_zone'>): Window {
  const { per = 'total', time_zone: timeZone = 'UTC' } = limit;
  if (per === 'total') return FOREVER;
  return rolls(limit) ? rolling(per === 'month' ? MONTH_MS : LENGTHS[per]) : calendar(per, timeZone);
}

const FOREVER: Window = {
  slice: () => ({ startMs: 0, endMs: Infinity }),
  forgets: () => Infinity,
};

/**
 * A window that looks back from now. What was used counts for its whole length, and up to one step longer: in no span of
 * that length is more used than the limit says.
 */
function rolling(lengthMs: number): Window {
  const stepMs = lengthMs / STEPS;
  return {
    slice(nowMs) {
      const startMs = Math.floor(nowMs / stepMs) * stepMs;
      return { startMs, endMs: startMs + stepMs };
    },
    forgets: ({ endMs }) => endMs + lengthMs,
  };
}

/** A window that begins with the calendar of a time zone. */
function calendar(per: Exclude<Period, 'total'>, timeZone: string): Window {
  // The zone is asked once a slice.
  let last: Slice | undefined;
  return {
    slice(nowMs) {
      if (last && nowMs >= last.startMs && nowMs < last.endMs) return last;
      return (last = sliceOf(per, timeZone, nowMs));
    },
    forgets: ({ endMs }) => endMs,
  };
}

function sliceOf(per: Exclude<Period, 'total'>, timeZone: string, nowMs: number): Slice {
  if (per === 'second' || per === 'minute' || per === 'hour') {
    // Zones differ from UTC by minutes, some by a part of an hour.
    const length = LENGTHS[per];
    const offset = offsetAt(nowMs, timeZone);
    const startMs = Math.floor((nowMs + offset) / length) * length - offset;
    return hourWithin({ startMs, endMs: startMs + length }, nowMs, timeZone);
  }
  const shown = new Date(nowMs + offsetAt(nowMs, timeZone));
  const [year, month, day] = [shown.getUTCFullYear(), shown.getUTCMonth(), shown.getUTCDate()];
  const at = (months: number, days: number) => toZone(Date.UTC(year, month + months, days), timeZone);
  if (per === 'month') return { startMs: at(0, 1), endMs: at(1, 1) };
  if (per === 'day') return { startMs: at(0, day), endMs: at(0, day + 1) };
  const monday = day - ((shown.getUTCDay() + 6) % 7);
  return { startMs: at(0, monday), endMs: at(0, monday + 7) };
}

/** Lord Howe's clocks are put forward and back by half an hour, which ends an hour early. */
function hourWithin({ startMs, endMs }: Slice, nowMs: number, timeZone: string): Slice {
  const offset = offsetAt(nowMs, timeZone);
  return {
    startMs: offsetAt(startMs, timeZone) === offset ? startMs : changeBetween(startMs, nowMs, timeZone),
    endMs: offsetAt(endMs - 1, timeZone) === offset ? endMs : changeBetween(nowMs, endMs, timeZone),
  };
}
