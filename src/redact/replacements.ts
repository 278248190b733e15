/** What found values are replaced with. */
import type { RedactKind } from '../config/redact-kinds.ts';
import { fakeOf } from './fakes.ts';

interface Kind {
  readonly name: string;
  readonly kind: RedactKind | 'custom';
}

/** The number of replacements that are remembered. */
const MAX_REMEMBERED = 10_000;
const HASH_DIGITS = 10;

/** Chooses and counts replacements. */
export interface Replacing {
  /** The number of replacements, by kind. */
  readonly counts: ReadonlyMap<string, number>;
  /** The form of replacements, which are not replaced again. Defaults to the forms of all modes. */
  readonly marks?: RegExp;
  /** @param value what was found, if the text spells it in another way, such as escaped */
  of(kind: Kind, found: string, value?: string): string;
  /** Forgets the numbers of tags. */
  fresh(): void;
}

/** Gives the same value the same replacement, in whichever of its spellings it is found. */
export class Replacements implements Replacing {
  readonly #mode: 'tag' | 'hash' | 'fake';
  readonly #salt: string;
  readonly #remembered = new Map<string, string>();
  /** Numbers of tags, by kind and value. */
  #tags = new Map<string, string>();
  #numbers = new Map<string, number>();
  /** How many were made, by kind. */
  readonly counts = new Map<string, number>();

  /** @param salt secret for hashes and fakes */
  constructor(mode: 'tag' | 'hash' | 'fake', salt: string) {
    this.#mode = mode;
    this.#salt = salt;
  }

  /** Forgets the numbers of tags. */
  fresh(): void {
    if (this.#numbers.size === 0) return;
    this.#tags = new Map();
    this.#numbers = new Map();
  }

  of(kind: Kind, found: string, plain = found): string {
    const value = normalised(kind.kind, plain);
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
        : spelledLike(found, fakeOf(kind.kind, plain, hash), plain);
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

/** A fake with the escapes that its place requires. */
function spelledLike(found: string, fake: string, plain: string): string {
  if (found === plain) return fake;
  const isQuery = /%[0-9A-Fa-f]{2}/.test(found) || found.replaceAll('+', ' ') === plain;
  if (isQuery) return encodeURIComponent(fake.toWellFormed());
  // JSON within JSON doubles the backslashes.
  const most = Math.max(0, ...Array.from(found.matchAll(/\\+/g), ([run]) => run.length));
  let spelled = fake;
  for (let slashes = 1; slashes <= most; slashes *= 2) spelled = JSON.stringify(spelled).slice(1, -1);
  return spelled;
}

/** Makes different spellings of the same value equal. */
function normalised(kind: Kind['kind'], found: string): string {
  if (kind === 'email') return found.toLowerCase();
  if (kind === 'phone' || kind === 'card' || kind === 'ssn') return found.replace(/[^\d+]/g, '');
  return kind === 'iban' ? found.replaceAll(/[ -]/g, '').toUpperCase() : found;
}
