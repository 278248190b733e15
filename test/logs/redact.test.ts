import { describe, expect, test } from 'bun:test';
import * as fc from 'fast-check';
import { REDACTED, REDACTED_KEYS, redactor } from '../../src/logs/redact.ts';

const KEY = 'sk-proj-Ab3dEf6hIj9kLmN0pQrS';

function redact(value: unknown, options: { secrets?: string[]; keys?: string[] } = {}): unknown {
  const out = redactor({ secrets: [], keys: [], ...options })(JSON.stringify(value));
  return JSON.parse(out);
}

/** Every string in a value, including keys. */
function strings(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [key, ...strings(inner)]);
}

describe('redactor() with secrets', () => {
  test('hides a secret wherever it occurs', () => {
    const line = { a: `x hunter22x y`, b: ['hunter22'], hunter22: 1, note: 'hunter2' };
    expect(redact(line, { secrets: ['hunter22'] })).toEqual({
      a: 'x [redacted]x y',
      b: ['[redacted]'],
      '[redacted]': 1,
      note: 'hunter2',
    });
  });

  test('leaves secrets of fewer than six characters', () => {
    expect(redact({ a: 'short' }, { secrets: ['short', ''] })).toEqual({ a: 'short' });
  });

  test('hides the longer of two secrets that begin alike', () => {
    expect(redact({ a: 'abcdef-ghi' }, { secrets: ['abcdef', 'abcdef-ghi'] })).toEqual({ a: '[redacted]' });
  });

  test.each([
    ['quotes and backslashes', 'pa"ss\\wo\nrd', (text: string) => JSON.stringify(text)],
    [
      'a slash as PHP writes it',
      'abc/def/123',
      (text: string) => JSON.stringify(text).replaceAll('/', '\\/'),
    ],
    ['letters as Python writes them', 'gehéim-ñ-日本', pythonString],
    ['JSON within a string', 'pa"ss\\word', (text: string) => JSON.stringify(JSON.stringify({ text }))],
  ])('finds a secret written with %s', (_, secret, write) => {
    const out = redactor({ secrets: [secret], keys: [] })(`{"a":${write(secret)}}`);
    expect(strings(JSON.parse(out)).join()).toContain('[redacted]');
    expect(strings(JSON.parse(out)).join()).not.toContain(secret);
  });

  test('does not split an escape', () => {
    const secrets = ['token-123456', '0abcdef12'];
    // A tab and "oken-123456", and U+20AB and "cdef12": neither contains a secret.
    for (const text of ['{"a":"x\\token-123456"}', '{"a":"\\u20abcdef12"}']) {
      expect(redactor({ secrets, keys: [] })(text)).toBe(text);
    }
    expect(redact({ a: 'C:\\token-123456' }, { secrets })).toEqual({ a: 'C:\\[redacted]' });
  });
});

describe('redactor() with names', () => {
  test.each(REDACTED_KEYS.flatMap((key) => [key, key.toUpperCase()]))('hides the value of %s', (key) => {
    expect(redact({ [key]: 'a "quoted" \\ value\n', z: 1 })).toEqual({ [key]: '[redacted]', z: 1 });
    expect(redact({ a: 1, deep: [{ [key]: '' }] })).toEqual({ a: 1, deep: [{ [key]: '[redacted]' }] });
  });

  test('hides the values of configured names, which it takes literally', () => {
    const options = { keys: ['x.y', 'na"me'] };
    expect(redact({ 'X.Y': 'a', xzy: 'b', 'na"me': 'c' }, options)).toEqual({
      'X.Y': '[redacted]',
      xzy: 'b',
      'na"me': '[redacted]',
    });
  });

  test('hides each string of a list', () => {
    expect(redact({ 'set-cookie': ['a=1', 'b="2"'], z: ['c'] })).toEqual({
      'set-cookie': ['[redacted]', '[redacted]'],
      z: ['c'],
    });
  });

  test('accepts white space around names and values, and several of them side by side', () => {
    const out = redactor({ secrets: [], keys: [] })('{ "password" : "a" , "secret":\t"b","c":"d"}');
    expect(JSON.parse(out)).toEqual({ password: '[redacted]', secret: '[redacted]', c: 'd' });
  });

  test.each([
    ['text that quotes JSON', { content: '{"password":"a"}, "secret": "b"' }],
    ['a name that ends or begins alike', { my_password: 'a', 'say "secret': 'b', passwords: 'c' }],
    ['a value that equals a name', { required: ['password', 'secret'], name: 'authorization' }],
    ['values that are not strings', { password: { type: 'string' }, secret: null, cookie: 5 }],
  ])('leaves %s unchanged', (_, value) => {
    expect(redact(value)).toEqual(value);
  });

  test('hides a string of a million escapes', () => {
    expect(redact({ password: '\n'.repeat(1_000_000), z: 1 })).toEqual({ password: '[redacted]', z: 1 });
  });

  test('hides the rest of a text that was cut within the value', () => {
    expect(redactor({ secrets: [], keys: [] })('{"password":"abc')).toBe('{"password":"[redacted]');
  });
});

