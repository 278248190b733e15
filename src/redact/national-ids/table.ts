/**
 * Numbers that states assign to people and companies. One check digit is correct by chance in one of ten numbers. Where
 * the spelling does not identify the number, a word before it must.
 */
import { luhn, mod11Check, modulus11of10, verhoeff, weighted } from '../checksums.ts';
import {
  daysFirst,
  isAustrian,
  isBaltic,
  isBelgian,
  isBulgarian,
  isChinese,
  isCnpj,
  isCpf,
  isCurp,
  isCzech,
  isEan13,
  isFinnish,
  isFrench,
  isHongKong,
  isIrish,
  isItalian,
  isJapanese,
  isNorwegian,
  isPesel,
  isRomanian,
  isRut,
  isSingaporean,
  isSpanish,
  isSteuerId,
  isSwedish,
  isTaiwanese,
  isTurkish,
  yearsFirst,
} from './checks.ts';

export interface NationalId {
  readonly name: string;
  /** The complete number, as people write it. */
  readonly pattern: string;
  /** Whether it is valid. @param plain in capitals, without spaces, hyphens, dots, slashes and brackets */
  readonly check: (plain: string) => boolean;
  /** The spelling for which no word is needed before the number; by default every spelling. */
  readonly alone?: RegExp | false;
}

const SEPARATED = /[ ./-]/;

