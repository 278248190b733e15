/** Values in spellings other than the usual one. */
import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { REDACT_KINDS } from '../../src/config/redact-kinds.ts';
import { Placeholders } from '../../src/redact/outward/placeholders.ts';
import type { RedactOptions } from '../../src/redact/redactor.ts';
import { Redactor } from '../../src/redact/redactor.ts';
import { plainParts } from '../../src/redact/spellings/plain-parts.ts';
import { SPELLINGS } from './corpus/spellings.ts';
import { chat, feedback, line, user } from '../export/records.ts';
import { workshop } from '../export/workshop.ts';

const OPTIONS: RedactOptions = { kinds: REDACT_KINDS, custom: [], mode: 'tag', salt: 'salt' };
const make = (options: Partial<RedactOptions> = {}) => new Redactor({ ...OPTIONS, ...options });

const VALUES: readonly (readonly [tag: string, value: string])[] = [
  ['EMAIL', 'jürgen@müller.de'],
  ['EMAIL', 'jane.doe+news@example-corp.co.uk'],
  ['PHONE', '+49 30 12345678'],
  ['PHONE', '+1 (415) 555-2671'],
  ['CARD', '4111 1111 1111 1111'],
  ['IBAN', 'DE89 3704 0044 0532 0130 00'],
  ['SSN', '219-09-9999'],
  ['IP', '8.8.4.4'],
  ['IP', '2607:f8b0:4005:805::200e'],
  ['KEY', `ghp_${'a1B2c3'.repeat(6)}`],
];

