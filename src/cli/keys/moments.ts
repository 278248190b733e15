import { milliseconds } from '../../config/amounts.ts';
import { until } from '../../config/words.ts';
import { ExitError } from '../exit.ts';

const DAY_MS = 86_400_000;

/**
 * Parses a flag for an expiry: a day, up to its end in UTC, a time with an offset, `today`, `tomorrow`, or a duration
 * from now such as 24h or 90d.
 * @returns the expiry in the form of the file
 * @throws ExitError 2 when it is invalid, or in the past
 */
export function untilFlag(name: string, value: string, nowMs: number): string {
  const text = written(value, nowMs);
  const read = until.safeParse(text);
  if (!read.success)
    throw new ExitError(
      2,
      `Cannot use --${name} ${value}: expected a day such as 2027-01-31, a moment such as 2027-01-31T12:00:00Z, today, tomorrow, or a span such as 24h`,
    );
  if (read.data > nowMs) return text;
  throw new ExitError(2, `Cannot use --${name} ${value}: that has passed`);
}

function written(value: string, nowMs: number): string {
  if (value === 'today') return dayOf(nowMs);
  if (value === 'tomorrow') return dayOf(nowMs + DAY_MS);
  const span = milliseconds(value);
  return span === undefined ? value : momentOf(nowMs + span);
}

/** Parses a duration. @returns milliseconds @throws ExitError 2 */
export function spanFlag(name: string, value: string): number {
  const span = milliseconds(value);
  if (span !== undefined) return span;
  throw new ExitError(2, `Cannot use --${name} ${value}: expected a span such as 30m, 24h or 7d`);
}

/** A time in the form of the file, to the second. */
export function momentOf(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** An expiry in words: the last day if it is the end of a day, otherwise the time. */
export function endText(ms: number): string {
  return ms % DAY_MS === 0 ? dayOf(ms - 1) : minuteText(ms);
}

/** A time in words, to the minute. */
export function minuteText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
