import { stringEnd } from './json-string-end.ts';

/** Detects numbers with more digits or a larger exponent than a JavaScript number can hold exactly. */
const LONG_NUMBER = /[\d.]{16}|e\+?\d{3}/i;

/** Longer texts are not scanned, characters. */
const MOST = 1024 * 1024;

/** Whether all numbers in JSON text are preserved when it is parsed. */
export function areNumbersExact(text: string): boolean {
  return text.length <= MOST && (!LONG_NUMBER.test(text) || !hasLongNumber(text));
}

/** Integers with this many digits may exceed what a JavaScript number can hold exactly. */
const LONG_INTEGER = /\d{16}/;

/** Whether such an integer occurs outside the strings of JSON text. */
export function hasLongInteger(text: string): boolean {
  return LONG_INTEGER.test(text) && hasLongNumber(text, LONG_INTEGER);
}

/** Whether such a number occurs outside the strings of JSON text. */
function hasLongNumber(text: string, long = LONG_NUMBER): boolean {
  for (let at = 0; ;) {
    const quote = text.indexOf('"', at);
    if (long.test(text.slice(at, quote < 0 ? text.length : quote))) return true;
    if (quote < 0) return false;
    at = stringEnd(text, quote + 1) + 1;
  }
}
