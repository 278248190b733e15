/** Counts that providers report: of tokens, and of whatever else has a price. */
import type { FeeUnit } from '../fee-units.ts';
import { FEE_UNITS } from '../fee-units.ts';
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
  inputVideo: 'input_video_tokens',
  outputVideo: 'output_video_tokens',
  webSearches: 'web_searches',
  previewSearches: 'preview_web_searches',
  mapSearches: 'map_searches',
  fileSearches: 'file_searches',
  pageVisits: 'page_visits',
  codeCalls: 'code_calls',
  containerGigabytes: 'container_gigabytes',
  rerankSearches: 'rerank_searches',
  guardrailFilters: 'guardrail_filter_units',
  guardrailChecks: 'guardrail_check_units',
  guardrailImages: 'guardrail_image_units',
  guardrailReasoning: 'guardrail_reasoning_units',
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

/** The same for searches that an answer took, and for other work of tools. */
const MOST_SEARCHES = 10_000;

/** Reported searches; `undefined` if they are not a count, or not to be believed. */
export function searchCount(value: unknown): number | undefined {
  const count = countOf(value);
  return count === undefined || count > MOST_SEARCHES ? undefined : count;
}

const FEE_NAMES = UNIT_NAMES.filter((name) => (FEE_UNITS as readonly string[]).includes(UNITS[name]));

/** The units that have a fee of their own, by the names of the request log. */
export const UNITS_WITH_FEES: ReadonlyMap<FeeUnit, Unit> = new Map(
  FEE_NAMES.map((name) => [UNITS[name] as FeeUnit, name]),
);

/** Reads units with a fee from a usage in OpenAI's format, as far as they are to be believed. */
export function decodeFeeUnits(value: unknown): Units {
  if (!isObject(value)) return {};
  return unitsOf(Object.fromEntries(FEE_NAMES.map((name) => [name, searchCount(value[UNITS[name]])])));
}

/** Units with a fee, for a usage in OpenAI's format; `undefined` when there are none. */
export function encodeFeeUnits(usage: Units): Record<string, number> | undefined {
  return encodeUnits(Object.fromEntries(FEE_NAMES.map((name) => [name, usage[name]])));
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
