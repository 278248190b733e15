import { isObject } from '../wire/json.ts';
import { isJsonText } from '../wire/json-in-text.ts';
import { numberText, parseLongNumbers } from '../wire/long-numbers.ts';
import type { RedactKind } from '../config/redact-kinds.ts';
import type { CustomPattern } from '../config/redact-patterns.ts';
import type { FoundTexts } from './found-texts.ts';
import type { Finder } from './kinds.ts';
import { quotesFor, wholeCharacters, wholeNumber } from './boundaries.ts';
import { FINDERS } from './kinds.ts';
import type { NumberPart } from './numbers.ts';
import { numberParts } from './numbers.ts';
import type { Replacing } from './replacements.ts';
import { Replacements } from './replacements.ts';
import { isSecretName } from './secrets/named.ts';
import { isPlaceholder } from './secrets/placeholders.ts';
import { base64In } from './spellings/base64.ts';
import type { Plain } from './spellings/plain-parts.ts';
import { plainParts } from './spellings/plain-parts.ts';

/** What replaces a part of a text. */
interface Replaced {
  readonly from: number;
  readonly to: number;
  readonly put: string;
}

/** Plain data, so that it can be sent to another thread. */
export interface RedactOptions {
  readonly kinds: readonly RedactKind[];
  readonly custom: readonly CustomPattern[];
  readonly mode: 'tag' | 'hash' | 'fake';
  /** The secret for hashes and fakes. */
  readonly salt: string;
}

/** Nothing shorter than this is replaced. */
const SHORTEST = 4;
/** Text is often escaped more than once, as JSON in JSON or a URL in a URL. */
const MAX_SPELLINGS = 3;
/** The minimum length of a number that may be personal. */
const LEAST_DIGITS = 9;
/** The form of replacements, which are not replaced again. */
const OWN = /^\[?[A-Z][A-Z0-9_]*[_:][0-9a-f]+\]?$/;
const OWN_MARKS = /\[[A-Z][A-Z0-9_]*[_:][0-9a-f]+\]/g;

interface Kind {
  readonly name: string;
  readonly kind: RedactKind | 'custom';
  readonly find: Finder;
}

export interface Hit {
  readonly from: number;
  readonly to: number;
  readonly kind: Kind;
  /** What was found, if the text spells it in another way. */
  readonly value?: string;
  /** Where the character before it begins, which may be an escape. Given in the same case. */
  readonly lead?: number;
}

/** Replaces values in texts, and the same value always in the same way. */
export class Redactor {
  readonly #replacements: Replacing;
  readonly #kinds: readonly Kind[];
  readonly #secrets: Kind | undefined;
  readonly #marks: RegExp;
  readonly #isMark: RegExp;
  readonly #found: FoundTexts | undefined;

