/** Times at the beginning of lines. */
import { numberOf } from '../../wire/json.ts';
import type { JsonObject } from '../../wire/json.ts';

/** When the answer of a record ended: lines are in this order. */
export function endedMs({ ts, latency_ms: ms }: JsonObject): number {
  return Date.parse(String(ts)) + (numberOf(ms) ?? 0);
}

/** The local time: "14:03:07". */
export function clockTime(ms: number): string {
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) return '--:--:--';
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':');
}

/** The same with the date, for lists that span several days: "11-30 14:03:07". */
export function dayTime(ms: number): string {
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) return '----- --:--:--';
  return `${two(date.getMonth() + 1)}-${two(date.getDate())} ${clockTime(ms)}`;
}

/** For output that is not a terminal, where the time zone must be explicit: "2026-11-30T13:03:07Z". */
export function utcTime(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? '-' : `${date.toISOString().slice(0, 19)}Z`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
