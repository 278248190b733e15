/** Escapes of ASCII: in URLs, JSON, source code, HTML, CSS and mail, and addresses that are written for people alone. */
import type { Piece } from './piece.ts';
import { addBytes } from './bytes.ts';
import { character, characterOf, ENTITY } from './entities.ts';

/** Adds what begins at a position to the pieces. @returns where it ends; the same position if nothing begins there */
type Read = (text: string, at: number, out: Piece[]) => number;

interface Sign {
  /** What an escape begins with: one character is found ten times as fast as an escape. */
  readonly sign: string;
  /** Whether an escape may go on with a character of ASCII. */
  readonly may: Uint8Array;
  readonly read: Read;
}

/** The number of bytes that are read together. */
const LONGEST_RUN = 256;

const PERCENT = /%(?:[0-9A-Fa-f]{2}%){0,255}[0-9A-Fa-f]{2}/y;
/** As JavaScript's `escape()` and servers of Microsoft write it. */
const PERCENT_U = /%u([0-9A-Fa-f]{4})/y;

function percent(text: string, at: number, out: Piece[]): number {
  const unit = matchAt(PERCENT_U, text, at);
  if (unit) return add(out, at, unit[0].length, String.fromCharCode(parseInt(unit[1]!, 16)));
  const run = matchAt(PERCENT, text, at)?.[0];
  if (run === undefined) return at;
  addBytes(out, at, hexBytes(run, 1, 3), { size: 3, latin1: true });
  return at + run.length;
}