describe('Redactor.text() hides', () => {
  test.each(
    SPELLINGS.flatMap(([name, spell, around]) =>
      VALUES.map(([tag, value]) => ({ name, tag, value, spell, around })),
    ),
  )('$value in $name', ({ tag, value, spell, around }) => {
    const text = around.replaceAll('@', spell(value));
    expect(make().text(text)).toBe(around.replaceAll('@', `[${tag}_1]`));
  });

  test.each([
    ['it is _219-09-9999_ and __219-09-9999__', 'it is _[SSN_1]_ and __[SSN_1]__'],
    ['_8.8.4.4_, __2607:f8b0:4005:805::200e__', '_[IP_1]_, __[IP_2]__'],
    ['_+49 30 12345678_', '_[PHONE_1]_'],
    ['８.８.４.４', '[IP_1]'],
    ['電話：０３－１２３４－５６７８', '電話：[PHONE_1]'],
    ['هاتف ٠٠٤٩ ٣٠ ١٢٣٤٥٦٧٨', 'هاتف [PHONE_1]'],
    ['jane＠example.org または ｉｎｆｏ＠ｅｘａｍｐｌｅ．ｃｏ．ｊｐ', '[EMAIL_1] または [EMAIL_2]'],
    ['a user%name@example.org', 'a [EMAIL_1]'],
    ['jane@example。org, ＋49 30 12345678', '[EMAIL_1], [PHONE_1]'],
    ['𝟎𝟑𝟎-𝟏𝟐𝟑𝟒-𝟓𝟔𝟕𝟖，（010）62345678', '[PHONE_1]，[PHONE_2]'],
    ['jane[at]example[dot]org, jane (at) example.org', '[EMAIL_1], [EMAIL_1]'],
    ['jane[@]example[.]org from 8[.]8[.]4[.]4', '[EMAIL_1] from [IP_1]'],
    ['From: jane.doe=40exam=\nple.org', 'From: [EMAIL_1]'],
    ['x=40jane@example.org', 'x=[EMAIL_1]'],
    ['/^jane\\.doe@example\\.org$/', '/^[EMAIL_1]$/'],
    ['/mail/john.doe@example.org.txt', '/mail/[EMAIL_1].txt'],
    ['200,93.184.216.34,443', '200,[IP_1],443'],
    ['7,+49 30 12345678,9', '7,[PHONE_1],9'],
    ['7,0049 30 12345678,030 12345678,9', '7,[PHONE_1],[PHONE_2],9'],
    ['1,415-555-2671,(415) 555-2672,2', '1,[PHONE_1],[PHONE_2],2'],
    ['1,8.8.4.4,2', '1,[IP_1],2'],
    ['40 4111 1111 1111 1111 4111 1111 1111 1111', '40 [CARD_1] [CARD_1]'],
    ['v: 185.169.103.126, item: 8.8.4.4', 'v: [IP_1], item: [IP_2]'],
    ['_843.727.008-14_ and _219 09 9999_', '_[NATIONAL_ID_1]_ and _[SSN_1]_'],
    ['17,3069885SA,x', '17,[NATIONAL_ID_1],x'],
    ['-----BEGIN\u00a0PRIVATE\u00a0KEY-----', '[PRIVATE_KEY_1]'],
    ['1.1.1.1 8.8.4.4 9.9.9.9', '[IP_1] [IP_2] [IP_3]'],
    ['200 8.8.4.4 443', '200 [IP_1] 443'],
    ['IP 93.184.216.34.443 > 8.8.4.4.51234: Flags', 'IP [IP_1].443 > [IP_2].51234: Flags'],
    ['list+jane=example.org@lists.example.com', '[EMAIL_1]'],
    ['SRS0=hash=tt=example.org=jane@forward.example.com', '[EMAIL_1]'],
    ['?x=1+1&to=jane@example.org', '?x=1+1&to=[EMAIL_1]'],
    ['Room 12a4, 030 12345678 -12, 5m2', 'Room 12a4, [PHONE_1] -12, 5m2'],
    ['06 12 34 56 78 06 98 76 54 32', '[PHONE_1] [PHONE_2]'],
    [
      '4111 1111 1111 1111 1227 and 4111 1111 1111 1111 5500 0055 5555 5559',
      '[CARD_1] 1227 and [CARD_1] [CARD_2]',
    ],
    ['card 4111 1111 1111 1111 66EB', 'card [CARD_1] 66EB'],
    ['client:2607:f8b0:4005:805::200e', 'client:[IP_1]'],
  ])('the value in %s', (text, expected) => {
    expect(make().text(text)).toBe(expected);
  });

  test.each([
    ['x=%20jane@example.org', 'x=%20[EMAIL_1]'],
    ['?to=%22Jane%22%20%3Cjane@example.org%3E', '?to=%22Jane%22%20%3C[EMAIL_1]%3E'],
    ['u%3Djane%40example.org%26a', 'u%3D[EMAIL_1]%26a'],
    ['%2520jane@example.org', '%2520[EMAIL_1]'],
    ['{"a":"\\u003cjane@example.org\\u003e"}', '{"a":"\\u003c[EMAIL_1]\\u003e"}'],
    ['&#60;jane@example.org&#62;', '&#60;[EMAIL_1]&#62;'],
    ['%204111111111111111', '%20[CARD_1]'],
  ])('only the value in %s, not the escape before it', (text, expected) => {
    expect(make().text(text)).toBe(expected);
    const jane = make({ mode: 'hash' }).text('jane@example.org');
    if (text.includes('jane')) expect(make({ mode: 'hash' }).text(text)).toContain(jane);
  });

  test('a long key after an escape completely', () => {
    const key = `sk-proj-${'a1B2'.repeat(60)}`;
    expect(make().text(`"a\\n${key}\\nb"`)).toBe('"a\\n[KEY_1]\\nb"');
    expect(make().text(`x%20${key}%20y`)).toBe('x%20[KEY_1]%20y');
  });

  test.each([
    'logo@2x.min.js',
    'lib_8.8.4.4_linux',
    '100% 20%30 %zz %C3%28 50%ab',
    'year=2024-01-01&page=40 x=\n  y; a == b&&c',
    'values[at] = fn(at) || item(dot).name',
    'a+Abc-d, x+AEA, &unknown; &amp=1 &#0; &#x110000;',
    '\\100 \\40 \\x \\u{} \\u{110000} \\U00110000 %u12',
    '第一。API。第二（1）',
    'C:\\new\\table\\u12 \\frac{1}{2}\\nabla',
    '12:00+02:00 1+2+3+4',
    'M1,8.8.4.4,2',
    'add::bad::cafe',
    'a=b+c&d=1',
    'http://host.example%2F@other.example/',
    'mailto:%22a%20b%22@example.org',
  ])('nothing in %s', (text) => {
    expect(make().text(text)).toBe(text);
  });
});

test('Redactor gives all spellings of a value in a conversation the same tag, and the same hash', () => {
  const text =
    'jane@example.org, JANE@example.org, jane%40example.org, jane%2540example%2Eorg, jane&#64;example.org, jane\\u0040example.org';
  expect(new Set(make().text(text).split(', '))).toEqual(new Set(['[EMAIL_1]']));
  expect(new Set(make({ mode: 'hash' }).text(text).split(', ')).size).toBe(1);
});

test('Redactor escapes a fake like the value that it replaces', () => {
  const hidden = make({ mode: 'fake' }).text('https://h.example/?q=%2B49%2030%2012345678');
  expect(decodeURIComponent(hidden)).toMatch(/\?q=\+49 \d\d \d{8}$/);
  expect(hidden).not.toContain(' ');
  expect(make({ mode: 'fake' }).text('/call?tel=030+12345678')).toMatch(/\?tel=\d+%20\d+$/);
});

test('Redactor makes a fake of a value with half a character', () => {
  const hidden = make({ mode: 'fake' }).text('password=a1b2c3d4%41\ud83d9');
  expect(hidden).not.toContain('a1b2');
});

test('a placeholder is restored to the original spelling', () => {
  const placeholders = new Placeholders(new Set());
  new Redactor(OPTIONS, placeholders).text('tel=%2B493012345678');
  expect(placeholders.values).toEqual([['[PHONE_1]', '%2B493012345678']]);
});

