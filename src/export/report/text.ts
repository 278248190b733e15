/** Formats numbers. */

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** Bytes with decimal units: "312 B", "1.2 MB". */
export function bytesText(bytes: number): string {
  let amount = bytes;
  let unit = 0;
  for (; amount >= 999.5 && unit < UNITS.length - 1; unit++) amount /= 1000;
  return `${unit > 0 && amount < 9.95 ? amount.toFixed(1) : Math.round(amount)} ${UNITS[unit]}`;
}

/** An integer with commas: "12,345". */
export function countText(count: number): string {
  return count.toLocaleString('en-US');
}

/** A number with a noun: "1 row", "2 rows". */
export function thingsText(count: number, thing: string): string {
  return `${countText(count)} ${thing}${count === 1 ? '' : 's'}`;
}

/** A rough duration: "3 s", "4 min", "2 h". */
export function durationText(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  if (seconds < 100) return `${seconds} s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 100 ? `${minutes} min` : `${Math.ceil(minutes / 60)} h`;
}

/** Increments a count. */
export function countOf<Thing>(counts: Map<Thing, number>, thing: Thing): void {
  counts.set(thing, (counts.get(thing) ?? 0) + 1);
}