export const NATIONAL_IDS: readonly NationalId[] = [
  {
    name: 'AR CUIT',
    pattern: '(?:2[03457]|3[034])-?\\d{8}-?\\d',
    check: (id) => mod11Check(id, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2]),
    alone: /-/,
  },
  { name: 'AT SVNR', pattern: '[1-9]\\d{3} ?\\d{6}', check: isAustrian, alone: false },
  {
    name: 'AU Medicare',
    pattern: '[2-6]\\d{3} ?\\d{5} ?\\d',
    check: (id) => weighted(id, [1, 3, 7, 9, 1, 3, 7, 9]) % 10 === Number(id[8]),
    alone: false,
  },
  {
    name: 'AU TFN',
    pattern: '\\d{3} ?\\d{3} ?\\d{3}',
    check: (id) => weighted(id, [1, 4, 3, 7, 5, 8, 6, 9, 10]) % 11 === 0,
    alone: false,
  },
  { name: 'BE NRN', pattern: '\\d\\d\\.?\\d\\d\\.?\\d\\d[ -]?\\d{3}[ .-]?\\d\\d', check: isBelgian },
  { name: 'BG EGN', pattern: '\\d{10}', check: isBulgarian, alone: false },
  { name: 'BR CNPJ', pattern: '\\d\\d\\.?\\d{3}\\.?\\d{3}/?\\d{4}-?\\d\\d', check: isCnpj, alone: /\// },
  { name: 'BR CPF', pattern: '\\d{3}\\.?\\d{3}\\.?\\d{3}-?\\d\\d', check: isCpf, alone: /[.-]/ },
  {
    name: 'CA SIN',
    pattern: '[1-79]\\d{2}([ -]?)\\d{3}\\1\\d{3}',
    check: (id) => luhn(id) === 0,
    alone: /-/,
  },
  { name: 'CH AHV', pattern: '756\\.?\\d{4}\\.?\\d{4}\\.?\\d\\d', check: isEan13 },
  { name: 'CL RUT', pattern: '\\d{1,2}\\.?\\d{3}\\.?\\d{3}-[\\dKk]', check: isRut, alone: /\./ },
  { name: 'CN RIC', pattern: '[1-9]\\d{5}(?:19|20)\\d{9}[\\dXx]', check: isChinese },
  { name: 'CZ RČ', pattern: '\\d{6}/\\d{3}|\\d{6}/?\\d{4}', check: isCzech, alone: /\// },
  { name: 'DE Steuer-ID', pattern: '[1-9]\\d ?\\d{3} ?\\d{3} ?\\d{3}', check: isSteuerId, alone: / / },
  { name: 'DK CPR', pattern: '\\d{6}-?\\d{4}', check: daysFirst, alone: /-/ },
  { name: 'EE LT', pattern: '[1-6]\\d{10}', check: isBaltic, alone: false },
  { name: 'ES DNI', pattern: '(?:\\d{8}|[XYZ][ -]?\\d{7})[ -]?[A-HJ-NP-TV-Z]', check: isSpanish },
  { name: 'FI HETU', pattern: '\\d{6}[-+A-FU-Y]\\d{3}[0-9A-FHJ-NPR-Y]', check: isFinnish },
  {
    name: 'FR NIR',
    pattern: '[12] ?\\d\\d ?\\d\\d ?(?:\\d\\d|2[AB]) ?\\d{3} ?\\d{3} ?\\d\\d',
    check: isFrench,
  },
  {
    name: 'GB NHS',
    pattern: '\\d{3}[ -]?\\d{3}[ -]?\\d{4}',
    check: (id) => mod11Check(id, [10, 9, 8, 7, 6, 5, 4, 3, 2], false),
    alone: false,
  },
  {
    name: 'GB NINO',
    pattern: '(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\\d\\d ?\\d\\d ?\\d\\d ?[A-D]',
    check: () => true,
  },
  { name: 'GR AMKA', pattern: '\\d{11}', check: (id) => daysFirst(id) && luhn(id) === 0, alone: false },
  { name: 'HK HKID', pattern: '[A-Z]{1,2}\\d{6} ?\\([\\dA]\\)', check: isHongKong },
  { name: 'HR OIB', pattern: '\\d{11}', check: modulus11of10, alone: false },
  { name: 'IE PPS', pattern: '\\d{7}[A-W][A-IW]?', check: isIrish },
  { name: 'IL ID', pattern: '\\d{9}', check: (id) => luhn(id) === 0, alone: false },
  { name: 'IN Aadhaar', pattern: '[2-9]\\d{3}([ -]?)\\d{4}\\1\\d{4}', check: verhoeff, alone: SEPARATED },
  { name: 'IN PAN', pattern: '[A-Z]{3}[ABCFGHJLPT][A-Z]\\d{4}[A-Z]', check: () => true },
  { name: 'IT CF', pattern: '[A-Z]{6}\\d\\d[A-EHLMPRST]\\d\\d[A-Z][\\dLMNP-V]{3}[A-Z]', check: isItalian },
  { name: 'JP My Number', pattern: '\\d{4}([ -]?)\\d{4}\\1\\d{4}', check: isJapanese, alone: false },
  { name: 'KR RRN', pattern: '\\d{6}-[1-8]\\d{6}', check: yearsFirst },
  { name: 'LV PK', pattern: '\\d{6}-[0-2]\\d{4}', check: daysFirst },
  {
    name: 'MX CURP',
    pattern: '[A-Z][AEIOUX][A-Z]{2}\\d{6}[HMX][A-Z]{2}[B-DF-HJ-NP-TV-Z]{3}[A-Z\\d]\\d',
    check: isCurp,
  },
  {
    name: 'NL BSN',
    pattern: '\\d{9}',
    check: (id) => weighted(id, [9, 8, 7, 6, 5, 4, 3, 2, -1]) % 11 === 0,
    alone: false,
  },
  { name: 'NO FNR', pattern: '\\d{6} ?\\d{5}', check: isNorwegian },
  {
    name: 'PL NIP',
    pattern: '\\d{3}-\\d{3}-\\d\\d-\\d\\d|\\d{3}-\\d\\d-\\d\\d-\\d{3}|\\d{10}',
    check: (id) => weighted(id, [6, 5, 7, 2, 3, 4, 5, 6, 7]) % 11 === Number(id[9]),
    alone: /-/,
  },
  { name: 'PL PESEL', pattern: '\\d{11}', check: isPesel, alone: false },
  {
    name: 'PT NIF',
    pattern: '[1-35689]\\d{8}',
    check: (id) => mod11Check(id, [9, 8, 7, 6, 5, 4, 3, 2]),
    alone: false,
  },
  { name: 'RO CNP', pattern: '[1-8]\\d{12}', check: isRomanian, alone: false },
  { name: 'SE PNR', pattern: '(?:19|20)?\\d{6}[-+]\\d{4}', check: isSwedish },
  { name: 'SG NRIC', pattern: '[STFGM]\\d{7}[A-Z]', check: isSingaporean },
  {
    name: 'TH ID',
    pattern: '[1-8]-?\\d{4}-?\\d{5}-?\\d\\d-?\\d',
    check: (id) =>
      (11 - (weighted(id, [13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11)) % 10 === Number(id[12]),
    alone: /-/,
  },
  { name: 'TR TCKN', pattern: '[1-9]\\d{10}', check: isTurkish, alone: false },
  { name: 'TW ID', pattern: '[A-Z][1289]\\d{8}', check: isTaiwanese },
  {
    name: 'ZA ID',
    pattern: '\\d{6} ?\\d{4} ?[01]\\d\\d',
    check: (id) => yearsFirst(id) && luhn(id) === 0,
    alone: false,
  },
];