const CODE = /\\(?:u\{([0-9A-Fa-f]{1,6})\}|x\{([0-9A-Fa-f]{1,6})\}|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8}))/y;
const HEX_RUN = new RegExp(`(?:\\\\x[0-9A-Fa-f]{2}){1,${LONGEST_RUN}}`, 'y');
const OCTAL_RUN = new RegExp(`(?:\\\\[0-3][0-7]{2}){1,${LONGEST_RUN}}`, 'y');
/** A code of CSS in full, or one that a space or another character ends. */
const CSS = /\\(?:0000)?([2-7][0-9A-Fa-f])(?:[ \t]|(?![0-9A-Fa-f]))/y;
/** A line end hides something only if its letter seems to begin the next word. */
const CONTROL = /\\([nrtbfv])(?=[A-Za-z0-9+(])/y;
const CONTROLS: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f', v: '\v' };
/** The escapes of JSON, and those of Markdown, regular expressions and shells. */
const SELF = /\\([!-/:-@[-`{-~]| (?=[A-Za-z0-9(]))/y;
const CONTINUED = /\\\r?\n/y;

/** Escapes of one character, and what they stand for. */
const SINGLE: readonly (readonly [RegExp, (digits: string) => string])[] = [
  [CODE, ofHex],
  [CSS, ofHex],
  [CONTROL, (letter) => CONTROLS[letter]!],
  [SELF, (sign) => sign],
  [CONTINUED, () => ''],
];

function backslash(text: string, at: number, out: Piece[]): number {
  for (const [pattern, plainOf] of SINGLE) {
    const found = matchAt(pattern, text, at);
    if (found) return add(out, at, found[0].length, plainOf(found.slice(1).find(Boolean) ?? ''));
  }
  const hex = matchAt(HEX_RUN, text, at)?.[0];
  const run = hex ?? matchAt(OCTAL_RUN, text, at)?.[0];
  if (run === undefined) return at;
  addBytes(out, at, hex === undefined ? octalBytes(run) : hexBytes(run, 2, 4), { size: 4, latin1: true });
  return at + run.length;
}

/** A code unit or a code point. */
function ofHex(digits: string): string {
  const code = parseInt(digits, 16);
  return digits.length === 4 ? String.fromCharCode(code) : character(code);
}

function entity(text: string, at: number, out: Piece[]): number {
  const found = matchAt(ENTITY, text, at);
  const plain = found ? characterOf(found) : undefined;
  return plain === undefined ? at : add(out, at, found![0].length, plain);
}

/** Within the value of a query, a plus is a space. */
const QUERY_SPACE = /\+(?<==[^\s&=]{0,60}[A-Za-z0-9)]\+)(?=[A-Za-z0-9(])/y;
/** UTF-7, in which `+AEA-` is @: UTF-16 in Base64. */
const UTF7 = /\+(A[A-H][A-Za-z0-9+/]{1,40})-/y;

function plus(text: string, at: number, out: Piece[]): number {
  const units = matchAt(UTF7, text, at);
  if (units) {
    const bytes = Buffer.from(units[1]!, 'base64');
    const plain = bytes
      .subarray(0, bytes.length & ~1)
      .swap16()
      .toString('utf16le');
    if (/^[\x20-\x7e]+$/.test(plain)) return add(out, at, units[0].length, plain);
  }
  return matchAt(QUERY_SPACE, text, at) ? add(out, at, 1, ' ') : at;
}

/** Quoted-printable, in mail. */
const QUOTED = /=(?:[2-7][0-9A-F]|[C-F][0-9A-F](?:=[89AB][0-9A-F]){1,3})/y;
/** A line end within a word or a number. Source code has them behind an equals sign too. */
const SOFT_BREAK = /=\r?\n(?:(?<=[^\s=]=\r?\n)(?=\S)|(?<=[\d)] ?=\r?\n)(?= ?[\d(]))/y;

function equals(text: string, at: number, out: Piece[]): number {
  const line = matchAt(SOFT_BREAK, text, at);
  if (line) return add(out, at, line[0].length, '');
  const run = matchAt(QUOTED, text, at)?.[0];
  if (run === undefined) return at;
  const bytes = hexBytes(run, 1, 3);
  const plain = String.fromCharCode(bytes[0]!);
  if (run.length === 3 && (/[A-Za-z0-9\x7f]/.test(plain) || /^=\d\d\d/.test(text.slice(at, at + 4))))
    return at;
  addBytes(out, at, bytes, { size: 3, latin1: false });
  return at + run.length;
}

/** Written so that only people recognize an address: `jane (at) example [dot] org`, `8[.]8[.]4[.]4`. */
const DEFANGED = /[([](?:(@|\.)|(\s?at\s?)|\s?dot\s?)[)\]]( ?)(?=[A-Za-z0-9])/iy;

function bracket(text: string, at: number, out: Piece[]): number {
  const found = matchAt(DEFANGED, text, at);
  if (!found) return at;
  const [whole, sign, word, space] = found;
  const spaced = text[at - 1] === ' ';
  if (sign !== undefined && (spaced || space !== '')) return at;
  const from = spaced ? at - 1 : at;
  if (!/[A-Za-z0-9]/.test(text[from - 1] ?? '')) return at;
  const to = at + whole.length;
  out.push({ from, to, plain: sign ?? (word === undefined ? '.' : '@') });
  return to;
}

const HEX = '0123456789ABCDEFabcdef';
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

const SIGNS: readonly Sign[] = [
  { sign: '%', may: those(`${HEX}u`), read: percent },
  { sign: '\\', may: those(range(0x20, 0x7e) + '\r\n'), read: backslash },
  { sign: '&', may: those(`#${LETTERS}`), read: entity },
  { sign: '+', may: those(`(0123456789${LETTERS}`), read: plus },
  { sign: '=', may: those('234567CDEF\r\n'), read: equals },
  { sign: '(', may: those('@.aAdD '), read: bracket },
  { sign: '[', may: those('@.aAdD '), read: bracket },
];

/** The escapes in a text, in order. */
export function escapesIn(text: string): Piece[] {
  const out: Piece[] = [];
  let kinds = 0;
  for (const { sign, may, read } of SIGNS) {
    const before = out.length;
    for (let at = text.indexOf(sign); at >= 0;) {
      const end = may[text.charCodeAt(at + 1)] === 1 ? read(text, at, out) : at;
      at = text.indexOf(sign, Math.max(end, at + 1));
    }
    if (out.length > before) kinds += 1;
  }
  return kinds < 2 ? out : out.sort((a, b) => a.from - b.from || b.to - a.to);
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

function add(out: Piece[], at: number, length: number, plain: string): number {
  out.push({ from: at, to: at + length, plain });
  return at + length;
}

/** @param skip the length of what is before the digits of each escape; @param size the length of an escape */
function hexBytes(run: string, skip: number, size: number): number[] {
  const bytes: number[] = [];
  for (let at = skip; at < run.length; at += size) bytes.push(parseInt(run.slice(at, at + 2), 16));
  return bytes;
}

function octalBytes(run: string): number[] {
  const bytes: number[] = [];
  for (let at = 1; at < run.length; at += 4) bytes.push(parseInt(run.slice(at, at + 3), 8));
  return bytes;
}

function those(signs: string): Uint8Array {
  const may = new Uint8Array(128);
  for (const sign of signs) may[sign.charCodeAt(0)] = 1;
  return may;
}

function range(first: number, last: number): string {
  return String.fromCharCode(...Array.from({ length: last - first + 1 }, (_, index) => first + index));
}
