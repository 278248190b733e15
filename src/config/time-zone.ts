/** What the clocks of time zones show. */

const clocks = new Map<string, Intl.DateTimeFormat>();

/** What the clock of a zone shows, as the moment when it shows it. Days of 23 and 25 hours come out right. */
export function toZone(shown: number, timeZone: string): number {
  const guess = shown - offsetAt(shown, timeZone);
  return shown - offsetAt(guess, timeZone);
}

/**
 * How far the clock of a zone is ahead of UTC, milliseconds.
 * @param timeZone an IANA name such as "Europe/Berlin"
 * @throws RangeError for a zone nobody knows
 */
export function offsetAt(ms: number, timeZone: string): number {
  if (timeZone === 'UTC') return 0;
  const seconds = Math.floor(ms / 1000) * 1000;
  const parts = Object.fromEntries(
    clockOf(timeZone)
      .formatToParts(seconds)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const { year, month, day, hour, minute, second } = parts as Record<string, number>;
  return Date.UTC(year!, month! - 1, day, hour, minute, second) - seconds;
}

/** Whether it is the IANA name of a zone. */
export function isTimeZone(text: string): boolean {
  try {
    clockOf(text);
    return true;
  } catch {
    return false;
  }
}

function clockOf(timeZone: string): Intl.DateTimeFormat {
  const known = clocks.get(timeZone);
  if (known) return known;
  const numbers = {
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  } as const;
  const clock = new Intl.DateTimeFormat('en-US', { timeZone, hourCycle: 'h23', ...numbers });
  clocks.set(timeZone, clock);
  return clock;
}
