import { expect, test } from 'bun:test';
import { REDACT_KINDS } from '../../src/config/redact-kinds.ts';
import { redaction } from '../../src/config/schema/redaction.ts';

test('a rule names kinds, patterns, or both', () => {
  expect(redaction.parse({ out: ['email', 'all'], patterns: ['ticket=TCK-(\\d+)'], timeout: '2s' })).toEqual({
    kinds: REDACT_KINDS,
    patterns: [{ name: 'ticket', pattern: 'TCK-(\\d+)' }],
    restore: false,
    media: 'refuse',
    timeout: 2_000,
  });
  expect(redaction.parse({ patterns: ['word=x'] }).kinds).toEqual([]);
});

test.each([
  [{}, 'expected at least one kind or pattern'],
  [{ out: [] }, 'expected at least one kind or pattern'],
  [{ out: ['mail'] }, 'Invalid option'],
  [{ patterns: ['x'] }, 'expected NAME=REGEX'],
  [{ patterns: ['email=x'] }, 'email is a built-in kind'],
  [{ patterns: ['word=x*'] }, 'it matches the empty text'],
  [{ patterns: ['word=('] }, 'not a pattern'],
  [{ out: ['email'], timeout: 0 }, 'expected more than 0'],
  [{ out: ['email'], media: 'drop' }, 'Invalid option'],
])('a rule is not %j', (written, words) => {
  const { success, error } = redaction.safeParse(written);
  expect(success).toBeFalse();
  expect(error!.message).toContain(words);
});
