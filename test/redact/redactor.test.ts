import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { Conversation } from '../../src/export/conversation/conversation.ts';
import { ibanRest, isCard, isIban } from '../../src/redact/checksums.ts';
import { redactConversation } from '../../src/export/conversation/redact.ts';
import { REDACT_KINDS } from '../../src/config/redact-kinds.ts';
import type { RedactOptions } from '../../src/redact/redactor.ts';
import { customPattern } from '../../src/config/redact-patterns.ts';
import { Redactor } from '../../src/redact/redactor.ts';
import { isJsonText } from '../../src/wire/json-in-text.ts';

const make = (options: Partial<RedactOptions> = {}) =>
  new Redactor({ kinds: REDACT_KINDS, custom: [], mode: 'tag', salt: 'salt', ...options });

const jwt = `${Buffer.from('{"alg":"HS256","typ":"JWT"}').toString('base64url')}.${Buffer.from('{"sub":"1234"}').toString('base64url')}.c2lnbmF0dXJlc2lnbmF0dXJl`;
const pem = `-----BEGIN RSA PRIVATE KEY-----\n${'MIIEowIBAAKCAQEA'.repeat(4)}\n-----END RSA PRIVATE KEY-----`;

/** A secret of each kind, as people write it. */
const SECRETS: readonly (readonly [tag: string, secret: string])[] = [
  ['EMAIL', 'jane.doe+news@mail.example-corp.co.uk'],
  ['EMAIL', 'müller@größe.de'],
  ['PHONE', '+49 170 1234567'],
  ['PHONE', '+1 (415) 555-2671'],
  ['PHONE', '(415) 555-2671'],
  ['PHONE', '415-555-2671'],
  ['PHONE', '030 12345678'],
  ['CARD', '4111 1111 1111 1111'],
  ['CARD', '5500-0055-5555-5559'],
  ['CARD', '378282246310005'],
  ['IBAN', 'DE89 3704 0044 0532 0130 00'],
  ['IBAN', 'GB82WEST12345698765432'],
  ['SSN', '219-09-9999'],
  ['IP', '8.8.4.4'],
  ['IP', '2607:f8b0:4005:805::200e'],
  ['KEY', `sk-proj-${'a1B2'.repeat(10)}`],
  ['KEY', 'AKIAIOSFODNN7EXAMPLE'],
  ['KEY', `ghp_${'a1B2c3'.repeat(6)}`],
  ['KEY', `hf_${'abcDEF123'.repeat(4)}`],
  ['KEY', 'xoxb-123456789012-abcdefABCDEF'],
  ['JWT', jwt],
  ['PRIVATE_KEY', pem],
];

