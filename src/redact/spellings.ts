/**
 * Other spellings of a text: escaped, as in URLs, JSON, source code and HTML, and in digits of other
 * scripts. What is searched for is found in the plain spelling, and replaced where it occurs.
 */

export interface Plain {
  readonly text: string;
  /** The position in the original of what begins at this position of the text. */
  place(at: number): number;
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
  if (Buffer.byteLength(text) > text.length && OTHER_SIGNS.test(text)) parts.push(inAscii(text));
  return parts;
}

/** Digits of other scripts, and the full-width @ sign. */
const OTHER_SIGNS = /[^\P{Nd}0-9]|\uff20/u;

function unescaped(text: string): Plain[] {
  const parts: Plain[] = [];
  let plain: Builder | undefined;
  const close = () => {
    if (plain?.differs) parts.push(plain.done(wordEnd(text, plain.end + AROUND)));
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

type Escape = readonly [index: number, escape: string];

function escapesIn(text: string): Escape[] {
  const lists = SIGNS.map((sign) => escapesWith(text, sign)).filter((list) => list.length > 0);
  return lists.length < 2 ? (lists[0] ?? []) : lists.flat().sort(([a], [b]) => a - b);
}

function escapesWith(text: string, sign: string): Escape[] {
  const escapes: Escape[] = [];
  for (let at = text.indexOf(sign); at >= 0;) {
    ESCAPE.lastIndex = at;
    const escape = ESCAPE.exec(text)?.[0];
    if (escape !== undefined) escapes.push([at, escape]);
    at = text.indexOf(sign, at + (escape?.length ?? 1));
  }
  return escapes;
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

/** A plain text in pieces: what is copied, and each escape. */
class Builder {
  readonly #from: string;
  #text = '';
  /** The positions at which the pieces begin, in the plain text and in the original. */
  readonly #starts: number[] = [];
  readonly #origins: number[] = [];
  /** How far the original has been read. */
  end: number;
  /** Whether an escape was decoded. */
  differs = false;

  constructor(from: string, start: number) {
    this.#from = from;
    this.end = start;
  }

  copy(to: number): void {
    if (to > this.end) this.#add(this.#from.slice(this.end, to), to - this.end);
  }

  unescape(escape: string): void {
    if (escape.startsWith('%')) this.#bytes(escape);
    else this.#decode(escape === '+' ? ' ' : characterOf(escape), escape.length);
  }

  /** The escapes of one character are decoded together; invalid UTF-8 stays unchanged. */
  #bytes(escapes: string): void {
    for (let at = 0; at < escapes.length;) {
      const lead = parseInt(escapes.slice(at + 1, at + 3), 16);
      const escape = escapes.slice(at, at + 3 * lengthOf(lead));
      const character = lead < FIRST_BEYOND_ASCII ? String.fromCharCode(lead) : decoded(escape);
      if (character === undefined) this.copy(this.end + 3);
      else this.#decode(character, escape.length);
      at += character === undefined ? 3 : escape.length;
    }
  }

  #decode(character: string, length: number): void {
    this.differs = true;
    this.#add(character, length);
  }

  #add(plain: string, length: number): void {
    this.#starts.push(this.#text.length);
    this.#origins.push(this.end);
    this.#text += plain;
    this.end += length;
  }

  done(end: number): Plain {
    this.copy(end);
    this.#add('', 0);
    const starts = this.#starts;
    const origins = this.#origins;
    return {
      text: this.#text,
      place(at) {
        let low = 0;
        let high = starts.length - 1;
        while (low < high) {
          const middle = (low + high + 1) >> 1;
          if (starts[middle]! <= at) low = middle;
          else high = middle - 1;
        }
        return origins[low]! + at - starts[low]!;
      },
    };
  }
}

const FIRST_BEYOND_ASCII = 0x80;

/** The number of bytes of a character in UTF-8. @param lead its first byte */
function lengthOf(lead: number): number {
  return lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

function decoded(escape: string): string | undefined {
  // A byte that only continues a character begins none. Throwing takes a thousand times as long.
  if (escape.length === 3) return undefined;
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
  return { text: ascii, place: (at) => at };
}

/** Unicode's digits come in rows of ten that begin at a code which ends with 0 or 6 (hexadecimal). */
function digitOf(digit: string): string {
  const code = digit.charCodeAt(0);
  const row = code - (code % 16);
  const zero = /\p{Nd}/u.test(String.fromCharCode(row)) && code - row < 10 ? row : row + 6;
  return String(code - zero);
}
