/** Preserves numbers in JSON text that JavaScript would round. */

/** JavaScript numbers hold integers of 53 bits; readers of datasets hold 64. */
const LONG_INTEGER = /^-?\d{16,20}$/;
const [LEAST, MOST] = [-(2n ** 63n), 2n ** 64n - 1n];
/**
 * Text that may contain numbers which JavaScript rounds, turns into Infinity, or writes with more digits than readers
 * accept.
 */
const MAY_HOLD_LONG = /\d{16}|\d[eE]\+?\d\d/;

/** Functions of JSON that TypeScript does not know yet. @see https://tc39.es/proposal-json-parse-with-source/ */
export const { rawJSON, isRawJSON } = JSON as unknown as {
  rawJSON(text: string): { readonly rawJSON: string };
  isRawJSON(value: unknown): value is { readonly rawJSON: string };
};

/** Whether JSON text may contain numbers that JavaScript would round: rare, and quickly determined. */
export function mayHoldLongNumbers(text: string): boolean {
  return MAY_HOLD_LONG.test(text);
}

/**
 * Parses JSON text to a value that serialises to the same numbers: long ones are kept as the text they were. Integers
 * beyond 64 bits get an exponent, `1e+20` for 100000000000000000000: `datasets` fails on the whole file if one of them
 * is written in digits.
 * @throws SyntaxError when it is invalid
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

/** Whether pyarrow and `datasets` can hold an integer, given in digits. */
export function isLoadable(digits: string): boolean {
  const number = BigInt(digits);
  return number >= LEAST && number <= MOST;
}

/** The digits of a number, long or not; `undefined` for anything else. */
export function numberText(value: unknown): string | undefined {
  return typeof value === 'number' ? String(value) : isRawJSON(value) ? value.rawJSON : undefined;
}

/** A number in the form in which it can be written; integers beyond 64 bits get an exponent. */
export function loadableNumber(value: unknown, text: string): unknown {
  return /^-?\d{19,}$/.test(text) && !isLoadable(text) ? rawJSON(Number(text).toExponential()) : value;
}
