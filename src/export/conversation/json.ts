/** JSON that every reader accepts. */

/**
 * A value as one line of JSON, newline included. Halves of surrogate pairs, which a stream cut within an emoji
 * leaves behind, become U+FFFD: `datasets`, DuckDB and jq reject the whole file for one of them.
 * @throws RangeError when it is nested too deep
 */
export function toLine(value: unknown): string {
  const line = JSON.stringify(value);
  // stringify() escapes only surrogates that have no other half; text with a backslash before "ud" merely costs
  // a second round.
  return `${line.includes('\\ud') ? JSON.stringify(wellFormed(value)) : line}\n`;
}

/** JavaScript keeps 53 bits of a whole number; readers of datasets keep 64, one of them for the sign. */
const LONG_INTEGER = /^-?\d{16,19}$/;
const [LEAST, MOST] = [-(2n ** 63n), 2n ** 63n - 1n];
const MAY_HOLD_LONG = /\d{16}/;

/** What TypeScript does not know yet. @see https://tc39.es/proposal-json-parse-with-source/ */
const { rawJSON, isRawJSON } = JSON as unknown as {
  rawJSON(text: string): { readonly rawJSON: string };
  isRawJSON(value: unknown): value is { readonly rawJSON: string };
};

/** Whether JSON text may hold numbers that JavaScript would round: seldom, and quickly told. */
export function mayHoldLongNumbers(text: string): boolean {
  return MAY_HOLD_LONG.test(text);
}

/**
 * JSON text as a value that gives the same numbers when it is written again: long ones stand in it as the text they were.
 * @throws SyntaxError when it is none
 */
export function parseLongNumbers(text: string): unknown {
  if (!mayHoldLongNumbers(text)) return JSON.parse(text) as unknown;
  const exact = (_: string, value: unknown, context?: { readonly source?: string }) => {
    const { source = '' } = context ?? {};
    return typeof value === 'number' && !Number.isSafeInteger(value) && isLong(source)
      ? rawJSON(source)
      : value;
  };
  return JSON.parse(text, exact as (key: string, value: unknown) => unknown) as unknown;
}

function isLong(source: string): boolean {
  if (!LONG_INTEGER.test(source)) return false;
  const number = BigInt(source);
  return number >= LEAST && number <= MOST;
}

/** Whether JSON text holds a number that is beyond all that can be written: it would become null. */
export function holdsInfinity(text: string): boolean {
  return MAY_BE_INFINITE.test(text) && isInfinite(JSON.parse(text));
}

const MAY_BE_INFINITE = /[eE]\+?\d{3}|\d{309}/;

function isInfinite(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.values(value).some(isInfinite);
  return value === Infinity || value === -Infinity;
}

/** The digits of a number, long or not; `undefined` for anything else. */
export function numberText(value: unknown): string | undefined {
  return typeof value === 'number' ? String(value) : isRawJSON(value) ? value.rawJSON : undefined;
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

/** A copy whose strings, keys included, are well-formed Unicode. */
export function wellFormed(value: unknown): unknown {
  if (typeof value === 'string') return value.toWellFormed();
  if (Array.isArray(value)) return value.map(wellFormed);
  if (typeof value !== 'object' || value === null || isRawJSON(value)) return value;
  // Object.fromEntries() takes a key named __proto__ for what it is.
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key.toWellFormed(), wellFormed(inner)]),
  );
}
