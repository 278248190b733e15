import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { JsonObject } from '../../src/wire/json.ts';
import { chatAssembler } from '../../src/wire/openai/assemble.ts';
import { listOf, objectOf } from '../../src/wire/json.ts';
import { cutAt, cuts } from './cuts.ts';

const chunk = (delta: JsonObject, index = 0): JsonObject => ({
  choices: [{ index, delta, finish_reason: null }],
});
const message = (answer: JsonObject, index = 0) => objectOf(objectOf(listOf(answer.choices)[index]).message);
const text = fc.string({ unit: 'grapheme', size: '+1' });

describe('chatAssembler()', () => {
  test('joins the pieces of text, reasoning and refusal, however they are cut', () => {
    fc.assert(
      fc.property(text, text, text, cuts, (content, reasoning_content, refusal, places) => {
        const assembler = chatAssembler();
        const wanted = { content, reasoning_content, refusal };
        for (const [name, whole] of Object.entries(wanted)) {
          for (const piece of cutAt(whole, places)) assembler.push(chunk({ [name]: piece }));
        }
        expect(message(assembler.result())).toMatchObject(wanted);
      }),
    );
  });

  test('accepts content as a list of text parts', () => {
    fc.assert(
      fc.property(text, cuts, fc.infiniteStream(fc.boolean()), (whole, places, inParts) => {
        const assembler = chatAssembler();
        for (const piece of cutAt(whole, places)) {
          const parts = [
            { type: 'text', text: piece },
            { type: 'thinking', thinking: [] },
          ];
          assembler.push(chunk({ content: inParts.next().value ? parts : piece }));
        }
        expect(message(assembler.result()).content).toBe(whole);
      }),
    );
  });

  test('keeps several choices apart, whatever the order of their pieces', () => {
    const pieces = fc.array(fc.tuple(fc.nat(3), text), { minLength: 1 });
    fc.assert(
      fc.property(pieces, (list) => {
        const assembler = chatAssembler();
        for (const [index, content] of list) assembler.push(chunk({ content }, index));
        const seen = [...new Set(list.map(([index]) => index))].sort();
        const wanted = seen.map((choice) =>
          list.filter(([index]) => index === choice).map(([, each]) => each),
        );
        const { choices } = assembler.result();
        expect(listOf(choices).map((each) => objectOf(objectOf(each).message).content)).toEqual(
          wanted.map((each) => each.join('')),
        );
      }),
    );
  });

  test('joins the pieces of calls’ arguments, however they are cut and interleaved', () => {
    const calls = fc.array(fc.tuple(fc.json(), cuts), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(calls, fc.boolean(), (list, oneByOne) => {
        const assembler = chatAssembler();
        const queues = list.map(([json, places], index) =>
          cutAt(json, places).map((piece, n) => ({
            index,
            ...(n === 0 ? { id: `call_${index}`, type: 'function' } : {}),
            function: { ...(n === 0 ? { name: `f${index}` } : {}), arguments: piece },
          })),
        );
        const longest = Math.max(...queues.map(({ length }) => length));
        const mixed = Array.from({ length: longest }, (_, n) =>
          queues.flatMap((queue) => queue[n] ?? []),
        ).flat();
        for (const call of oneByOne ? queues.flat() : mixed) assembler.push(chunk({ tool_calls: [call] }));
        expect(message(assembler.result()).tool_calls).toEqual(
          list.map(([json], index) => ({
            id: `call_${index}`,
            type: 'function',
            function: { name: `f${index}`, arguments: json },
          })),
        );
      }),
    );
  });

  test('begun() returns the text so far, until the stream contains anything that no other model could continue', () => {
    const plain = fc.oneof(
      text.map((content) => ({ content, delta: { content } })),
      fc
        .constantFrom({ role: 'assistant' }, { reasoning_content: 'hm' }, { tool_calls: [] }, {})
        .map((delta) => ({
          content: '',
          delta: delta as JsonObject,
        })),
    );
    const bound = fc.constantFrom<JsonObject>(
      chunk({ tool_calls: [{ index: 0, id: 'c', function: { name: 'f', arguments: '' } }] }),
      chunk({ tool_calls: [{ index: 0, function: { arguments: '{' } }] }),
      chunk({ function_call: { name: 'f' } }),
      chunk({ thinking_blocks: [{ type: 'thinking', signature: 's' }] }),
      chunk({ reasoning_details: [{}] }),
      chunk({ audio: { data: '' } }),
      chunk({ refusal: 'no' }),
      chunk({ content: 'x' }, 1),
      chunk({}, 1),
      { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] },
    );
    fc.assert(
      fc.property(fc.array(plain), fc.option(bound), fc.array(plain), (before, last, after) => {
        const assembler = chatAssembler();
        assembler.push(chunk({ role: 'assistant' }));
        let whole = '';
        for (const { content, delta } of before) {
          assembler.push(chunk(delta));
          whole += content;
          expect(assembler.begun()?.text).toBe(whole === '' ? undefined : whole);
        }
        if (!last) return;
        assembler.push(last);
        expect(assembler.begun()).toBeUndefined();
        for (const { delta } of after) {
          assembler.push(chunk(delta));
          expect(assembler.begun()).toBeUndefined();
        }
      }),
      { numRuns: 300 },
    );
  });
});
