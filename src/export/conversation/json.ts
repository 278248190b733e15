/** JSON that every reader accepts. */
import type { JsonObject } from '../../wire/json.ts';
import { ANSWER_BOUNDS, parseJson } from '../../wire/json.ts';
import { changedJson } from '../../wire/json-in-text.ts';
import { isRawJSON, loadableNumber, parseLongNumbers } from '../../wire/long-numbers.ts';

/**
 * A value as one line of JSON, including the newline. Lone surrogates, which remain when a stream is cut within an
 * emoji, become U+FFFD: `datasets`, DuckDB and jq reject the whole file because of one. Numbers must already be
 * loadable, as {@link parseLongNumbers} and {@link loadable} return them.
 * @throws RangeError when it is nested too deep
 */
export function toLine(value: unknown): string {
  const line = JSON.stringify(value);
  // stringify() escapes lone surrogates only; text with a backslash before "ud" merely costs a second pass.
  return `${line.includes('\\ud') ? JSON.stringify(loadable(value)) : line}\n`;
}

/** The same for a value with arbitrary numbers. */
export function toLoadableLine(value: unknown): string {
  const line = toLine(value);
  return MAY_BE_HUGE.test(line) ? toLine(loadable(value)) : line;
}

/** A value as JSON text within a row; its strings are well-formed as well when a trainer parses it. */
export function jsonText(value: unknown): string {
  const text = JSON.stringify(value);
  return wellFormedJson(text.includes('\\ud') ? JSON.stringify(loadable(value)) : text);
}

/** A lone surrogate as JSON text escapes it, or such text within text. */
const ESCAPED_SURROGATE = /\\u[dD][89a-fA-F]/;
/** JSON within JSON is followed to this depth. */
const MAX_TEXT_DEPTH = 8;

/** Whether text is JSON in which a parser would find a lone surrogate, at whatever depth of JSON within JSON. */
export function hidesSurrogates(text: string): boolean {
  return wellFormedJson(text) !== text;
}

/**
 * Text without lone surrogates. If it is the JSON text of an object or a list, its strings are without them as well when
 * it is parsed, and so is JSON text within these. White space and numbers stay as they are.
 */
export function wellFormedJson(text: string, depth = MAX_TEXT_DEPTH): string {
  const plain = text.toWellFormed();
  if (depth === 0 || !ESCAPED_SURROGATE.test(plain)) return plain;
  if (typeof parseJson(plain, ANSWER_BOUNDS) !== 'object') return plain;
  const fixed = (inner: string) => wellFormedJson(inner, depth - 1);
  return changedJson(plain, { name: fixed, text: fixed, number: (digits) => digits });
}

const MAY_BE_HUGE = /\d{19}/;

/** Whether a value contains numbers that JavaScript may have rounded, or that overflow. */
export function holdsRounded(value: unknown): boolean {
  if (typeof value === 'number') return !Number.isSafeInteger(value) && !(Math.abs(value) < 2 ** 53);
  return typeof value === 'object' && value !== null && Object.values(value).some(holdsRounded);
}

/** Serialises a row of ours, whose numbers are written unchanged. */
export function parseRow(text: string): JsonObject {
  return parseLongNumbers(text) as JsonObject;
}

/** Whether JSON text contains a number that overflows and would become null. */
export function holdsInfinity(text: string): boolean {
  return MAY_BE_INFINITE.test(text) && isInfinite(JSON.parse(text));
}

const MAY_BE_INFINITE = /[eE]\+?\d{3}|\d{309}/;

/** Whether a value is, or contains, a number that JSON cannot represent. */
export function isInfinite(value: unknown): boolean {
  if (isRawJSON(value)) return !Number.isFinite(Number(value.rawJSON));
  if (typeof value === 'object' && value !== null) return Object.values(value).some(isInfinite);
  return value === Infinity || value === -Infinity;
}

/**
 * The nesting depth of lists and objects in a row. Arrow supports at most 64 levels, and `datasets` then fails on the
 * whole file, unless a column is declared as JSON.
 */
export const MAX_ROW_DEPTH = 60;
/** The nesting depth of arguments and tool definitions, which are themselves nested within a row. */
export const MAX_TOOL_DEPTH = 50;

/** Whether lists and objects in a value are nested more deeply than this. */
export function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  return Object.values(value).some((inner) => isDeeper(inner, levels - 1));
}

/** A copy with well-formed strings, including keys, and with numbers in a form that loads. */
export function loadable(value: unknown): unknown {
  if (typeof value === 'string') return value.toWellFormed();
  if (typeof value === 'number') return loadableNumber(value, String(value));
  if (Array.isArray(value)) return value.map(loadable);
  if (typeof value !== 'object' || value === null) return value;
  if (isRawJSON(value)) return loadableNumber(value, value.rawJSON);
  // Object.fromEntries() treats a key named __proto__ as an ordinary key.
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key.toWellFormed(), loadable(inner)]),
  );
}
