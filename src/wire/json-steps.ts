/** Parses JSON in steps: JSON.parse of tens of megabytes blocks the event loop for seconds, and has no limits. */
import type { Steps } from '../turns.ts';
import type { JsonBounds } from './json-bounds.ts';
import type { JsonObject } from './json.ts';
import { TooComplex, TooLong } from './json-bounds.ts';
import { textInSteps } from './json-text.ts';
import { QUOTE, COMMA, COLON, LIST, BACKSLASH, LIST_END, OBJECT, OBJECT_END } from './json-bytes.ts';

/**
 * A text up to this length is parsed at once, characters: counting its brackets costs less than counting its
 * values.
 */
const SHORT = 16 * 1024;

/** The shortest field, with its comma: `"":1,`. */
const SHORTEST_FIELD = 5;

/** How much is passed to JSON.parse at once, characters: a few milliseconds of work. */
const PIECE = 2 * 1024 * 1024;

/** The cost of creating a value or a field, in characters of text parsed in the same time. */
const VALUE = 64;
const FIELD = 192;

/** How many characters are scanned between two pauses. */
const STRIDE = 1024 * 1024;

/** The cost of finding the next quote, in characters scanned in the same time. */
const SEARCH = 32;

/** Longer texts are parsed in pieces of their own, characters. Names are not, and must not be longer. */
const LONG_TEXT = 1024 * 1024;

/** The longest number, or literal such as `true`, characters. */
const LONG_WORD = 64 * 1024;

/** Longer runs of white space are removed before JSON.parse, characters. */
const LONG_GAP = 64 * 1024;

interface Span {
  readonly start: number;
  readonly end: number;
}

/** An object or list whose end has not been reached. */
interface Open {
  readonly isList: boolean;
  /** The position of its bracket, and the end of what precedes it. */
  readonly start: number;
  readonly before: number;
  /** The start of the part that is not parsed yet. */
  from: number;
  /** The start of its last member. */
  member: number;
  /** The number of its fields so far. */
  fields: number;
  /** The parsed part, once it is parsed piece by piece. */
  value: unknown[] | JsonObject | undefined;
  /** What may follow: anything, a member after a comma, or only what may follow a member. */
  next: 'any' | 'member' | 'end';
}

/**
 * Returns what JSON.parse returns, in steps of a few milliseconds.
 * @param piece how much is parsed at once, characters
 * @throws TooComplex, TooLong, or SyntaxError when it is not JSON
 */
export function* parseInSteps(text: string, bounds: JsonBounds, piece = PIECE): Steps<unknown> {
  if (text.length <= Math.min(SHORT, piece) && isWithin(text, bounds)) return JSON.parse(text) as unknown;
  const reader = new Reader(yield* trimmed(text), bounds, piece);
  while (!reader.scan()) {
    if (reader.longText) yield* reader.readLongText();
    yield;
  }
  return reader.value;
}

/**
 * Whether a short text certainly stays within the bounds: it is no deeper than it has closing brackets, texts included.
 */
function isWithin(text: string, { maxDepth, maxValues, maxFields, maxObjectFields }: JsonBounds): boolean {
  if (text.length > Math.min(maxValues, maxFields, maxObjectFields * SHORTEST_FIELD)) return false;
  let ends = 0;
  for (const bracket of ['}', ']'])
    for (let at = text.indexOf(bracket); at >= 0; at = text.indexOf(bracket, at + 1))
      if ((ends += 1) > maxDepth) return false;
  return true;
}

/** The text without surrounding white space, of which there may be megabytes. */
function* trimmed(text: string): Steps<string> {
  let start = 0;
  let end = text.length;
  while (isBlank(text.charCodeAt(start))) if (++start % STRIDE === 0) yield;
  while (end > start && isBlank(text.charCodeAt(end - 1))) if (--end % STRIDE === 0) yield;
  return end - start === text.length ? text : text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code <= 0x20 && (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09);
}

/** Whether it is a quote, a bracket, a colon or a comma. */
function isMark(code: number): boolean {
  return (
    code === QUOTE ||
    code === COLON ||
    code === COMMA ||
    code === OBJECT ||
    code === LIST ||
    code === OBJECT_END ||
    code === LIST_END
  );
}

class Reader {
  readonly #text: string;
  readonly #bounds: JsonBounds;
  readonly #piece: number;
  readonly #open: Open[] = [];
  /** How many of the open objects and lists, from outside, are parsed piece by piece. */
  #entered = 0;
  #at = 0;
  /** The end of the last token. */
  #behind = 0;
  /** How many characters may be scanned before the next pause. */
  #left = 0;
  #values = 0;
  #fields = 0;
  /** The cost of both when complete members were last parsed. */
  #parsed = 0;
  /** The start of the string being scanned; -1 outside strings. */
  #quote = -1;
  /** The number of backslashes counted so far before a quote. */
  #slashes = 0;
  /** Long runs of white space outside strings, in order. */
  readonly #gaps: Span[] = [];
  value: unknown;
  /** Whether `value` is set. */
  #done = false;
  /** Set when a string was found that is too long to be parsed at once. */
  longText = false;

