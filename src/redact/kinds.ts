/**
 * What is searched for, and how it is recognised. All patterns have bounded repetitions: the search takes linear time.
 */
import type { RedactKind } from '../config/redact-kinds.ts';
import { isObject, parseJson } from '../wire/json.ts';
import { findEmails, IPV4, IPV6, isIpv4, isPublicIpv6, mayHoldIpv6 } from './addresses.ts';
import { ibanLength, isCard, isIban } from './checksums.ts';
import type { Context } from './context.ts';
import { isNamed } from './context.ts';
import { findNationalIds } from './national-ids/finder.ts';
import type { NumberPart } from './numbers.ts';
import { EXTENSION, PHONE_CANDIDATE, phoneIn } from './phones/phones.ts';
import type { Found } from './secrets/rule.ts';
import { findPrivateKeys } from './private-keys.ts';
import { isInPath, isInTable } from './surroundings.ts';
import { findSecrets } from './secrets/scanner.ts';

/** A text to search, and the parts of it that contain numbers. */
export interface SearchedText extends Context {
  readonly numbers: readonly NumberPart[];
}

export type Finder = (searched: SearchedText, add: (from: number, to: number) => void) => void;

/** In the order that decides between matches with the same start and length. */
export const FINDERS: Readonly<Record<RedactKind, Finder>> = {
  private_key: ({ text }, add) => findPrivateKeys(text, add),
  jwt({ text }, add) {
    for (let at = text.indexOf('eyJ'); at >= 0;) {
      JWT.lastIndex = at;
      const { 0: found, 1: rest } = JWT.exec(text)!;
      if (rest !== undefined && isJwt(found)) add(at, at + found.length);
      // Without a full stop after it, there is none for a later start either.
      at = text.indexOf('eyJ', rest === undefined ? at + found.length : at + 3);
    }
  },
  key({ text }, add) {
    for (const [from, to] of findSecrets(text)) add(from, to);
  },
  email: ({ text }, add) => findEmails(text, add),
  iban: ({ numbers }, add) => inNumbers(numbers, IBANS, ibanIn, add),
  card(searched, add) {
    const is = (found: string, from: number) => {
      const card = cardIn(found);
      return card !== undefined && isCardAt(card, searched, from) ? card : undefined;
    };
    inNumbers(searched.numbers, CARDS, is, add);
  },
  ssn(searched, add) {
    inNumbers(searched.numbers, SSNS, (found) => found, add);
    const named = (found: string, from: number) => (isNamed(SSN_WORDS, searched, from) ? found : undefined);
    inNumbers(searched.numbers, NAMED_SSNS, named, add);
  },
  national_id(searched, add) {
    for (const part of searched.numbers) findNationalIds(part, searched, add);
  },
  ip(searched, add) {
    const is = (found: string, from: number) => (isIpv4(found, searched.text, from) ? found : undefined);
    inNumbers(searched.numbers, IPV4S, is, add);
    if (!mayHoldIpv6(searched.text)) return;
    for (const { 0: found, index } of searched.text.matchAll(IPV6))
      if (isPublicIpv6(found)) add(index, index + found.length);
  },
  phone(searched, add) {
    for (const part of searched.numbers) {
      let { text, offset } = part;
      PHONE_CANDIDATE.lastIndex = 0;
      for (let match = PHONE_CANDIDATE.exec(text); match; match = PHONE_CANDIDATE.exec(text)) {
        const found = phoneIn(match[0], searched, offset + match.index);
        if (!found) {
          PHONE_CANDIDATE.lastIndex = afterGroup(text, match.index);
          continue;
        }
        const [from, to] = extended(text, offset, found);
        add(from, to);
        // The text after it is searched anew: its digits are not part of what follows.
        text = text.slice(to - offset);
        offset = to;
        PHONE_CANDIDATE.lastIndex = 0;
      }
    }
  },
};

const JWT = /eyJ[\w-]{0,4096}(\.[\w-]{5,16384}\.[\w-]{0,4096})?/y;

const IBANS: readonly RegExp[] = [
  /(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]{4}){2,7}(?:[ -]?[A-Z0-9]{1,4})?/g,
  /(?<![A-Za-z0-9])[a-z]{2}\d{2}[a-z0-9]{11,30}(?![A-Za-z0-9])/g,
];

/** A card number is often followed by its expiry or its verification code. */
const CARDS: readonly RegExp[] = [/(?<!\d|\d[.-])[2-6](?:[ .\u00a0\u202f-]{0,2}\d){12,18}(?!\d)/g];

