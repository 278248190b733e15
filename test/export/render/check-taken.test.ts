import { expect, test } from 'bun:test';
import type { FormatName } from '../../../src/config/export/options.ts';
import type { JsonObject } from '../../../src/wire/json.ts';
import { FORMATS } from '../../../src/export/render/all.ts';
import { soundRow, spoiled, TOOLS } from './rows.ts';

const URL = { type: 'image_url', image_url: { url: 'https://example.com/a.png' } };
const WEBP = { type: 'image_url', image_url: { url: 'data:image/webp;base64,AAAA' } };
const HELLO = { role: 'assistant', content: 'Hello' };
const HI = { role: 'user', content: 'Hi' };
const CALL = 'messages[2].tool_calls[0]';

type Names = readonly FormatName[];
const CHATS = ['openai', 'fireworks', 'together', 'mistral', 'axolotl', 'trl'] as const;
const WEIGHTS = ['openai', 'fireworks', 'together', 'mistral'] as const;
const PROMPTS = ['trl-pc', 'trl-dpo', 'kto'] as const;

const NESTED = [{ ...HI }, { ...HELLO }];

/** What loaders take though the renderers write it otherwise. */
const TAKEN: readonly (readonly [string, Names, string, unknown])[] = [
  ['null beside calls', ['openai'], 'messages[2].content', null],
  ['a refusal', ['openai'], 'messages[4]', { role: 'assistant', content: null, refusal: 'No' }],
  ['a refusal of null', ['openai'], 'messages[4].refusal', null],
  [
    'functions of before tools',
    ['openai'],
    'messages',
    [
      HI,
      { role: 'assistant', function_call: { name: 'f', arguments: '{}' } },
      { role: 'function', name: 'f', content: '1' },
      HELLO,
    ],
  ],
  ['several system messages', ['openai'], 'messages', [HI, { role: 'system', content: 'x' }, HI, HELLO]],
  ['the same roles in a row', ['openai', 'fireworks', 'axolotl', 'trl'], 'messages', [HI, HI, HELLO, HELLO]],
  ['an image by URL', ['openai'], 'messages[1].content', [URL]],
  ['parts of text', ['openai', 'fireworks'], 'messages[0].content', [{ type: 'text', text: 'x' }]],
  [
    'all in parts',
    ['openai', 'together'],
    'messages',
    [
      { ...HI, content: Array.from({ length: 10 }, () => WEBP) },
      { ...HELLO, content: [{ type: 'text', text: 'Hello' }] },
    ],
  ],
  ['ten images', ['openai'], 'messages[1].content', Array.from({ length: 10 }, () => WEBP)],
  ['text beside calls', ['openai', 'fireworks', 'together', 'axolotl', 'trl'], 'messages[2].content', 'See.'],
  ['no text beside calls, in a text', CHATS, 'messages[2].content', ''],
  ['an empty result', CHATS, 'messages[3].content', ''],
  ['thoughts', ['fireworks', 'together', 'axolotl', 'trl'], 'messages[4].reasoning_content', 'Hm.'],
  ['a weight', WEIGHTS, 'messages[2].weight', 0],
  ['a mark', ['axolotl'], 'messages[2].train', false],
  ['arguments as an object', ['axolotl'], `${CALL}.function.arguments`, { a: 1 }],
  ['tools as JSON text', ['axolotl', 'trl', 'trl-pc', 'kto'], 'tools', JSON.stringify(TOOLS)],
  ['tools of null', ['axolotl', 'trl', 'trl-pc', 'trl-dpo'], 'tools', null],
  ['a column of somebody else', ['axolotl', 'trl', ...PROMPTS, 'rft'], 'source', 'web'],
  ['a label', ['trl-pc'], 'label', true],
  ['a label of 0', ['kto'], 'label', 0],
  ['no tools, in a list', ['openai-dpo'], 'input.tools', []],
  ['a reference of another name', ['rft'], 'ground_truth', { any: 1 }],
];

test.each(
  TAKEN.flatMap(([what, names, path, value]) => names.map((name) => [name, what, path, value] as const)),
)('%s check() takes %s', (name, _, path, value) => {
  expect(FORMATS[name].check(spoiled(soundRow(name), path, value))).toEqual([]);
});

test.each<[FormatName, JsonObject]>([
  ['trl-pc', { prompt: 'The sky is', completion: ' blue.' }],
  ['kto', { prompt: 'The sky is', completion: ' blue.', label: true }],
  ['trl-dpo', { prompt: 'The sky is', chosen: ' blue.', rejected: ' green.' }],
  ['trl-dpo', { chosen: 'The sky is blue.', rejected: 'The sky is green.' }],
  ['trl-dpo', { chosen: NESTED, rejected: [HI, { role: 'assistant', content: 'Go.' }] }],
])('%s check() takes a row of another shape', (name, row) => {
  expect(FORMATS[name].check(row)).toEqual([]);
  for (const key of Object.keys(row).filter((one) => one !== 'label'))
    expect(FORMATS[name].check(spoiled(row, key, key === 'prompt' ? 5 : ''))).not.toEqual([]);
});

const MB = 1024 ** 2;

test.each<[FormatName, number, number, string[]]>([
  ['openai', 9, 1, ['the file has 9 rows: 10 are the least']],
  ['openai', 10, 512 * MB, []],
  ['openai', 10, 512 * MB + 1, ['the file has 536870913 bytes: 536870912 are the most']],
  ['openai-dpo', 9, 1, ['the file has 9 rows: 10 are the least']],
  ['rft', 9, 1, ['the file has 9 rows: 10 are the least']],
  ['fireworks', 2, 1, ['the file has 2 rows: 3 are the least']],
  ['fireworks', 3_000_000, 1, []],
  ['fireworks', 3_000_001, 1, ['the file has 3000001 rows: 3000000 are the most']],
  ['together', 1, 53_794_465_383, ['the file has 53794465383 bytes: 53794465382 are the most']],
  ['mistral', 1, 512 * MB + 1, ['the file has 536870913 bytes: 536870912 are the most']],
])('%s checkFile() of %d rows and %d bytes', (name, rows, bytes, problems) => {
  expect(FORMATS[name].checkFile!({ rows, bytes })).toEqual(problems);
});
