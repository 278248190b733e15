import { expect, test } from 'bun:test';
import { FINDERS } from '../../src/redact/kinds.ts';
import { FoundTexts } from '../../src/redact/found-texts.ts';
import type { RedactKind } from '../../src/config/redact-kinds.ts';
import { Redactor } from '../../src/redact/redactor.ts';

const OPTIONS = { kinds: Object.keys(FINDERS) as RedactKind[], custom: [], mode: 'tag', salt: '' } as const;
const NUMBER = 'the number is 536-22-4918';

/** Texts and the names of their fields; some of them are repeated. */
const TEXTS: readonly (readonly [text: string, label: string])[] = [
  ['mail jane@example.org and joe@example.org', ''],
  ['nothing to find', ''],
  [NUMBER, ''],
  ['536224918', 'ssn'],
  ['536224918', 'id'],
  ['joe@example.org', ''],
  ['{"a":["jane@example.org"],"password":"hunter2hunter2"}', ''],
];

test('Redactor replaces the same with and without a memory of texts, also after tags start again', () => {
  // Some of the texts are forgotten again before they are repeated.
  for (const most of [0, 300, 10_000]) {
    const plain = new Redactor(OPTIONS);
    const remembering = new Redactor(OPTIONS, undefined, new FoundTexts(most));
    for (const [text, label] of [...TEXTS, ...TEXTS.toReversed(), ...TEXTS]) {
      expect(remembering.json(text, label)).toBe(plain.json(text, label));
      expect(remembering.texts(['jane@exam', 'ple.org', text])).toEqual(
        plain.texts(['jane@exam', 'ple.org', text]),
      );
      if (text !== NUMBER) continue;
      plain.fresh();
      remembering.fresh();
    }
    expect([...remembering.counts]).toEqual([...plain.counts]);
  }
});

test('FoundTexts searches a text once while it is repeated, and forgets what is not', () => {
  const found = new FoundTexts(1_000);
  const searched: string[] = [];
  const search = (text: string, label = '') =>
    found.of(text, label, () => {
      searched.push(text.slice(0, 3));
      return [];
    });
  search('system prompt');
  for (let n = 0; n < 50; n += 1) {
    search('system prompt');
    search(`${n}: ${'x'.repeat(200)}`);
  }
  search('system prompt', 'field');
  search('system prompt', 'field');
  expect(searched.filter((text) => text === 'sys')).toHaveLength(2);
  search(`0: ${'x'.repeat(200)}`);
  expect(searched.filter((text) => text === '0: ')).toHaveLength(2);
});
