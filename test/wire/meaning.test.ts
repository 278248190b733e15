import { expect, test } from 'bun:test';
import { chatAssembler } from '../../src/wire/openai/assemble.ts';
import { commonContextWindow, contextWindowIn } from '../../src/wire/context-window.ts';

const delta = (piece: object, finish: string | null = null) => ({
  choices: [{ index: 0, delta: piece, finish_reason: finish }],
});

test('chatAssembler() assembles text, reasoning, tool calls and usage', () => {
  const assembler = chatAssembler();
  for (const chunk of [
    { id: 'a', model: 'm', created: 1, choices: [], prompt_filter_results: [] },
    delta({ role: 'assistant', content: '' }),
    delta({ reasoning_content: 'h' }),
    delta({ reasoning_content: 'm' }),
    delta({ content: 'Hel' }),
    delta({ content: 'lo' }),
    delta({ tool_calls: [{ index: 0, id: 'c1', type: 'function', function: { name: 'f', arguments: '' } }] }),
    delta({ tool_calls: [{ index: 0, function: { arguments: '{"a"' } }] }),
    delta({ tool_calls: [{ index: 0, function: { arguments: ':1}', name: '' } }] }),
    delta({ tool_calls: [{ index: 0, id: 'c2', function: { name: 'g', arguments: '{}' } }] }),
    delta({}, 'tool_calls'),
    { choices: [], usage: { prompt_tokens: 3, completion_tokens: 4 } },
  ])
    assembler.push(chunk);
  expect(assembler).toMatchObject({ content: true, finished: true, finish: 'tool_calls' });
  expect(assembler.usage).toMatchObject({ input: 3, output: 4 });
  expect(assembler.result()).toMatchObject({
    id: 'a',
    object: 'chat.completion',
    choices: [
      {
        message: {
          content: 'Hello',
          reasoning_content: 'hm',
          tool_calls: [
            { id: 'c1', function: { name: 'f', arguments: '{"a":1}' } },
            { id: 'c2', function: { name: 'g', arguments: '{}' } },
          ],
        },
      },
    ],
  });
});

test('chatAssembler() limits the number of choices with huge indexes', () => {
  const assembler = chatAssembler();
  for (let index = 0; index < 500; index += 1)
    assembler.push({ choices: [{ index: index * 1e6, delta: { content: 'x' } }] });
  expect((assembler.result().choices as unknown[]).length).toBe(128);
});

test.each([
  ["This model's maximum context length is 8192 tokens. However, you requested 9001 tokens", 8192],
  ['prompt is too long: 210000 tokens > 200000 maximum', 200_000],
  ['The input token count (1200000) exceeds the maximum number of tokens allowed (1048575).', 1_048_575],
  ['the request exceeds the available context size (4096 tokens)', 4096],
  ["This model's maximum prompt length is 131072 but the request contains 537812 tokens.", 131_072],
  ['Invalid request: Your request exceeded model token limit: 8192 (requested: 9000)', 8192],
  ['prompt token count of 140000 exceeds the limit of 128000', 128_000],
  ['Input tokens exceed the configured limit of 272000 tokens.', 272_000],
  ['Range of input length should be [1, 129024]', 129_024],
  ['length of prompt_tokens (40000) must be less than max_seq_len (32768).', 32_768],
  ['input length and `max_tokens` exceed context limit: 195000 + 8192 > 200000', 200_000],
  ['input and maximum output tokens (9000) exceeded this model context window limit (8192).', 8192],
  ["The input (40000 tokens) is longer than the model's context length (32768 tokens).", 32_768],
  ['the model is loaded with context length of only 4096 tokens', 4096],
  ['something went wrong', undefined],
])('contextWindowIn() reads the context size from "%s"', (message, tokens) => {
  expect(contextWindowIn(message)).toBe(tokens);
});

test('commonContextWindow() knows common models by their name', () => {
  const names = ['gemini-2.5-pro', 'llama-3.3-70b-versatile', 'mistral-large-2411', 'my-own-model'];
  expect(names.map(commonContextWindow)).toEqual([1_048_576, 131_072, 131_072, undefined]);
});

test('commonContextWindow() does not know what a moving name stands for', () => {
  const known = ['mistral-large-2411', 'mistral-small-2506', 'mistral-medium-2508'];
  expect(known.map(commonContextWindow)).toEqual([131_072, 131_072, 131_072]);
  const unknown = ['mistral-large-latest', 'mistral-large-2512', 'mistral-medium-2604', 'mistral-large-4'];
  expect(unknown.map(commonContextWindow)).toEqual([undefined, undefined, undefined, undefined]);
});
