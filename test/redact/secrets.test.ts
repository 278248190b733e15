import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { Redactor } from '../../src/redact/redactor.ts';
import { TOKEN_RULES, VENDOR_RULES } from '../../src/redact/secrets/gitleaks.generated.ts';
import { KeywordIndex } from '../../src/redact/secrets/keywords.ts';
import { entropy } from '../../src/redact/secrets/rule.ts';
import { chance, sample } from './corpus/seeded.ts';

const make = () => new Redactor({ kinds: ['key'], custom: [], mode: 'tag', salt: '' });

describe('the rules of gitleaks', () => {
  const drawn = chance(3);
  const TRIES = 8;

  /** Texts that match a rule's pattern: sampled until they have the required entropy. */
  function texts(pattern: string, least: number, made: (secret: string) => string): string[] {
    const found: string[] = [];
    for (let tries = 0; found.length < TRIES && tries < 50 * TRIES; tries++) {
      const secret = sample(pattern, drawn);
      if (entropy(secret) > least && /\d/.test(secret)) found.push(made(secret));
    }
    return found;
  }

  const missed = (all: readonly string[]) => all.filter((text) => make().text(text) === text).length;

  test('match nearly all keys that follow the vendor’s name', () => {
    const bad = VENDOR_RULES.filter(([, names, secret, least]) => {
      const name = sample(names, drawn);
      const forms = [`${name}_api_key = "%"`, `"${name}Token": "%"`, `${name}=%.`, `${name}: %, then`];
      const all = texts(secret, least, (value) => drawn.pick(forms).replace('%', () => value));
      return all.length === 0 || missed(all) > 1;
    });
    expect(bad.length / VENDOR_RULES.length < 0.05 ? [] : bad.map(([id]) => id)).toEqual([]);
  });

  test('match nearly all tokens of their form, also before a full stop', () => {
    const bad = TOKEN_RULES.filter(([, pattern, least, , keywords]) => {
      const near = (secret: string) =>
        keywords.some((word) => secret.toLowerCase().includes(word)) ? 'use' : keywords[0]!;
      const all = texts(
        pattern,
        least,
        (secret) => `${near(secret)} ${secret}${/\w$/.test(secret) ? '.' : ''}`,
      );
      return all.length > 0 && missed(all) > 1;
    });
    expect(bad.length / TOKEN_RULES.length < 0.05 ? [] : bad.map(([id]) => id)).toEqual([]);
  });

  test('have an upper bound for every repetition', () => {
    const patterns = [
      ...VENDOR_RULES.map(([, , secret]) => secret),
      ...TOKEN_RULES.map(([, pattern]) => pattern),
    ];
    const bare = patterns.map((pattern) => pattern.replaceAll(/\\.|\[(?:\\.|[^\]\\])*\]/g, 'x'));
    expect(bare.filter((pattern) => /[*+]|\{\d+,\}/.test(pattern))).toEqual([]);
  });
});

test('Redactor takes linear time, however often a keyword of a rule is repeated', () => {
  const words = [
    ...new Set([
      ...VENDOR_RULES.flatMap(([, , , , ...all]) => all),
      ...TOKEN_RULES.flatMap(([, , , , all]) => all),
    ]),
  ];
  const redactor = make();
  const size = 12_000;
  const slow = words
    .flatMap((word) => [`${word}=`, `${word} = '`, `${word}A1`])
    .filter((piece) => {
      const text = piece.repeat(size / piece.length);
      const began = performance.now();
      redactor.text(text);
      return performance.now() - began > 500;
    });
  // Each takes a millisecond or two; repeated backtracking would take seconds.
  expect(slow).toEqual([]);
});

test.each([
  ['{"password": "string"}', 0],
  ['{"password": "hunter2!"}', 1],
  ['{"api_key": "${API_KEY}", "token": "<your token>"}', 0],
  ['api_key = os.environ["KEY_2"]', 0],
  ['next_token = tokens[i + 1]', 0],
  ['https://hooks.slack.com/services/T0123456789/B0123456789/abcdefghijklmnopqrstuvwx', 1],
  ['curl -u jane:s3cret9pass https://x.io', 1],
  ['AccountKey=abc123def456ghi789==;', 1],
  ['primary_key=users_id_2024', 0],
  ['My key is sk-proj-abcDEF1234567890abcd.', 1],
])('Redactor finds only the actual secrets in %s: %d', (text, count) => {
  const redactor = make();
  redactor.value(text);
  expect(redactor.hits).toBe(count);
});

test('KeywordIndex finds the same as a search for each word, in any case', () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', '_', '-', '1'), minLength: 3, maxLength: 5 });
  const text = fc.string({
    unit: fc.constantFrom('a', 'A', 'b', 'B', '_', '-', '1', 'é', 'q'),
    maxLength: 60,
  });
  fc.assert(
    fc.property(fc.uniqueArray(word, { minLength: 1, maxLength: 6 }), text, (words, where) => {
      const found: string[] = [];
      new KeywordIndex(words.map((one) => [one, one])).scan(where, (one, from, to) => {
        expect(where.slice(from, to).toLowerCase()).toBe(one);
        found.push(`${from} ${one}`);
      });
      const small = where.toLowerCase();
      const expected = words.flatMap((one) =>
        Array.from(where, (_, at) => at).flatMap((at) => (small.startsWith(one, at) ? [`${at} ${one}`] : [])),
      );
      expect(found.toSorted()).toEqual(expected.toSorted());
    }),
    { numRuns: 300 },
  );
});

describe('Redactor.texts()', () => {
  const all = (...parts: string[]) =>
    new Redactor({ kinds: ['email', 'key', 'phone'], custom: [], mode: 'tag', salt: '' }).texts(parts);

  test('hides a value that spans parts, in the first of them', () => {
    expect(all('write to jane.d', 'oe@exam', 'ple.com now')).toEqual(['write to [EMAIL_1]', '', ' now']);
  });

  test('hides a value in one part, even if the next part continues it', () => {
    expect(all('key', `sk-proj-${'a1B2'.repeat(10)}`, 'x')).toEqual(['key', '[KEY_1]', 'x']);
  });

  test('leaves other parts unchanged', () => {
    expect(all('one ', 'two')).toEqual(['one ', 'two']);
  });
});

test('Redactor recognizes a phone number by the name of its key', () => {
  const redactor = new Redactor({ kinds: ['phone'], custom: [], mode: 'tag', salt: '' });
  expect(redactor.value({ contact: { mobilePhone: '512345678', id: '512345678' } })).toEqual({
    contact: { mobilePhone: '[PHONE_1]', id: '512345678' },
  });
  expect(redactor.value({ phones: [4155552671] })).toEqual({ phones: ['[PHONE_2]'] });
});