describe('Redactor.text() with tags', () => {
  test.each(SECRETS.map(([tag, secret]) => [tag, secret]))('hides %s %s', (tag, secret) => {
    expect(make().text(`before ${secret} after`)).toBe(`before [${tag}_1] after`);
  });

  test.each([
    ['api_key = "abc123def456"', 'api_key = "[KEY_1]"'],
    ['curl -H "Authorization: Bearer abcdefghij0123456789"', 'curl -H "Authorization: Bearer [KEY_1]"'],
    ['https://user:pa55word@db/x', 'https://user:[KEY_1]@db/x'],
    ['pg://ann:pa55word@db.corp.com/x', 'pg://ann:[KEY_1]@db.corp.com/x'],
    ['ftp://a@b.com', 'ftp://[EMAIL_1]'],
    ['pg://u:p@ss@db.corp.com/x', 'pg://u:[KEY_1]@db.corp.com/x'],
    ['pg://u:p%40ss@db.corp.com/x', 'pg://u:[KEY_1]@db.corp.com/x'],
    ['pg://u:pa#s?s@db.corp.com/x', 'pg://u:[KEY_1]@db.corp.com/x'],
    ['http://h:80?to=jane@corp.com', 'http://h:80?to=[EMAIL_1]'],
    ['{"u":"http://h:80","m":"jane@corp.com"}', '{"u":"http://h:80","m":"[EMAIL_1]"}'],
    ["['pg://u:hunter2@h','jane@corp.com']", "['pg://u:[KEY_1]@h','[EMAIL_1]']"],
    ['https://x.io/?token=abcdef123456&a=1', 'https://x.io/?token=[KEY_1]&a=1'],
    ['password: hunter2hunter2', 'password: [KEY_1]'],
    ['password: hunter2Password, pwd=Summer2024Key', 'password: [KEY_1], pwd=[KEY_2]'],
    ['in JSON {"password":"hunter2secret1"}', 'in JSON {"password":"[KEY_1]"}'],
    [
      String.raw`in a string {\"password\": \"hunter2secret1\"}`,
      String.raw`in a string {\"password\": \"[KEY_1]\"}`,
    ],
    ["f(b'a@b.com', o'neil@b.com)", "f(b'[EMAIL_1]', [EMAIL_2])"],
    ['a@b.com, A@B.com and c@d.org', '[EMAIL_1], [EMAIL_1] and [EMAIL_2]'],
  ])('hides the secret in %s', (text, expected) => {
    expect(make().text(text)).toBe(expected);
  });

  test.each([
    'The date 2026-11-23T10:00:00.000Z, or 23.11.2026, 11/23/2026, 01-02-2024',
    'id 550e8400-e29b-41d4-a716-446655440000',
    'commit 3dce433a1b2c3d4e5f60718293a4b5c6d7e8f901',
    'version v1.2.3.4, chrome 120.0.6099.109, semver 10.20.30',
    'private 10.0.0.1, 192.168.1.1, 127.0.0.1, ::1, fe80::1, 2001:db8::1',
    'price $1,234,567.89 or 1 234 567,89 EUR',
    'card-like 4111 1111 1111 1112, order 1234567890123456',
    'IBAN-like DE89 3704 0044 0532 0130 01',
    '@decorator class A { @Input() name; }',
    'std::vector<int>, Foo::bar, a::b::c',
    'p { margin: 0 auto; color: #ffaa00 }',
    'ISBN 978-3-16-148410-0',
    'timestamps 1795428000, 1795428000123, pi 3.14159265358979',
    'not an ssn: 000-12-3456, 666-12-3456, 900-12-3456',
    'let token = next(); the secret: nobody knows',
    'tokens: 12345, max_tokens=4096',
  ])('leaves it unchanged: %s', (text) => {
    expect(make().text(text)).toBe(text);
  });

  test.each([
    ['card 4111 1111 1111 1111 123', 'card [CARD_1] 123'],
    ['card 4111 1111 1111 1111 12/27', 'card [CARD_1] 12/27'],
    ['matrix 1 2 3 4 5 6 7 8 9 10 11 12 13 14', 'matrix 1 2 3 4 5 6 7 8 9 10 11 12 13 14'],
    ['amex 3782 822463 10005', 'amex [CARD_1]'],
    ['Card No.4111111111111111', 'Card No.[CARD_1]'],
    ['Visa-4111111111111111', 'Visa-[CARD_1]'],
    ['4111111111111111-ok', '[CARD_1]-ok'],
    ['4111.1111.1111.1111 and 4111\u00a01111\u00a01111\u00a01111', '[CARD_1] and [CARD_1]'],
    ['AT61 1904 3002 3457 3201 BIC OPSKATWW', '[IBAN_1] BIC OPSKATWW'],
    ['BE68 5390 0754 7034 BIC KREDBEBB', '[IBAN_1] BIC KREDBEBB'],
    ['de89370400440532013000, DE89-3704-0044-0532-0130-00', '[IBAN_1], [IBAN_1]'],
    ['1-800-555-1234 or 1 800 555 1234', '[PHONE_1] or [PHONE_1]'],
    ['call 800-555-1234 2pm', 'call [PHONE_1] 2pm'],
    ['ssn 123 45 6789', 'ssn [SSN_1]'],
    ['SSN123-45-6789', 'SSN[SSN_1]'],
    [`Authorization: Basic ${btoa('jane:swordfish')}`, 'Authorization: Basic [KEY_1]'],
    ['{"password":"hunter"}', '{"password":"[KEY_1]"}'],
    [`token=${'a1'.repeat(200)}&b=1`, 'token=[KEY_1]&b=1'],
    [`sk-proj-${'a1B2'.repeat(70)} x`, '[KEY_1] x'],
  ])('hides exactly the value: %s', (text, expected) => {
    expect(make().text(text)).toBe(expected);
  });

  test('hides all of two overlapping matches', () => {
    const custom = [{ name: 'nm', pattern: 'find AB-[a-z]+' }];
    expect(make({ custom }).text('find AB-jane.doe@example.com now')).toBe('[NM_1] now');
  });

  test('hides the longer of two matches that begin together, never a part of one', () => {
    expect(make().text('sk-ant-a1b2c3d4e5f6g7h8i9j0k1l2@example.com')).not.toContain('a1b2');
  });
});

