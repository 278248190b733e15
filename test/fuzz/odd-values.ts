/** Replacements of a value: of a matching type if the old value suggests one, otherwise odd. */
import type { Dice } from '../simulate/dice.ts';
import type { Node, Place } from './tree.ts';
import { placesIn, treeOf } from './tree.ts';

const NUMBERS = [
  '0',
  '-0',
  '-1',
  '0.5',
  '1e308',
  '1e999',
  '-1e999',
  '9007199254740993',
  '1e-400',
  '2147483648',
  '4294967296',
  '1.7976931348623157e309',
  '00',
  '1.',
  'NaN',
  'Infinity',
  '"5"',
  '"NaN"',
];

const TEXTS = [
  '',
  ' ',
  '\u0000',
  '\r\n\r\n',
  '\n\ndata: [DONE]\n\n',
  'data: {"choices":[]}',
  '[DONE]',
  'event: error',
  '\ufeff',
  '\u2028\u2029\u0085',
  '\u001b[31m',
  'null',
  '__proto__',
  'constructor',
  '../../etc/passwd',
  'https://example.invalid/x.png',
  'data:image/png;base64,AAAA',
  'data:;base64,',
  'data:image/png;base64,=%%',
  '{"a":1}',
  '{"a":',
  '<|endoftext|>',
  '\u{1f3f3}\ufe0f\u200d\u{1f308}'.repeat(20),
  'a\u0301'.repeat(500),
  '%s%n%00%2f',
  '${OPENAI_API_KEY}',
  'é'.repeat(300),
].map((text) => JSON.stringify(text));

/** Halves of surrogate pairs, and invalid escapes. */
const BROKEN_TEXTS = ['"\\ud83d"', '"\\udc00x"', '"\\ud83d\\ud83d"', '"\\u00"', '"\\x"', '"\t"', '"a', "'a'"];

const OTHERS = [
  'null',
  'true',
  'false',
  '[]',
  '{}',
  '""',
  '[null]',
  '[[]]',
  '[{}]',
  '{"":null}',
  'undefined',
  '',
];

/** Words that affect how something is parsed. */
const WORDS = [
  'stop',
  'length',
  'tool_calls',
  'content_filter',
  'error',
  'end_turn',
  'max_tokens',
  'tool_use',
  'completed',
  'failed',
  'incomplete',
  'in_progress',
  'STOP',
  'SAFETY',
  'OTHER',
  'assistant',
  'user',
  'system',
  'developer',
  'tool',
  'function',
  'text',
  'thinking',
  'redacted_thinking',
  'image',
  'image_url',
  'input_text',
  'output_text',
  'input_image',
  'input_file',
  'function_call',
  'function_call_output',
  'tool_result',
  'reasoning',
  'refusal',
  'json_schema',
  'json_object',
  'auto',
  'none',
  'required',
  'any',
  'message',
  'server_tool_use',
  'web_search',
  'custom',
  'item_reference',
  'base64',
  'url',
].map((word) => JSON.stringify(word));

const PROTO: readonly unknown[] = [
  { ['__proto__']: { choices: [], content: 'x' } },
  { constructor: { prototype: {} } },
  { toString: 1, valueOf: 1, length: -1 },
  { toJSON: 'x' },
  { length: 1e9, 0: 'x' },
];

function nested(dice: Dice): string {
  const depth = dice.pick([20, 400, 513, 3_000, 60_000]);
  const [open, close] = dice.pick([
    ['[', ']'],
    ['{"a":', '}'],
    ['{"a":[', ']}'],
  ] as const);
  return `${open.repeat(depth)}1${close.repeat(depth)}`;
}

function huge(dice: Dice): string {
  const size = dice.pick([10_000, 100_000, 100_000, 1_000_000, 3_000_000]);
  const unit = dice.pick([
    'x',
    ' ',
    '\\n',
    'é',
    '\\u0000',
    '\\ud83d\\ude00',
    '\\"',
    'a b c ',
    '<|endoftext|>',
    '一',
  ]);
  return `"${unit.repeat(Math.ceil(size / unit.length))}"`;
}

