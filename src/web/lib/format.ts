/** Formats numbers and times. */

/** Shown for a missing value. */
export const NONE = '–';

export function count(value: number | null | undefined): string {
  if (value === null || value === undefined) return NONE;
  const steps = [
    [1e9, 'B'],
    [1e6, 'M'],
    [1e4, 'K'],
  ] as const;
  for (const [from, letter] of steps) {
    if (value < from) continue;
    const scaled = value / (letter === 'K' ? 1e3 : from);
    return `${scaled >= 100 ? Math.round(scaled) : scaled.toFixed(1).replace(/\.0$/, '')}${letter}`;
  }
  return Math.round(value).toLocaleString('en-US');
}

export function money(usd: number | null | undefined): string {
  if (usd === null || usd === undefined) return NONE;
  if (usd === 0) return '$0';
  if (usd < 0.0001) return '<$0.0001';
  if (usd < 0.1) return `$${usd.toFixed(4)}`;
  if (usd < 10) return `$${usd.toFixed(2)}`;
  return `$${usd < 1_000 ? usd.toFixed(2) : Math.round(usd).toLocaleString('en-US')}`;
}

export function span(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return NONE;
  if (ms === 0) return '0 ms';
  if (ms < 1) return '<1 ms';
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(ms < 10_000 ? 2 : 1)} s`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return `${minutes} m ${Math.floor((ms % 60_000) / 1_000)} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} m` : `${Math.floor(hours / 24)} d`;
}

export function share(part: number, whole: number): string {
  if (whole === 0) return NONE;
  const percent = (100 * part) / whole;
  return `${percent === 100 || percent === 0 ? percent : percent < 10 || percent > 99 ? percent.toFixed(1) : Math.round(percent)} %`;
}

export function bytes(size: number): string {
  if (size < 1_024) return `${size} B`;
  if (size < 1_024 ** 2) return `${(size / 1_024).toFixed(1)} KiB`;
  return `${(size / 1_024 ** 2).toFixed(1)} MiB`;
}

const two = (value: number): string => String(value).padStart(2, '0');

/** The time of day, with the date if it is not today. */
export function clock(ms: number, nowMs = Date.now()): string {
  const date = new Date(ms);
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return date.toDateString() === new Date(nowMs).toDateString()
    ? time
    : `${two(date.getMonth() + 1)}-${two(date.getDate())} ${time}`;
}

export function moment(iso: string): string {
  const date = new Date(iso);
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** A calendar date. */
export function day(ms: number): string {
  const date = new Date(ms);
  return `${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** The full label of a point on the time axis. @param stepMs between two points */
export function place(ms: number, stepMs: number): string {
  const date = new Date(ms);
  return stepMs >= 86_400_000 ? day(ms) : `${day(ms)} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** A relative time, past or future. */
export function relative(iso: string, nowMs: number): string {
  const ms = Date.parse(iso) - nowMs;
  if (Math.abs(ms) < 1_000) return 'now';
  const text = Math.abs(ms) < 60_000 ? `${Math.round(Math.abs(ms) / 1_000)} s` : span(Math.abs(ms));
  return ms > 0 ? `in ${text}` : `${text} ago`;
}
