/**
 * Phone numbers: from faker in many locales, valid ones of many countries in national notation, and handwritten ones.
 */
import type { Faker } from '@faker-js/faker';
import { faker as ar } from '@faker-js/faker/locale/ar';
import { faker as cs } from '@faker-js/faker/locale/cs_CZ';
import { faker as da } from '@faker-js/faker/locale/da';
import { faker as de } from '@faker-js/faker/locale/de';
import { faker as deAt } from '@faker-js/faker/locale/de_AT';
import { faker as deCh } from '@faker-js/faker/locale/de_CH';
import { faker as el } from '@faker-js/faker/locale/el';
import { faker as enAu } from '@faker-js/faker/locale/en_AU';
import { faker as enCa } from '@faker-js/faker/locale/en_CA';
import { faker as enGb } from '@faker-js/faker/locale/en_GB';
import { faker as enIn } from '@faker-js/faker/locale/en_IN';
import { faker as enUs } from '@faker-js/faker/locale/en_US';
import { faker as es } from '@faker-js/faker/locale/es';
import { faker as esMx } from '@faker-js/faker/locale/es_MX';
import { faker as fi } from '@faker-js/faker/locale/fi';
import { faker as fr } from '@faker-js/faker/locale/fr';
import { faker as frCh } from '@faker-js/faker/locale/fr_CH';
import { faker as he } from '@faker-js/faker/locale/he';
import { faker as hu } from '@faker-js/faker/locale/hu';
import { faker as it } from '@faker-js/faker/locale/it';
import { faker as ja } from '@faker-js/faker/locale/ja';
import { faker as ko } from '@faker-js/faker/locale/ko';
import { faker as nl } from '@faker-js/faker/locale/nl';
import { faker as pl } from '@faker-js/faker/locale/pl';
import { faker as ptBr } from '@faker-js/faker/locale/pt_BR';
import { faker as ptPt } from '@faker-js/faker/locale/pt_PT';
import { faker as ro } from '@faker-js/faker/locale/ro';
import { faker as ru } from '@faker-js/faker/locale/ru';
import { faker as sv } from '@faker-js/faker/locale/sv';
import { faker as tr } from '@faker-js/faker/locale/tr';
import { faker as uk } from '@faker-js/faker/locale/uk';
import { faker as zh } from '@faker-js/faker/locale/zh_CN';
import examples from 'libphonenumber-js/examples.mobile.json';
import type { CountryCode } from 'libphonenumber-js/max';
import { getExampleNumber, parsePhoneNumberFromString } from 'libphonenumber-js/max';
import type { Case } from './case.ts';
import type { Chance } from './seeded.ts';
import { sample } from './seeded.ts';
import { BARE_SENTENCES, PHONE_SENTENCES, placed } from './sentences.ts';

const LOCALES: readonly (readonly [name: string, language: string, faker: Faker])[] = [
  ['en_US', 'en', enUs],
  ['en_GB', 'en', enGb],
  ['en_CA', 'en', enCa],
  ['en_AU', 'en', enAu],
  ['en_IN', 'hi', enIn],
  ['de', 'de', de],
  ['de_AT', 'de', deAt],
  ['de_CH', 'de', deCh],
  ['fr', 'fr', fr],
  ['fr_CH', 'fr', frCh],
  ['es', 'es', es],
  ['es_MX', 'es', esMx],
  ['pt_BR', 'pt', ptBr],
  ['pt_PT', 'pt', ptPt],
  ['it', 'it', it],
  ['nl', 'nl', nl],
  ['pl', 'pl', pl],
  ['cs_CZ', 'cs', cs],
  ['sv', 'sv', sv],
  ['da', 'da', da],
  ['fi', 'fi', fi],
  ['ru', 'ru', ru],
  ['uk', 'uk', uk],
  ['tr', 'tr', tr],
  ['hu', 'hu', hu],
  ['ro', 'ro', ro],
  ['el', 'el', el],
  ['he', 'he', he],
  ['ar', 'ar', ar],
  ['ja', 'ja', ja],
  ['ko', 'ko', ko],
  ['zh_CN', 'zh', zh],
];

const COUNTRIES: readonly (readonly [country: CountryCode, language: string])[] = [
  ['US', 'en'],
  ['GB', 'en'],
  ['CA', 'en'],
  ['AU', 'en'],
  ['IE', 'en'],
  ['NZ', 'en'],
  ['ZA', 'en'],
  ['SG', 'en'],
  ['IN', 'hi'],
  ['DE', 'de'],
  ['AT', 'de'],
  ['CH', 'fr'],
  ['FR', 'fr'],
  ['BE', 'nl'],
  ['NL', 'nl'],
  ['ES', 'es'],
  ['MX', 'es'],
  ['AR', 'es'],
  ['CL', 'es'],
  ['CO', 'es'],
  ['BR', 'pt'],
  ['PT', 'pt'],
  ['IT', 'it'],
  ['PL', 'pl'],
  ['CZ', 'cs'],
  ['SE', 'sv'],
  ['NO', 'da'],
  ['DK', 'da'],
  ['FI', 'fi'],
  ['RU', 'ru'],
  ['UA', 'uk'],
  ['TR', 'tr'],
  ['HU', 'hu'],
  ['RO', 'ro'],
  ['GR', 'el'],
  ['IL', 'he'],
  ['EG', 'ar'],
  ['SA', 'ar'],
  ['JP', 'ja'],
  ['KR', 'ko'],
  ['CN', 'zh'],
  ['TW', 'zh'],
  ['HK', 'zh'],
];

