/** Characters beyond ASCII that stand for some of it: digits of other scripts, full-width characters, spaces, dashes. */
import type { Piece } from './piece.ts';

/** The zeros of the scripts of which a code unit is a digit, each before its other nine. */
const ZEROS =
  '\u0660\u06f0\u07c0\u0966\u09e6\u0a66\u0ae6\u0b66\u0be6\u0c66\u0ce6\u0d66\u0de6\u0e50\u0ed0\u0f20\u1040\u1090\u17e0\u1810\u1946\u19d0\u1a80\u1a90\u1b50\u1bb0\u1c40\u1c50\ua620\ua8d0\ua900\ua9d0\ua9f0\uaa50\uabf0\uff10';
const DIGITS = Array.from(ZEROS, (zero) => `${zero}-${String.fromCharCode(zero.charCodeAt(0) + 9)}`).join('');
const SPACES = '\\u00a0\\u1680\\u2000-\\u200a\\u202f\\u205f\\u3000';
const DASHES = '\\u2010-\\u2015\\u2212\\ufe58\\ufe63';
/** They only hint at how to break lines, or at the direction of writing. */
const INVISIBLE = '\\u00ad\\u034f\\u061c\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u2064\\u2066-\\u2069\\ufeff';
/** Full-width characters and full stops, and the first half of mathematical digits. */
const OTHERS = '\\uff01-\\uff5e\\u3002\\uff61\\ud835';

/** Any of them. A class alone is found many times as fast as a pattern that looks around. */
const ANY = new RegExp(`[${DIGITS}${SPACES}${DASHES}${INVISIBLE}${OTHERS}]`, 'g');
const ALL = new RegExp(
  `[${DIGITS}${SPACES}${DASHES}\\uff01-\\uff5e\\u3002\\uff61]|\\ud835[\\udfce-\\udfff]|[${INVISIBLE}]+`,
  'g',
);
const SPACE = new RegExp(`[${SPACES}]`);
const DASH = new RegExp(`[${DASHES}]`);
const HIDDEN = new RegExp(`[${INVISIBLE}]`);
/** Punctuation, of which Chinese and Japanese texts are full, tells nothing by itself. */
const PUNCTUATION = /[\uff01-\uff0a\uff0c\uff0f\uff1a-\uff1f\uff3b-\uff40\uff5b-\uff5e\u3002]/;

const FIRST_MATHEMATICAL = 0x1d7ce;
/** Full-width characters, which Japanese and Chinese have instead of those of ASCII, follow in the same order. */
const WIDER_BY = 0xfee0;
const [FIRST_WIDE, LAST_WIDE] = [0xff01, 0xff5e];

/** What is in a text of them, in order; nothing if none of it may be in a value. */
export function scriptsIn(text: string): Piece[] {
  // Few texts are not ASCII, which their length in bytes tells at once.
  if (Buffer.byteLength(text) === text.length || !maySpell(text)) return [];
  return Array.from(text.matchAll(ALL), ({ 0: found, index }) => ({
    from: index,
    to: index + found.length,
    plain: plainOf(found),
  }));
}

/** Whether any of it is where a value may have it. */
function maySpell(text: string): boolean {
  ANY.lastIndex = 0;
  for (let match = ANY.exec(text); match; match = ANY.exec(text))
    if (isTelling(match[0], text[match.index - 1] ?? '', text[match.index + 1] ?? '')) return true;
  return false;
}

function isTelling(found: string, before: string, behind: string): boolean {
  if (SPACE.test(found))
    return /[\dA-Z)]/.test(before) && /[\dA-Z(]/.test(behind) && /\d|[A-Z]{2}/.test(before + behind);
  if (DASH.test(found)) return /[\d)]/.test(before) && /[\d(]/.test(behind);
  if (HIDDEN.test(found)) return /[!-~]/.test(before) && (/[!-~]/.test(behind) || HIDDEN.test(behind));
  if (found === '\ud835') return /[\udfce-\udfff]/.test(behind);
  if (found === '\u3002') return /[A-Za-z0-9]/.test(before) && /[A-Za-z]/.test(behind);
  return !PUNCTUATION.test(found) || (found === '\uff08' && /\d/.test(behind));
}

function plainOf(found: string): string {
  const code = found.codePointAt(0)!;
  if (code >= FIRST_MATHEMATICAL) return String((code - FIRST_MATHEMATICAL) % 10);
  if (HIDDEN.test(found)) return '';
  if (SPACE.test(found)) return ' ';
  if (DASH.test(found)) return '-';
  if (code >= FIRST_WIDE && code <= LAST_WIDE) return String.fromCharCode(code - WIDER_BY);
  // The full stops of Chinese and Japanese.
  if (code === 0x3002 || code === 0xff61) return '.';
  for (const zero of ZEROS) {
    const digit = code - zero.charCodeAt(0);
    if (digit >= 0 && digit <= 9) return String(digit);
  }
  return found;
}
