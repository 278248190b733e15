import { atOnce } from '../turns.ts';
import type { JsonBounds } from './json-bounds.ts';
import { readBefore } from './json-ahead.ts';
import { exactly } from './json-exact.ts';
import { areNumbersExact } from './json-numbers.ts';
import { parseInSteps } from './json-steps.ts';

/** JSON as values. Bodies from providers are parsed leniently: every field is `unknown` until it is checked. */
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

/** The own entry of a table for a key from outside: "constructor" has none. */
export function entryOf<T>(table: Readonly<Record<string, T>>, word: unknown): T | undefined {
  return typeof word === 'string' && Object.hasOwn(table, word) ? table[word] : undefined;
}

/** The value as a finite number, or `undefined`. */
export function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** The value as a count: a non-negative safe integer, or `undefined`. */
export function countOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

/** Text for a log, a page or a header: at most `max` characters, without control characters and lone surrogates. */
export function tidyText(text: string, max: number): string {
  return text.slice(0, max).replace(CONTROL, ' ').toWellFormed();
}

/** The same, but line breaks and tabs are kept: providers' messages may have several lines. */
const CONTROL = /(?![\n\t])\p{Cc}/gu;

/**
 * Limits that no answer exceeds: large ones contain vectors, or log probabilities. Deeper values could not be
 * serialised.
 */
export const ANSWER_BOUNDS: JsonBounds = {
  maxDepth: 512,
  maxValues: 10_000_000,
  maxFields: 2_000_000,
  maxObjectFields: 100_000,
};

/**
 * Limits that no piece of an answer, and no arguments of a call, exceed: parsing more at once would block the event
 * loop.
 */
export const PIECE_BOUNDS: JsonBounds = {
  maxDepth: 512,
  maxValues: 100_000,
  maxFields: 50_000,
  maxObjectFields: 25_000,
};

/** A shorter text cannot exceed them. */
const SHORT = 2 * PIECE_BOUNDS.maxDepth;

/** Parses JSON text; `undefined` when it is invalid or exceeds the limits, by default those for a piece. */
export function parseJson(text: string, bounds: JsonBounds = PIECE_BOUNDS): unknown {
  const known = bounds === PIECE_BOUNDS ? readBefore(text) : undefined;
  if (known) return known.value;
  try {
    return text.length <= SHORT
      ? (JSON.parse(text) as unknown)
      : atOnce(parseInSteps(text, bounds, Infinity));
  } catch {
    return undefined;
  }
}

/** Parses JSON text of at most a megabyte whose numbers are preserved; `undefined` for any other. */
export function parseExactJson(text: string): unknown {
  const value = parseJson(text);
  if (value === undefined) return undefined;
  return (readBefore(text)?.exact ?? areNumbersExact(text)) ? value : undefined;
}

/**
 * The arguments of a call as an object; `undefined` if they are not one. An empty text stands for no arguments, and so
 * does an empty list: PHP and R serialise an empty object that way.
 */
export function argumentsObject(text: unknown): JsonObject | undefined {
  if (text === undefined || text === '') return {};
  const value = parseJson(String(text));
  if (Array.isArray(value) && value.length === 0) return {};
  return isObject(value) ? exactly(String(text), value) : undefined;
}

/**
 * The arguments of a call in a conversation, in any state: an earlier mistake of a model is passed on in the closest
 * form that an object allows, and does not make the conversation invalid.
 */
export function argumentsIn(text: unknown): JsonObject {
  if (isObject(text)) return text;
  const given = argumentsObject(text);
  if (given) return given;
  const value = parseJson(String(text));
  return value === null ? {} : { arguments: value ?? text };
}

/**
 * Whether the arguments of a call are invalid, so that no tool can be run with them. `null` stands for no arguments.
 */
export function areBroken(text: string): boolean {
  return argumentsObject(text) === undefined && parseJson(text) !== null;
}