describe('Redactor modes', () => {
  test('hash replaces the same value with the same mark everywhere, depending on the salt', () => {
    const [one, other] = [make({ mode: 'hash' }), make({ mode: 'hash', salt: 'other' })];
    const mark = one.text('A@b.com');
    expect(mark).toMatch(/^\[EMAIL:[0-9a-f]{10}\]$/);
    one.fresh();
    expect(one.text('a@B.com')).toBe(mark);
    expect(other.text('a@b.com')).not.toBe(mark);
  });

  test('fake replaces values with others of the same form', () => {
    const fake = (text: string) => make({ mode: 'fake' }).text(text);
    expect(fake('jane@corp.com')).toMatch(/^[a-z]{8}@example\.(com|org|net)$/);
    expect(fake('+1 (415) 555-2671')).toMatch(/^\+1 \(\d{3}\) 555-01\d\d$/);
    expect(isCard(fake('4111 1111 1111 1111').replaceAll(' ', ''))).toBe(true);
    expect(fake('4111 1111 1111 1111')).toMatch(/^\d{4} \d{4} \d{4} \d{4}$/);
    expect(isIban(fake('DE89 3704 0044 0532 0130 00').replaceAll(' ', ''))).toBe(true);
    expect(fake('8.8.4.4')).toMatch(/^(192\.0\.2|198\.51\.100|203\.0\.113)\.\d+$/);
    expect(fake('219-09-9999')).toMatch(/^9\d\d-\d\d-\d{4}$/);
    expect(fake(`sk-proj-${'a1B2'.repeat(10)}`)).toMatch(/^sk-proj-[a-z]{40}$/);
  });

  test.each(['tag', 'hash'] as const)('%s finds nothing in its own output', (mode) => {
    for (const [, secret] of SECRETS) {
      const once = make({ mode }).text(`x ${secret} y`);
      const again = make({ mode });
      expect(again.text(once)).toBe(once);
      expect(again.hits).toBe(0);
    }
  });

  test('uses the name of a custom pattern as the tag', () => {
    const custom = [customPattern('ticket=TCK-\\d+')];
    expect(make({ kinds: [], custom }).text('see TCK-12 and TCK-7')).toBe('see [TICKET_1] and [TICKET_2]');
    for (const [bad, words] of [
      ['x', 'expected NAME=REGEX'],
      ['email=a', 'is a built-in kind'],
      ['x=a*', 'it matches the empty text'],
    ] as const)
      expect(() => customPattern(bad)).toThrow(words);
  });
});

/** A conversation with a text at every possible place. */
function planted(secret: string): Conversation {
  const text = `word ${secret} word`;
  return {
    prompt: [
      { role: 'system', content: text },
      {
        role: 'user',
        content: [
          { type: 'text', text },
          { type: 'image_url', image_url: { url: `https://x.io/${encodeURI('a')}?q=${secret}` } },
        ],
        name: 'n',
      },
      {
        role: 'assistant',
        content: text,
        reasoning: text,
        tool_calls: [
          {
            id: 'c',
            type: 'function',
            function: { name: 'f', arguments: JSON.stringify({ deep: [{ key: text }], [`k ${secret}`]: 1 }) },
          },
        ],
      },
      { role: 'tool', tool_call_id: 'c', content: JSON.stringify({ result: text }) },
    ],
    answer: { role: 'assistant', content: text, refusal: text },
    tools: [
      {
        type: 'function',
        function: {
          name: 'f',
          description: text,
          parameters: { type: 'object', properties: { a: { description: text, enum: [secret] } } },
        },
      },
    ],
  };
}

