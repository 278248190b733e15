/** Verifies check digits. */

/** Whether the digits are a payment card's: a known issuer, its length, and the Luhn check digit. */
export function isCard(digits: string): boolean {
  return CARD.test(digits) && luhn(digits) === 0;
}

/** The prefixes and lengths of issuers' numbers. */
const CARD = new RegExp(
  `^(?:${[
    // Visa.
    '4\\d{12}(?:\\d{3}){0,2}',
    // Mastercard.
    '5[1-5]\\d{14}',
    '2(?:22[1-9]|2[3-9]\\d|[3-6]\\d\\d|7[01]\\d|720)\\d{12}',
    // Mir.
    '220[0-4]\\d{12,15}',
    // American Express, Diners Club, JCB.
    '3[47]\\d{13}',
    '3(?:0[0-5]|[689]\\d)\\d{11}',
    '35\\d{14}',
    '2131\\d{11}',
    // Discover, RuPay, UnionPay.
    '6(?:0\\d\\d|4[4-9]\\d|5\\d\\d)\\d{12}',
    '508\\d{13}',
    '62\\d{14,17}',
    // Maestro.
    '(?:50(?:18|20|38)|5[68]\\d\\d|63\\d\\d|67\\d\\d)\\d{8,15}',
  ].join('|')})$`,
);

/** The Luhn sum modulo 10; 0 when the last digit is correct. */
export function luhn(digits: string): number {
  let sum = 0;
  for (let index = 0; index < digits.length; index++) {
    const digit = Number(digits[digits.length - 1 - index]);
    const weighted = index % 2 === 0 ? digit : 2 * digit;
    sum += weighted > 9 ? weighted - 9 : weighted;
  }
  return sum % 10;
}

/** Lengths by country. @see https://www.swift.com/standards/data-standards/iban-international-bank-account-number */
const IBAN_LENGTHS: Readonly<Record<string, number>> = Object.fromEntries(
  (
    'AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 EE20 EG29 ES24 FI18 FO18 ' +
    'FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 ' +
    'LY25 MC27 MD24 ME22 MK19 MR27 MT31 MU30 NL18 NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SC31 SE24 SI19 SK24 SM27 ' +
    'ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20'
  )
    .split(' ')
    .map((entry) => [entry.slice(0, 2), Number(entry.slice(2))]),
);

/** @param country two capital letters; @returns the length of its account numbers, `undefined` if there are none */
export function ibanLength(country: string): number | undefined {
  return Object.hasOwn(IBAN_LENGTHS, country) ? IBAN_LENGTHS[country] : undefined;
}

/** @param text without spaces */
export function isIban(text: string): boolean {
  return IBAN_LENGTHS[text.slice(0, 2)] === text.length && ibanRest(text) === 1;
}

/** ISO 7064 modulo 97 of an IBAN whose first four characters are moved to the end. */
export function ibanRest(text: string): number {
  let rest = 0;
  for (const char of text.slice(4) + text.slice(0, 4)) {
    const value = parseInt(char, 36);
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
  }
  return rest;
}

/** Whether an IPv4 address is public; private and documentation ranges are not personal data. */
export function isPublicIpv4(text: string): boolean {
  const [a = 0, b = 0, c = 0, d = 0] = text.split('.').map(Number);
  if ([a, b, c, d].some((part) => part > 255) || /(?:^|\.)0\d/.test(text)) return false;
  if (a === 0 || a === 10 || a === 127 || a >= 224) return false;
  if ((a === 172 && b >= 16 && b < 32) || (a === 192 && b === 168) || (a === 169 && b === 254)) return false;
  if (a === 100 && b >= 64 && b < 128) return false;
  return !(
    (a === 192 && b === 0 && c === 2) ||
    (a === 198 && b === 51 && c === 100) ||
    (a === 203 && b === 0 && c === 113)
  );
}

/** The sum of digits times weights, from the first digit on. */
export function weighted(digits: string, weights: readonly number[]): number {
  return weights.reduce((sum, weight, at) => sum + weight * (digits.charCodeAt(at) - 0x30), 0);
}

/** Whether the digit after the weighted ones makes the sum divisible by 11. @param ten whether 10 is written as 0 */
export function mod11Check(digits: string, weights: readonly number[], ten = true): boolean {
  const check = (11 - (weighted(digits, weights) % 11)) % 11;
  return (check === 10 && ten ? 0 : check) === Number(digits[weights.length]);
}

/** ISO 7064, modulus 11,10: a remainder of 0 means that the last digit is correct. */
export function modulus11of10(digits: string): boolean {
  let product = 10;
  for (const digit of digits.slice(0, -1)) {
    const sum = (Number(digit) + product) % 10 || 10;
    product = (sum * 2) % 11;
  }
  return (11 - product) % 10 === Number(digits.at(-1));
}

/** @param digits of any length */
export function mod97(digits: string): number {
  let rest = 0;
  for (const digit of digits) rest = (rest * 10 + Number(digit)) % 97;
  return rest;
}

const DIHEDRAL = [
  '0123456789',
  '1234067895',
  '2340178956',
  '3401289567',
  '4012395678',
  '5987604321',
  '6598710432',
  '7659821043',
  '8765932104',
  '9876543210',
];
const PERMUTED = [
  '0123456789',
  '1576283094',
  '5803796142',
  '8916043527',
  '9453126870',
  '4286573901',
  '2793806415',
  '7046913258',
];

/** Whether the last digit is correct by Verhoeff's algorithm. */
export function verhoeff(digits: string): boolean {
  let check = 0;
  for (let at = 0; at < digits.length; at++) {
    const digit = Number(digits[digits.length - 1 - at]);
    check = Number(DIHEDRAL[check]![Number(PERMUTED[at % 8]![digit])]);
  }
  return check === 0;
}

const DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Whether the date exists. @param year its last two digits */
export function isDate(month: number, day: number, year: number): boolean {
  const days = DAYS[month - 1];
  return days !== undefined && day >= 1 && day <= days && !(month === 2 && day === 29 && year % 4 !== 0);
}
