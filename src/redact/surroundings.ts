/** What surrounds a number in tables and drawings, where most numbers look like something by chance. */
import { ibanLength, isIban } from './checksums.ts';

/** The number of characters on either side that are looked at. */
const AROUND = 72;

const COMMAND = '[mlhvcsqtaz]';
/** Numbers after a command of an SVG path, as in `c-1753-1140 622-470`; one is enough at its beginning. */
const PATH_BEFORE = new RegExp(
  `(?:[\\d.]${COMMAND}-?\\.?\\d[\\d.]*[-., ]+\\d|(?:^|["'\`\\s])M-?\\.?\\d)[-\\d., ]*$`,
  'i',
);
/** Numbers and two commands. */
const PATH_BEHIND = new RegExp(`^(?:[-\\d., ]*\\d${COMMAND}){2}(?:-?\\.?\\d|["'\`])`, 'i');

/** Whether a number is one of the coordinates of an SVG path. */
export function isInPath(text: string, from: number, to: number): boolean {
  return (
    PATH_BEFORE.test(text.slice(Math.max(0, from - AROUND), from)) ||
    PATH_BEHIND.test(text.slice(Math.max(from, to - 1), to + AROUND))
  );
}

/** The size of the codes of characters. */
const CODE = 4;
const MOST_GROUPS = 6;
/** One group, or several of the same size: numbers in columns. */
const GROUPS = /^(\d{2,5})(?: \d{2,5})*$/;

/**
 * Whether a number is a part of a row of numbers or hexadecimal codes that all have the same size, as in tables and
 * dumps of bytes. A list of nothing but such numbers is none.
 * @param isOne whether digits, without spaces, are a number like this one
 */
export function isInTable(
  text: string,
  from: number,
  found: string,
  isOne: (digits: string) => boolean,
): boolean {
  const size = GROUPS.exec(found)?.[1]!.length;
  const groups = found.split(' ');
  if (size === undefined || groups.some(({ length }) => length !== size)) return false;
  if (groups.length > MOST_GROUPS) return true;
  const end = from + found.length;
  const preceding = afterIban(text.slice(Math.max(0, from - AROUND), from));
  const before = /(?:(?<![\w-])[0-9A-Fa-f]{2,5}[ \t])*$/.exec(preceding)![0];
  const behind = /^(?:[ \t][0-9A-Fa-f]{2,5}(?![\w-]))*/.exec(beforeIban(text.slice(end, end + AROUND)))![0];
  const [left, right] = [before, behind].map((part) => part.trim().split(/[ \t]/));
  // Only what is next to it, of the same size.
  const fits = (other: string) => /\d/.test(other) && (other.length === size || other.length === size + 1);
  const leftOnes = left!.slice(left!.findLastIndex((other) => !fits(other)) + 1);
  const firstOther = right!.findIndex((other) => !fits(other));
  const rightOnes = firstOther < 0 ? right! : right!.slice(0, firstOther);
  const others = [...leftOnes, ...rightOnes];
  // An expiry, a house number or, behind a card, another number may follow.
  if (others.length < (size === CODE ? Math.max(2, groups.length) : 2))
    return others.some((other) => (size === CODE && groups.length < 4) || /\D/.test(other));
  if (others.some((other) => /\D/.test(other))) return true;
  const row = [...leftOnes, ...groups, ...rightOnes];
  if (leftOnes.length % groups.length !== 0 || row.length % groups.length > 1) return true;
  for (let at = 0; at + groups.length <= row.length; at += groups.length)
    if (!isOne(row.slice(at, at + groups.length).join(''))) return true;
  return false;
}

/** An IBAN in groups of four, which are like the codes of a table. */
const IBAN = /(?<!\w)[A-Z]{2}\d\d(?: ?[0-9A-Z]{4}){2,7}(?: ?[0-9A-Z]{1,3})?(?!\w)/g;

function beforeIban(text: string): string {
  const [first] = ibansIn(text);
  return first ? text.slice(0, first.index) : text;
}

function afterIban(text: string): string {
  const last = ibansIn(text).at(-1);
  return last ? text.slice(last.index + last.length) : text;
}

function ibansIn(text: string): { readonly index: number; readonly length: number }[] {
  return [...text.matchAll(IBAN)].flatMap(({ 0: found, index }) => {
    const length = ibanLength(found.slice(0, 2));
    if (length === undefined) return [];
    // What follows it may look like a part of it.
    let signs = 0;
    let end = 0;
    while (end < found.length && signs < length) if (found[end++] !== ' ') signs += 1;
    return isIban(found.slice(0, end).replaceAll(' ', '')) ? [{ index, length: end }] : [];
  });
}
