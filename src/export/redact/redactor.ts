import { isObject } from '../../wire/json.ts';
import { numberText, parseLongNumbers } from '../conversation/json.ts';
import type { Detector, RedactKind } from './kinds.ts';
import { fakeOf } from './fakes.ts';
import { DETECTORS, REDACT_KINDS, SECRET_KEY } from './kinds.ts';

export interface CustomPattern {
  readonly name: string;
  /** Source of a JavaScript regular expression. */
  readonly pattern: string;
}

/** Plain data, so that it can go to another thread. */
export interface RedactOptions {
  readonly kinds: readonly RedactKind[];
  readonly custom: readonly CustomPattern[];
  readonly mode: 'tag' | 'hash' | 'fake';
  /** Secret for hashes and fakes. */
  readonly salt: string;
}

/** Replacements that are remembered. */
const MAX_REMEMBERED = 10_000;
const HASH_DIGITS = 10;
/** Of a number that could tell something of somebody. */
const LEAST_DIGITS = 9;
/** What a redactor itself wrote: found again, it stays. */
const OWN = /^\[?[A-Z][A-Z0-9_]*[_:][0-9a-f]+\]?$/;

interface Kind {
  readonly name: string;
  readonly kind: RedactKind | 'custom';
  readonly detectors: readonly Detector[];
}

interface Hit {
  readonly from: number;
  readonly to: number;
  readonly kind: Kind;
}

/** Hides values in texts, the same value in the same way. */
export class Redactor {
  readonly #mode: RedactOptions['mode'];
  readonly #salt: string;
  readonly #kinds: readonly Kind[];
  readonly #secrets: Kind | undefined;
  readonly #remembered = new Map<string, string>();
  /** Numbers of tags, by kind and value. */
  #tags = new Map<string, string>();
  #numbers = new Map<string, number>();
  /** Hits by kind. */
  readonly counts = new Map<string, number>();

