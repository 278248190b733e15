/**
 * Other spellings of a text: escaped, as in URLs, JSON, source code and HTML, and in digits of other scripts. What is
 * searched for is found in the plain spelling, and replaced where it stands.
 */

export interface Plain {
  readonly text: string;
  /** The position of each character in the original, and of the end. */
  readonly places: readonly number[];
}

/** What an escape begins with, which is found ten times as fast as an escape. */
const SIGNS = ['%', '\\', '&', '+'];
/**
 * One character, or several if they are escaped byte by byte; a plus within the value of a query is a space. A line end
 * hides something only if its letter seems to begin the next word.
 */
const ESCAPE =
  /(?:%[0-9A-Fa-f]{2}){1,256}|\\(?:u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|[nrtbf](?=[A-Za-z0-9+(])|["'/\\])|&(?:#\d{1,6}|#x[0-9A-Fa-f]{1,5}|amp|lt|gt|quot|apos|nbsp|commat|period|plus);|\+(?<==[^\s&=]{0,60}[A-Za-z0-9)]\+)(?=[A-Za-z0-9(])/y;
/** The number of characters around an escape that are searched together with it, and that it may take to end a word. */
const AROUND = 64;
const LONGEST_WORD = 4_096;

/** The parts of a text that are spelled in another way. Each is searched on its own. */
export function plainParts(text: string): Plain[] {
  const parts = unescaped(text);
  // Few texts are not ASCII, which their length in bytes tells at once.
  if (Buffer.byteLength(text) > text.length && OTHER_DIGITS.test(text)) parts.push(inAscii(text));
  return parts;
}

const OTHER_DIGITS = /[^\P{Nd}0-9]/u;

function unescaped(text: string): Plain[] {
  const parts: Plain[] = [];
  let plain: Builder | undefined;
  const close = () => {
    if (plain) parts.push(plain.done(wordEnd(text, plain.end + AROUND)));
    plain = undefined;
  };
  for (const [index, escape] of escapesIn(text)) {
    if (plain && index > plain.end + AROUND && index > wordEnd(text, plain.end + AROUND)) close();
    plain ??= new Builder(text, wordStart(text, index - AROUND));
    plain.copy(index);
    plain.unescape(escape);
  }
  close();
  return parts;
}

function escapesIn(text: string): (readonly [index: number, escape: string])[] {
  const escapes: (readonly [number, string])[] = [];
  for (const sign of SIGNS)
    for (let at = text.indexOf(sign); at >= 0;) {
      ESCAPE.lastIndex = at;
      const escape = ESCAPE.exec(text)?.[0];
      if (escape !== undefined) escapes.push([at, escape]);
      at = text.indexOf(sign, at + (escape?.length ?? 1));
    }
  return escapes.sort(([a], [b]) => a - b);
}

/** A value must not be cut where a part begins or ends. */
function wordStart(text: string, at: number): number {
  const least = Math.max(0, at - LONGEST_WORD);
  let start = Math.max(0, at);
  while (start > least && !isSpace(text, start - 1)) start -= 1;
  return start;
}

function wordEnd(text: string, at: number): number {
  const most = Math.min(text.length, at + LONGEST_WORD);
  let end = Math.min(text.length, at);
  while (end < most && !isSpace(text, end)) end += 1;
  return end;
}

function isSpace(text: string, at: number): boolean {
  return text.charCodeAt(at) <= SPACE;
}

const SPACE = 0x20;

const NAMES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
  commat: '@',
  period: '.',
  plus: '+',
};
const CONTROLS: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f' };

class Builder {
  readonly #from: string;
  readonly #places: number[] = [];
  #text = '';
  /** How far the original has been read. */
  end: number;

  constructor(from: string, start: number) {
    this.#from = from;
    this.end = start;
  }

  copy(to: number): void {
    this.#text += this.#from.slice(this.end, to);
    for (; this.end < to; this.end++) this.#places.push(this.end);
  }

  unescape(escape: string): void {
    if (escape.startsWith('%')) this.#bytes(escape);
    else if (escape === '+') this.#add(' ', 1);
    else this.#add(characterOf(escape), escape.length);
  }

  /** The escapes of one character are decoded together; what is no UTF-8 stays as it is. */
  #bytes(escapes: string): void {
    for (let at = 0; at < escapes.length;) {
      const lead = parseInt(escapes.slice(at + 1, at + 3), 16);
      const length = 3 * (lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4);
      const escape = escapes.slice(at, at + length);
      const character = decoded(escape);
      if (character === undefined) this.copy(this.end + 3);
      else this.#add(character, escape.length);
      at += character === undefined ? 3 : escape.length;
    }
  }

  #add(character: string, length: number): void {
    this.#text += character;
    for (let at = 0; at < character.length; at++) this.#places.push(this.end);
    this.end += length;
  }

  done(end: number): Plain {
    this.copy(end);
    return { text: this.#text, places: [...this.#places, this.end] };
  }
}

function decoded(escape: string): string | undefined {
  try {
    return decodeURIComponent(escape);
  } catch {
    return undefined;
  }
}

function characterOf(escape: string): string {
  const [sign, kind = ''] = escape;
  if (sign === '\\') {
    if (kind === 'u' || kind === 'x') return String.fromCharCode(parseInt(escape.slice(2), 16));
    return CONTROLS[kind] ?? kind;
  }
  const name = escape.slice(1, -1);
  if (kind !== '#') return NAMES[name]!;
  const code = name.startsWith('#x') ? parseInt(name.slice(2), 16) : Number(name.slice(1));
  return code > 0 && code <= 0xffff ? String.fromCharCode(code) : ' ';
}

/** Full-width characters, which Japanese and Chinese have instead of those of ASCII. */
const FULL_WIDTH = /[\uff01-\uff5e]/g;
const WIDER_BY = 0xfee0;

/** The same text with digits of ASCII, and with ASCII in place of full-width characters. */
function inAscii(text: string): Plain {
  const ascii = text
    .replace(FULL_WIDTH, (wide) => String.fromCharCode(wide.charCodeAt(0) - WIDER_BY))
    .replaceAll('\u3000', ' ')
    // Digits beyond the basic plane have two code units: positions would shift.
    .replace(/[^\P{Nd}0-9]/gu, (digit) => (digit.length === 1 ? digitOf(digit) : digit));
  return { text: ascii, places: Array.from({ length: text.length + 1 }, (_, at) => at) };
}

/** Unicode's digits come in rows of ten that begin at a code which ends with 0 or 6 (hexadecimal). */
function digitOf(digit: string): string {
  const code = digit.charCodeAt(0);
  const row = code - (code % 16);
  const zero = /\p{Nd}/u.test(String.fromCharCode(row)) && code - row < 10 ? row : row + 6;
  return String(code - zero);
}