/** Many small values, which cost more than their bytes suggest. */
function many(dice: Dice, most: number): string {
  const count = Math.min(most, dice.pick([300, 3_000, 30_000, 150_000]));
  const unit = dice.pick([
    '1',
    '{}',
    '[]',
    '""',
    '{"type":"text","text":"x"}',
    '{"role":"user","content":"x"}',
  ]);
  if (dice.chance(0.3)) return `{${Array.from({ length: count }, (_, at) => `"k${at}":1`).join(',')}}`;
  return `[${`${unit},`.repeat(count).slice(0, -1)}]`;
}

/** Another value of the same type. */
function alike({ node }: Place, dice: Dice): Node {
  if (!('text' in node)) return { text: dice.pick(OTHERS) };
  if (/^-?\d/.test(node.text)) return { text: dice.pick(NUMBERS) };
  if (node.text.startsWith('"')) return { text: dice.pick(dice.chance(0.5) ? TEXTS : WORDS) };
  return { text: dice.pick(['true', 'false', 'null', '0', '1', '"true"']) };
}

/** The changes of a value, by name. Large ones are rare, because they slow down all cases. */
const CHANGES: readonly (readonly [
  name: string,
  share: number,
  change: (place: Place, dice: Dice, root: Node) => void,
])[] = [
  ['drop', 6, (place) => place.replace()],
  ['alike', 14, (place, dice) => place.replace(alike(place, dice))],
  ['retype', 12, (place, dice) => place.replace({ text: dice.pick(dice.chance(0.5) ? OTHERS : NUMBERS) })],
  ['twice', 4, (place) => place.replace(place.node, structuredClone(place.node))],
  [
    'often',
    2,
    (place, dice) =>
      place.replace(...Array.from({ length: dice.pick([5, 60, 400]) }, () => structuredClone(place.node))),
  ],
  ['listed', 3, (place) => place.replace({ items: [place.node] })],
  ['wrapped', 3, (place) => place.replace({ fields: [[place.name, place.node]] })],
  ['word', 6, (place, dice) => place.replace({ text: dice.pick(WORDS) })],
  ['broken text', 3, (place, dice) => place.replace({ text: dice.pick(BROKEN_TEXTS) })],
  ['proto', 3, (place, dice) => place.replace(treeOf(dice.pick(PROTO)))],
  ['moved', 4, (place, dice, root) => place.replace(structuredClone(dice.pick(placesIn(root)).node))],
  ['misnamed', 4, misname],
  ['deep', 1.5, (place, dice) => place.replace({ text: nested(dice) })],
  ['huge', 1, (place, dice) => place.replace({ text: huge(dice) })],
  // Recognized by its name, because the caller chooses the number.
  ['many', 1, (place) => place.replace()],
];

function misname(place: Place, dice: Dice): void {
  const { node } = place;
  if (!('fields' in node) || node.fields.length === 0) return place.replace(treeOf(dice.pick(PROTO)));
  const field = dice.pick(node.fields);
  field[0] = dice.pick([
    '__proto__',
    '',
    'constructor',
    field[0].toUpperCase(),
    `${field[0]}\u0000`,
    'error',
    'type',
    'x'.repeat(3_000),
  ]);
}

const TOTAL = CHANGES.reduce((sum, [, share]) => sum + share, 0);

/**
 * Changes one value somewhere in the tree.
 * @param most the maximum number of values that replace it
 * @returns a description of the change
 */
export function changeSomewhere(root: Node, dice: Dice, most = 150_000): string {
  const places = placesIn(root);
  if (places.length === 0) return 'nothing to change';
  // Outer values have more effect; inner ones are more numerous.
  const place = places[Math.floor(dice.next() ** dice.pick([1, 2]) * places.length)]!;
  let left = dice.next() * TOTAL;
  const [name, , change] = CHANGES.find(([, share]) => (left -= share) < 0) ?? CHANGES[0]!;
  if (name === 'many') place.replace({ text: many(dice, most) });
  else change(place, dice, root);
  return `${name} at ${place.name || 'an item'}`;
}
