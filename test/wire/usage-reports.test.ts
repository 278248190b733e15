/** Usage that servers report in several events, or in part. */
import { expect, test } from 'bun:test';
import { anthropicUsage } from '../../src/wire/anthropic/usage.ts';
import { converseUsage } from '../../src/wire/bedrock/response.ts';
import { geminiUsage } from '../../src/wire/gemini/usage.ts';
import { openaiUsage, reportedSoFar } from '../../src/wire/usage.ts';

test.each([
  ['a zero input at the end', { input_tokens: 25, output_tokens: 1 }, { input_tokens: 0, output_tokens: 7 }],
  ['the input at the end', { input_tokens: 0, output_tokens: 0 }, { input_tokens: 25, output_tokens: 7 }],
  ['zeros at the end', { input_tokens: 25, output_tokens: 7 }, { input_tokens: 0, output_tokens: 0 }],
  [
    'invalid counts at the end',
    { input_tokens: 25, output_tokens: 7 },
    { input_tokens: -1, output_tokens: null },
  ],
])('reportedSoFar() keeps what is known: %s', (_, first, last) => {
  const usage = anthropicUsage(reportedSoFar(reportedSoFar(undefined, first), last));
  expect(usage).toMatchObject({ input: 25, output: 7 });
});

test('reportedSoFar() keeps what was read from a cache', () => {
  const first = { input_tokens: 5, cache_read_input_tokens: 1_000, output_tokens: 1 };
  const last = { input_tokens: 5, cache_read_input_tokens: 0, output_tokens: 7 };
  const usage = anthropicUsage(reportedSoFar(first, last));
  expect(usage).toMatchObject({ input: 1_005, cached: 1_000, output: 7 });
});

test.each([
  [{ promptTokenCount: 10, totalTokenCount: 115 }, 10, 105],
  [{ promptTokenCount: 10, toolUsePromptTokenCount: 5, totalTokenCount: 20 }, 15, 5],
  [{ promptTokenCount: 10, totalTokenCount: 10 }, 10, 0],
  [{ promptTokenCount: 10, totalTokenCount: 3 }, 10, 0],
  [{ promptTokenCount: 10, candidatesTokenCount: 5, totalTokenCount: 115 }, 10, 5],
  [{ promptTokenCount: 10, thoughtsTokenCount: 100, totalTokenCount: 115 }, 10, 105],
])('geminiUsage(%j) is %p and %p tokens', (reported, input, output) => {
  expect(geminiUsage(reported)).toMatchObject({ input, output });
});

const ANTHROPIC = { cache_read_input_tokens: 80, cache_creation_input_tokens: 10 };

test.each([
  ['beside the input', { prompt_tokens: 10, completion_tokens: 5, total_tokens: 105, ...ANTHROPIC }],
  ['within the input', { prompt_tokens: 100, completion_tokens: 5, total_tokens: 105, ...ANTHROPIC }],
  [
    'in the details as well',
    {
      prompt_tokens: 100,
      completion_tokens: 5,
      total_tokens: 105,
      prompt_tokens_details: { cached_tokens: 80, cache_creation_tokens: 10 },
      ...ANTHROPIC,
    },
  ],
])('openaiUsage() reads what gateways keep of Anthropic’s fields: %s', (_, reported) => {
  expect(openaiUsage(reported)).toMatchObject({ input: 100, cached: 80, cacheWrite: 10, output: 5 });
});

test.each([
  [[{ ttl: '1h', inputTokens: 40 }], 40],
  [
    [
      { ttl: '5m', inputTokens: 60 },
      { ttl: '1h', inputTokens: 30 },
      { ttl: '1h', inputTokens: 10 },
    ],
    40,
  ],
  [[{ ttl: '1h', inputTokens: 1_000 }], 100],
  [[{ ttl: '5m', inputTokens: 100 }], undefined],
  ['odd', undefined],
])('converseUsage() finds what was written to a cache for an hour in %j', (cacheDetails, cacheWrite1h) => {
  const usage = { inputTokens: 5, outputTokens: 1, cacheWriteInputTokens: 100, cacheDetails };
  const { input, cacheWrite, ...more } = converseUsage({ usage })!;
  expect([input, cacheWrite, more.cacheWrite1h]).toEqual([105, 100, cacheWrite1h]);
});

test('openaiUsage() finds what was written to a cache for 12 hours', () => {
  const details = {
    cache_write_tokens: 100,
    cache_write_tokens_details: { ttl_12h_tokens: 40, ttl_30m_tokens: 60 },
  };
  const usage = { input_tokens: 1_000, output_tokens: 5, input_tokens_details: details };
  expect(openaiUsage(usage)).toMatchObject({ input: 1_000, cacheWrite: 100, cacheWrite1h: 40 });
});
