/** Keeps what surrounds a value intact when it is replaced: characters, escapes, and JSON that is a part of a text. */

/** The length of the longest escape that is looked for, characters. */
const LONGEST_ESCAPE = 16;
const ESCAPE =
  /\\+(?:u\{[0-9A-Fa-f]{1,6}\}|u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2})|%(?:25){0,2}[0-9A-Fa-f]{2}|&(?:amp;)?(?:#\d{2,6}|#x[0-9A-Fa-f]{2,5}|[a-z]{2,8});/y;
const SIGN = /[\\%&]/g;

/** Where a match in a text begins and ends if it leaves no half of a character or an escape behind. */
export function wholeCharacters(text: string, from: number, to: number): readonly [from: number, to: number] {
  // The letter of `\n` is not part of the word after it.
  const letter = text[from - 1] === '\\' && /[nrtbf]/.test(text[from]!) && to - from > 1;
  const begin = isPair(text, from) ? from - 1 : letter ? from + 1 : from;
  let end = isPair(text, to) ? to + 1 : to;
  // A backslash belongs to what follows it: the quotation mark that ends a string in JSON.
  if (end < text.length) {
    let run = end;
    while (run > begin && text[run - 1] === '\\') run -= 1;
    if (run > begin) end = run;
  }
  return [begin, escapeEnd(text, end)];
}

/** Whether a position is between the two halves of a character. */
function isPair(text: string, at: number): boolean {
  const [before, behind] = [text.charCodeAt(at - 1), text.charCodeAt(at)];
  return before >= 0xd800 && before <= 0xdbff && behind >= 0xdc00 && behind <= 0xdfff;
}

/** The end of the escape that a position is within; otherwise the position. */
function escapeEnd(text: string, at: number): number {
  const start = Math.max(0, at - LONGEST_ESCAPE);
  for (const { index } of text.slice(start, at).matchAll(SIGN)) {
    ESCAPE.lastIndex = start + index;
    if (ESCAPE.test(text) && ESCAPE.lastIndex > at) return ESCAPE.lastIndex;
  }
  return at;
}

/** The quotation mark before a number, and what is between them. */
const BEFORE_NUMBER = /(\\*)"((?:[\s\d.,:+[\]{}-]|\\+[nrt]|true|false|null|e)*)$/;
/** What follows the end of a string, rather than its beginning. */
const BEHIND_STRING = /^(?:\s|\\+[nrt])*[:,\]}]/;
const IN_LIST = /(?:^|[^\w)\]])\[[\s\d.,+[\]{}-]*$/;
const LIST_GOES_ON = /^[\s\d.,+-]*[[\]{"]/;
const BEHIND_NUMBER = /^(?:\s|\\+[nrt])*(?:[\]}]|$|,(?:\s|\\+[nrt])*(?:\\*"|[[{\d-]|true|false|null|$))/;
/** The number of characters before a number and after it that are looked at. */
const BEFORE = 240;
const BEHIND = 64;

const NUMBER = /^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i;
const REST_OF_NUMBER = /(?:\.\d{1,64})?(?:e[+-]?\d{1,8})?/iy;

/** Where a number in JSON begins and ends of which the digits are a part: with its sign, fraction and exponent. */
export function wholeNumber(text: string, from: number, to: number): readonly [from: number, to: number] {
  const begin = text[from - 1] === '-' ? from - 1 : from;
  REST_OF_NUMBER.lastIndex = to;
  REST_OF_NUMBER.test(text);
  return [begin, REST_OF_NUMBER.lastIndex];
}

/**
 * The quotation mark with which the replacement of a number begins and ends, if it is a number in JSON within a text;
 * otherwise nothing. JSON would not be valid with a word there.
 */
export function quotesFor(text: string, from: number, to: number): string {
  if (!NUMBER.test(text.slice(from, to)) || !BEHIND_NUMBER.test(text.slice(to, to + BEHIND))) return '';
  const before = text.slice(Math.max(0, from - BEFORE), from);
  if (!/[:,[](?:\s|\\+[nrt])*$/.test(before)) return '';
  const [whole, slashes, between] = BEFORE_NUMBER.exec(before) ?? [];
  if (whole === undefined)
    return IN_LIST.test(before) && LIST_GOES_ON.test(text.slice(to, to + BEFORE)) ? '"' : '';
  // Within JSON in a string, 2^depth - 1 backslashes precede a mark; any before those belong to the string.
  let own = 1;
  while ((slashes!.length & own) !== 0) own *= 2;
  return `${'\\'.repeat(BEHIND_STRING.test(between!) ? own - 1 : 2 * own - 1)}"`;
}
