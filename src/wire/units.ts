/** Counts that providers report: of tokens, and of whatever else has a price. */
import { countOf, isObject, numberOf } from './json.ts';

/**
 * Amounts that are reported besides tokens: parts of the tokens with a price of their own, and other charged units. The
 * names are those of the request log (`units`).
 */
export const UNITS = {
  cacheWrite1h: 'cache_write_1h_tokens',
  inputAudio: 'input_audio_tokens',
  cachedAudio: 'cached_audio_tokens',
  outputAudio: 'output_audio_tokens',
  inputImage: 'input_image_tokens',
  cachedImage: 'cached_image_tokens',
  outputImage: 'output_image_tokens',
  webSearches: 'web_searches',
  fileSearches: 'file_searches',
  images: 'images',
  seconds: 'seconds',
  characters: 'characters',
} as const;

export type Unit = keyof typeof UNITS;

const UNIT_NAMES = Object.keys(UNITS) as Unit[];

/** Only amounts above zero. */
export type Units = { readonly [name in Unit]?: number };

/**
 * More than any model takes or writes for one answer. A provider that reports more is not believed: its usage would use
 * up limits that others share.
 */
const MOST_TOKENS = 50_000_000;

/** Reported tokens; `undefined` if they are not a count, or not to be believed. */
export function tokenCount(value: unknown): number | undefined {
  const count = countOf(value);
  return count === undefined || count > MOST_TOKENS ? undefined : count;
}

/** The same for searches that an answer took. */
const MOST_SEARCHES = 10_000;

/** Reported searches; `undefined` if they are not a count, or not to be believed. */
export function searchCount(value: unknown): number | undefined {
  const count = countOf(value);
  return count === undefined || count > MOST_SEARCHES ? undefined : count;
}

/** The units with an amount above zero. */
export function unitsOf(amounts: { readonly [name in Unit]?: number | undefined }): Units {
  const some: { [name in Unit]?: number } = {};
  for (const name of UNIT_NAMES) {
    const amount = amounts[name];
    if (amount !== undefined && amount > 0) some[name] = amount;
  }
  return some;
}

/** Adds counts of one request. The sum is capped, so that it can be believed as well as its parts. */
export function sumOf(...counts: readonly number[]): number {
  return Math.min(
    MOST_TOKENS,
    counts.reduce((sum, count) => sum + count, 0),
  );
}

export function sumOfUnits(a: Units, b: Units): Units {
  return unitsOf(Object.fromEntries(UNIT_NAMES.map((name) => [name, sumOf(a[name] ?? 0, b[name] ?? 0)])));
}

/** Units in the form of the request log; `undefined` when there are none. */
export function encodeUnits(usage: Units): Record<string, number> | undefined {
  let some: Record<string, number> | undefined;
  for (const name of UNIT_NAMES) {
    const amount = usage[name];
    if (amount) (some ??= {})[UNITS[name]] = amount;
  }
  return some;
}

/** Reads units from the request log. */
export function decodeUnits(value: unknown): Units {
  if (!isObject(value)) return {};
  return unitsOf(Object.fromEntries(UNIT_NAMES.map((name) => [name, numberOf(value[UNITS[name]])])));
}
