import { listOf, objectOf, parseJson, stringOf } from './json.ts';

const DAY_MS = 86_400_000;

/** Larger numbers are times rather than durations: September 2001 in either unit. */
const EPOCH_SECONDS = 1e9;
const EPOCH_MS = 1e12;

/** Headers about limits: how much is left, and when it is renewed. */
const DIMENSIONS = [
  ['x-ratelimit-remaining', 'x-ratelimit-reset'],
  ['x-ratelimit-remaining-requests', 'x-ratelimit-reset-requests'],
  ['x-ratelimit-remaining-tokens', 'x-ratelimit-reset-tokens'],
  ['anthropic-ratelimit-requests-remaining', 'anthropic-ratelimit-requests-reset'],
  ['anthropic-ratelimit-tokens-remaining', 'anthropic-ratelimit-tokens-reset'],
  ['anthropic-ratelimit-input-tokens-remaining', 'anthropic-ratelimit-input-tokens-reset'],
  ['anthropic-ratelimit-output-tokens-remaining', 'anthropic-ratelimit-output-tokens-reset'],
] as const;

/**
 * How long a provider asks clients to wait. The most explicit statement is used: Retry-After headers, then Gemini's
 * RetryInfo in the body, then the reset of a limit that is used up, then "try again in 1.5s" in the message.
 * `retry-after-ms: 0` together with `retry-after: 1` was recorded, so the larger of the two headers counts.
 * @param nowMs milliseconds since the epoch, for dates
 * @returns milliseconds from 0 to one day, or `undefined` when there is no statement
 */
export function retryAfterMs(headers: Headers, body: string | undefined, nowMs: number): number | undefined {
  const waitMs =
    largest([
      ...valuesIn(headers.get('retry-after-ms')).map((text) => number(text, 1)),
      ...valuesIn(headers.get('retry-after')).map((text) => number(text, 1_000) ?? date(text, nowMs)),
    ]) ??
    retryInfo(body) ??
    largest(DIMENSIONS.map(([left, reset]) => exhausted(headers.get(left), headers.get(reset), nowMs))) ??
    statedIn(body);
  return waitMs === undefined ? undefined : Math.min(DAY_MS, Math.max(0, waitMs));
}

function largest(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
}

function number(text: string | null, unitMs: number): number | undefined {
  return text !== null && /^\s*\d+(\.\d+)?\s*$/.test(text) ? Number(text) * unitMs : undefined;
}

/** The values of a header that a proxy repeated, which are joined by commas; a weekday and its date are one value. */
function valuesIn(header: string | null): string[] {
  return header?.match(/(?:\s*[A-Za-z]+\s*,)?[^,]+/g) ?? [];
}

/** "Sunday, 06-Nov-94 08:49:37 GMT", an obsolete form that recipients must accept. */
const WITH_SHORT_YEAR = /(\d{1,2})-([A-Za-z]{3})-(\d{2}) (\d{2}:\d{2}:\d{2})/;

const ZONE = /(?:Z|GMT|UTC|[+-]\d{2}:?\d{2})\s*$/i;

/** @see https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7 */
function date(text: string, nowMs: number): number | undefined {
  const [, day, month, year, time] = WITH_SHORT_YEAR.exec(text) ?? [];
  const whole = time === undefined ? text : `${day} ${month} ${fullYear(Number(year), nowMs)} ${time}`;
  if (!/\d{4}/.test(whole) || !/[A-Za-z]/.test(whole)) return undefined;
  // Times without a zone, as in the form of `asctime`, are in UTC.
  const zone = ZONE.test(whole) ? '' : /\dT\d/.test(whole) ? 'Z' : ' GMT';
  const atMs = Date.parse(whole.trim() + zone);
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs);
}

/** A year of two digits is in the past if it would be more than 50 years in the future. */
function fullYear(year: number, nowMs: number): number {
  const now = new Date(nowMs).getUTCFullYear();
  const same = now - (now % 100) + year;
  return same > now + 50 ? same - 100 : same;
}

/** "12ms", "1s", "6m0s", "1h2m3.5s" in milliseconds. */
function span(text: string): number | undefined {
  const match =
    /^\s*(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?\s*$/.exec(
      text,
    );
  if (!match || text.trim() === '') return undefined;
  const [, hours = 0, minutes = 0, seconds = 0, ms = 0] = match;
  return Number(hours) * 3_600_000 + Number(minutes) * 60_000 + Number(seconds) * 1_000 + Number(ms);
}

function exhausted(left: string | null, reset: string | null, nowMs: number): number | undefined {
  if (reset === null || left === null || !(Number(left) <= 0)) return undefined;
  return readReset(reset, nowMs)?.ms;
}

/** When a limit is renewed, from a header. */
export interface Reset {
  /** Milliseconds from now, or from the time of the response. */
  readonly ms: number;
  /** Whether it was given as a time, which does not depend on when it is read. */
  readonly moment: boolean;
}

/** Parses "6m0s", "1.5", seconds or milliseconds since the epoch, or a date; `undefined` for anything else. */
export function readReset(text: string, nowMs: number): Reset | undefined {
  const momentMs = moment(text, nowMs);
  if (momentMs !== undefined) return { ms: momentMs, moment: true };
  const spanMs = number(text, 1_000) ?? span(text);
  if (spanMs !== undefined) return { ms: spanMs, moment: false };
  const dateMs = date(text, nowMs);
  return dateMs === undefined ? undefined : { ms: dateMs, moment: true };
}

/** Some vendors send a time rather than a duration: seconds or milliseconds since the epoch. */
function moment(text: string, nowMs: number): number | undefined {
  const value = number(text, 1);
  if (value === undefined || value < EPOCH_SECONDS) return undefined;
  return Math.max(0, (value < EPOCH_MS ? value * 1_000 : value) - nowMs);
}

/** Gemini: `error.details[].retryDelay` of google.rpc.RetryInfo. */
function retryInfo(body: string | undefined): number | undefined {
  if (body === undefined || !body.includes('retryDelay')) return undefined;
  const parsed = parseJson(body);
  const { error } = objectOf(Array.isArray(parsed) ? parsed[0] : parsed);
  for (const detail of listOf(objectOf(error).details)) {
    const delay = stringOf(objectOf(detail).retryDelay);
    if (delay !== undefined) return span(delay);
  }
  return undefined;
}

/** "try again in 6m0s", "retry after 12 seconds". */
function statedIn(body: string | undefined): number | undefined {
  const stated =
    /(?:try again|retry) (?:in|after) ((?:\d+(?:\.\d+)?\s*(?:ms|h(?:ours?)?|m(?:in(?:ute)?s?)?|s(?:ec(?:ond)?s?)?)(?![a-z])\s*)+)/i.exec(
      body ?? '',
    )?.[1];
  // Units by their first letter, except milliseconds.
  return stated === undefined
    ? undefined
    : span(stated.toLowerCase().replace(/\s+|(?<=[hs])[a-z]+|(?<=m)[a-rt-z][a-z]*/g, ''));
}
