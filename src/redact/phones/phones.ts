/** Finds phone numbers by how they are written, by national numbering plans, and by the words before them. */
import type { Context } from '../context.ts';
import type { Found } from '../secrets/rule.ts';
import { weighted } from '../checksums.ts';
import { isNamed, isNamedBehind, mayNameBehind } from '../context.ts';
import { isInPath, isInTable } from '../surroundings.ts';
import { hasTrunkPrefix, international } from './countries.ts';
import { PHONE_HINTS, PHONE_WORDS } from './words.ts';

/**
 * A candidate: seven digits or more in groups, beginning with a `+`, a bracket or a digit. After other digits and a
 * space, only what is written differently, with hyphens or dots; after digits and a comma, also what begins with 0.
 */
export const PHONE_CANDIDATE =
  /(?=[+(\d])(?<![A-Za-z0-9+]|[A-Za-z0-9]__?|[A-Za-z0-9_][$#]|[$€£¥#]\s?)(?<!\d[.:/\u2010-\u2013-])(?:\+\s?\d|\(\s?\+?\d|(?<!\d[ \u00a0])(?:0\d|(?<!\d,)\d)|\d(?=\d{1,4}[.\u2010-\u2013-]\d))(?:[ \u00a0().\u2010-\u2013/-]{0,3}\d){6,17}(?!\d)/g;

/** Extensions are part of the number. */
export const EXTENSION = /(?:,? ?(?:x|ext\.?|extension|#) ?\d{1,6})(?!\w)/iy;

/** The number of groups of one digit, without a word that identifies it. */
const MOST_SINGLE = 3;
const LEAST = 7;
const MOST = 15;
/** For a number without separators or a word that identifies it. */
const LEAST_PLAIN = 8;
/** For a number that begins with the trunk prefix. */
const LEAST_TRUNK = 9;

const DATE =
  /^(?:(?:19|20)\d\d[-/. ](?:0?[1-9]|1[0-2])[-/. ](?:0?[1-9]|[12]\d|3[01])(?!\d)|(?:0?[1-9]|[12]\d|3[01])[-/. ](?:0?[1-9]|[12]\d|3[01])[-/. ](?:19|20)\d\d(?!\d))/;
const COMPACT_DATE = /^(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:\d{2,6})?$/;
const IPV4 = /^\d{1,3}(?:\.\d{1,3}){3}$/;
/** Thousands in groups. */
const THOUSANDS = /^[1-9]\d{0,2}(?:([ \u00a0.])\d{3})(?:\1\d{3})+$/;
const YEARS = /(?:^|\()(?:1[5-9]|20)\d\d[-\u2010-\u2013/](?:1[5-9]|20)\d\d$/;
/** With four more digits, of the United States. */
const ZIP_CODE = /^\d{5}-\d{4}$/;
const DECIMAL = /^0?\.|^0\.|^\d+\.\d+$/;
/** Of a place, as ISO 6709 has them: degrees and minutes, and seconds. */
const COORDINATES = /^\+[0-8]\d[0-5]\d(?:[0-5]\d)?[+-][01]\d\d[0-5]\d(?:[0-5]\d)?$|^\+\d{4,}\.\d{1,2}$/;
/** Ranges of numbers, digits in sequence, constants, negative numbers, and dates with a year of two digits. */
const NO_PHONE: readonly RegExp[] = [
  /^(?:\d{1,2}-\d{1,2}(?: +|$))+$|^\d(?:-\d\d)+-\d$|^[01]-\d{6,}$/,
  /^\d{1,4}0{6,}$/,
  /-\.|\.-|\d -\d/,
  /^\d{1,2}\/\d{1,2}\/\d\d(?![\d/])/,
];
const SEQUENCE = '012345678901234567890';
/** Coordinates to the south, behind their sign. */
const SOUTH = /^[0-8]\d[0-5]\d-[01]\d\d[0-5]\d$/;
const BOOK = /^\d{1,5}[ -]\d{1,7}[ -]\d{1,7}[ -]\d$/;
/** Versions and addresses are written so. */
const DOTTED = /^\d+(?:\.\d+)+$/;
/** More digits follow it, or it is part of a word. */
const GOES_ON = /^(?:[A-WYZa-wyz]|_[A-Za-z0-9]|[./-]\d)/;

/** Notations that suffice by themselves. */
const TELLING: readonly RegExp[] = [
  // North America.
  /^(?:1[ .-])?(?:\(\d{3}\) ?|[2-9]\d\d[ .-])[2-9]\d\d[ .-]\d{4}$/,
  /^(?:1-)?[2-9]\d\d-\d{3}-\d{4}$/,
  // Russia and Kazakhstan.
  /^8[ -]?\(?[3-9]\d\d\)?[ -]\d{3}[ -]\d\d[ -]\d\d$/,
  // An area in brackets.
  /^\(\d{1,5}\)[ /]?\d{2,5}(?:[ -]\d{2,5}){1,3}$/,
  /^\(\d{2,5}\) ?\d{5,9}$/,
  /^\d\d\/\d{3}[ -]\d{3,4}$/,
  // China, India, Japan, Korea.
  /^1[3-9]\d[ -]\d{4}[ -]\d{4}$/,
  /^[6-9]\d{4} \d{5}$/,
  /^0\d{1,3}-\d{3,4}-\d{3,4}$/,
  // Groups of two at the end, or dots between groups of three after a 0.
  /^(?:[2-9]\d\d \d\d|[2-9]\d \d{3}) \d\d \d\d$/,
  /^0\d{2,3}\.\d{3}\.\d{3,4}$/,
  // Two digits each.
  /^0[1-9](?:([ .-])\d\d)(?:\1\d\d){3}$/,
  /^06 (?:1|\d\d) \d{3} \d{3,4}$/,
  // Brazil.
  /^\(?[1-9]\d\)? (?:9\d{4}|[2-9]\d{3})-\d{4}$/,
];

/**
 * The phone number that a candidate begins with, the longest that ends with a group of digits.
 * @param from its position in the text
 */
export function phoneIn(found: string, context: Context, from: number): Found | undefined {
  // A bracket that closes after the number, or never, is not part of it.
  const open = found.includes(')') ? '' : (/^\(\s?/.exec(found)?.[0] ?? '');
  if (open !== '') return phoneIn(found.slice(open.length), context, from + open.length);
  // A call in source code: `fetch(5551234567)`.
  if (/\w\($/.test(context.text.slice(Math.max(0, from - 2), from)) && !found.startsWith('('))
    return undefined;
  const names = namesAt(context, from, from + found.length);
  if (isBook(found) && !names.sure(found)) return undefined;
  const listed = found.includes('+') ? Infinity : behindSingles(found);
  for (let end = found.length; end >= LEAST; end = previousGroup(found, end)) {
    const part = found.slice(0, end);
    if (end > listed && !names.likely(part)) continue;
    const digits = part.replaceAll(/\D/g, '');
    if (digits.length < LEAST) return undefined;
    if (digits.length <= MOST + 2 && isPhone(part, digits, context, from, names)) return [from, from + end];
  }
  return undefined;
}

/** The position up to which it is not a list of single digits: most are no number, and there may be very many of them. */
function behindSingles(found: string): number {
  let single = 0;
  for (let at = 0; at < found.length; at += 1) {
    if (!isDigit(found, at) || isDigit(found, at + 1) || isDigit(found, at - 1)) continue;
    single += 1;
    if (single > MOST_SINGLE) return at;
  }
  return Infinity;
}

function isPhone(part: string, digits: string, context: Context, from: number, names: Names): boolean {
  const plain = digits.length === part.length;
  const behind = context.text.slice(from + part.length, from + part.length + 2);
  if (GOES_ON.test(behind) && !/^e/i.test(behind)) return false;
  if (DATE.test(part) || IPV4.test(part) || ZIP_CODE.test(part) || YEARS.test(part) || DECIMAL.test(part))
    return false;
  if (part.includes('+')) {
    const is = international(digits);
    if (COORDINATES.test(part) && !names.likely(part)) return false;
    if (is === 'valid')
      return !/[=*/]\s?$/.test(context.text.slice(Math.max(0, from - 2), from)) || digits.length > 9;
    return names.likely(part) || (is === 'possible' && digits.length > 8);
  }
  const sure = names.sure(part);
  if (sure) return digits.length <= MOST;
  if (isOtherwise(part, digits, context, from)) return false;
  const trunk = /^0[1-9]/.test(digits);
  if (!THOUSANDS.test(part) && TELLING.some((pattern) => pattern.test(part))) return true;
  if (part.startsWith('00') && international(digits.slice(2)) === 'valid') return true;
  if (
    trunk &&
    digits.length >= LEAST_TRUNK &&
    digits.length <= MOST &&
    !DOTTED.test(part) &&
    hasTrunkPrefix(digits)
  )
    return true;
  if (plain && COMPACT_DATE.test(part)) return false;
  // Three groups of three may be a number too.
  if (THOUSANDS.test(part) && digits.length !== 9) return false;
  return (!plain || digits.length >= LEAST_PLAIN) && digits.length <= MOST && names.likely(part);
}

/** Whether it is something else that only looks like a number, unless a word says what it is. */
function isOtherwise(part: string, digits: string, { text }: Context, from: number): boolean {
  if (NO_PHONE.some((pattern) => pattern.test(part)) || isBook(part)) return true;
  if (SEQUENCE.includes(digits) || (text[from - 1] === '-' && SOUTH.test(part))) return true;
  // Decimals without a zero, `.5 .025`, and codes: `417E.0039`.
  if (/(?:^|[^\p{L}]|\d[A-F])\.$/u.test(text.slice(Math.max(0, from - 3), from))) return true;
  if (isInPath(text, from, from + part.length)) return true;
  return isInTable(text, from, part, (other) => other[0] === digits[0]);
}

/** Whether it is an ISBN, of ten digits in four groups. */
function isBook(part: string): boolean {
  if (!BOOK.test(part)) return false;
  const digits = part.replaceAll(/\D/g, '');
  return digits.length === 10 && weighted(digits, [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]) % 11 === 0;
}

/** Whether words before a candidate, or after a part of it, refer to a phone. */
interface Names {
  sure(part: string): boolean;
  likely(part: string): boolean;
}

/** What precedes a candidate is the same for all its parts, so it is searched once; often no word follows any of them. */
function namesAt(context: Context, from: number, to: number): Names {
  let mayFollow: boolean | undefined;
  const named = (words: RegExp) => {
    let before: boolean | undefined;
    const isBehind = (end: number) =>
      (mayFollow ??= mayNameBehind(context, from, to)) && isNamedBehind(words, context, end);
    return (part: string) => (before ??= isNamed(words, context, from)) || isBehind(from + part.length);
  };
  return { sure: named(PHONE_WORDS), likely: named(PHONE_HINTS) };
}

/** Where the last group of digits but the one at the end stops. */
function previousGroup(found: string, end: number): number {
  let at = end - 1;
  while (at > 0 && isDigit(found, at)) at -= 1;
  while (at > 0 && !isDigit(found, at)) at -= 1;
  return at + 1;
}

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 0x30 && code <= 0x39;
}