describe('redactConversation()', () => {
  test.each(SECRETS.map(([, secret]) => [secret]))('hides %s at every place', (secret) => {
    for (const mode of ['tag', 'hash', 'fake'] as const) {
      const hidden = redactConversation(planted(secret), make({ mode }));
      const text = JSON.stringify(hidden);
      expect(text).not.toContain(secret);
      expect(text).not.toContain(JSON.stringify(secret).slice(1, -1));
      for (const message of hidden.prompt)
        if (message.role === 'assistant')
          for (const call of message.tool_calls ?? []) JSON.parse(call.function.arguments);
    }
  });

  test('hides secrets between any words', () => {
    const around = fc.string({
      unit: fc.constantFrom('a', ' ', '.', ',', '\n', '"', '(', ')', ';', 'é'),
      maxLength: 12,
    });
    fc.assert(
      fc.property(fc.constantFrom(...SECRETS), around, around, ([, secret], before, after) => {
        const text = `${before} ${secret} ${after}`;
        const conversation: Conversation = {
          prompt: [{ role: 'user', content: text }],
          answer: {
            role: 'assistant',
            content: '',
            tool_calls: [
              { id: 'c', type: 'function', function: { name: 'f', arguments: JSON.stringify({ a: text }) } },
            ],
          },
          tools: [],
        };
        const hidden = JSON.stringify(redactConversation(conversation, make()));
        expect(hidden).not.toContain(secret);
      }),
      { numRuns: 500 },
    );
  });

  test('returns the conversation itself if there is nothing to hide', () => {
    const plain = planted('nothing');
    expect(redactConversation(plain, make())).toBe(plain);
  });

  test('hides numbers in arguments and results, and leaves other long numbers unchanged', () => {
    const hidden = make().json('{"card":4111111111111111,"id":123456789012345678,"n":7}');
    expect(hidden).toBe('{"card":"[CARD_1]","id":123456789012345678,"n":7}');
    expect(make().value({ card: 4111111111111111 })).toEqual({ card: '[CARD_1]' });
  });

  test('hides the value of a key that names a secret, whatever it looks like', () => {
    const hidden = make().value({ user: 'jane', password: 'swordfish', nested: '{"api_key":"plain-words"}' });
    expect(hidden).toEqual({ user: 'jane', password: '[KEY_1]', nested: '{"api_key":"[KEY_2]"}' });
  });
});

test('Redactor.text() takes linear time', () => {
  const hostile = [
    'a',
    '1',
    '@',
    'a@',
    '1 ',
    '-',
    ':',
    'eyJ',
    'sk-',
    '+1 ',
    '-----BEGIN PRIVATE KEY-----',
    'a.',
    'password=',
    'x%40a.',
    'key: ',
    'adobe = ',
    'tel 12345 ',
    '%40',
    '%25',
    '%C3%',
    '\\n4',
    '\\\\',
    '\\u0031',
    '&#64;a',
    'aGVsbG8gd29ybGQh',
    'amFuZUBleGFtcGxlLmNvbSBh ',
    '=a+1',
    '１２',
    '=40',
    '=C3',
    'a=\n',
    '\\x',
    '\\u{40',
    '\\100',
    '\\40 ',
    '&#64',
    '&amp',
    '%u0040',
    '+AEA',
    'a(at)',
    'a[',
    'a\u200b',
    '1\u00a0',
    'a@b.',
    'zz:1:',
  ];
  for (const piece of hostile) {
    const time = (length: number) => {
      const text = piece.repeat(length / piece.length);
      const before = process.threadCpuUsage();
      make().text(text);
      return process.threadCpuUsage(before).user / 1000;
    };
    // Sixteen times the text: linear work takes about sixteen times as long, quadratic work 256 times. A collection of
    // garbage may delay a run, but hardly three.
    const grows = () => time(320_000) / Math.max(1, time(20_000)) < 110;
    expect([piece, grows() || grows() || grows()]).toEqual([piece, true]);
  }
}, 60_000);