test('plainParts() maps each character to its original position', () => {
  const piece = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string().map(encodeURIComponent),
    fc.string({ unit: 'binary' }).map((text) => JSON.stringify(text)),
    fc.constantFrom('%', '%C3', '%C3%28', '\\u00', '&#64;', '&#x110000;', '=a+b', '٣', '\u{1d7d8}'),
    fc.constantFrom(
      '%F0%9F%98%80',
      '\\u{1F600}',
      '\\xf0\\x9f',
      '=C3=BC',
      'a=\nb',
      'a\u00adb',
      'a (at) b',
      '+AEA-',
    ),
  );
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      const whole = pieces.join('');
      for (const { text, place } of plainParts(whole)) {
        for (let at = 0; at < text.length; at++) {
          expect(place(at + 1)).toBeGreaterThanOrEqual(place(at));
          const original = whole[place(at)]!;
          // A character without an escape maps to itself; a plus may be a space.
          if (place(at + 1) === place(at) + 1 && /[ -*,-~]/.test(original) && !/\p{Cs}/u.test(text[at]!))
            expect(text[at]).toBe(original);
        }
        expect(place(text.length)).toBeLessThanOrEqual(whole.length);
      }
    }),
  );
});

describe('a value that spans the parts of a message', () => {
  const request = chat([
    user([
      { type: 'text', text: 'I am jane.doe@exam' },
      { type: 'text', text: 'ple.org and pay with 4111 1111' },
      { type: 'text', text: ' 1111 1111.' },
    ]),
  ]);

  test.each(['-f openai', '-f trl --conversations turns', '-f kto --pairs feedback', '--corrections -f trl'])(
    'is hidden in an export with %s',
    async (flags) => {
      await using shop = await workshop({
        'a.ndjson': `${line({ id: 'r', request })}\n${feedback('r', { score: 1 })}\n`,
      });
      expect((await shop.run(`${flags} --redact all`)).report.kept).toBe(1);
      const row = readFileSync(shop.output, 'utf8');
      expect(row).toContain('I am [EMAIL_1]\\n and pay with [CARD_1]\\n.');
    },
  );

  const texts = (...all: string[]) => all.map((text) => ({ type: 'text', text }));
  const call = { id: 'c1', type: 'function', function: { name: 'f', arguments: '{}' } };
  const tools = [
    { type: 'function', function: { name: 'f', parameters: { type: 'object', properties: {} } } },
  ];

  test.each(['-f openai', '-f openai --count-tokens', '-f kto --pairs feedback', '--corrections -f openai'])(
    'is hidden in answers and results in an export with %s',
    async (flags) => {
      const spread = {
        ...chat([
          user('Who?'),
          {
            role: 'assistant',
            content: texts('<think>Of joe', '?</think>It is joe@exam', 'ple.org.'),
          },
          user('Look.'),
          { role: 'assistant', content: texts('At ann@exam', 'ple.org'), tool_calls: [call] },
          {
            role: 'tool',
            tool_call_id: 'c1',
            content: texts('{"n":4111111111111111}', 'by bob@exam', 'ple.org', '[1]'),
          },
        ]),
        tools,
      };
      const response = {
        choices: [
          {
            message: { role: 'assistant', content: texts('Tim, tim@exam', 'ple.org') },
            finish_reason: 'stop',
          },
        ],
      };
      await using shop = await workshop({
        'a.ndjson': `${line({ id: 'r', request: spread, response })}\n${feedback('r', { score: 1 })}\n`,
      });
      expect((await shop.run(`${flags} --redact all`)).report.kept).toBeGreaterThan(0);
      const row = readFileSync(shop.output, 'utf8');
      expect(row).not.toContain('exam');
      expect(row).not.toContain('"parts"');
      expect(row).toContain('At [EMAIL_');
      expect(row).toContain('{\\"n\\":\\"[CARD_1]\\"}\\nby [EMAIL_');
      expect(row).toContain('Tim, [EMAIL_');
    },
  );

  test('leaves rows as they are without redaction', async () => {
    const content = texts('one', 'two');
    await using shop = await workshop({
      'a.ndjson': line({ request: chat([user('a'), { role: 'assistant', content }, user('b')]) }),
    });
    await shop.run('-f openai');
    expect(readFileSync(shop.output, 'utf8')).toContain('"content":"one\\ntwo"');
  });

  test('is hidden in a complete record, and not across other lists', async () => {
    await using shop = await workshop({ 'a.ndjson': line({ request }) });
    await shop.run('--export-all --redact all');
    expect(readFileSync(shop.output, 'utf8')).toContain('"I am [EMAIL_1]"');
    const found = [
      { text: 'jane@exam', score: 1 },
      { text: 'ple.org', score: 1 },
    ];
    expect(make().value(found)).toEqual(found);
  });
});
