/** `--redact` on generated texts: what it must find, and what it must not. */
import { describe, expect, test } from 'bun:test';
import type { RedactKind } from '../../src/config/redact-kinds.ts';
import { REDACT_KINDS } from '../../src/config/redact-kinds.ts';
import { VENDORS } from './corpus/keys.ts';
import { casesOf, leaks, measure, negativeLines } from './corpus/measure.ts';
import { chance } from './corpus/seeded.ts';
import { PLACES, SPELLINGS } from './corpus/spellings.ts';
import { Redactor } from '../../src/redact/redactor.ts';

/** The minimum share of hidden cases. Values with a check digit or a form of their own are nearly always found. */
const LEAST: Readonly<Record<RedactKind, number>> = {
  private_key: 0.99,
  jwt: 0.99,
  key: 0.98,
  email: 0.99,
  iban: 0.99,
  card: 0.99,
  ssn: 0.99,
  national_id: 0.99,
  ip: 0.99,
  phone: 0.97,
};

/** The maximum of false matches in all lines; Presidio 2.2 has 42 for phones alone. */
const MOST_FALSE = 5;

const measured = new Map(measure().map((one) => [one.kind, one]));

describe('Redactor on generated texts', () => {
  test.each([...REDACT_KINDS])('hides nearly all values of the kind %s', (kind) => {
    const { cases, missed } = measured.get(kind)!;
    expect(cases.length).toBeGreaterThan(50);
    expect([kind, 1 - missed.length / cases.length >= LEAST[kind]]).toEqual([kind, true]);
  });

  test('finds phone numbers of each country and locale', () => {
    const { cases, missed } = measured.get('phone')!;
    const groups = [...new Set(cases.map(({ group }) => group))];
    const part = (group: string) =>
      missed.filter((one) => one.group === group).length / cases.filter((one) => one.group === group).length;
    expect(groups.length).toBeGreaterThanOrEqual(70);
    expect(groups.filter((group) => part(group) > 0.2)).toEqual([]);
  });

  test('recognizes keys of at least 100 vendors', () => expect(VENDORS).toBeGreaterThanOrEqual(100));

  test('hides almost nothing that merely resembles a value to hide', () => {
    const wrong = [...measured.values()].flatMap(({ kind, false: lines }) =>
      lines.map((line) => [kind, line]),
    );
    expect(negativeLines().length).toBeGreaterThan(1000);
    expect(wrong.length > MOST_FALSE ? wrong : []).toEqual([]);
  });
});

/** The minimum share of hidden values in a random spelling and a random text. */
const LEAST_SPELLED = 0.95;
const ROUNDS = 400;

test.each(REDACT_KINDS.filter((kind) => kind !== 'private_key'))(
  'Redactor hides nearly all values of the kind %s, however and wherever they are written',
  (kind) => {
    const { below, pick } = chance(7);
    const redactor = new Redactor({ kinds: REDACT_KINDS, custom: [], mode: 'tag', salt: '' });
    const hide = (text: string) => {
      redactor.fresh();
      return redactor.text(text);
    };
    // Values that are recognized by themselves, without a word.
    const values = casesOf(kind)
      .map(({ secret }) => secret)
      .filter((secret) => !leaks(secret, hide(secret)));
    const missed: string[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const [, spell, around] = pick(SPELLINGS);
      const spelled = spell(pick(values));
      const place = around.includes('=@') ? around : pick(PLACES);
      const text = `${'x '.repeat(below(40))}${place.replaceAll('@', () => spelled)}`;
      if (leaks(spelled, hide(text))) missed.push(text);
    }
    expect(missed.length > ROUNDS * (1 - LEAST_SPELLED) ? missed : []).toEqual([]);
  },
);

test('leaks() detects what is left of a secret', () => {
  expect(leaks('0170 1234567', 'call [PHONE_1] now')).toBe(false);
  expect(leaks('0170 1234567', 'call 0170 [PHONE_1]')).toBe(true);
  expect(leaks('0170 1234567', 'call 0170 1234567')).toBe(true);
});
