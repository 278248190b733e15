/** Which records the user wants. */
import type { Facts } from './facts.ts';
import type { Filter } from './reasons.ts';

export interface Selection {
  readonly successfulOnly: boolean;
  /** First moment, milliseconds since the epoch. */
  readonly fromMs?: number;
  /** Last moment, inclusive. */
  readonly untilMs?: number;
  /** Part of the model name, in any case. */
  readonly modelFilter?: string;
}

/** Why a record is left out, or `undefined` when it is wanted. */
export function filterOf(facts: Facts, selection: Selection): Filter | undefined {
  const { successfulOnly, fromMs = -Infinity, untilMs = Infinity, modelFilter } = selection;
  if (modelFilter !== undefined && !facts.model.toLowerCase().includes(modelFilter.toLowerCase()))
    return 'model';
  if (successfulOnly && facts.failure) return facts.failure;
  if (fromMs === -Infinity && untilMs === Infinity) return undefined;
  const ms = timeOf(facts.ts);
  // A time that cannot be read is in no span.
  return ms >= fromMs && ms <= untilMs ? undefined : 'date';
}

const DAY_MS = 86_400_000;

/**
 * An ISO time in milliseconds since the epoch, NaN when it is none. Without an offset it is UTC; a space for
 * the T and a comma before the fraction, as Python's logging writes them, are read too.
 */
export function timeOf(text: string): number {
  const match = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?)(Z|[+-]\d\d:?\d\d)?$/i.exec(
    text.trim(),
  );
  if (!match) return dayOf(text);
  const [, day, time, offset = 'Z'] = match;
  if (Number.isNaN(dayOf(day!))) return NaN;
  const zone = offset.length === 5 ? `${offset.slice(0, 3)}:${offset.slice(3)}` : offset.toUpperCase();
  return Date.parse(`${day}T${time!.replace(',', '.')}${zone}`);
}

/** The last millisecond a date or time stands for: of the whole day when it names a day. */
export function endOf(text: string): number {
  const day = dayOf(text);
  return Number.isNaN(day) ? timeOf(text) : day + DAY_MS - 1;
}

/** Midnight UTC of a day YYYY-MM-DD, NaN when there is no such day. */
function dayOf(text: string): number {
  const ms = /^\d{4}-\d\d-\d\d$/.test(text.trim()) ? Date.parse(`${text.trim()}T00:00:00Z`) : NaN;
  // 30 February would become 2 March.
  return Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 10) !== text.trim() ? NaN : ms;
}
