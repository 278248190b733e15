/** What the clocks of time zones show. */

const clocks = new Map<string, Intl.DateTimeFormat>();

const DAY_MS = 86_400_000;

/**
 * What the clock of a zone shows, as the moment when it first does. Where a clock that is put forward leaves it out, as some do at
 * midnight, that is the moment at which it is put forward.
 * @param shown as if it were UTC, epoch milliseconds
 */
export function toZone(shown: number, timeZone: string): number {
  if (timeZone === 'UTC') return shown;
  // No zone is further from UTC than 14 hours, and none changes twice within two days.
  const before = offsetAt(shown - DAY_MS, timeZone);
  const after = offsetAt(shown + DAY_MS, timeZone);
  const [less, more] = [Math.min(before, after), Math.max(before, after)];
  const first = shown - more;
  if (less === more || offsetAt(first, timeZone) === more) return first;
  const last = shown - less;
  return offsetAt(last, timeZone) === less ? last : changeBetween(first, last, timeZone);
}

/** The first moment at which the clock of a zone is put forward or back, between two that are no two days apart. */
export function changeBetween(first: number, last: number, timeZone: string): number {
  const before = offsetAt(first, timeZone);
  let [earlier, later] = [first, last];
  while (later - earlier > 1) {
    const middle = Math.floor((earlier + later) / 2);
    if (offsetAt(middle, timeZone) === before) earlier = middle;
    else later = middle;
  }
  return later;
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
