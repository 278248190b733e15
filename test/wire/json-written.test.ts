import { expect, test } from 'bun:test';
import { atOnce } from '../../src/turns.ts';
import { callInputsWithin } from '../../src/wire/json-within.ts';
import { jsonTextOf, writingFirst } from '../../src/wire/json-written.ts';
import { longestShare } from '../helpers/steps.ts';

const input = { path: 'a', list: [1, { b: null }] };

test.each([
  ['Messages', { messages: [{ role: 'user', content: 'hi' }, { content: [{ type: 'tool_use', input }] }] }],
  ['a single message', { content: [{ type: 'text' }, { type: 'tool_use', input }] }],
  [
    'Gemini',
    { candidates: [{ content: { parts: [{ text: '' }, { functionCall: { name: 'f', args: input } }] } }] },
  ],
  ['Converse', { output: { message: { content: [{ toolUse: { input } }] } } }],
  ['Mistral’s chat', { choices: [{ message: { tool_calls: [{ function: { arguments: input } }] } }] }],
  ['Cohere', { message: { tool_calls: [{ function: { arguments: input } }] } }],
])('callInputsWithin() finds the arguments of calls: %s', (_, body) => {
  expect(callInputsWithin(body)).toEqual([input]);
});

test('callInputsWithin() returns an empty list if there are no calls', () => {
  for (const body of [undefined, null, 1, 'x', [], {}, { messages: null }, { messages: [null, [null]] }])
    expect(callInputsWithin(body)).toEqual([]);
});

test('writingFirst() does not change what is written, and forgets its texts afterwards', () => {
  const others = [{ a: 1 }, 'x', 1, null, [input]];
  const write = () => [input, ...others].map(jsonTextOf);
  const plain = write();
  const changed = structuredClone(input);
  const texts = atOnce(
    writingFirst(
      () => [input, changed],
      Infinity,
      () => {
        changed.path = 'b';
        expect(jsonTextOf(changed)).toBe(jsonTextOf(input));
        return write();
      },
    ),
  );
  expect(texts).toEqual(plain);
  expect(jsonTextOf(changed)).toContain('"b"');
});

test('writingFirst() works in small steps', () => {
  const values = Array.from({ length: 40 }, () => ({ list: Array(400).fill('\n'.repeat(1_000)) }));
  const work = () => values.map(jsonTextOf).length;
  expect(longestShare(() => writingFirst(() => values, Infinity, work))).toBeLessThan(1 / 2);
});