describe('redactor() with keys of a known form', () => {
  const shaped = [
    KEY,
    'sk-ant-api03-x1y2z3x1y2z3x1y2z3_-AA',
    'sk-0123456789abcdef0123456789abcdef',
    `gsk_${'aB3'.repeat(17)}`,
    `xai-${'aB3'.repeat(20)}`,
    `AIza${'aB3_-'.repeat(7)}`,
  ];
  test.each(shaped)('hides %s', (key) => {
    expect(redact({ a: key, b: `key=${key}.`, c: `line\n${key}\n` })).toEqual({
      a: '[redacted]',
      b: 'key=[redacted].',
      c: 'line\n[redacted]\n',
    });
    expect(redactor({ secrets: [], keys: [] })(`{"a":"\\u94a5${key}"}`)).toBe('{"a":"\\u94a5[redacted]"}');
  });

  test('hides the token after Bearer', () => {
    const token = 'eyJhbGciOiJI.eyJzdWIi1.x/y+z==';
    expect(redact({ a: `Authorization: Bearer ${token}, x` })).toEqual({
      a: 'Authorization: Bearer [redacted], x',
    });
  });

  test.each([
    'task-management-system-version-2-of-this',
    'sk-learn',
    'sk-loading-spinner-wave-container-box',
    'Bearer authentication-is-described-here',
    'Bearer $OPENAI_API_KEY and Bearer YOUR_KEY',
    'AIza',
    'a risk-free-0123456789-0123456789-0123456789 offer',
  ])('leaves "%s" unchanged', (text) => {
    expect(redact({ a: text })).toEqual({ a: text });
  });

  test('takes linear time for a text made of prefixes', () => {
    const text = JSON.stringify({ a: 'sk-'.repeat(300_000), b: 'Bearer '.repeat(100_000) });
    expect(redactor({ secrets: [], keys: [] })(text)).toBe(text);
  });
});

/** Text that could break the matching: quotes, escapes, names, prefixes. */
const awkward = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.constantFrom('\\', '"', '\n', '\t', '/', ',"secret":"', '"password":', 'sk-', 'Bearer ', '\\u00', 'é'),
  fc.constantFrom(...REDACTED_KEYS),
);
const text = fc.array(awkward, { maxLength: 6 }).map((parts) => parts.join(''));
const json = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    text,
    fc.constantFrom(null, true, 0, -1.5e9),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(text, tie('value'), { maxKeys: 3 }),
  ),
})).value;
const secret = text.filter((value) => value.length >= 6 && !'[redacted]'.includes(value));

test('redactor() keeps valid JSON valid and hides every planted secret', () => {
  const check = (values: [unknown, string, string, unknown], write: (value: unknown) => string) => {
    const [before, planted, around, after] = values;
    const line = write({ before, list: [planted, `${around}${planted}${around}`], [planted]: after });
    const out = JSON.parse(redactor({ secrets: [planted], keys: ['extra'] })(line)) as unknown;
    for (const found of strings(out)) expect(found.includes(planted)).toBe(false);
  };
  fc.assert(
    fc.property(fc.tuple(json, secret, text, json), (values) => {
      check(values, (value) => JSON.stringify(value));
      check(values, (value) => JSON.stringify(value, null, 1));
      check(values, pythonString);
    }),
    { numRuns: 300 },
  );
});

test('redactor() changes nothing if there is nothing to hide', () => {
  const harmless = fc.string({ maxLength: 30 }).filter((value) => !/sk-|gsk_|xai-|AIza|earer/.test(value));
  const record = fc.dictionary(
    harmless.map((key) => `k${key}`),
    fc.array(harmless),
  );
  fc.assert(
    fc.property(record, (value) => {
      const line = JSON.stringify(value);
      expect(redactor({ secrets: ['zzzzzz-not-there-zzzzzz'], keys: [] })(line)).toBe(line);
    }),
  );
});

/** JSON in ASCII, as Python's json.dumps writes it by default. */
function pythonString(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u0080-\uffff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

test('redactor() takes linear time, whatever white space precedes a value', () => {
  const redact = redactor({ secrets: [], keys: [] });
  const line = (value: string) => `{"password":${' '.repeat(300_000)}${value}}`;
  expect(redact(line('1')) === line('1')).toBe(true);
  expect(JSON.parse(redact(line(`[${' '.repeat(300_000)}"x", "y"]`)))).toEqual({
    password: [REDACTED, REDACTED],
  });
});
