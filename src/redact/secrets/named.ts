/** Finds secrets by the name before them: in assignments, headers, commands and URLs. */
import type { Found, SecretRule } from './rule.ts';
import { isCode, isNameOfKey, isPlaceholder } from './placeholders.ts';
import { entropy, stickyAt } from './rule.ts';

/** Words that, before `key`, make it the name of a secret. */
const KEY_OWNERS =
  'api|access|secret|account|admin|app|application|auth|client|deploy|encryption|license|master|private|project|service|shared|signing|storage|subscription|write';

/** A complete name up to its end; anything may precede it. */
const NAME = [
  `(?<=(?:${KEY_OWNERS})[ _-]?)key`,
  '(?<!web|csrf[ _-]?|public[ _-]?(?:key[ _-]?)?)token',
  'secret(?:[ _-]?(?:access[ _-]?)?key)?',
  'passw(?:or)?d',
  'passphrase',
  '(?<=[_-])pass',
  'pwd',
].join('|');

/** `\"` in JSON within strings counts as a quote. */
const QUOTE = '\\\\{0,2}["\'`]';
const ASSIGNED = `(?:${NAME})(?:${QUOTE})?\\]?\\s{0,4}(?:=>|[:=]{1,2})\\s{0,4}`;

const QUOTED = new RegExp(`${ASSIGNED}${QUOTE}([^"'\`\\\\\\s]{4,4096})(?=\\\\{0,2}["'\`])`, 'iy');
const UNQUOTED = new RegExp(`${ASSIGNED}(?:${QUOTE})?([^\\s"'\`&,;<>()\\\\]{8,256})`, 'iy');
const REST = /[^\s"'`&,;<>()\\]+/y;

const BEARER = /bearer {1,4}([\w.~+/=-]{16,4096})/iy;
const BEARER_REST = /[\w.~+/=-]+/y;
const BASIC = /basic {1,4}([\w+/-]{8,4096}={0,2})/iy;
const AUTHORIZATION = new RegExp(
  `authorization(?:${QUOTE})?\\s{0,4}[:=]\\s{0,4}(?:${QUOTE})?(?:(?:bearer|token|bot|apikey|key|digest) {1,4})?([\\w.~+/=:-]{16,4096})`,
  'iy',
);
const USER =
  /curl\b(?:[^\n\\]|\\[^]){0,400}?\s(?:-u|--user)[ =]{0,3}["']?(?!<)[^\s:"']{0,64}:([^\s"']{3,128})/y;
/** What begins with a port is no password. It ends with the last @ sign before the host. */
const URL_PASSWORD =
  /:\/\/[^\s:/@?#]{0,64}:(?!\d{1,5}[^\w@%!$&*+=~.-])([^\s@/"'`<>\\]{1,128}(?:@[^\s@/?#"'`<>,;\\]{1,128}(?=@))*)@/y;

export const NAMED_RULES: readonly SecretRule[] = [
  {
    words: ['key', 'token', 'secret', 'passwd', 'password', 'passphrase', 'pass', 'pwd'],
    find(text, from) {
      const quoted = stickyAt(QUOTED, text, from);
      if (quoted) {
        const value = text.slice(...quoted);
        // JSON in a string.
        if (/^[[{]/.test(value) && (text[quoted[1]] === '\\' || /[[{,:]$/.test(value))) return undefined;
        return isPlaceholder(value) || isVague(text, from, value) ? undefined : quoted;
      }
      return unquoted(text, from);
    },
  },
  {
    words: ['bearer '],
    find: (text, from) => longer(text, stickyAt(BEARER, text, from), BEARER_REST, hasDigit),
  },
  {
    words: ['basic '],
    find: (text, from) => longer(text, stickyAt(BASIC, text, from), undefined, isUserAndPassword),
  },
  {
    words: ['authorization'],
    find: (text, from) => longer(text, stickyAt(AUTHORIZATION, text, from), BEARER_REST, hasDigit),
  },
  {
    words: ['curl '],
    find: (text, from) => longer(text, stickyAt(USER, text, from), undefined, isPassword),
  },
  {
    words: ['://'],
    find: (text, from) => longer(text, stickyAt(URL_PASSWORD, text, from), undefined, isPassword),
  },
];

/** JSON keys whose value is a secret, whatever it looks like. */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name);
}

const SECRET_NAME = new RegExp(
  `^(?:[\\w.-]{0,40}[_.-])?(?:(?:${KEY_OWNERS})[_-]?key|apikey|(?:access|auth|refresh|bearer|bot|id|session)[_-]?token|token|client[_-]?secret|secret|password|passwd|passphrase|pwd|authorization|x-api-key)$`,
  'i',
);

function unquoted(text: string, from: number): Found | undefined {
  const found = stickyAt(UNQUOTED, text, from);
  if (!found) return undefined;
  const [begin, end] = longer(text, found, REST, hasDigit) ?? [0, 0];
  // A full stop after it ends the sentence, and a bracket the object; one at its beginning begins a list.
  const value = withoutBrackets(text.slice(begin, end)).replace(/[.:]+$/, '');
  if (/^[[{](?!\{)/.test(value)) return undefined;
  if (/[tk]/i.test(text[from]!) && isNameOfKey(value)) return undefined;
  // A name followed by a bracket is a call.
  return value.length < 8 || text[end] === '(' || isPlaceholder(value) || isCode(value)
    ? undefined
    : [begin, begin + value.length];
}

/** A value without brackets at its end that close none of its own. */
function withoutBrackets(value: string): string {
  let end = value.length;
  while (end > 0 && /[\]}]/.test(value[end - 1]!) && !/[[{]/.test(value.slice(0, end))) end -= 1;
  return value.slice(0, end);
}

/** A lower-case word after `key` or `token` is a name rather than a secret. After a password it may be one. */
function isVague(text: string, from: number, value: string): boolean {
  const password = text[from] === 'p' || text[from] === 'P';
  return !password && !hasDigit(value) && (value.length < 16 || entropy(value) < 3);
}

function longer(
  text: string,
  found: Found | undefined,
  rest: RegExp | undefined,
  is: (value: string) => boolean,
): Found | undefined {
  if (!found || !is(text.slice(...found))) return undefined;
  if (!rest) return found;
  rest.lastIndex = found[1];
  return [found[0], rest.test(text) ? rest.lastIndex : found[1]];
}

/** A password as short as in `https://a:b@host` is an example. */
function isPassword(value: string): boolean {
  return value.length > 2 && !isPlaceholder(value) && !/^(?:pass|test)$/i.test(value);
}

/** Those of a tag such as `[EMAIL_1]` do not count. */
function hasDigit(value: string): boolean {
  return /\d/.test(value) && /\d/.test(value.replaceAll(/\[[A-Z][A-Z_]*[_:][0-9a-f]+\]/g, ''));
}

function isUserAndPassword(found: string): boolean {
  return /^[\x20-\x7e]+:[\x20-\x7e]*$/.test(Buffer.from(found, 'base64').toString('latin1'));
}
