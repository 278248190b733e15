/** Payment cards and accounts with valid check digits. */
import { isIban, luhn } from '../../../src/redact/checksums.ts';
import { faker } from '@faker-js/faker/locale/en';
import type { Case } from './case.ts';
import type { Chance } from './seeded.ts';
import { placed, PLAIN_SENTENCES } from './sentences.ts';

const CARDS: readonly (readonly [issuer: string, prefixes: readonly string[], length: number])[] = [
  ['Visa', ['4'], 16],
  ['Mastercard', ['51', '55', '2221', '2720'], 16],
  ['American Express', ['34', '37'], 15],
  ['Diners Club', ['300', '36', '38'], 14],
  ['Discover', ['6011', '65'], 16],
  ['JCB', ['3528', '3589'], 16],
  ['UnionPay', ['62'], 16],
  ['Maestro', ['5018', '6304', '6759'], 16],
  ['Mir', ['2200'], 16],
  ['RuPay', ['60', '6521'], 16],
];
const EACH = 40;

export function cardCases(chance: Chance): Case[] {
  return CARDS.flatMap(([issuer, prefixes, length]) =>
    Array.from({ length: EACH }, () => {
      const prefix = chance.pick(prefixes);
      const body = prefix + chance.digits(length - prefix.length - 1);
      const digits = body + String((10 - luhn(`${body}0`)) % 10);
      const groups =
        length === 15
          ? /(\d{4})(\d{6})(\d{5})/
          : length === 14
            ? /(\d{4})(\d{6})(\d{4})/
            : /(\d{4})(\d{4})(\d{4})(\d{4})/;
      const between = chance.pick(['', ' ', '-', ' ']);
      const secret = digits.replace(groups, (_, ...found: string[]) =>
        found.slice(0, length < 16 ? 3 : 4).join(between),
      );
      const sentences = [
        ...PLAIN_SENTENCES,
        'Card %, exp 12/27, CVC 123',
        'charge %. Thanks',
        'card=%&cvc=1',
      ];
      return { kind: 'card', group: issuer, secret, text: placed(sentences, secret, chance) } as const;
    }),
  );
}

const COUNTRIES =
  'DE GB FR ES IT NL BE AT CH PL PT SE NO DK FI IE CZ HU RO GR TR BG HR EE LT LV LU MT SK SI CY IS LI MC SM GI SA AE IL'.split(
    ' ',
  );

export function ibanCases(chance: Chance): Case[] {
  faker.seed(chance.below(2 ** 31));
  return COUNTRIES.flatMap((countryCode) =>
    Array.from({ length: 10 }, () => {
      let plain = faker.finance.iban({ countryCode });
      while (!isIban(plain)) plain = faker.finance.iban({ countryCode });
      const secret = chance.pick([plain, plain.replace(/(.{4})(?=.)/g, '$1 '), plain.toLowerCase(), plain]);
      const sentences = [...PLAIN_SENTENCES, 'IBAN: %', 'Pay to % by Monday', 'IBAN % BIC COBADEFFXXX'];
      return { kind: 'iban', group: countryCode, secret, text: placed(sentences, secret, chance) } as const;
    }),
  );
}
