/** Parses points in time: days, months, times, and durations before now. */
import { offsetAt, toZone } from './time-zone.ts';

export interface MomentOptions {
  /** The time that durations count back from, milliseconds since the epoch. */
  readonly nowMs: number;
  /** IANA name of the time zone in which days begin, such as "Europe/Berlin". */
  readonly timeZone: string;
}

const SPANS = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;
const DAY_MS = SPANS.d;

/** The first millisecond that a text denotes; NaN when it is invalid. */
export function momentFrom(text: string, options: MomentOptions): number {
  const days = daysIn(text, options);
  return days === undefined ? instantOf(text, options) : startOfDay(days.first, options.timeZone);
}

/** The last millisecond that a text denotes: the end of the day or month if it names one. */
export function momentUntil(text: string, options: MomentOptions): number {
  const days = daysIn(text, options);
  if (days === undefined) return instantOf(text, options);
  return startOfDay(shifted(days.last, 1), options.timeZone) - 1;
}

/**
 * An ISO time in milliseconds since the epoch, NaN when it is invalid. Without an offset it is UTC. A space in place of
 * the T and a comma before the fraction, as Python's logging writes them, are accepted.
 */
export function timeOf(text: string): number {
  const match = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?)(Z|[+-]\d\d:?\d\d)?$/i.exec(
    text.trim(),
  );
  if (!match) return isDay(text.trim()) ? Date.parse(`${text.trim()}T00:00:00Z`) : NaN;
  const [, day, time, offset = 'Z'] = match;
  if (!isDay(day!)) return NaN;
  const zone = offset.length === 5 ? `${offset.slice(0, 3)}:${offset.slice(3)}` : offset.toUpperCase();
  return Date.parse(`${day}T${time!.replace(',', '.')}${zone}`);
}

/** A time or a duration; a time without an offset is in the time zone. */
function instantOf(text: string, { nowMs, timeZone }: MomentOptions): number {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)\s*([mhdw])$/.exec(text.trim()) ?? [];
  if (amount !== undefined) return nowMs - Number(amount) * SPANS[unit as keyof typeof SPANS];
  const ms = timeOf(text);
  return Number.isNaN(ms) || /(Z|[+-]\d\d:?\d\d)$/i.test(text.trim()) ? ms : toZone(ms, timeZone);
}

interface Days {
  readonly first: string;
  readonly last: string;
}

/** The first and the last day that a text names, as YYYY-MM-DD: a day, or those of a month. */
function daysIn(text: string, { nowMs, timeZone }: MomentOptions): Days | undefined {
  const word = text.trim();
  if (isDay(word)) return { first: word, last: word };
  if (/^\d{4}-\d\d$/.test(word) && isDay(`${word}-01`)) return monthOf(word);
  if (word !== 'today' && word !== 'yesterday' && word !== 'month') return undefined;
  const today = dayAt(nowMs, timeZone);
  if (word === 'month') return monthOf(today.slice(0, 7));
  const day = word === 'today' ? today : shifted(today, -1);
  return { first: day, last: day };
}

/** @param month as YYYY-MM */
function monthOf(month: string): Days {
  const first = `${month}-01`;
  const next = `${shifted(first, 31).slice(0, 7)}-01`;
  return { first, last: shifted(next, -1) };
}

/** The date in a time zone at a moment, as YYYY-MM-DD. */
function dayAt(ms: number, timeZone: string): string {
  return localTime(ms, timeZone).slice(0, 10);
}

/** The local time in a time zone at a moment, as an ISO time without an offset. */
export function localTime(ms: number, timeZone: string): string {
  return new Date(ms + offsetAt(ms, timeZone)).toISOString().slice(0, -1);
}

/** Whether the date exists: 30 February does not. */
function isDay(text: string): boolean {
  const ms = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : NaN;
  return !Number.isNaN(ms) && new Date(ms).toISOString().slice(0, 10) === text;
}

function shifted(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);
}

function startOfDay(day: string, timeZone: string): number {
  return toZone(Date.parse(`${day}T00:00:00Z`), timeZone);
}
