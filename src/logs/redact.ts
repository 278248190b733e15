/**
 * Keeps secrets out of what is written. It works on JSON text as it stands, without parsing it: by value (the
 * configured secrets), by name (keys such as `authorization`) and by shape (`sk-...`). Valid JSON stays valid.
 */

export const REDACTED = '[redacted]';

/** Keys whose values never reach the log, in any case. */
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

/** Shorter ones would black out ordinary words. */
const MIN_SECRET_LENGTH = 6;

/**
 * A function that redacts one line of JSON text.
 * @param options.secrets values to hide wherever they occur; those below 6 characters are left alone
 * @param options.keys further JSON keys, in any case, whose string values (or lists of strings) are hidden
 */
export function redactor(options: {
  secrets: readonly string[];
  keys: readonly string[];
}): (text: string) => string {
  const forms = secretForms(options.secrets);
  const mayHoldSecret = sampler(forms);
  // An escape is taken whole, so that no match can begin in the middle of one and leave broken JSON.
  const secretOrEscape = new RegExp(
    `(${forms.map(escapePattern).join('|')})|\\\\(?:u[0-9A-Fa-f]{4}|[^])`,
    'g',
  );
  const names = [...REDACTED_KEYS, ...options.keys].map((key) => escapePattern(JSON.stringify(key)));
  // A quote after "{" or "," opens a key: within a string it would be escaped.
  // Spaces on both sides of an optional bracket would be tried in every division.
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

/** A function that takes secrets out of text that is shown, which may quote JSON: by value, and what has the shape of one. */
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

/** All ways in which secrets may stand in JSON text, the longest first. */
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

/** How a secret may stand in JSON text: plain, by PHP ("\/"), by Python (\u00e9), and again inside a string of JSON. */
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
 * A test for "perhaps one of these occurs" that looks at few places of the text, however many forms there are.
 * Every run of 4 characters from the first m of each form is marked in a bitmap, m being the shortest length;
 * an occurrence must then show one of them at any m - 3 places in a row, so only every (m - 3)th is looked at.
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

/** Hides the string, or each string of the list, that follows a match of `named`. */
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

/**
 * Where the closing quote is, or the end of a text that was cut. By hand, because the engine gives up on
 * `(?:[^"\\]|\\.)*` without a word when a string has a million escapes.
 */
function stringEnd(text: string, from: number): number {
  for (let at = text.indexOf('"', from); at >= 0; at = text.indexOf('"', at + 1)) {
    let slashes = 0;
    while (at - slashes > from && text[at - slashes - 1] === '\\') slashes++;
    if (slashes % 2 === 0) return at;
  }
  return text.length;
}

/** What keys begin with, and how many characters follow at least. */
const KEY_PREFIXES: Record<string, number> = { 'sk-': 20, gsk_: 32, 'xai-': 32, AIza: 35 };
const keyShape = /(sk-|gsk_|xai-|AIza)[\w-]{20,}|([Bb]earer +)[\w.~+/=-]{16,}(?:\\\/[\w.~+/=-]*)*/g;

/** Hides what has the shape of a vendor's key or of a bearer token. Both must hold a digit, which words do not. */
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
      // Google's keys have one length; base64 of images would otherwise be hit now and then.
      const longEnough = prefix === 'AIza' ? rest === 35 : rest >= KEY_PREFIXES[prefix]!;
      return longEnough && beginsWord(text, at) ? REDACTED : match;
    },
  );
}

/** Whether no letter or digit stands before `at`; the last character of an escape such as \n is none. */
function beginsWord(text: string, at: number): boolean {
  if (at === 0 || !/[\w-]/.test(text[at - 1]!)) return true;
  return /\\(?:[bfnrt]|u[0-9A-Fa-f]{4})$/.test(text.slice(Math.max(0, at - 6), at));
}
