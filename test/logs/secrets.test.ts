import { expect, test } from 'bun:test';
import { masker } from '../../src/logs/redact.ts';
import { Secrets } from '../../src/logs/secrets.ts';

test('Secrets remembers those of the current and earlier configurations, and those added later', () => {
  const told: (readonly string[])[] = [];
  const secrets = new Secrets(['first-one'], [], (all) => told.push(all));
  secrets.add('minted-one', 'minted-two');
  secrets.replace(['second-one']);
  secrets.replace(['third-one']);
  secrets.replace(['fourth-one']);
  const all = ['first-one', 'second-one', 'third-one', 'fourth-one', 'minted-one', 'minted-two'];
  expect(secrets.all.toSorted()).toEqual(all.toSorted());
  expect(told.at(-1)).toEqual(secrets.all);
  for (const secret of all) {
    expect(secrets.mask(`x ${secret} x`)).toBe('x [redacted] x');
    expect(secrets.redaction.redact(`{"a":"${secret}"}`)).toBe('{"a":"[redacted]"}');
  }
});

test('Secrets notifies nobody about secrets that are already known', () => {
  let changes = 0;
  const secrets = new Secrets(['first-one'], [], () => (changes += 1));
  secrets.add('minted-one');
  secrets.add('minted-one', 'first-one');
  expect(changes).toBe(2);
});

test('Secrets forgets the oldest of thousands of added ones, and none of the configuration', () => {
  const secrets = new Secrets(['first-one'], []);
  secrets.replace(['second-one']);
  for (let n = 0; n < 5; n++)
    secrets.add('kept-in-use', ...Array.from({ length: 2_000 }, (_, at) => `minted-${n}-${at}`));
  expect(secrets.all.length).toBe(4_096 + 2);
  expect(secrets.all).toContain('first-one');
  expect(secrets.all).toContain('second-one');
  expect(secrets.all).toContain('kept-in-use');
  expect(secrets.all).toContain('minted-4-1999');
  expect(secrets.all).not.toContain('minted-0-0');
});

test('masker() hides a secret in text that quotes JSON, and leaves other text unchanged', () => {
  const mask = masker(['pa"ss/word', 'other-secret']);
  expect(mask('{"a":"pa\\"ss/word"} or pa\\"ss\\/word, pa"ss/word')).toBe(
    '{"a":"[redacted]"} or [redacted], [redacted]',
  );
  expect(mask('nothing of the kind')).toBe('nothing of the kind');
});
