/** Numbers of more digits or a larger exponent than a number here is sure to hold. */
const LONG_NUMBER = /[\d.]{16}|e\+?\d{3}/i;

/** A longer text is not looked through, characters. */
const MOST = 1024 * 1024;

/** Whether the numbers of JSON text are sure to stay what they are when it is parsed. */
export function areNumbersExact(text: string): boolean {
  return text.length <= MOST && (!LONG_NUMBER.test(text) || !hasLongNumber(text));
}

/** Whole numbers of so many digits may be larger than a number here is sure to hold. */
const LONG_INTEGER = /\d{16}/;

/** Whether such a whole number stands outside of the strings of JSON text. */
export function hasLongInteger(text: string): boolean {
  return LONG_INTEGER.test(text) && hasLongNumber(text, LONG_INTEGER);
}

/** Whether such a number stands outside of the strings of JSON text. */
function hasLongNumber(text: string, long = LONG_NUMBER): boolean {
  for (let at = 0; ;) {
    const quote = text.indexOf('"', at);
    if (long.test(text.slice(at, quote < 0 ? text.length : quote))) return true;
    if (quote < 0) return false;
    at = stringEnd(text, quote + 1);
  }
}

/** Behind the closing quote. By hand: an expression gives up without a word when a string has a million escapes. */
function stringEnd(text: string, from: number): number {
  for (let quote = text.indexOf('"', from); quote >= 0; quote = text.indexOf('"', quote + 1)) {
    let slashes = 0;
    while (text[quote - 1 - slashes] === '\\') slashes += 1;
    if (slashes % 2 === 0) return quote + 1;
  }
  return text.length;
}
