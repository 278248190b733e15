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

const ASKED = 'messages[0].content';
const GIVEN = 'messages[2].content';
const DECLARED = 'tools[0].functionDeclarations[0]';
const USES = ['t1', 't2'].map((id, index) => ({ toolUse: { toolUseId: id, name: 'fg'[index], input: {} } }));
const media = (kind: string, format: string) => ({
  [kind]: { format, source: { s3Location: { uri: 's3://b/a' } } },
});
const file = (mimeType: string) => ({ fileData: { mimeType, fileUri: 'gs://b/a' } });

type Names = readonly FormatName[];
const CHATS = ['openai', 'fireworks', 'together', 'mistral', 'axolotl', 'trl'] as const;
const WEIGHTS = ['openai', 'fireworks', 'together', 'mistral'] as const;
const PROMPTS = ['trl-pc', 'trl-dpo', 'kto'] as const;

const NESTED = [{ ...HI }, { ...HELLO }];

/** Values that loaders accept although the renderers write something else. */
const TAKEN: readonly (readonly [string, Names, string, unknown])[] = [
  [
    'results of tools in texts, after a question',
    ['axolotl', 'trl'],
    'messages',
    [HI, HELLO, { role: 'user', content: '<tool_response>1</tool_response>' }, HELLO],
  ],
  ['a beginning of a result', ['trl'], 'messages[1].content', '<tool_response> is a tag'],
  ['an end of a result', ['trl'], 'messages[1].content', 'It ends with </tool_response>'],
  ['null beside calls', ['openai'], 'messages[2].content', null],
  ['a refusal', ['openai'], 'messages[4]', { role: 'assistant', content: null, refusal: 'No' }],
  ['null as a refusal', ['openai'], 'messages[4].refusal', null],
  [
    'legacy function calls',
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
  [
    'the user after a result',
    ['openai', 'fireworks', 'together', 'axolotl'],
    'messages',
    [
      HI,
      {
        role: 'assistant',
        tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }],
      },
      { role: 'tool', tool_call_id: 'a', content: '1' },
      HI,
      HELLO,
    ],
  ],
  ['an image by URL', ['openai'], 'messages[1].content', [URL]],
  ['text as parts', ['openai', 'fireworks'], 'messages[0].content', [{ type: 'text', text: 'x' }]],
  [
    'parts in all messages',
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
  ['null as tools', ['axolotl', 'trl', 'trl-pc', 'trl-dpo'], 'tools', null],
  ['a column of another program', ['axolotl', 'trl', ...PROMPTS, 'rft'], 'source', 'web'],
  ['a label', ['trl-pc'], 'label', true],
  ['a label of 0', ['kto'], 'label', 0],
  ['no tools, in a list', ['openai-dpo'], 'input.tools', []],
  ['an empty list of reasoning parts', ['bedrock'], 'messages[1].content', [{ text: 'x' }, ...USES]],
  ['ten images', ['bedrock'], ASKED, Array.from({ length: 10 }, () => media('image', 'png'))],
  ['a video', ['bedrock'], ASKED, [media('video', 'mov')]],
  ['an image beside a document', ['bedrock'], ASKED, [media('image', 'png'), media('document', 'pdf')]],
  [
    'a document with a name',
    ['bedrock'],
    ASKED,
    [{ document: { ...media('document', 'pdf').document, name: 'a' } }],
  ],
  ['no owner of an image', ['bedrock'], `${ASKED}[1].image.source.s3Location.bucketOwner`, undefined],
  ['no system prompt', ['bedrock'], 'system', undefined],
  ['two system prompts', ['bedrock'], 'system', [{ text: 'Be kind.' }, { text: 'Be short.' }]],
  [
    'a result with several texts',
    ['bedrock'],
    `${GIVEN}[0].toolResult.content`,
    [{ text: 'a' }, { text: 'b' }],
  ],
  ['no system prompt', ['gemini'], 'systemInstruction', undefined],
  ['a system prompt without role', ['gemini'], 'systemInstruction.role', undefined],
  ['null as the role of a system prompt', ['gemini'], 'systemInstruction.role', null],
  ['thirty images', ['gemini'], 'contents[0].parts', Array.from({ length: 30 }, () => file('image/png'))],
  [
    'thirty additional files',
    ['gemini'],
    'contents[0].parts',
    Array.from({ length: 60 }, (_, n) => file(n < 30 ? 'image/png' : 'audio/mp3')),
  ],
  ['a file on the web', ['gemini'], 'contents[0].parts[1].fileData.fileUri', 'https://example.com/a'],
  ['what a user says after results', ['gemini'], 'contents[2].parts[2]', { text: 'x' }],
  ['results without a role', ['gemini'], 'contents[2].role', undefined],
  ['results with their former role', ['gemini'], 'contents[2].role', 'function'],
  ['a call without arguments', ['gemini'], 'contents[1].parts[1].functionCall.args', undefined],
  ['settings', ['gemini'], 'generationConfig', { temperature: 0 }],
  ['what a function returns', ['gemini'], `${DECLARED}.response`, { type: 'STRING' }],
  ['a count of 64 bits', ['gemini'], `${DECLARED}.parameters.properties.a.minItems`, '1'],
  ['a count', ['gemini'], `${DECLARED}.parameters.properties.a.maxItems`, 9],
  ['any default', ['gemini'], `${DECLARED}.parameters.properties.a.default`, [1, { a: null }]],
  ['a reference with another name', ['rft'], 'ground_truth', { any: 1 }],
];