  constructor(text: string, bounds: JsonBounds, piece: number) {
    this.#text = text;
    this.#bounds = bounds;
    this.#piece = piece;
  }

  /** Continues until a pause is due. @returns whether everything is parsed */
  scan(): boolean {
    const text = this.#text;
    this.#left = STRIDE;
    while (this.#at < text.length) {
      if (this.#left <= 0) return false;
      if (this.#quote >= 0) {
        if (!this.#stepOver() || this.longText) return false;
        continue;
      }
      const code = text.charCodeAt(this.#at);
      if (isBlank(code)) {
        if (!this.#skipBlanks()) return false;
        continue;
      }
      if (!isMark(code)) {
        this.#skipWord();
        continue;
      }
      this.#at += 1;
      if (code === QUOTE) {
        this.#quote = this.#at - 1;
        continue;
      }
      this.#left -= 1;
      if (code === COLON) this.#field();
      else if (code === COMMA) this.#comma();
      else if (code === OBJECT || code === LIST) this.#begin(code === LIST);
      else if (this.#end(code === LIST_END)) return true;
      this.#behind = this.#at;
    }
    if (this.#open.length > 0 || this.#quote >= 0) this.#fail();
    if (!this.#done) this.value = JSON.parse(this.#slice(0, text.length)) as unknown;
    return true;
  }

  /** Parses the string at which `scan` stopped. */
  *readLongText(): Steps<void> {
    this.longText = false;
    const parent = this.#open.at(-1);
    const start = this.#quote;
    const before = this.#behind;
    this.#quote = -1;
    this.#behind = this.#at;
    if (parent && !parent.isList && before <= parent.member) throw new TooLong('a name', LONG_TEXT);
    this.#flush();
    const name = parent ? this.#nameOf(parent, start, before) : '';
    const value = yield* textInSteps(this.#text, start + 1, this.#at - 1);
    if (parent) {
      add(parent, name, value);
      parent.from = this.#at;
      parent.next = 'end';
    } else {
      if (before > 0 || this.#at < this.#text.length) this.#fail();
      this.value = value;
      this.#done = true;
    }
  }

  /** @returns false when a pause is due */
  #skipBlanks(): boolean {
    const text = this.#text;
    const start = this.#at;
    const most = start + this.#left;
    let at = start + 1;
    while (at < most && isBlank(text.charCodeAt(at))) at += 1;
    this.#at = at;
    this.#left -= at - start;
    const open = at === most && isBlank(text.charCodeAt(at));
    if (!open && at - this.#behind > LONG_GAP) this.#gaps.push({ start: this.#behind, end: at });
    return !open;
  }

  /** Skips a number, `true`, `false`, `null` or an invalid literal. */
  #skipWord(): void {
    const text = this.#text;
    const start = this.#at;
    const most = Math.min(text.length, start + LONG_WORD + 1);
    let at = start + 1;
    while (at < most && !isMark(text.charCodeAt(at)) && !isBlank(text.charCodeAt(at))) at += 1;
    this.#at = this.#behind = at;
    this.#left -= at - start;
    if (at - start <= LONG_WORD) return;
    if (/[-\d]/.test(text[start]!)) throw new TooLong('a number', LONG_WORD);
    this.#fail();
  }

  /** Finds the end of the current string. @returns false when a pause is due */
  #stepOver(): boolean {
    const text = this.#text;
    while (this.#left > 0) {
      const quote = text.indexOf('"', this.#at);
      if (quote < 0) return this.#fail();
      if (!this.#countSlashes(quote)) return false;
      const escaped = this.#slashes % 2 === 1;
      this.#slashes = 0;
      this.#at = quote + 1;
      this.#left -= SEARCH;
      if (escaped) continue;
      this.longText = this.#at - this.#quote > LONG_TEXT;
      if (!this.longText) {
        this.#quote = -1;
        this.#behind = this.#at;
      }
      return true;
    }
    return false;
  }

  /** Counts the backslashes before a quote. @returns false when a pause is due */
  #countSlashes(quote: number): boolean {
    while (this.#text.charCodeAt(quote - 1 - this.#slashes) === BACKSLASH) {
      this.#slashes += 1;
      this.#left -= 1;
      if (this.#left <= 0) return false;
    }
    return true;
  }

  #field(): void {
    this.#count(0, 1);
    const open = this.#open.at(-1);
    if (open && (open.fields += 1) > this.#bounds.maxObjectFields) throw new TooComplex('maxObjectFields');
  }

  #count(values: number, fields: number): void {
    if ((this.#values += values) > this.#bounds.maxValues) throw new TooComplex('maxValues');
    if ((this.#fields += fields) > this.#bounds.maxFields) throw new TooComplex('maxFields');
  }

  #begin(isList: boolean): void {
    this.#count(1, isList ? 0 : 1);
    if (this.#open.length >= this.#bounds.maxDepth) throw new TooComplex('maxDepth');
    const from = this.#at;
    const before = this.#behind;
    this.#open.push({
      isList,
      start: from - 1,
      before,
      from,
      member: from,
      fields: 0,
      value: undefined,
      next: 'any',
    });
    // The next member may have a long name, and so may its descendants.
    this.#flushWhenDue();
  }

  #comma(): void {
    const open = this.#open.at(-1);
    if (!open) return this.#fail();
    this.#count(1, 0);
    if (open.next === 'end') {
      if (this.#behind > open.from) this.#fail();
      open.from = this.#at;
      open.next = 'member';
    }
    open.member = this.#at;
    this.#flushWhenDue();
  }

  /** Parses complete members when they are enough work for a pause. */
  #flushWhenDue(): void {
    const outer = this.#open[this.#entered - 1];
    const weight = this.#values * VALUE + this.#fields * FIELD;
    if (this.#at - (outer?.from ?? 0) + weight - this.#parsed < this.#piece) return;
    this.#parsed = weight;
    this.#flush();
    this.#left = 0;
  }

  /** @returns whether this was the end of the document */
  #end(isList: boolean): boolean {
    const open = this.#open.pop();
    if (!open || open.isList !== isList) return this.#fail();
    const outermost = this.#open.length === 0;
    if (outermost && this.#at < this.#text.length) this.#fail();
    if (open.value === undefined) {
      if (outermost) this.value = JSON.parse(this.#slice(0, this.#at)) as unknown;
      return outermost;
    }
    if (this.#behind > open.from) this.#parse(open, this.#at - 1);
    else if (open.next === 'member') this.#fail();
    this.#entered -= 1;
    if (outermost) this.value = open.value;
    const parent = this.#open.at(-1);
    if (parent) {
      parent.from = this.#at;
      parent.next = 'end';
    }
    return outermost;
  }

  /** Parses all complete members; from now on everything that is open is parsed piece by piece. */
  #flush(): void {
    for (const [depth, open] of this.#open.entries()) {
      if (open.value === undefined) {
        open.value = open.isList ? [] : {};
        const parent = this.#open[depth - 1];
        if (parent) add(parent, this.#nameOf(parent, open.start, open.before), open.value);
        else if (open.start > 0) this.#fail();
      }
      if (open.member > open.from) {
        this.#parse(open, open.member - 1);
        open.from = open.member;
        open.next = 'member';
      }
    }
    this.#entered = this.#open.length;
  }

  /** Parses whole members, from the start of the part that is not parsed yet. */
  #parse(open: Open, end: number): void {
    if (open.next === 'end') this.#fail();
    const members = this.#slice(open.from, end);
    if (open.isList) for (const value of JSON.parse(`[${members}]`) as unknown[]) add(open, '', value);
    else {
      const part = JSON.parse(`{${members}}`) as JsonObject;
      for (const name of Object.keys(part)) add(open, name, part[name]);
    }
  }

  /** The name of the member whose value begins at `start`. @param before the end of what precedes it */
  #nameOf(parent: Open, start: number, before: number): string {
    if (parent.next === 'end') this.#fail();
    if (parent.isList) return before <= parent.member ? '' : this.#fail();
    const [name] = Object.keys(JSON.parse(`{${this.#slice(parent.member, start)}0}`) as JsonObject);
    return name ?? this.#fail();
  }

  /** A part of the text, with runs of white space shortened to one character. */
  #slice(start: number, end: number): string {
    const text = this.#text;
    let sliced = '';
    let from = start;
    for (const gap of this.#gaps) {
      if (gap.start < from || gap.end > end) continue;
      sliced += `${text.slice(from, gap.start)} `;
      from = gap.end;
    }
    return sliced + text.slice(from, end);
  }

  /** The engine's own error message, where obtaining it is quick. */
  #fail(): never {
    if (this.#text.length <= STRIDE) JSON.parse(this.#text);
    throw new SyntaxError('it is cut, or brackets and commas do not match');
  }
}

function add({ value }: Open, name: string, member: unknown): void {
  if (Array.isArray(value)) value.push(member);
  // An ordinary assignment to this name would set the prototype.
  else if (name === '__proto__')
    Object.defineProperty(value, name, {
      value: member,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  else if (value) value[name] = member;
}
