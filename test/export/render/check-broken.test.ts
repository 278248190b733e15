import { describe, expect, test } from 'bun:test';
import { EXPORT_FORMATS } from '../../../src/config/export/options.ts';
import { FORMATS } from '../../../src/export/render/all.ts';
import { BROKEN_CHATS } from './broken-chats.ts';
import { BROKEN_SIDES } from './broken-sides.ts';
import { BROKEN_TURNS } from './broken-turns.ts';
import { soundRow, spoiled } from './rows.ts';

const BROKEN = [...BROKEN_CHATS, ...BROKEN_SIDES, ...BROKEN_TURNS];

describe.each([...new Set(BROKEN.flatMap(([, names]) => names))])('%s', (name) => {
  const { check } = FORMATS[name];

  test('check() reports no problem in a valid row', () => {
    expect(check(soundRow(name))).toEqual([]);
  });

  const broken = BROKEN.filter(([, names]) => names.includes(name));
  test.each(broken.map((one) => [one[0], one] as const))(
    'check() reports %s',
    (_, [, , path, value, words]) => {
      const problems = check(spoiled(soundRow(name), path, value));
      expect(problems.filter((problem) => problem.includes(words))).toHaveLength(1);
    },
  );
});

const SAYS = (content: string) => ({ role: 'assistant', content });
const ASKS = { role: 'user', content: 'Hi' };

test.each([
  [
    'chosen',
    { chosen: [ASKS], rejected: [ASKS, SAYS('Go.')] },
    "chosen: the last message must be the assistant's",
  ],
  [
    'rejected',
    { chosen: [ASKS, SAYS('Hello')], rejected: [ASKS] },
    "rejected: the last message must be the assistant's",
  ],
])('trl-dpo check() reports a bad %s answer if both begin with the prompt', (_, row, words) => {
  expect(FORMATS['trl-dpo'].check(row)).toContainEqual(words);
});

const ODD = [{}, { toString: 1 }, [], [{ type: { toString: 1 } }], null, 1, '', true];

/** Every place in a row, as a path. */
function* paths(value: unknown, before = ''): Generator<string> {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    const path = Array.isArray(value) ? `${before}[${key}]` : before === '' ? key : `${before}.${key}`;
    yield path;
    yield* paths(inner, path);
  }
}

test.each(EXPORT_FORMATS.map((name) => [name]))(
  '%s check() returns for any value at any place in a row',
  (name) => {
    const row = soundRow(name);
    let found = 0;
    for (const path of paths(row))
      for (const value of ODD) found += FORMATS[name].check(spoiled(row, path, value)).length;
    expect(found).toBeGreaterThan(0);
  },
);
