/** JSON that every reader accepts. */
import type { JsonObject } from '../../wire/json.ts';
import { isRawJSON, loadableNumber, parseLongNumbers } from '../../wire/long-numbers.ts';

/**
 * A value as one line of JSON, newline included. Halves of surrogate pairs, which a stream cut within an emoji leaves
 * behind, become U+FFFD: `datasets`, DuckDB and jq reject the whole file for one of them. Numbers must be loadable already:
 * as {@link parseLongNumbers} and {@link loadable} give them.
 * @throws RangeError when it is nested too deep
 */
export function toLine(value: unknown): string {
  const line = JSON.stringify(value);
  // stringify() escapes only surrogates that have no other half; text with a backslash before "ud" merely costs
  // a second round.
  return `${line.includes('\\ud') ? JSON.stringify(loadable(value)) : line}\n`;
}

/** The same of a value whose numbers may be any. */
export function toLoadableLine(value: unknown): string {
  const line = toLine(value);
  return MAY_BE_HUGE.test(line) ? toLine(loadable(value)) : line;
}

/** A value as JSON text within a row, whose strings are well-formed too when a trainer parses it. */
export function jsonText(value: unknown): string {
  const text = JSON.stringify(value);
  return text.includes('\\ud') ? JSON.stringify(loadable(value)) : text;
}

const MAY_BE_HUGE = /\d{19}/;

/** Whether a value has numbers that JavaScript may have rounded, or that it takes for Infinity. */
export function holdsRounded(value: unknown): boolean {
  if (typeof value === 'number') return !Number.isSafeInteger(value) && !(Math.abs(value) < 2 ** 53);
  return typeof value === 'object' && value !== null && Object.values(value).some(holdsRounded);
}

/** A row of ours, of which every number is written again as it is. */
export function parseRow(text: string): JsonObject {
  return parseLongNumbers(text) as JsonObject;
}

/** Whether JSON text holds a number that is beyond all that can be written: it would become null. */
export function holdsInfinity(text: string): boolean {
  return MAY_BE_INFINITE.test(text) && isInfinite(JSON.parse(text));
}

const MAY_BE_INFINITE = /[eE]\+?\d{3}|\d{309}/;

/** Whether a value is, or holds, a number that JSON text cannot hold. */
export function isInfinite(value: unknown): boolean {
  if (isRawJSON(value)) return !Number.isFinite(Number(value.rawJSON));
  if (typeof value === 'object' && value !== null) return Object.values(value).some(isInfinite);
  return value === Infinity || value === -Infinity;
}

/**
 * Levels of lists and objects that a row may have. Arrow knows no more than 64, and `datasets` then fails on the whole
 * file, unless its features say that a column is JSON.
 */
export const MAX_ROW_DEPTH = 60;
/** Levels that arguments and definitions of tools may have, which lie some levels within a row. */
export const MAX_TOOL_DEPTH = 50;

/** Whether a value has lists and objects within each other to more than so many levels. */
export function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  return Object.values(value).some((inner) => isDeeper(inner, levels - 1));
}

/** A copy whose strings, keys included, are well-formed Unicode, and whose numbers are written so that they load. */
export function loadable(value: unknown): unknown {
  if (typeof value === 'string') return value.toWellFormed();
  if (typeof value === 'number') return loadableNumber(value, String(value));
  if (Array.isArray(value)) return value.map(loadable);
  if (typeof value !== 'object' || value === null) return value;
  if (isRawJSON(value)) return loadableNumber(value, value.rawJSON);
  // Object.fromEntries() takes a key named __proto__ for what it is.
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key.toWellFormed(), loadable(inner)]),
  );
}
