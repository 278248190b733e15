/** Local times in time zones. */

const clocks = new Map<string, Intl.DateTimeFormat>();

const DAY_MS = 86_400_000;

/**
 * The first moment at which the clocks of a time zone show a local time. If they skip it when they are put forward, as
 * some zones do at midnight, it is the moment at which they are put forward.
 * @param shown the local time as if it were UTC, epoch milliseconds
 */
export function toZone(shown: number, timeZone: string): number {
  if (timeZone === 'UTC') return shown;
  // No zone is further than 14 hours from UTC, and none changes twice within two days.
  const before = offsetAt(shown - DAY_MS, timeZone);
  const after = offsetAt(shown + DAY_MS, timeZone);
  const [less, more] = [Math.min(before, after), Math.max(before, after)];
  const first = shown - more;
  if (less === more || offsetAt(first, timeZone) === more) return first;
  const last = shown - less;
  return offsetAt(last, timeZone) === less ? last : changeBetween(first, last, timeZone);
}

/** The first moment at which the clocks of a zone change, between two moments less than two days apart. */
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
 * The offset of a time zone from UTC, milliseconds.
 * @param timeZone an IANA name such as "Europe/Berlin"
 * @throws RangeError for an unknown time zone
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

/** Whether a text is the IANA name of a time zone. */
export function isTimeZone(text: string): boolean {
  try {
    clockOf(text);
    return true;
  } catch {
    return false;
  }
}

/** A name for a time zone that does not depend on how it is written: "Europe/Berlin" for "europe/berlin". */
export function canonicalZone(timeZone: string): string {
  return UTC_NAMES.test(timeZone) ? 'UTC' : clockOf(timeZone).resolvedOptions().timeZone;
}

/** The other names of UTC, which the runtime takes for zones of their own. */
const UTC_NAMES = /^(?:etc\/)?(?:utc|uct|gmt|greenwich|universal|zulu)$/i;

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