test.each([
  // If the words before a number were searched for each of its ends, these would take six to thirty times as long.
  [
    'a list with typographic dashes about as fast as one with hyphens',
    '1 -',
    4,
    ['1 \u2010', '1\u2010', '\u201012'],
  ],
  // If each of its ends were tried as a number, these would take ten to twenty times as long.
  [
    'a list of single digits about as fast as one of groups',
    '123 456 ',
    8,
    ['-0)', '1  ', '(1) ', '1 \u2010'],
  ],
])(
  'Redactor.text() searches %s',
  (_, reference, most, lists) => {
    // Processor time, because other programs may be using the machine.
    const time = (piece: string) => {
      const text = piece.repeat(24_000 / piece.length);
      const before = process.cpuUsage();
      make().text(text);
      return process.cpuUsage(before).user;
    };
    const fastest = (piece: string) => Math.min(time(piece), time(piece), time(piece), time(piece));
    const limit = most * fastest(reference);
    expect(lists.filter((piece) => fastest(piece) > limit)).toEqual([]);
  },
  60_000,
);

test('a list of single digits is no phone number unless a word says so', () => {
  const redacted = make().text(
    'pi: 0 3 1 4 1 5 9 2 6 5\ncall 0 3 1 4 1 5 9 2 6 5\n0 1 7 1 2 3 4 5 6 7 on my phone',
  );
  expect(redacted).toMatch(/^pi: 0 3 1 4 1 5 9 2 6 5\ncall \[PHONE_1\]\n\[PHONE_2\] on my phone$/);
});

test('json() returns JSON for JSON, whatever it contains, and finds nothing in its own output', () => {
  const word = fc.constantFrom(
    '415-555-2671',
    'jane@corp.com',
    'password',
    'api_key=a1b2c3d4e5f6',
    '\ud800',
    '[KEY_1]',
    '4111 1111 1111 1111',
    '%40',
    '://a:bcd@',
    '-----BEGIN PRIVATE KEY-----',
  );
  const text = fc.array(fc.oneof(word, fc.string({ unit: 'binary', maxLength: 5 })), { maxLength: 6 });
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { maxDepth: 3 },
      text.map((parts) => parts.join(' ')),
      fc.double(),
      fc.array(tie('any'), { maxLength: 3 }),
      fc.dictionary(fc.oneof(word, fc.string({ maxLength: 5 })), tie('any'), { maxKeys: 3 }),
    ),
  })).any;
  fc.assert(
    fc.property(value, (any) => {
      const given = JSON.stringify(any);
      const hidden = make().json(given);
      JSON.parse(hidden);
      expect(make().json(hidden)).toBe(hidden);
    }),
    { numRuns: 1000 },
  );
});

test('a number beside others is no part of a table', () => {
  const iban = 'DE89 3704 0044 0532 0130 00';
  for (const [text, hidden] of [
    [`4111 1111 1111 1111 ${iban} a`, '[CARD_1] [IBAN_1] a'],
    [`a ${iban} 4111 1111 1111 1111`, 'a [IBAN_1] [CARD_1]'],
    ['4111 1111 1111 1111 2027 0123', '[CARD_1] 2027 0123'],
    ['0010 0020 4111 1111 1111 1111', '0010 0020 [CARD_1]'],
  ])
    expect(make({ mode: 'tag' }).text(text!)).toBe(hidden!);
  const dump = '00f0: 4111 1111 1111 1111 de8f 3704 00a4 0532';
  expect(make({ mode: 'tag' }).text(dump)).toBe(dump);
});

