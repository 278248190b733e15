import type { LimitConfig, Period } from '../config/schema/groups.ts';
import { changeBetween, offsetAt, toZone } from '../config/time-zone.ts';

/** A slice of time whose usage is added up. */
export interface Slice {
  readonly startMs: number;
  /** When the next slice begins; `Infinity` if there is none. */
  readonly endMs: number;
}

/** The window of a limit: the slices of time that count. */
export interface Window {
  /** The slice that contains a moment. */
  slice(nowMs: number): Slice;
  /** When the usage in a slice no longer counts. */
  forgets(slice: Slice): number;
}

const DAY_MS = 86_400_000;
const LENGTHS = { second: 1_000, minute: 60_000, hour: 3_600_000, day: DAY_MS, week: 7 * DAY_MS } as const;

/** The length of a month in rolling windows, in days. */
const MONTH_MS = 30 * DAY_MS;

/** The number of steps in which a rolling window moves. */
export const STEPS = 60;

/** Whether a window of this length is aligned to the calendar by default. */
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
 * A rolling window that ends now. Usage counts for the length of the window, and up to one step longer, so that no
 * period of that length exceeds the limit.
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

/** A window aligned to the calendar of a time zone. */
function calendar(per: Exclude<Period, 'total'>, timeZone: string): Window {
  // The time zone is consulted once per slice.
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
    // Offsets from UTC are in minutes; some include a fraction of an hour.
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

/** Lord Howe changes its clocks by half an hour, which makes one hour end early. */
function hourWithin({ startMs, endMs }: Slice, nowMs: number, timeZone: string): Slice {
  const offset = offsetAt(nowMs, timeZone);
  return {
    startMs: offsetAt(startMs, timeZone) === offset ? startMs : changeBetween(startMs, nowMs, timeZone),
    endMs: offsetAt(endMs - 1, timeZone) === offset ? endMs : changeBetween(nowMs, endMs, timeZone),
  };
}
