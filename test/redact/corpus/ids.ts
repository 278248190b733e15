/** National numbers with valid check digits, and US social security numbers. */
import type { NationalId } from '../../../src/redact/national-ids/table.ts';
import { NATIONAL_IDS } from '../../../src/redact/national-ids/table.ts';
import type { Case } from './case.ts';
import type { Chance } from './seeded.ts';
import { sample } from './seeded.ts';
import { placed, PLAIN_SENTENCES } from './sentences.ts';

/** Text before a number that cannot be recognized by its form. */
const NAMED: Readonly<Record<string, readonly string[]>> = {
  'AT SVNR': ['SVNR %', 'Sozialversicherungsnummer: %'],
  'AU Medicare': ['Medicare number %', 'medicare: %.'],
  'AU TFN': ['TFN: %', 'my tax file number is %.'],
  'BG EGN': ['ЕГН %', 'EGN: %'],
  'EE LT': ['isikukood %', 'asmens kodas: %'],
  'GB NHS': ['NHS number %', 'NHS no. %.'],
  'GR AMKA': ['ΑΜΚΑ %', 'AMKA: %'],
  'HR OIB': ['OIB: %', 'OIB %.'],
  'IL ID': ['ת.ז. %', 'Teudat Zehut %'],
  'JP My Number': ['マイナンバー %', 'My Number: %', '個人番号は%です'],
  'NL BSN': ['BSN %', 'burgerservicenummer: %.'],
  'PL PESEL': ['PESEL %', 'PESEL: %,'],
  'PT NIF': ['NIF %', 'o meu contribuinte é %.'],
  'RO CNP': ['CNP %', 'CNP: %.'],
  'TR TCKN': ['TC kimlik no %', 'TCKN: %'],
  'ZA ID': ['ID number %', 'SA ID: %.'],
};
const GENERAL = ['national id %', 'Tax ID: %', 'identity number: %.', '{"national_id":"%"}'];

const EACH = 12;

export function nationalIdCases(chance: Chance): Case[] {
  return NATIONAL_IDS.flatMap((id) =>
    Array.from({ length: EACH }, (): Case => {
      const secret = valid(id, chance);
      const plain = id.alone === false || (id.alone && !id.alone.test(secret));
      const sentences = plain ? (NAMED[id.name] ?? GENERAL) : [...PLAIN_SENTENCES, ...GENERAL];
      return { kind: 'national_id', group: id.name, secret, text: placed(sentences, secret, chance) };
    }),
  );
}

/** Found by trial: between one in ten and one in a hundred thousand of the numbers that match the pattern are valid. */
export function valid({ pattern, check, name }: NationalId, chance: Chance): string {
  for (let tries = 0; tries < 3e6; tries++) {
    const text = written(pattern, chance);
    if (new RegExp(`^(?:${pattern})$`).test(text) && check(text.replaceAll(/[ ./()-]/g, '').toUpperCase()))
      return text;
  }
  throw new Error(`Cannot find a valid number: ${name}`);
}

/** Keeps all separators or none. */
function written(pattern: string, chance: Chance): string {
  const separated = chance.below(2) === 0;
  const one = chance.pick([' ', '-']);
  const source = pattern
    .replaceAll(/\(\[ -\]\?\)/g, separated ? one : '')
    .replaceAll('\\1', separated ? one : '')
    .replaceAll(/(\[ [.-]+\]|\\?[-/. ])\?/g, (_, sign: string) => (separated ? sign : ''));
  return sample(source.replaceAll(/\(\?![^)]*\)/g, ''), chance);
}

export function ssnCases(chance: Chance): Case[] {
  return Array.from({ length: 120 }, (): Case => {
    const [area, group, serial] = [1 + chance.below(665), 1 + chance.below(99), 1 + chance.below(9999)];
    const digits = [
      String(area).padStart(3, '0'),
      String(group).padStart(2, '0'),
      String(serial).padStart(4, '0'),
    ];
    const form = chance.below(3);
    const secret = digits.join(['-', ' ', ''][form]);
    const named = [
      'SSN: %',
      'ssn %.',
      'my social security number is %.',
      'Social Security #%',
      '{"ssn":"%"}',
    ];
    return {
      kind: 'ssn',
      group: ['hyphens', 'spaces', 'plain'][form]!,
      secret,
      text: placed(form === 2 ? named : [...named, ...PLAIN_SENTENCES], secret, chance),
    };
  });
}