describe('JSON within a text stays JSON', () => {
  const word = fc.constantFrom(
    ...SECRETS.map(([, secret]) => secret),
    'a@',
    '{',
    '[1]',
    '"',
    '\\',
    '\n',
    '%40',
    '\\u0040',
    'api_key: "',
    'password=hunter2hunter2',
    '😀',
    '-----BEGIN PRIVATE KEY-----',
    'http://h:80?to=a@b',
    'pg://u:p@ss@db.corp.com/x',
    'curl -u a:hunter22 x',
  );
  const text = fc.array(word, { maxLength: 3 }).map((words) => words.join(' '));
  const number = fc.constantFrom(
    4111111111111111,
    5500005555555559,
    493012345678,
    -4111111111111111,
    4111111111111111.5,
    7,
    -0.5,
  );
  const { any } = fc.letrec((tie) => ({
    any: fc.oneof(
      { maxDepth: 3 },
      text,
      fc.array(fc.oneof(number, tie('any')), { minLength: 1, maxLength: 3 }),
      tie('any').map((inner) => JSON.stringify(inner)),
      fc.dictionary(
        fc.oneof(text, fc.constantFrom('card', 'tel', 'password', 'token')),
        fc.oneof(number, tie('any')),
        { maxKeys: 3 },
      ),
    ),
  }));
  /** The number of texts in a value that are JSON, within JSON as well. */
  const documents = (value: unknown): number => {
    if (typeof value === 'string') return isJsonText(value) ? 1 + documents(JSON.parse(value)) : 0;
    return typeof value === 'object' && value !== null
      ? Object.values(value).reduce<number>((sum, inner) => sum + documents(inner), 0)
      : 0;
  };

  test('with signs, fractions and exponents', () => {
    for (const [written, hidden] of [
      ['{"card": -4111111111111111}', '{"card": "[CARD_1]"}'],
      ['{"card": 4111111111111111.5, "b": 1}', '{"card": "[CARD_1]", "b": 1}'],
      ['{"card": 4111111111111111e0}', '{"card": "[CARD_1]"}'],
      ['[-4111111111111111, 2]', '["[CARD_1]", 2]'],
      ['costs -4111111111111111 in all', 'costs -[CARD_1] in all'],
    ])
      expect(make({ mode: 'tag' }).text(`x ${written} y`)).toBe(`x ${hidden} y`);
  });

  test.each(['tag', 'hash', 'fake'] as const)('with %s', (mode) => {
    fc.assert(
      fc.property(fc.record({ a: any }), fc.constantFrom(0, 2), (value, indent) => {
        const hidden = make({ mode }).text(`Result: ${JSON.stringify(value, null, indent)}\nDone.`);
        const inner: unknown = JSON.parse(hidden.slice('Result: '.length, -'\nDone.'.length));
        expect(documents(inner)).toBeGreaterThanOrEqual(documents(value));
        expect(hidden.isWellFormed()).toBe(true);
      }),
      { numRuns: 500, seed: 5 },
    );
  });

  test.each([
    ['see {"card": 4111111111111111}', 'see {"card": "[CARD_1]"}'],
    ['see [4111111111111111, 7]', 'see ["[CARD_1]", 7]'],
    [String.raw`see "{\"n\":[7,4111111111111111]}"`, String.raw`see "{\"n\":[7,\"[CARD_1]\"]}"`],
    [String.raw`see {"s":"[4111111111111111]"}`, String.raw`see {"s":"[\"[CARD_1]\"]"}`],
    ['{"n":4111111111111111}\n{"n":7}', '{"n":"[CARD_1]"}\n{"n":7}'],
    ['{"password":[4111111111111111]} {"token":12345678a}', '{"password":["[CARD_1]"]} {"token":[KEY_1]}'],
    [String.raw`x {"password":"[4111111111111111,\"\"]"}`, String.raw`x {"password":"[\"[CARD_1]\",\"\"]"}`],
    ['a,4111111111111111,b and card: 4111111111111111, yes', 'a,[CARD_1],b and card: [CARD_1], yes'],
    [String.raw`x {"a":"-----BEGIN PRIVATE KEY-----\\"}`, String.raw`x {"a":"[PRIVATE_KEY_1]\\"}`],
  ])('in %s', (given, expected) => {
    expect(make().text(given)).toBe(expected);
  });
});

test('isCard() and isIban() verify check digits', () => {
  expect(['4111111111111111', '4111111111111112', '1234567812345670'].map(isCard)).toEqual([
    true,
    false,
    false,
  ]);
  expect(['DE89370400440532013000', 'DE89370400440532013001', 'DE8937040044053201300'].map(isIban)).toEqual([
    true,
    false,
    false,
  ]);
  expect(ibanRest('GB82WEST12345698765432')).toBe(1);
});
