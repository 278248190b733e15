const TAB = 0x09;
const SPACE = 0x20;
const QUOTE = 0x22;
const PLUS = 0x2b;
const COMMA = 0x2c;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
/** The bit that makes an ASCII letter lowercase. */
const LOWER = 0x20;
const E = 0x65;

/** The same byte four times. */
const ONES = 0x01010101;
const SPACES = 0x20202020;
const QUOTES = 0x22222222;
const BACKSLASHES = 0x5c5c5c5c;
const HIGHEST = 0x80808080 | 0;

/** Escapes that `JSON.stringify` also writes; it never writes others where one of these would do. */
const USUAL_ESCAPES = flags('"\\bfnrt');
const LITERALS = new Map(['true', 'false', 'null'].map((word) => [word.charCodeAt(0), Buffer.from(word)]));
const NULL = Buffer.from('null');

/** The limit on the nesting of lists and objects. */
const MAX_DEPTH = 64;

/**
 * Reads JSON text as bytes, value by value, without creating values. A log line always ends with a line end, which ends
 * every loop. Each method moves past what it reads and returns false, leaving `at` undefined, if there is no such
 * thing.
 */
export class JsonCursor {
  readonly #block: Uint8Array;
  /** The memory of the block, four bytes at a time; and where the block begins in it. */
  readonly #words: Int32Array;
  readonly #offset: number;
  /** The position of the next byte. */
  at = 0;
  /** The start and end of the last string, without its quotes. */
  from = 0;
  to = 0;
  /** Whether that string contains escapes. */
  escaped = false;
  /** Whether it contains escapes that `JSON.stringify` would write differently, if at all. */
  unusual = false;
  /** Whether the last requested fields or items ended with the closing bracket. */
  closed = false;

  constructor(block: Uint8Array) {
    const { buffer, byteOffset, byteLength } = block;
    this.#block = block;
    this.#words = new Int32Array(buffer, 0, (byteOffset + byteLength) >> 2);
    this.#offset = byteOffset;
  }

  /** Reads a string. */
  string(): boolean {
    const block = this.#block;
    const offset = this.#offset;
    let at = this.at;
    if (block[at] !== QUOTE) return false;
    this.from = ++at;
    this.escaped = this.unusual = false;
    for (;;) {
      if (((at + offset) & 3) === 0) at = this.#ordinary(at);
      const byte = block[at]!;
      if (byte === QUOTE) break;
      if (!(byte >= SPACE)) return false;
      at += 1;
      if (byte !== BACKSLASH) continue;
      this.escaped = true;
      // Numeric escapes are validated by callers that need their values.
      if (USUAL_ESCAPES[block[at]!] !== 1) this.unusual = true;
      at += 1;
    }
    this.to = at;
    this.at = at + 1;
    return true;
  }

  /** Reads the name of a field, and the colon after it. A name with escapes is refused. */
  key(): boolean {
    const block = this.#block;
    let at = this.at;
    if (block[at] !== QUOTE) return false;
    this.from = ++at;
    for (let byte = block[at]!; byte !== QUOTE; byte = block[++at]!)
      if (!(byte >= SPACE) || byte === BACKSLASH) return false;
    this.to = at;
    this.at = at + 1;
    this.#blank();
    if (!this.#byte(COLON)) return false;
    this.#blank();
    return true;
  }

  /** Reads the start of an object. */
  object(): boolean {
    return this.#open(OPEN_OBJECT);
  }

  /** Reads the start of a list. */
  list(): boolean {
    return this.#open(OPEN_LIST);
  }

  /** Moves to the next field. @param first whether it is the first. @returns false after the last one; see `closed` */
  objectGoesOn(first: boolean): boolean {
    return this.#goesOn(first, CLOSE_OBJECT);
  }

  /** Moves to the next item, likewise. */
  listGoesOn(first: boolean): boolean {
    return this.#goesOn(first, CLOSE_LIST);
  }

  /** Reads `null`, or an empty list. */
  nothing(): boolean {
    if (this.#block[this.at] !== OPEN_LIST) return this.#word(NULL);
    return this.list() && this.#byte(CLOSE_LIST);
  }

  /** Reads any value. Strings with unusual escapes are not accepted here. */
  value(depth = 0): boolean {
    const byte = this.#block[this.at]!;
    if (byte === QUOTE) return this.string() && !this.unusual;
    if (byte === OPEN_OBJECT) return depth < MAX_DEPTH && this.#fields(depth + 1);
    if (byte === OPEN_LIST) return depth < MAX_DEPTH && this.#items(depth + 1);
    if (byte === MINUS || isDigit(byte)) return this.#number();
    const word = LITERALS.get(byte);
    return word !== undefined && this.#word(word);
  }

  /**
   * Moves past characters within a string that have no meaning of their own, as far as whole words of memory consist of
   * them. Texts are most of a log, and reading them byte by byte takes more than twice as long.
   */
  #ordinary(from: number): number {
    const words = this.#words;
    const begin = (from + this.#offset) >> 2;
    let index = begin;
    while (index < words.length && !isSpecial(words[index]!)) index += 1;
    return from + ((index - begin) << 2);
  }

  #fields(depth: number): boolean {
    this.object();
    for (let first = true; this.objectGoesOn(first); first = false)
      if (!this.key() || !this.value(depth)) return false;
    return this.closed;
  }

  #items(depth: number): boolean {
    this.list();
    for (let first = true; this.listGoesOn(first); first = false) if (!this.value(depth)) return false;
    return this.closed;
  }

  #goesOn(first: boolean, close: number): boolean {
    this.#blank();
    this.closed = this.#byte(close);
    if (this.closed) return false;
    if (first) return true;
    if (!this.#byte(COMMA)) return false;
    this.#blank();
    return true;
  }

  #number(): boolean {
    const block = this.#block;
    if (block[this.at] === MINUS) this.at += 1;
    if (block[this.at] === ZERO) this.at += 1;
    else if (!this.#digits()) return false;
    if (block[this.at] === POINT) {
      this.at += 1;
      if (!this.#digits()) return false;
    }
    if ((block[this.at]! | LOWER) !== E) return true;
    this.at += 1;
    if (block[this.at] === PLUS || block[this.at] === MINUS) this.at += 1;
    return this.#digits();
  }

  #digits(): boolean {
    const { at } = this;
    while (isDigit(this.#block[this.at]!)) this.at += 1;
    return this.at > at;
  }

  #open(byte: number): boolean {
    if (!this.#byte(byte)) return false;
    this.#blank();
    return true;
  }

  #word(word: Buffer): boolean {
    for (let index = 0; index < word.length; index++)
      if (this.#block[this.at + index] !== word[index]) return false;
    this.at += word.length;
    return true;
  }

  #byte(byte: number): boolean {
    if (this.#block[this.at] !== byte) return false;
    this.at += 1;
    return true;
  }

  #blank(): void {
    while (this.#block[this.at] === SPACE || this.#block[this.at] === TAB) this.at += 1;
  }
}

/** Whether one of four bytes is a quote, a backslash or a control character. */
function isSpecial(word: number): boolean {
  // The highest bit of such a byte is set; bytes beyond ASCII have it from the start.
  const special = ((word ^ QUOTES) - ONES) | ((word ^ BACKSLASHES) - ONES) | (word - SPACES);
  return (special & ~word & HIGHEST) !== 0;
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE;
}

function flags(characters: string): Uint8Array {
  const made = new Uint8Array(256);
  for (const character of characters) made[character.charCodeAt(0)] = 1;
  return made;
}
