import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base';
import { countable, loadVocabulary, tokenCounter } from '../../src/wire/tokens.ts';

const vocabulary = await loadVocabulary();
const file = (path: string) => readFileSync(join(import.meta.dir, '../..', path), 'utf8');
/** The count of gpt-tokenizer, with special tokens in the text counted as ordinary text. */
const reference = (text: string) => countTokens(text, { disallowedSpecial: new Set() });

test.each([
  ['code', file('src/pipeline/routing/router.ts')],
  ['prose', file('README.md')],
  ['JSON', file('package.json')],
  ['JSON without spaces', JSON.stringify(JSON.parse(file('package.json')))],
  ['tables', file('docs/failover.md')],
  ['German', 'Donaudampfschifffahrtsgesellschaftskapitän, Rindfleischetikettierungsüberwachung. '.repeat(20)],
  ['Russian', 'Съешь же ещё этих мягких французских булок, да выпей чаю. '.repeat(20)],
  ['Greek', 'Ξεσκεπάζω την ψυχοφθόρα βδελυγμία. '.repeat(20)],
  ['Chinese', '敏捷的棕色狐狸跳过了懒狗，然后回到树林里睡觉去了。'.repeat(20)],
  ['Chinese without a stop', '敏捷的棕色狐狸跳过了懒狗然后回到树林里睡觉去了'.repeat(20)],
  ['Japanese', 'いろはにほへとちりぬるを色は匂へど散りぬるを。カタカナも。'.repeat(20)],
  ['Korean', '키스의 고유조건은 입술끼리 만나야 하고 특별한 기술은 필요치 않다. '.repeat(20)],
  ['Thai without spaces', 'เป็นมนุษย์สุดประเสริฐเลิศคุณค่ากว่าบรรดาฝูงสัตว์เดรัจฉาน'.repeat(20)],
  ['Arabic', 'نص حكيم له سر قاطع وذو شأن عظيم مكتوب على ثوب أخضر ومغلف بجلد أزرق. '.repeat(20)],
  ['Hindi', 'ऋषियों को सताने वाले दुष्ट राक्षसों के राजा रावण का सर्वनाश करने वाले। '.repeat(20)],
  ['emoji', '👩‍👩‍👧‍👦🏳️‍🌈🎉 ok 👍🏽'.repeat(20)],
  ['base64', Buffer.from(file('src/wire/chat.ts')).toString('base64')],
  ['rules and indentation', `${'-'.repeat(200)}\n${' '.repeat(300)}x\n${'='.repeat(80)}\n\n\n\t\t\t\t\t`],
  ['one letter, 10,000 times', 'a'.repeat(10_000)],
  ['the text of a special token', 'Say <|endoftext|> and <|im_start|>user.'],
  ['half a character', 'a\ud83d b\udc00'],
])('the token counter counts %s like gpt-tokenizer', (_, text) => {
  expect(vocabulary.countAll(text)).toBe(reference(text));
});

test('the token counter counts any text like gpt-tokenizer', () => {
  const unit = fc.oneof(
    fc.constantFrom("'s", '\r\n', '  ', '\u0301', 'ß', 'İ', '\u00a0', '//', 'The'),
    fc.string({ unit: 'binary', maxLength: 4 }),
    fc.string({ maxLength: 4 }),
  );
  const text = fc.array(unit, { maxLength: 30 }).map((units) => units.join(''));
  fc.assert(fc.property(text, (value) => vocabulary.countAll(value) === reference(value)));
});

test.each(['a', 'A', ' ', '語', '-', '😀', '\n', '.', 'ก'])(
  'the token counter counts a million of %j in less than quadratic time, and nearly right',
  (char) => {
    const short = reference(char.repeat(5_000));
    const tokens = vocabulary.countAll(char.repeat(1_000_000));
    expect(Math.abs(tokens / (short * 200) - 1)).toBeLessThan(0.05);
  },
);

test('the token counter counts a long text in many steps', () => {
  const steps = (text: string) => Array.from(vocabulary.count(text)).length;
  expect(steps('short')).toBe(0);
  expect(steps('some words '.repeat(20_000))).toBeGreaterThan(10);
  expect(steps('a'.repeat(200_000))).toBeGreaterThan(10);
});

test('countable() returns all texts to count, and the tokens of everything else', async () => {
  const messages = [
    { role: 'system', content: 'Be kind.' },
    { role: 'user', name: 'Ann', content: [{ type: 'text', text: 'hi' }, { type: 'image_url' }] },
    {
      role: 'assistant',
      content: null,
      reasoning_content: 'hm',
      tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }],
    },
  ];
  const tools = [{ type: 'function', function: { name: 'f' } }];
  const { texts, others } = countable({ messages, tools });
  const fn = '{"name":"f","arguments":"{}"}';
  const expected = ['system', 'Be kind.', 'user', 'Ann', 'hi', 'assistant', 'hm', fn, '{"name":"f"}'];
  expect([texts, others]).toEqual([expected, 3 + 3 * 3 + 765]);
  const tokens = expected.reduce((sum, text) => sum + reference(text), others);
  expect((await tokenCounter())({ messages, tools })).toBe(tokens);
});
