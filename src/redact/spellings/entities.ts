/** Characters of HTML and XML that are written as a number or a name. */

/** Those without a semicolon are what browsers accept too. */
export const ENTITY =
  /&(?:#0{0,7}(\d{1,7})(?!\d);?|#[xX]0{0,7}([0-9A-Fa-f]{1,6})(?![0-9A-Fa-f]);?|(amp|lt|gt|quot|nbsp)(?![A-Za-z0-9=]);?|([A-Za-z]{2,12});)/y;

const NAMES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
  ensp: ' ',
  emsp: ' ',
  thinsp: ' ',
  numsp: ' ',
  puncsp: ' ',
  Tab: '\t',
  NewLine: '\n',
  shy: '',
  zwnj: '',
  zwj: '',
  lrm: '',
  rlm: '',
  commat: '@',
  period: '.',
  comma: ',',
  colon: ':',
  semi: ';',
  excl: '!',
  quest: '?',
  plus: '+',
  equals: '=',
  hyphen: '-',
  dash: '-',
  minus: '-',
  ndash: '-',
  lowbar: '_',
  UnderBar: '_',
  num: '#',
  dollar: '$',
  percnt: '%',
  ast: '*',
  sol: '/',
  bsol: '\\',
  lpar: '(',
  rpar: ')',
  lsqb: '[',
  lbrack: '[',
  rsqb: ']',
  rbrack: ']',
  lcub: '{',
  rcub: '}',
  verbar: '|',
  Hat: '^',
  grave: '`',
  szlig: 'ß',
  oslash: 'ø',
  Oslash: 'Ø',
  aelig: 'æ',
  AElig: 'Æ',
  eth: 'ð',
  thorn: 'þ',
  inodot: 'ı',
};

/** Letters with marks are named after both, as in `&uuml;`. */
const MARKED = /^([A-Za-z])(uml|acute|grave|circ|tilde|cedil|ring|caron|breve|dblac|macr|ogon|dot)$/;
const MARKS: Readonly<Record<string, string>> = {
  grave: '\u0300',
  acute: '\u0301',
  circ: '\u0302',
  tilde: '\u0303',
  macr: '\u0304',
  breve: '\u0306',
  dot: '\u0307',
  uml: '\u0308',
  ring: '\u030a',
  dblac: '\u030b',
  caron: '\u030c',
  cedil: '\u0327',
  ogon: '\u0328',
};

/** What a match of {@link ENTITY} stands for; `undefined` for an unknown name. */
export function characterOf([, decimal, hex, short, name]: RegExpExecArray): string | undefined {
  if (decimal !== undefined) return character(Number(decimal));
  if (hex !== undefined) return character(parseInt(hex, 16));
  return named(short ?? name!);
}

function named(name: string): string | undefined {
  if (Object.hasOwn(NAMES, name)) return NAMES[name];
  const [, letter, mark] = MARKED.exec(name) ?? [];
  return letter === undefined ? undefined : (letter + MARKS[mark!]!).normalize('NFC');
}

/** The character with a code; a space for what is none. */
export function character(code: number): string {
  return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : ' ';
}
