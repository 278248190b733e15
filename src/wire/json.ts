/** JSON as values. Bodies of providers are read leniently: every field is `unknown` until looked at. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: unknown };

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value as an object, or an empty one. */
export function objectOf(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}

/** The value as a list, or an empty one. */
export function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

export function stringOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** A table's entry of its own under a word that somebody else chose: "constructor" is none. */
export function entryOf<T>(table: Readonly<Record<string, T>>, word: unknown): T | undefined {
  return typeof word === 'string' && Object.hasOwn(table, word) ? table[word] : undefined;
}

/** The value as a finite number, or `undefined`. */
export function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** The value as a count: a safe integer from 0 up, or `undefined`. */
export function countOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

/** Text for a log, a page or a header: at most `max` characters, without control characters and halves of characters. */
export function tidyText(text: string, max: number): string {
  return text.slice(0, max).replace(CONTROL, ' ').toWellFormed();
}

/** Line ends and tabs are kept: words of providers have lines. */
const CONTROL = /(?![\n\t])\p{Cc}/gu;

/** Parses JSON text; `undefined` when it is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Levels of what is walked and written again. `JSON.stringify` takes seconds to find that the stack is exhausted. */
const MAX_DEPTH = 1_000;

/** Whether a value is nested too deeply to be written as JSON. @param length of its text, which tells most that are not */
export function isDeep(value: unknown, length = Infinity): boolean {
  // Every level has an opening and a closing bracket.
  return length > 2 * MAX_DEPTH && isDeeper(value, MAX_DEPTH);
}

/** Parses JSON text that is to be written again; `undefined` when it is not JSON, or is nested too deeply. */
export function parseShallow(text: string): unknown {
  const value = parseJson(text);
  return isDeep(value, text.length) ? undefined : value;
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  const inner: unknown[] = Array.isArray(value) ? value : Object.values(value);
  return inner.some((each) => isDeeper(each, levels - 1));
}

/** Texts, and numbers of more digits or a larger exponent than a number here is sure to hold. */
const STRING = /"(?:[^"\\]|\\.)*"/g;
const LONG_NUMBER = /[\d.]{16}|e\+?\d{3}/i;

/** Parses JSON text whose numbers stay what they are; `undefined` for any other. */
export function parseExactJson(text: string): unknown {
  const value = parseJson(text);
  if (value === undefined || !LONG_NUMBER.test(text)) return value;
  return LONG_NUMBER.test(text.replaceAll(STRING, '""')) ? undefined : value;
}

/**
 * The arguments of a call as an object; `undefined` for what is none. An empty text stands for no arguments, and so
 * does an empty list: PHP and R write an empty object so.
 */
export function argumentsObject(text: unknown): JsonObject | undefined {
  if (text === undefined || text === '') return {};
  const value = parseShallow(String(text));
  if (Array.isArray(value) && value.length === 0) return {};
  return isObject(value) ? value : undefined;
}

/** Whether the arguments of a call are such that no tool can be run with them. `null` stands for none. */
export function areBroken(text: string): boolean {
  return argumentsObject(text) === undefined && parseJson(text) !== null;
}