  /**
   * @param replacing creates the replacements; by default as `mode` says
   * @param found remembers what was found, where texts of one owner are repeated
   */
  constructor({ kinds, custom, mode, salt }: RedactOptions, replacing?: Replacing, found?: FoundTexts) {
    this.#found = found;
    this.#replacements = replacing ?? new Replacements(mode, salt);
    const { marks } = this.#replacements;
    this.#marks = marks ?? OWN_MARKS;
    this.#isMark = marks ? new RegExp(`^(?:${marks.source})$`) : OWN;
    const known = (Object.keys(FINDERS) as RedactKind[]).filter((kind) => kinds.includes(kind));
    this.#kinds = [
      ...custom.map(({ name, pattern }): Kind => ({ name, kind: 'custom', find: customFinder(pattern) })),
      ...known.map((kind): Kind => ({ name: kind, kind, find: FINDERS[kind] })),
    ];
    this.#secrets = this.#kinds.find(({ kind }) => kind === 'key');
  }

  /** The number of replacements, by kind. */
  get counts(): ReadonlyMap<string, number> {
    return this.#replacements.counts;
  }

  /** The total number of replacements. */
  get hits(): number {
    let hits = 0;
    for (const count of this.counts.values()) hits += count;
    return hits;
  }

  /** Starts the numbers of tags again, as for each conversation. */
  fresh(): void {
    this.#replacements.fresh();
  }

  /** @param label the JSON key that the text is the value of */
  text(text: string, label = ''): string {
    return this.#replaced(text, this.#hits(text, label));
  }

  /** Whether `text` would replace something. */
  finds(text: string): boolean {
    return this.#hits(text, '').length > 0;
  }

  /**
   * Texts that are read as one, such as the parts of a message. A value that is spread over several of them
   * is removed from all of them, and its replacement is in the first. A part that is JSON stays JSON, and is read alone.
   */
  texts(parts: readonly string[]): string[] {
    const json = parts.findIndex(isJsonText);
    if (json >= 0) {
      const before = this.#joined(parts.slice(0, json));
      return [...before, this.json(parts[json]!), ...this.texts(parts.slice(json + 1))];
    }
    return this.#joined(parts);
  }

  #joined(parts: readonly string[]): string[] {
    if (parts.length < 2) return parts.map((part) => this.text(part));
    const whole = parts.join('');
    let end = 0;
    const ends = parts.map((part) => (end += part.length));
    // The end of a part and the beginning of the next are not one word: each part is searched on its own too.
    const own = parts.flatMap((part, index) => {
      const offset = ends[index]! - part.length;
      return this.#hits(part, '').map((hit) => ({ ...hit, from: hit.from + offset, to: hit.to + offset }));
    });
    const across = this.#hits(whole, '').filter(({ from, to }) => ends.some((at) => from < at && to > at));
    const hits = apart([...own, ...across]);
    return parts.map((part, index) => {
      const [begin, stop] = [ends[index]! - part.length, ends[index]!];
      let out = '';
      let at = begin;
      for (const hit of hits) {
        if (hit.to <= begin || hit.from >= stop) continue;
        const { from, to, put } = hit.from >= begin ? this.#replacement(whole, hit) : { ...hit, put: '' };
        out += whole.slice(at, Math.max(at, from)) + put;
        at = Math.min(to, stop);
      }
      return out + whole.slice(at, stop);
    });
  }

  #replaced(text: string, hits: readonly Hit[]): string {
    if (hits.length === 0) return text;
    let out = '';
    let at = 0;
    for (const hit of hits) {
      const { from, to, put } = this.#replacement(text, hit);
      out += text.slice(at, from) + put;
      at = to;
    }
    return out + text.slice(at);
  }

  /** What to put in place of a match. A number in JSON is replaced as a whole. */
  #replacement(text: string, { from, to, kind, value }: Hit): Replaced {
    const put = this.#replacements.of(kind, text.slice(from, to), value);
    const [begin, end] = wholeNumber(text, from, to);
    const quotes = quotesFor(text, begin, end);
    return quotes === '' ? { from, to, put } : { from: begin, to: end, put: quotes + put + quotes };
  }

  /** JSON text stays valid JSON. Any other text is searched as it is. */
  json(text: string, label = ''): string {
    let value: unknown;
    try {
      value = parseLongNumbers(text);
    } catch {
      return this.text(text, label);
    }
    const before = this.hits;
    const hidden = this.value(value, label);
    return this.hits === before ? text : JSON.stringify(hidden);
  }

  /** All strings and keys of a value. A string that contains JSON is parsed and searched. */
  value(value: unknown, label = ''): unknown {
    if (typeof value === 'string' && isEncoded(value)) return value;
    if (typeof value === 'string')
      return /^\s*[[{"]/.test(value) ? this.json(value, label) : this.text(value, label);
    if (Array.isArray(value)) return this.#list(value.map((item) => this.value(item, label)));
    const digits = numberText(value);
    if (digits !== undefined) return this.#number(value, digits, label);
    if (!isObject(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [
        this.text(key),
        this.secret(key, inner) ?? this.value(inner, key),
      ]),
    );
  }

  /** Consecutive text parts are read as one text. */
  #list(items: readonly unknown[]): unknown[] {
    const out = [...items];
    for (let from = 0; from < out.length; from++) {
      const run: TextPart[] = [];
      for (let part = out[from]; isTextPart(part); part = out[from + run.length]) run.push(part);
      if (run.length < 2) continue;
      const texts = this.texts(run.map(({ text }) => text));
      for (const [index, part] of run.entries()) out[from + index] = { ...part, text: texts[index] };
      from += run.length;
    }
    return out;
  }

  /** A number may be a card or phone number. It is then replaced with a string. */
  #number(value: unknown, digits: string, label: string): unknown {
    if (digits.length < LEAST_DIGITS) return value;
    const before = this.hits;
    const hidden = this.text(digits, label);
    return this.hits === before ? value : hidden;
  }

  /**
   * The replacement of a value under a key such as `password`; `undefined` for other keys, or if it is not a secret.
   */
  secret(key: string, value: unknown): string | undefined {
    if (!this.#secrets || typeof value !== 'string' || value.length < 4 || !isSecretName(key))
      return undefined;
    if (isPlaceholder(value)) return value;
    return this.#isMark.test(value) ? value : this.#replacements.of(this.#secrets, value);
  }

  #hits(text: string, label: string): readonly Hit[] {
    return this.#found?.of(text, label, () => this.#find(text, label)) ?? this.#find(text, label);
  }

  /** @param spellings how often the text may be escaped, one within the other */
  #find(text: string, label: string, spellings = MAX_SPELLINGS): readonly Hit[] {
    if (text.length < SHORTEST) return [];
    const found: Hit[] = [];
    let numbers: readonly NumberPart[] | undefined;
    const searched = {
      text,
      label,
      get numbers() {
        return (numbers ??= numberParts(text));
      },
    };
    for (const kind of this.#kinds)
      kind.find(searched, (from, to) => {
        if (from >= to || this.#isMark.test(text.slice(from, to))) return;
        const [begin, end] = wholeCharacters(text, from, to);
        found.push({ from: begin, to: end, kind });
      });
    const spelled =
      spellings > 0
        ? plainParts(text).flatMap((part) => this.#spelled(text, part, label, spellings - 1))
        : [];
    if (spellings > 0) found.push(...this.#encoded(text, label, spellings - 1));
    const all = spelled.length === 0 ? found : [...spelled, ...behindEscapes(text, found, spelled)];
    const hits = text.includes('[') ? beside(this.#marks, text, all) : all;
    return hits.length < 2 ? hits : apart(hits);
  }

  /** Base64 of a text with a value in it, which is replaced as a whole. */
  #encoded(text: string, label: string, spellings: number): Hit[] {
    return base64In(text).flatMap(({ from, to, plain }) => {
      const [hit] = this.#find(plain, label, spellings);
      return hit ? [{ from, to, kind: hit.kind, value: hit.value ?? plain.slice(hit.from, hit.to) }] : [];
    });
  }

  /** What only the plain spelling shows: an escape in it or beside it hides it in the original. */
  #spelled(original: string, plain: Plain, label: string, spellings: number): Hit[] {
    const { text } = plain;
    return this.#find(text, label, spellings).flatMap(
      ({ from, to, kind, value, lead = Math.max(0, from - 1) }) => {
        const behind = Math.min(text.length, to + 1);
        if (original.slice(plain.place(lead), plain.end(behind)) === text.slice(lead, behind)) return [];
        return {
          from: plain.place(from),
          to: plain.end(to),
          kind,
          value: value ?? text.slice(from, to),
          lead: plain.place(lead),
        };
      },
    );
  }
}

/** A part of a message, in whichever protocol. */
interface TextPart {
  readonly text: string;
}

function isTextPart(value: unknown): value is TextPart {
  if (!isObject(value) || typeof value.text !== 'string') return false;
  const { type } = value;
  return typeof type === 'string' ? type.endsWith('text') : Object.keys(value).length === 1;
}

function customFinder(source: string): Finder {
  const pattern = new RegExp(source, 'gu');
  return ({ text }, add) => {
    for (const match of text.matchAll(pattern)) {
      const hidden = match[1] ?? match[0];
      const from = match.index + (match[1] === undefined ? 0 : match[0].lastIndexOf(hidden));
      add(from, from + hidden.length);
    }
  };
}

/** The number of Base64 characters from which a text is a file rather than a key. */
const LEAST_ENCODED = 2_048;

/** Images, recordings and documents, in which a pattern may match by chance. */
function isEncoded(text: string): boolean {
  if (/^data:(?!text\/|application\/json)[^,]{0,100};base64,/i.test(text)) return true;
  return text.length >= LEAST_ENCODED && /^[A-Za-z0-9+/_-]+={0,2}$/.test(text);
}

/** Matches, except those that begin within a replacement. */
function beside(marks: RegExp, text: string, hits: readonly Hit[]): readonly Hit[] {
  if (hits.length === 0) return hits;
  const own = [...text.matchAll(marks)].map(({ 0: mark, index }) => [index, index + mark.length] as const);
  return own.length === 0
    ? hits
    : hits.filter(({ from }) => !own.some(([begin, end]) => from > begin && from < end));
}

/**
 * Matches that begin within an escape, where the plain spelling shows that the value begins after it:
 * `njane@example.org` in `\njane@example.org`, `20jane@example.org` in `%20jane@example.org`. Only mail has escapes with
 * an equals sign: in `=40jane@example.org`, the digits may belong to the value.
 */
function behindEscapes(text: string, found: readonly Hit[], spelled: readonly Hit[]): Hit[] {
  const starts = new Map<number, number>();
  for (const { from, lead = from } of spelled)
    if (text[lead] !== '=') for (let at = lead + 1; at < from; at++) starts.set(at, from);
  return found.map((hit) => ({ ...hit, from: starts.get(hit.from) ?? hit.from }));
}

/**
 * Matches that do not overlap. The earlier wins, then the longer, then the order of kinds. Each is extended to the end
 * of those it overlaps.
 */
function apart(found: readonly Hit[]): Hit[] {
  const sorted = found.toSorted((a, b) => a.from - b.from || b.to - a.to);
  const kept: Hit[] = [];
  for (const hit of sorted) {
    const last = kept.at(-1);
    if (!last || hit.from >= last.to) kept.push(hit);
    else if (hit.to > last.to) kept[kept.length - 1] = { ...last, to: hit.to };
  }
  return kept;
}
