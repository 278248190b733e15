import type { JsonObject } from './json.ts';
import { countOf, isObject, objectOf } from './json.ts';

/**
 * Tokens of one answer, normalised: `input` includes what was read from and written to a prompt cache,
 * `output` includes reasoning. Providers add these up differently; each protocol's reader converts. All of them are
 * safe integers from 0 up: what a provider tells otherwise is left out.
 */
export interface Usage {
  readonly input: number;
  readonly cached: number;
  readonly cacheWrite: number;
  readonly output: number;
  readonly reasoning: number;
}

/** Tokens of which none came from a cache. */
export function plainUsage(input: number, output: number): Usage {
  return { input, cached: 0, cacheWrite: 0, output, reasoning: 0 };
}

/** Reads `usage` of an OpenAI-shaped body (chat, completions, embeddings); `undefined` when there is none. */
export function openaiUsage(value: unknown): Usage | undefined {
  if (!isObject(value)) return undefined;
  const input = countOf(value.prompt_tokens) ?? countOf(value.input_tokens);
  const output = countOf(value.completion_tokens) ?? countOf(value.output_tokens);
  if (input === undefined && output === undefined) return undefined;
  // Mistral's hosts misspell it.
  const details = value.prompt_tokens_details ?? value.input_tokens_details ?? value.prompt_token_details;
  const prompt = objectOf(details);
  const completion = objectOf(value.completion_tokens_details ?? value.output_tokens_details);
  // What a cache gave or took is part of the input.
  const cached = Math.min(cachedTokens(value, prompt), input ?? 0);
  const cacheWrite = Math.min(countOf(prompt.cache_write_tokens) ?? 0, (input ?? 0) - cached);
  return {
    input: input ?? 0,
    cached,
    cacheWrite,
    output: output ?? 0,
    reasoning: countOf(completion.reasoning_tokens) ?? 0,
  };
}

/** What came from a cache, where each vendor puts it: DeepSeek, Mistral, then Moonshot and Together. */
function cachedTokens(usage: JsonObject, details: JsonObject): number {
  const { prompt_cache_hit_tokens, num_cached_tokens, cached_tokens } = usage;
  const places = [details.cached_tokens, prompt_cache_hit_tokens, num_cached_tokens, cached_tokens];
  return places.map(countOf).find((count) => count !== undefined) ?? 0;
}

/**
 * What a stream has told of its usage so far, in its own fields: some tell the input first and the output last. What is
 * told later counts, but no count gives way to what is none.
 */
export function toldSoFar(earlier: JsonObject | undefined, value: unknown): JsonObject | undefined {
  if (!isObject(value)) return earlier;
  const known = Object.entries(value).filter(
    ([name, told]) =>
      told !== null &&
      told !== undefined &&
      (countOf(told) !== undefined || countOf(earlier?.[name]) === undefined),
  );
  return { ...earlier, ...Object.fromEntries(known) };
}

/** Counts together; a sum that a number is not sure to hold stays at the largest that it is. */
export function sumOf(...counts: readonly number[]): number {
  return Math.min(
    Number.MAX_SAFE_INTEGER,
    counts.reduce((sum, count) => sum + count, 0),
  );
}

/** Two answers' tokens together. */
export function addUsage(a: Usage | undefined, b: Usage): Usage {
  if (!a) return b;
  return {
    input: sumOf(a.input, b.input),
    cached: sumOf(a.cached, b.cached),
    cacheWrite: sumOf(a.cacheWrite, b.cacheWrite),
    output: sumOf(a.output, b.output),
    reasoning: sumOf(a.reasoning, b.reasoning),
  };
}

/** Writes usage in OpenAI's shape. */
export function encodeOpenaiUsage(usage: Usage): OpenaiUsage {
  return {
    prompt_tokens: usage.input,
    completion_tokens: usage.output,
    total_tokens: sumOf(usage.input, usage.output),
    prompt_tokens_details: { cached_tokens: usage.cached, cache_write_tokens: usage.cacheWrite },
    completion_tokens_details: { reasoning_tokens: usage.reasoning },
  };
}

/** OpenAI's `usage` object as this project emits it. */
export interface OpenaiUsage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  prompt_tokens_details: { cached_tokens: number; cache_write_tokens: number };
  completion_tokens_details: { reasoning_tokens: number };
}
