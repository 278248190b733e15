/** Reads JSON in steps: JSON.parse of tens of megabytes holds the event loop for seconds, and knows no bounds. */
import type { Steps } from '../turns.ts';
import type { JsonObject } from './json.ts';
import { textInSteps } from './json-text.ts';
import { QUOTE, COMMA, COLON, LIST, BACKSLASH, LIST_END, OBJECT, OBJECT_END } from './json-bytes.ts';

/** How complex JSON may be. */
export interface JsonBounds {
  /** Objects and lists within each other. */
  readonly maxDepth: number;
  /** Values, nested ones included. */
  readonly maxValues: number;
  /** Objects, and the fields they have. */
  readonly maxFields: number;
}

/** What each of them counts. */
export const KINDS: Readonly<Record<keyof JsonBounds, string>> = {
  maxDepth: 'levels of objects and lists',
  maxValues: 'values',
  maxFields: 'objects and fields',
};

/** JSON that is more complex than allowed. */
export class TooComplex extends Error {
  readonly bound: keyof JsonBounds;

  constructor(bound: keyof JsonBounds) {
    super(`Cannot read JSON beyond its bounds: ${bound}`);
    this.bound = bound;
  }
}

/** What JSON.parse is given at once, characters: a few milliseconds' worth. */
const PIECE = 2 * 1024 * 1024;

/** To make a value, or a field, takes as long as to read so many characters of text. */
const VALUE = 64;
const FIELD = 192;

/** Characters that are looked at, and texts that are stepped over, between two pauses. */
const STRIDE = 1024 * 1024;
const MAX_TEXTS = 32 * 1024;

/** An object or list whose end is still to come. */
interface Open {
  readonly isList: boolean;
  /** Where its bracket stands. */
  readonly start: number;
  /** Where what is not parsed yet begins. */
  from: number;
  /** Where its last member begins. */
  member: number;
  /** What is parsed of it, from when on it is read piece by piece. */
  value: unknown[] | JsonObject | undefined;
  /** What may come next: anything, a member because a comma stands before, or only what follows a member. */
  next: 'any' | 'member' | 'end';
}

/**
 * What JSON.parse makes of the text, in steps of a few milliseconds.
 * @param piece what is parsed at once, characters
 * @throws TooComplex, or SyntaxError when it is no JSON
 */
export function* parseInSteps(text: string, bounds: JsonBounds, piece = PIECE): Steps<unknown> {
  const reader = new Reader(yield* trimmed(text), bounds, piece);
  while (!reader.scan()) {
    if (reader.longText) yield* reader.readLongText();
    yield;
  }
  return reader.value;
}

