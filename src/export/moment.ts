/** Moments as people write them: days, times, spans before now. */
import { offsetAt as offsetOf, toZone as momentIn } from '../config/time-zone.ts';
import { ExportError } from './error.ts';

export interface MomentOptions {
  /** What spans count back from, milliseconds since the epoch. */
  readonly nowMs: number;
  /** IANA name of the zone where days begin, such as "Europe/Berlin". */
  readonly timeZone: string;
}

const SPANS = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;
const DAY_MS = SPANS.d;

/** The first millisecond that a text stands for, NaN when it is no moment. */
export function momentFrom(text: string, options: MomentOptions): number {
  const day = dayIn(text, options);
  return day === undefined ? instantOf(text, options) : startOfDay(day, options.timeZone);
}

/** The last millisecond that a text stands for: of the whole day when it names a day. */
export function momentUntil(text: string, options: MomentOptions): number {
  const day = dayIn(text, options);
  if (day === undefined) return instantOf(text, options);
  return startOfDay(shifted(day, 1), options.timeZone) - 1;
}

/**
 * An ISO time in milliseconds since the epoch, NaN when it is none. Without an offset it is UTC; a space for
 * the T and a comma before the fraction, as Python's logging writes them, are read too.
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

/** A time or a span; a time without an offset is one of the zone. */
function instantOf(text: string, { nowMs, timeZone }: MomentOptions): number {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)\s*([mhdw])$/.exec(text.trim()) ?? [];
  if (amount !== undefined) return nowMs - Number(amount) * SPANS[unit as keyof typeof SPANS];
  const ms = timeOf(text);
  return Number.isNaN(ms) || /(Z|[+-]\d\d:?\d\d)$/i.test(text.trim()) ? ms : toZone(ms, timeZone);
}

/** The day that a text names, as YYYY-MM-DD. */
function dayIn(text: string, { nowMs, timeZone }: MomentOptions): string | undefined {
  const word = text.trim();
  if (isDay(word)) return word;
  if (word !== 'today' && word !== 'yesterday') return undefined;
  const today = new Date(nowMs + offsetAt(nowMs, timeZone)).toISOString().slice(0, 10);
  return word === 'today' ? today : shifted(today, -1);
}

/** Whether it is a day of the calendar: 30 February is none. */
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

function toZone(shown: number, timeZone: string): number {
  return inZone(timeZone, () => momentIn(shown, timeZone));
}

function offsetAt(ms: number, timeZone: string): number {
  return inZone(timeZone, () => offsetOf(ms, timeZone));
}

/** @throws ExportError for a zone nobody knows */
function inZone<T>(timeZone: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    const message = `Cannot use --time-zone ${timeZone}: expected a name such as Europe/Berlin`;
    throw new ExportError('usage', message, { cause });
  }
}
