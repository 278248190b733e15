/** Placeholders in answers: the values are restored, however the text is cut. */
import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { Restorer } from '../../src/redact/outward/restorer.ts';
import { restoredInSteps, restoredValue } from '../../src/redact/outward/restore-answer.ts';
import { cutAt, cuts } from '../properties/cuts.ts';

const KEY = '-----BEGIN KEY-----\n"a"\\\n-----END KEY-----';
const VALUES = [
  ['[EMAIL_1]', 'ann@corp.example.com'],
  ['[EMAIL_12]', 'bob@corp.example.com'],
  ['[PRIVATE_KEY_1]', KEY],
] as const;
const restorer = new Restorer(VALUES);

function inPieces(pieces: readonly string[], form: 'text' | 'json'): string {
  const text = restorer.pieces(form);
  return pieces.map((piece) => text.push(piece)).join('') + text.end();
}

const fragment = fc.oneof(
  fc.constantFrom(...VALUES.map(([placeholder]) => placeholder)),
  fc.constantFrom('[', ']', '[EMAIL_', '[EMAIL_1', '[EMAIL_2]', '_1]', '{', '"', '\\', 'é🙂', ' ', 'a'),
);
const texts = fc.array(fragment, { maxLength: 12 }).map((fragments) => fragments.join(''));

test('Restorer restores values in the text of an answer, cut anywhere', () => {
  fc.assert(
    fc.property(texts, cuts, (text, places) => {
      // Such text would be treated as JSON.
      fc.pre(!/^[\s[{]*\{\s*"/.test(text));
      const whole = VALUES.reduce(
        (rest, [placeholder, value]) => rest.replaceAll(placeholder, () => value),
        text,
      );
      expect(inPieces(cutAt(text, places), 'text')).toBe(whole);
    }),
  );
});

test('Restorer takes a whole answer in quotes for words, as it does in pieces', () => {
  for (const text of ['"[PRIVATE_KEY_1]"', ' " [PRIVATE_KEY_1] "'])
    for (const restored of [restorer.text(text, 'text'), inPieces([text], 'text')])
      expect(restored).toBe(text.replace('[PRIVATE_KEY_1]', () => KEY));
  expect(JSON.parse(restorer.text('["[PRIVATE_KEY_1]"]', 'text'))).toEqual([KEY]);
  expect(JSON.parse(restorer.text('"[PRIVATE_KEY_1]"', 'json'))).toBe(KEY);
});

test('Restorer restores values in JSON with the necessary escapes, cut anywhere', () => {
  fc.assert(
    fc.property(texts, texts, cuts, (text, name, places) => {
      const hidden = { [`n ${name}`]: text, list: [[text]], nested: JSON.stringify({ deep: text }) };
      const json = JSON.stringify(hidden);
      const shown = (given: string) =>
        VALUES.reduce((rest, [placeholder, value]) => rest.replaceAll(placeholder, () => value), given);
      fc.pre(!/^[\s[{]*\{\s*"/.test(text));
      const expected = { [`n ${shown(name)}`]: shown(text), list: [[shown(text)]] };
      for (const restored of [
        inPieces(cutAt(json, places), 'json'),
        inPieces(cutAt(json, places), 'text'),
        restorer.text(json, 'text'),
      ]) {
        const { nested, ...rest } = JSON.parse(restored) as { nested: string };
        expect(rest).toEqual(expected as never);
        expect(JSON.parse(nested)).toEqual({ deep: shown(text) });
      }
    }),
  );
});

test('Restorer restores long texts in steps', () => {
  const line = 'x'.repeat(99);
  const text = (placeholder: string) => `${line} ${placeholder} `.repeat(12_000);
  const value = { model: 'm', choices: [{ message: { content: text('[EMAIL_1]'), tool_calls: [] } }] };
  let steps = 0;
  const work = restoredInSteps(value, restorer);
  let step = work.next();
  for (; !step.done; step = work.next()) steps += 1;
  expect(step.value.choices[0]!.message.content === text('ann@corp.example.com')).toBeTrue();
  expect(steps).toBeGreaterThan(1);
});

describe('the text that is held back', () => {
  test.each([
    ['see [', 'see '],
    ['see [E', 'see '],
    ['see [EMAIL_1', 'see '],
    ['see [EMAIL_2', 'see [EMAIL_2'],
    ['see [EMAIL_13', 'see [EMAIL_13'],
    ['see [OTHER_1', 'see [OTHER_1'],
    ['see [x', 'see [x'],
    ['see [[', 'see ['],
    ['a list: [1, 2]', 'a list: [1, 2]'],
  ])('at the end of %j is only what may be a placeholder', (piece, passed) => {
    const text = restorer.pieces('text');
    expect(text.push(piece)).toBe(passed);
    expect(passed + text.end()).toBe(piece);
  });
});

test('Restorer keeps placeholders in signed or encrypted reasoning', () => {
  const kept = [
    { type: 'thinking', thinking: '[EMAIL_1]', signature: 's' },
    { type: 'redacted_thinking', data: '[EMAIL_1]' },
    { type: 'reasoning', summary: [{ text: '[EMAIL_1]' }], encrypted_content: 'x' },
    { reasoningContent: { reasoningText: { text: '[EMAIL_1]', signature: 's' } } },
    { reasoning_details: [{ text: '[EMAIL_1]', signature: 's' }] },
  ];
  expect(restoredValue(kept, restorer)).toBe(kept);
  expect(restoredValue({ type: 'thinking', thinking: '[EMAIL_1]' }, restorer)).toEqual({
    type: 'thinking',
    thinking: 'ann@corp.example.com',
  });
});

test('hidden() replaces values with their placeholders again', () => {
  for (const [placeholder, value] of VALUES) expect(restorer.hidden(`x ${value}`)).toBe(`x ${placeholder}`);
});
