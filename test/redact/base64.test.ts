/** Values within Base64 of text. */
import { describe, expect, test } from 'bun:test';
import { REDACT_KINDS } from '../../src/config/redact-kinds.ts';
import { Placeholders } from '../../src/redact/outward/placeholders.ts';
import type { RedactOptions } from '../../src/redact/redactor.ts';
import { Redactor } from '../../src/redact/redactor.ts';
import { base64In } from '../../src/redact/spellings/base64.ts';

const OPTIONS: RedactOptions = { kinds: REDACT_KINDS, custom: [], mode: 'tag', salt: 'salt' };
const make = (options: Partial<RedactOptions> = {}) => new Redactor({ ...OPTIONS, ...options });
const base64 = (text: string) => Buffer.from(text).toString('base64');
const base64url = (text: string) => Buffer.from(text).toString('base64url');

const JSON_TEXT = '{"after":{"email":"jane@example.org"}}';

describe('Redactor finds values in Base64', () => {
  test.each([
    ['a cursor', `next: ${base64(JSON_TEXT)}, last: 3`, 'next: [EMAIL_1], last: 3'],
    ['without padding, in a query', `/items?c=${base64url(JSON_TEXT)}&n=5`, '/items?c=[EMAIL_1]&n=5'],
    ['in a path', `https://x.test/list/${base64url(JSON_TEXT)}`, 'https://x.test/list/[EMAIL_1]'],
    [
      'a data URL',
      `data:text/plain;base64,${base64('Call 415-555-2671 today.')}`,
      'data:text/plain;base64,[PHONE_1]',
    ],
    ['other letters', base64('Grüße an jürgen@müller.de, 日本'), '[EMAIL_1]'],
    ['within Base64', base64(`x ${base64('jane@example.org')}`), '[EMAIL_1]'],
    ['beside the same value', `jane@example.org ${base64('mailto:jane@example.org')}`, '[EMAIL_1] [EMAIL_1]'],
  ])('%s', (_, text, expected) => expect(make().text(text)).toBe(expected));

  test('in JSON, which stays JSON', () => {
    const secret = { kind: 'Secret', data: { user: base64('mailto:jane@example.org') } };
    expect(JSON.parse(make().json(JSON.stringify(secret)))).toEqual({
      kind: 'Secret',
      data: { user: '[EMAIL_1]' },
    });
    const url = { url: `data:text/csv;base64,${base64('name,jane@example.org,1')}` };
    expect(make().value(url)).toEqual({ url: 'data:text/csv;base64,[EMAIL_1]' });
  });

  test('and its placeholder stands for what was there', () => {
    const placeholders = new Placeholders(new Set());
    const token = base64(JSON_TEXT);
    const redactor = new Redactor(OPTIONS, placeholders);
    expect(redactor.text(`jane@example.org ${token}`)).toBe('[EMAIL_1] [EMAIL_2]');
    expect(placeholders.values).toEqual([
      ['[EMAIL_1]', 'jane@example.org'],
      ['[EMAIL_2]', token],
    ]);
  });
});

test.each([
  ['a picture', `data:image/png;base64,${base64('\u0089PNG jane@example.org')}`],
  ['a hash', `sha512-${new Bun.CryptoHasher('sha512').update('jane').digest('base64')}`],
  ['a name in source code', 'translatedStreamOfChatCompletions/relayedStreamOfResponses'],
  ['text without a value', base64('Nothing personal is in here.')],
  ['binary data with a value in it', base64('\0\u0001 jane@example.org')],
])('Redactor leaves %s as it is', (_, text) => expect(make().value({ text })).toEqual({ text }));

test('base64In() finds a run of the least length at any position', () => {
  const token = base64('abcdefghijklmno');
  for (let before = 0; before < 45; before += 1)
    expect(base64In(`${' '.repeat(before)}${token}.`)).toEqual([
      { from: before, to: before + token.length, plain: 'abcdefghijklmno' },
    ]);
});