/** Notations that no library produces. */
const BY_HAND: readonly (readonly [pattern: string, language: string])[] = [
  ['\\(351\\) 9[1236]\\d{7}', 'pt'],
  ['[1-9]\\d [2-5]\\d{3}-\\d{4}', 'pt'],
  ['04\\d\\d\\.\\d{3}\\.\\d{3}', 'en'],
  ['[2-9]\\d{7}', 'da'],
  ['\\d\\d/\\d{3}-\\d{4}', 'hu'],
  ['\\([2-9]\\d\\d\\)[2-9]\\d\\d-\\d{4}x\\d{3,5}', 'en'],
  ['001-[2-9]\\d\\d-[2-9]\\d\\d-\\d{4}', 'en'],
  ['\\+1[2-9]\\d\\d[2-9]\\d{6}', 'en'],
  ['1\\.[2-9]\\d\\d\\.[2-9]\\d\\d\\.\\d{4}', 'en'],
  ['\\([2-9]\\d\\d\\)[2-9]\\d\\d-\\d{4}', 'en'],
  ['[2-9]\\d\\d\\.[2-9]\\d\\d\\.\\d{4}', 'en'],
  ['[2-9]\\d\\d[2-9]\\d{6}', 'en'],
  ['[2-9]\\d\\d-[2-9]\\d\\d-\\d{4} ext\\. \\d{3}', 'en'],
  ['\\+44 \\(0\\)20 7\\d{3} \\d{4}', 'en'],
  ['0044 20 7\\d{3} \\d{4}', 'en'],
  ['tel:\\+4420794\\d{5}', 'en'],
  ['0049 30 \\d{7}', 'de'],
  ['\\+49 \\(0\\) 30 / \\d{3} \\d{3} \\d{2}', 'de'],
  ['030/\\d{7}', 'de'],
  ['0170[- /]\\d{7}', 'de'],
  ['0[67]\\d{8}', 'fr'],
  ['0[1-7]\\.\\d\\d\\.\\d\\d\\.\\d\\d\\.\\d\\d', 'fr'],
  ['0[1-7]-\\d\\d-\\d\\d-\\d\\d-\\d\\d', 'fr'],
  ['\\+33 \\(0\\)6 \\d\\d \\d\\d \\d\\d \\d\\d', 'fr'],
  ['6\\d\\d \\d{3} \\d{3}', 'es'],
  ['\\(11\\) 9\\d{4}-\\d{4}', 'pt'],
  ['\\+55 11 9\\d{4}-\\d{4}', 'pt'],
  ['8 \\(9\\d\\d\\) \\d{3}-\\d\\d-\\d\\d', 'ru'],
  ['8-9\\d\\d-\\d{3}-\\d\\d-\\d\\d', 'ru'],
  ['13[0-9]-\\d{4}-\\d{4}', 'zh'],
  ['13[0-9]\\d{8}', 'zh'],
  ['090-\\d{4}-\\d{4}', 'ja'],
  ['010-\\d{4}-\\d{4}', 'ko'],
  ['\\+91[- ]9\\d{4}[- ]\\d{5}', 'hi'],
  ['9\\d{4} \\d{5}', 'hi'],
];

const FAKES = 12;
const VALID = 10;
const HAND = 10;
/** One of this many has no context that identifies it. */
const BARE = 8;

export function phoneCases(chance: Chance): Case[] {
  const cases: Case[] = [];
  const add = (group: string, language: string, secret: string) => {
    const sentences = chance.below(BARE) === 0 ? BARE_SENTENCES : PHONE_SENTENCES[language]!;
    cases.push({ kind: 'phone', group, secret, text: placed(sentences, secret, chance) });
  };
  for (const [name, language, faker] of LOCALES) {
    faker.seed(chance.below(2 ** 31));
    for (const style of ['human', 'national', 'international'] as const)
      for (let count = 0; count < FAKES; count++)
        add(`faker ${name}`, language, faker.phone.number({ style }));
  }
  for (const [country, language] of COUNTRIES)
    for (let count = 0; count < VALID; count++) {
      const number = validNumber(country, chance);
      for (const form of [number.formatNational(), number.formatInternational(), number.number])
        add(`national ${country}`, language, form);
    }
  for (const [pattern, language] of BY_HAND)
    for (let count = 0; count < HAND; count++) add('by hand', language, sample(pattern, chance));
  return cases;
}

/** The country's example number with other digits at its end, as long as that is valid too. */
function validNumber(country: CountryCode, chance: Chance) {
  const example = getExampleNumber(country, examples)!;
  for (;;) {
    const kept = example.nationalNumber.length - 5;
    const number = parsePhoneNumberFromString(
      example.nationalNumber.slice(0, kept) + chance.digits(5),
      country,
    );
    if (number?.isValid()) return number;
  }
}
