/** Numbers of JSON text that JavaScript would round, kept as they are written. */

/** JavaScript keeps 53 bits of a whole number; readers of datasets keep 64. */
const LONG_INTEGER = /^-?\d{16,20}$/;
const [LEAST, MOST] = [-(2n ** 63n), 2n ** 64n - 1n];
/** Text that may hold numbers which JavaScript rounds, turns into Infinity, or writes in more digits than readers accept. */
const MAY_HOLD_LONG = /\d{16}|\d[eE]\+?\d\d/;

/** Functions of JSON that TypeScript does not know yet. @see https://tc39.es/proposal-json-parse-with-source/ */
export const { rawJSON, isRawJSON } = JSON as unknown as {
  rawJSON(text: string): { readonly rawJSON: string };
  isRawJSON(value: unknown): value is { readonly rawJSON: string };
};

/** Whether JSON text may hold numbers that JavaScript would round: seldom, and quickly told. */
export function mayHoldLongNumbers(text: string): boolean {
  return MAY_HOLD_LONG.test(text);
}

/**
 * JSON text as a value that gives the same numbers when it is written again: long ones stand in it as the text they were.
 * Whole numbers beyond 64 bits get an exponent, `1e+20` for 100000000000000000000: `datasets` fails on the whole file for one
 * that is written in digits.
 * @throws SyntaxError when it is none
 */
export function parseLongNumbers(text: string): unknown {
  if (!mayHoldLongNumbers(text)) return JSON.parse(text) as unknown;
  const exact = (_: string, value: unknown, context?: { readonly source?: string }) => {
    const { source = '' } = context ?? {};
    if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
    if (isLong(source) || !Number.isFinite(value)) return rawJSON(source);
    return loadableNumber(value, String(value));
  };
  return JSON.parse(text, exact as (key: string, value: unknown) => unknown) as unknown;
}

function isLong(source: string): boolean {
  return LONG_INTEGER.test(source) && isLoadable(source);
}

/** Whether a whole number, in digits, is one that pyarrow and `datasets` hold. */
export function isLoadable(digits: string): boolean {
  const number = BigInt(digits);
  return number >= LEAST && number <= MOST;
}

/** The digits of a number, long or not; `undefined` for anything else. */
export function numberText(value: unknown): string | undefined {
  return typeof value === 'number' ? String(value) : isRawJSON(value) ? value.rawJSON : undefined;
}

/** A number as it can be written; whole ones beyond 64 bits get an exponent. */
export function loadableNumber(value: unknown, text: string): unknown {
  return /^-?\d{19,}$/.test(text) && !isLoadable(text) ? rawJSON(Number(text).toExponential()) : value;
}