test.each(
  TAKEN.flatMap(([what, names, path, value]) => names.map((name) => [name, what, path, value] as const)),
)('%s check() accepts %s', (name, _, path, value) => {
  expect(FORMATS[name].check(spoiled(soundRow(name), path, value))).toEqual([]);
});

/** Values that AWS and Google document as supported. */
test.each<[FormatName, string, readonly unknown[]]>([
  ['bedrock', `${ASKED}[1]`, ['jpeg', 'png', 'gif', 'webp'].map((format) => media('image', format))],
  ['bedrock', ASKED, ['mov', 'mkv', 'mp4', 'webm'].map((format) => [media('video', format)])],
  [
    'gemini',
    'contents[0].parts[1]',
    [
      ...['jpeg', 'png', 'webp', 'heic', 'heif'].map((type) => file(`image/${type}`)),
      ...['audio/mp3', 'video/mp4', 'application/pdf', 'text/plain'].map(file),
    ],
  ],
  [
    'gemini',
    `${DECLARED}.parameters.properties.a.type`,
    ['STRING', 'NUMBER', 'INTEGER', 'BOOLEAN', 'ARRAY', 'OBJECT', 'NULL', 'string'],
  ],
])('%s check() accepts at %s all values that its service reads', (name, path, values) => {
  for (const value of values) expect(FORMATS[name].check(spoiled(soundRow(name), path, value))).toEqual([]);
});

test('gemini check() accepts the system instruction by either name', () => {
  const { systemInstruction, ...row } = soundRow('gemini');
  expect(FORMATS.gemini.check({ ...row, system_instruction: systemInstruction })).toEqual([]);
});

test.each<[FormatName, JsonObject]>([
  ['trl-pc', { prompt: 'The sky is', completion: ' blue.' }],
  ['kto', { prompt: 'The sky is', completion: ' blue.', label: true }],
  ['trl-dpo', { prompt: 'The sky is', chosen: ' blue.', rejected: ' green.' }],
  ['trl-dpo', { chosen: 'The sky is blue.', rejected: 'The sky is green.' }],
  ['trl-dpo', { chosen: NESTED, rejected: [HI, { role: 'assistant', content: 'Go.' }] }],
])('%s check() accepts a row of another shape', (name, row) => {
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
  ['gemini', 1_000_000, 1e9, []],
  ['gemini', 1_000_001, 1, ['the file has 1000001 rows: 1000000 are the most']],
  ['gemini', 1, 1e9 + 1, ['the file has 1000000001 bytes: 1000000000 are the most']],
  ['bedrock', 7, 1, ['the file has 7 rows: 8 are the least']],
  ['bedrock', 20_000, 1, []],
  ['bedrock', 20_001, 1, ['the file has 20001 rows: 20000 are the most']],
  ['anthropic', 31, 1, ['the file has 31 rows: 32 are the least']],
  ['anthropic', 10_000, 10 * 1024 * MB, []],
  ['anthropic', 10_001, 1, ['the file has 10001 rows: 10000 are the most']],
  ['anthropic', 32, 10 * 1024 * MB + 1, ['the file has 10737418241 bytes: 10737418240 are the most']],
  ['mistral', 1, 512 * MB + 1, ['the file has 536870913 bytes: 536870912 are the most']],
])('%s checkFile() of %d rows and %d bytes', (name, rows, bytes, problems) => {
  expect(FORMATS[name].checkFile!({ rows, bytes })).toEqual(problems);
});
