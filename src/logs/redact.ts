/**
 * Keeps secrets out of what is written. It works on JSON text directly, without parsing it: by value (the configured
 * secrets), by key name (such as `authorization`) and by shape (`sk-...`). Valid JSON stays valid.
 */
import { stringEnd } from '../wire/json-string-end.ts';

export const REDACTED = '[redacted]';

/** Keys whose values never reach the log, regardless of case. */
export const REDACTED_KEYS: readonly string[] = [
  'authorization',
  'proxy-authorization',
  'x-api-key',
  'api-key',
  'api_key',
  'apikey',
  'access_token',
  'refresh_token',
  'client_secret',
  'password',
  'secret',
  'cookie',
  'set-cookie',
];

/** Shorter secrets would redact ordinary words. */
const MIN_SECRET_LENGTH = 6;

/**
 * Creates a function that redacts one line of JSON text.
 * @param options.secrets values to redact wherever they occur; those shorter than 6 characters are ignored
 * @param options.keys further JSON keys, regardless of case, whose strings (or lists of strings) are redacted
 */
export function redactor(options: {
  secrets: readonly string[];
  keys: readonly string[];
}): (text: string) => string {
  const forms = secretForms(options.secrets);
  const mayHoldSecret = sampler(forms);
  // An escape sequence is matched as a whole: a match that began inside one would leave invalid JSON.
  const secretOrEscape = new RegExp(
    `(${forms.map(escapePattern).join('|')})|\\\\(?:u[0-9A-Fa-f]{4}|[^])`,
    'g',
  );
  const names = [...REDACTED_KEYS, ...options.keys].map((key) => escapePattern(JSON.stringify(key)));
  // A quote after "{" or "," opens a key: within a string it would be escaped.
  // Optional whitespace on both sides of an optional bracket would backtrack over every division of it.
  const namedString = new RegExp(`[{,]\\s*(?:${names.join('|')})\\s*:\\s*(?:\\[\\s*)?"`, 'gi');

  return (text) => {
    let out = text;
    if (mayHoldSecret(out)) {
      out = out.replace(secretOrEscape, (match, secret: string | undefined) =>
        secret === undefined ? match : REDACTED,
      );
    }
    return maskShapes(maskNamed(out, namedString));
  };
}

/** Creates a function that redacts plain text, which may quote JSON: by value and by shape. */
export function masker(secrets: readonly string[]): (text: string) => string {
  const known = [...new Set([...usable(secrets), ...secretForms(secrets)])].toSorted(longestFirst);
  const mayHoldSecret = sampler(known);
  return (text) => {
    if (!mayHoldSecret(text)) return maskShapes(text);
    let out = text;
    for (const secret of known) if (out.includes(secret)) out = out.replaceAll(secret, REDACTED);
    return maskShapes(out);
  };
}

/** All forms in which the secrets may occur in JSON text, longest first. */
export function secretForms(secrets: readonly string[]): string[] {
  return [...new Set(usable(secrets).flatMap(jsonForms))].toSorted(longestFirst);
}

function usable(secrets: readonly string[]): string[] {
  return secrets.filter((secret) => secret.length >= MIN_SECRET_LENGTH);
}

function longestFirst(a: string, b: string): number {
  return b.length - a.length;
}

function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`);
}

/**
 * The forms of a secret in JSON text: plain, as PHP escapes it ("\/"), as Python does (\u00e9), and nested in a JSON
 * string.
 */
function jsonForms(secret: string): string[] {
  const inside = (text: string) => JSON.stringify(text).slice(1, -1);
  const plain = inside(secret);
  const ascii = plain.replace(
    /[\u0080-\uffff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  const forms = [plain, plain.replaceAll('/', String.raw`\/`), ascii];
  return [...forms, ...forms.map(inside)];
}

const GRAM = 4;
const SAMPLE_BITS = 20;

/**
 * A fast test that finds all texts in which one of these may occur, whose cost does not depend on the number of forms.
 * Every run of 4 characters from the first m of each form is marked in a bitmap, m being the shortest length. An
 * occurrence then shows a marked run at any m - 3 consecutive positions, so that only every (m - 3)th is examined.
 */
function sampler(forms: readonly string[]): (text: string) => boolean {
  if (forms.length === 0) return () => false;
  const stride = Math.min(...forms.map((form) => form.length)) - GRAM + 1;
  const marks = new Uint8Array(2 ** (SAMPLE_BITS - 3));
  for (const form of forms) {
    for (let at = 0; at < stride; at++) {
      const hash = gramHash(form, at);
      marks[hash >>> 3]! |= 1 << (hash & 7);
    }
  }
  return (text) => {
    for (let at = stride - 1; at <= text.length - GRAM; at += stride) {
      const hash = gramHash(text, at);
      if (marks[hash >>> 3]! & (1 << (hash & 7))) return true;
    }
    return false;
  };
}

function gramHash(text: string, at: number): number {
  const low = text.charCodeAt(at) | (text.charCodeAt(at + 1) << 16);
  const high = text.charCodeAt(at + 2) | (text.charCodeAt(at + 3) << 16);
  return (Math.imul(low, 0x9e3779b1) ^ Math.imul(high, 0x85ebca6b)) >>> (32 - SAMPLE_BITS);
}

const nextString = /\s*,\s*"/y;

/** Redacts the string, or each string of the list, that follows a match of `named`. */
function maskNamed(text: string, named: RegExp): string {
  let out = '';
  let from = 0;
  named.lastIndex = 0;
  for (let match = named.exec(text); match; match = named.exec(text)) {
    const inList = match[0].includes('[', match[0].lastIndexOf(':'));
    let open = named.lastIndex;
    for (;;) {
      out += text.slice(from, open) + REDACTED;
      from = stringEnd(text, open);
      nextString.lastIndex = from + 1;
      if (!inList || !nextString.test(text)) break;
      open = nextString.lastIndex;
    }
    named.lastIndex = from;
  }
  return from === 0 ? text : out + text.slice(from);
}

/** The prefixes of keys, and the fewest characters that follow them. */
const KEY_PREFIXES: Record<string, number> = { 'sk-': 20, gsk_: 32, 'xai-': 32, AIza: 35 };
const keyShape = /(sk-|gsk_|xai-|AIza)[\w-]{20,}|([Bb]earer +)[\w.~+/=-]{16,}(?:\\\/[\w.~+/=-]*)*/g;

/**
 * Redacts strings with the shape of a vendor's key or of a bearer token. Both must contain a digit, unlike ordinary
 * words.
 */
function maskShapes(text: string): string {
  const may =
    text.includes('sk-') ||
    text.includes('earer ') ||
    text.includes('gsk_') ||
    text.includes('AIza') ||
    text.includes('xai-');
  if (!may) return text;
  return text.replace(
    keyShape,
    (match, prefix: string | undefined, bearer: string | undefined, at: number) => {
      if (!/\d/.test(match)) return match;
      if (prefix === undefined) return bearer + REDACTED;
      const rest = match.length - prefix.length;
      // Google's keys have a fixed length; without that rule, base64 data of images would match now and then.
      const longEnough = prefix === 'AIza' ? rest === 35 : rest >= KEY_PREFIXES[prefix]!;
      return longEnough && beginsWord(text, at) ? REDACTED : match;
    },
  );
}

/** Whether no letter or digit precedes `at`; the last character of an escape such as \n does not count. */
function beginsWord(text: string, at: number): boolean {
  if (at === 0 || !/[\w-]/.test(text[at - 1]!)) return true;
  return /\\(?:[bfnrt]|u[0-9A-Fa-f]{4})$/.test(text.slice(Math.max(0, at - 6), at));
}