/** The text without the blanks around it, of which there may be megabytes. */
function* trimmed(text: string): Steps<string> {
  let start = 0;
  let end = text.length;
  while (isBlank(text.charCodeAt(start))) if (++start % STRIDE === 0) yield;
  while (end > start && isBlank(text.charCodeAt(end - 1))) if (--end % STRIDE === 0) yield;
  return end - start === text.length ? text : text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

class Reader {
  readonly #text: string;
  readonly #bounds: JsonBounds;
  readonly #piece: number;
  readonly #open: Open[] = [];
  /** How many of the open ones, from outside, are read piece by piece. */
  #entered = 0;
  #at = 0;
  #values = 0;
  #fields = 0;
  /** What both weighed when what was complete was last parsed. */
  #parsed = 0;
  /** Where the text begins that is being stepped over; -1 outside of one. */
  #quote = -1;
  /** Backslashes before a quote, as far as they are counted. */
  #slashes = 0;
  value: unknown;
  /** Set when a text was found that is too long to be read at once. */
  longText = false;

  constructor(text: string, bounds: JsonBounds, piece: number) {
    this.#text = text;
    this.#bounds = bounds;
    this.#piece = piece;
  }

  /** Goes on until it is time for a pause. @returns whether all is read */
  scan(): boolean {
    const text = this.#text;
    const pauseAt = this.#at + STRIDE;
    let texts = 0;
    while (this.#at < text.length) {
      if (this.#quote >= 0) {
        if (!this.#stepOver()) return false;
        if (this.longText || (texts += 1) > MAX_TEXTS) return false;
        continue;
      }
      const code = text.charCodeAt(this.#at);
      if (code === QUOTE) this.#quote = this.#at;
      this.#at += 1;
      if (code === COLON) this.#count(0, 1);
      else if (code === COMMA) {
        if (this.#comma()) return false;
      } else if (code === OBJECT || code === LIST) this.#begin(code === LIST);
      else if ((code === OBJECT_END || code === LIST_END) && this.#end(code === LIST_END)) return true;
      if (this.#at > pauseAt) return false;
    }
    if (this.#open.length > 0 || this.#quote >= 0) this.#fail();
    this.value = JSON.parse(text) as unknown;
    return true;
  }

  /** Reads the text that `scan` stopped behind. */
  *readLongText(): Steps<void> {
    this.longText = false;
    const parent = this.#open.at(-1);
    const start = this.#quote;
    this.#quote = -1;
    if (!parent) return;
    this.#flush();
    const name = this.#nameOf(parent, start);
    const value = yield* textInSteps(this.#text, start + 1, this.#at - 1);
    add(parent, name, value);
    parent.from = this.#at;
    parent.next = 'end';
  }

  /** Finds the end of the text that has begun. @returns false when it is time for a pause */
  #stepOver(): boolean {
    const text = this.#text;
    for (let tries = 0; tries < MAX_TEXTS; tries += 1) {
      const quote = text.indexOf('"', this.#at);
      if (quote < 0) return this.#fail();
      if (!this.#countSlashes(quote)) return false;
      const escaped = this.#slashes % 2 === 1;
      this.#slashes = 0;
      this.#at = quote + 1;
      if (escaped) continue;
      this.longText = this.#at - this.#quote > STRIDE && this.#open.length > 0;
      if (!this.longText) this.#quote = -1;
      return true;
    }
    return false;
  }

  /** Counts the backslashes before a quote. @returns false when it is time for a pause */
  #countSlashes(quote: number): boolean {
    const most = this.#slashes + STRIDE;
    while (this.#text.charCodeAt(quote - 1 - this.#slashes) === BACKSLASH) {
      this.#slashes += 1;
      if (this.#slashes === most) return false;
    }
    return true;
  }

  #count(values: number, fields: number): void {
    if ((this.#values += values) > this.#bounds.maxValues) throw new TooComplex('maxValues');
    if ((this.#fields += fields) > this.#bounds.maxFields) throw new TooComplex('maxFields');
  }

  #begin(isList: boolean): void {
    this.#count(1, isList ? 0 : 1);
    if (this.#open.length >= this.#bounds.maxDepth) throw new TooComplex('maxDepth');
    const from = this.#at;
    this.#open.push({ isList, start: from - 1, from, member: from, value: undefined, next: 'any' });
  }

  /** @returns whether enough was parsed for a pause */
  #comma(): boolean {
    const open = this.#open.at(-1);
    if (!open) return this.#fail();
    this.#count(1, 0);
    if (open.next === 'end') {
      if (!this.#blank(open.from, this.#at - 1)) this.#fail();
      open.from = this.#at;
      open.next = 'member';
    }
    open.member = this.#at;
    const outer = this.#open[this.#entered - 1];
    const weight = this.#values * VALUE + this.#fields * FIELD;
    if (this.#at - (outer?.from ?? 0) + weight - this.#parsed < this.#piece) return false;
    this.#parsed = weight;
    this.#flush();
    return true;
  }

  /** @returns whether this was the end of all */
  #end(isList: boolean): boolean {
    const open = this.#open.pop();
    if (!open || open.isList !== isList) return this.#fail();
    const outermost = this.#open.length === 0;
    if (outermost && !this.#blank(this.#at, this.#text.length)) this.#fail();
    if (open.value === undefined) {
      if (outermost) this.value = JSON.parse(this.#text) as unknown;
      return outermost;
    }
    if (!this.#blank(open.from, this.#at - 1)) this.#parse(open, this.#at - 1);
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

  /** Parses all members that are complete; from now on all that is open is read piece by piece. */
  #flush(): void {
    for (const [depth, open] of this.#open.entries()) {
      if (open.value === undefined) {
        open.value = open.isList ? [] : {};
        const parent = this.#open[depth - 1];
        if (parent) add(parent, this.#nameOf(parent, open.start), open.value);
        else if (!this.#blank(0, open.start)) this.#fail();
      }
      if (open.member > open.from) {
        this.#parse(open, open.member - 1);
        open.from = open.member;
        open.next = 'member';
      }
    }
    this.#entered = this.#open.length;
  }

  /** Parses whole members, from where the object or list is not parsed yet. */
  #parse(open: Open, end: number): void {
    if (open.next === 'end') this.#fail();
    const members = this.#text.slice(open.from, end);
    if (open.isList) for (const value of JSON.parse(`[${members}]`) as unknown[]) add(open, '', value);
    else {
      const part = JSON.parse(`{${members}}`) as JsonObject;
      for (const name of Object.keys(part)) add(open, name, part[name]);
    }
  }

  /** The name of the member whose value begins there. */
  #nameOf(parent: Open, start: number): string {
    if (parent.next === 'end') this.#fail();
    if (parent.isList) return this.#blank(parent.member, start) ? '' : this.#fail();
    const [name] = Object.keys(JSON.parse(`{${this.#text.slice(parent.member, start)}0}`) as JsonObject);
    return name ?? this.#fail();
  }

  #blank(start: number, end: number): boolean {
    for (let at = start; at < end; at += 1) if (!isBlank(this.#text.charCodeAt(at))) return false;
    return true;
  }

  /** The engine has the words for what is wrong, where asking it takes no time. */
  #fail(): never {
    if (this.#text.length <= STRIDE) JSON.parse(this.#text);
    throw new SyntaxError('it is cut, or brackets and commas do not match');
  }
}

function add({ value }: Open, name: string, member: unknown): void {
  if (Array.isArray(value)) value.push(member);
  // As a plain assignment this name would set the prototype.
  else if (name === '__proto__')
    Object.defineProperty(value, name, {
      value: member,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  else if (value) value[name] = member;
}