const SSNS: readonly RegExp[] = [
  /(?<![A-Za-z0-9-]|[A-Za-z0-9]__?)(?!000|666|9\d\d)\d{3}-(?!00)\d\d-(?!0000)\d{4}(?![A-Za-z0-9-]|__?[A-Za-z0-9])/g,
  /(?<![A-Za-z0-9-]|[A-Za-z0-9]__?|\d )(?!000|666|9\d\d)\d{3} (?!00)\d\d (?!0000)\d{4}(?![A-Za-z0-9-]|__?[A-Za-z0-9]| \d)/g,
];
const NAMED_SSNS: readonly RegExp[] = [
  /(?<!\d)(?!000|666|9\d\d)\d{3}[ -]?(?!00)\d\d[ -]?(?!0000)\d{4}(?!\d)/g,
];
const SSN_WORDS = /(?<![a-z])ssn|social security/i;

const IPV4S: readonly RegExp[] = [IPV4];

/** @param begins returns the valid prefix of a match, which may be too long; `undefined` when there is none */
function inNumbers(
  parts: readonly NumberPart[],
  patterns: readonly RegExp[],
  begins: (found: string, from: number) => string | undefined,
  add: (from: number, to: number) => void,
): void {
  for (const { text, offset } of parts)
    for (const pattern of patterns) {
      pattern.lastIndex = 0;
      for (let match = pattern.exec(text); match; match = pattern.exec(text)) {
        const from = offset + match.index;
        const value = begins(match[0], from);
        // An invalid match may contain a valid one.
        pattern.lastIndex = match.index + (value?.length ?? 1);
        if (value !== undefined) add(from, from + value.length);
      }
    }
}

/** Including its extension. */
function extended(text: string, offset: number, [from, to]: Found): Found {
  EXTENSION.lastIndex = to - offset;
  return [from, EXTENSION.test(text) ? offset + EXTENSION.lastIndex : to];
}

/** The end of the digits that a candidate begins with: the next one may begin there. */
function afterGroup(text: string, from: number): number {
  const group = /[+(]*\s?\d+/y;
  group.lastIndex = from;
  return group.test(text) ? group.lastIndex : from + 1;
}

/** The smallest group of digits in card numbers; lists of small numbers are not cards. */
const CARD_GROUP = 3;
/** The size of the first group, if there are several. */
const FIRST_GROUP = 4;

/** The longest card number at the beginning of grouped digits, ending with a group. */
function cardIn(found: string): string | undefined {
  let digits = '';
  let group = 0;
  let card: string | undefined;
  for (let at = 0; at < found.length; at++) {
    if (!isDigit(found, at)) continue;
    digits += found[at]!;
    group += 1;
    if (isDigit(found, at + 1)) continue;
    if (group < CARD_GROUP || (digits.length === group && group < 13 && group !== FIRST_GROUP)) break;
    group = 0;
    if (digits.length >= 13 && isCard(digits)) card = found.slice(0, at + 1);
  }
  return card;
}

/** Digits within a hash do not count, and long ones without separators are usually record numbers. */
function isCardAt(card: string, searched: SearchedText, from: number): boolean {
  const [before, behind] = [searched.text[from - 1] ?? '', searched.text[from + card.length] ?? ''];
  if (/[A-Za-z]/.test(before) && /[A-Za-z]/.test(behind)) return false;
  const { text } = searched;
  const apart = isInPath(text, from, from + card.length) || isInTable(text, from, card, isCard);
  if (apart && !isNamed(CARD_WORDS, searched, from)) return false;
  return card.length <= PLAIN_CARD || /\D/.test(card) || isNamed(CARD_WORDS, searched, from);
}

const PLAIN_CARD = 16;
const CARD_WORDS = /\b(?:cards?|visa|pan|union ?pay|maestro|mir)\b|карт|卡/i;

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 0x30 && code <= 0x39;
}

/** The account number at the beginning, by the length for its country. */
function ibanIn(found: string): string | undefined {
  const signs = found.replaceAll(/[ -]/g, '').toUpperCase();
  const length = ibanLength(signs.slice(0, 2));
  if (length === undefined || signs.length < length || !isIban(signs.slice(0, length))) return undefined;
  let end = 0;
  for (let left = length; left > 0; end++) if (!/[ -]/.test(found[end]!)) left -= 1;
  return /[A-Za-z0-9]/.test(found[end] ?? ' ') ? undefined : found.slice(0, end);
}

function isJwt(found: string): boolean {
  const header = parseJson(Buffer.from(found.slice(0, found.indexOf('.')), 'base64url').toString('utf8'));
  return isObject(header) && typeof header.alg === 'string';
}