  constructor({ kinds, custom, mode, salt }: RedactOptions) {
    this.#mode = mode;
    this.#salt = salt;
    const known = (Object.keys(DETECTORS) as RedactKind[]).filter((kind) => kinds.includes(kind));
    this.#kinds = [
      ...custom.map(({ name, pattern }): Kind => ({
        name,
        kind: 'custom',
        detectors: [{ may: () => true, pattern: new RegExp(pattern, 'gu') }],
      })),
      ...known.map((kind): Kind => ({ name: kind, kind, detectors: DETECTORS[kind] })),
    ];
    this.#secrets = this.#kinds.find(({ kind }) => kind === 'key');
  }

  /** Hits so far. */
  get hits(): number {
    let hits = 0;
    for (const count of this.counts.values()) hits += count;
    return hits;
  }

  /** Forgets the numbers of tags: they begin anew with each conversation. */
  fresh(): void {
    if (this.#numbers.size === 0) return;
    this.#tags = new Map();
    this.#numbers = new Map();
  }

  text(text: string): string {
    const hits = this.#find(text);
    if (hits.length === 0) return text;
    let out = '';
    let at = 0;
    for (const { from, to, kind } of hits) {
      out += text.slice(at, from) + this.#replacement(kind, text.slice(from, to));
      at = to;
    }
    return out + text.slice(at);
  }

  /** JSON text stays JSON text; what is none is a text like any other. */
  json(text: string): string {
    let value: unknown;
    try {
      value = parseLongNumbers(text);
    } catch {
      return this.text(text);
    }
    const before = this.hits;
    const hidden = this.value(value);
    return this.hits === before ? text : JSON.stringify(hidden);
  }

  /** Every string and key of a value. A string that is JSON text itself is looked into. */
  value(value: unknown): unknown {
    if (typeof value === 'string') return /^\s*[[{"]/.test(value) ? this.json(value) : this.text(value);
    if (Array.isArray(value)) return value.map((item) => this.value(item));
    const digits = numberText(value);
    if (digits !== undefined) return this.#number(value, digits);
    if (!isObject(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [
        this.text(key),
        this.#secret(key, inner) ?? this.value(inner),
      ]),
    );
  }

  /** A number may be a card's, or a phone's: then a text stands in its place. */
  #number(value: unknown, digits: string): unknown {
    if (digits.length < LEAST_DIGITS) return value;
    const before = this.hits;
    const hidden = this.text(digits);
    return this.hits === before ? value : hidden;
  }

  /** What stands under a key such as `password` is hidden whole. */
  #secret(key: string, value: unknown): string | undefined {
    if (!this.#secrets || typeof value !== 'string' || value.length < 4 || !SECRET_KEY.test(key))
      return undefined;
    return OWN.test(value) ? value : this.#replacement(this.#secrets, value);
  }

  #find(text: string): Hit[] {
    const found: Hit[] = [];
    for (const kind of this.#kinds)
      for (const { may, pattern, is, begins, rest } of kind.detectors) {
        if (!may(text)) continue;
        pattern.lastIndex = 0;
        for (let match = pattern.exec(text); match; match = pattern.exec(text)) {
          const whole = match[1] ?? match[0];
          const from = match.index + (match[1] === undefined ? 0 : match[0].lastIndexOf(whole));
          const value = begins ? begins(whole) : (is?.(whole) ?? true) ? whole : undefined;
          // What is none as a whole may hold one.
          if (value === undefined || match[0] === '') {
            pattern.lastIndex = match.index + 1;
            continue;
          }
          const to = endOf(text, from + value.length, rest);
          if (value !== '' && !OWN.test(value)) found.push({ from, to, kind });
          if (begins || rest) pattern.lastIndex = to;
        }
      }
    return found.length < 2 ? found : apart(found);
  }

  #replacement(kind: Kind, found: string): string {
    const value = normalised(kind.kind, found);
    this.counts.set(kind.name, (this.counts.get(kind.name) ?? 0) + 1);
    if (this.#mode === 'tag') return this.#tag(kind.name, value);
    const key = `${kind.name} ${this.#mode === 'fake' ? found : value}`;
    const known = this.#remembered.get(key);
    if (known !== undefined) return known;
    const hash = Buffer.from(
      new Bun.CryptoHasher('sha256', this.#salt).update(`${kind.name}\0${value}`).digest(),
    );
    const replacement =
      this.#mode === 'hash'
        ? `[${kind.name.toUpperCase()}:${hash.toString('hex').slice(0, HASH_DIGITS)}]`
        : fakeOf(kind.kind, found, hash);
    if (this.#remembered.size >= MAX_REMEMBERED) this.#remembered.clear();
    this.#remembered.set(key, replacement);
    return replacement;
  }

  #tag(name: string, value: string): string {
    const key = `${name} ${value}`;
    let tag = this.#tags.get(key);
    if (tag === undefined) {
      const number = (this.#numbers.get(name) ?? 0) + 1;
      this.#numbers.set(name, number);
      tag = `[${name.toUpperCase()}_${number}]`;
      this.#tags.set(key, tag);
    }
    return tag;
  }
}

/** Where the rest of a hit ends. */
function endOf(text: string, end: number, rest: RegExp | undefined): number {
  if (!rest) return end;
  rest.lastIndex = end;
  return rest.test(text) ? rest.lastIndex : end;
}

/** Hits that do not overlap: the earlier, then the longer, then by the order of kinds; each with all of the others' ends. */
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

/** What makes two ways of writing one value the same. */
function normalised(kind: Kind['kind'], found: string): string {
  if (kind === 'email') return found.toLowerCase();
  if (kind === 'phone' || kind === 'card' || kind === 'ssn') return found.replace(/[^\d+]/g, '');
  return kind === 'iban' ? found.replaceAll(/[ -]/g, '').toUpperCase() : found;
}

/** Reads NAME=REGEX. @throws Error in words when it is none, or would match nothing at all everywhere */
export function customPattern(text: string): CustomPattern {
  const [, name, pattern] = /^([A-Za-z][A-Za-z0-9_]{0,31})=(.+)$/s.exec(text) ?? [];
  if (name === undefined || pattern === undefined) throw new Error('expected NAME=REGEX');
  if ((REDACT_KINDS as readonly string[]).includes(name)) throw new Error(`${name} is a kind of its own`);
  if (new RegExp(pattern, 'gu').test('')) throw new Error('it matches the empty text');
  return { name, pattern };
}
