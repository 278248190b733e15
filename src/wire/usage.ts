import type { JsonObject } from './json.ts';
import { isObject, numberOf, objectOf } from './json.ts';

/**
 * Tokens of one answer, normalised: `input` includes what was read from and written to a prompt cache,
 * `output` includes reasoning. Providers add these up differently; each protocol's reader converts.
 */
export interface Usage {
  readonly input: number;
  readonly cached: number;
  readonly cacheWrite: number;
  readonly output: number;
  readonly reasoning: number;
}

/** Reads `usage` of an OpenAI-shaped body (chat, completions, embeddings); `undefined` when there is none. */
export function openaiUsage(value: unknown): Usage | undefined {
  if (!isObject(value)) return undefined;
  const input = numberOf(value.prompt_tokens) ?? numberOf(value.input_tokens);
  const output = numberOf(value.completion_tokens) ?? numberOf(value.output_tokens);
  if (input === undefined && output === undefined) return undefined;
  // Mistral's hosts misspell it.
  const details = value.prompt_tokens_details ?? value.input_tokens_details ?? value.prompt_token_details;
  const prompt = objectOf(details);
  const completion = objectOf(value.completion_tokens_details ?? value.output_tokens_details);
  return {
    input: input ?? 0,
    cached: cachedTokens(value, prompt),
    cacheWrite: numberOf(prompt.cache_write_tokens) ?? 0,
    output: output ?? 0,
    reasoning: numberOf(completion.reasoning_tokens) ?? 0,
  };
}

/** What came from a cache, where each vendor puts it: DeepSeek, Mistral, then Moonshot and Together. */
function cachedTokens(usage: JsonObject, details: JsonObject): number {
  const { prompt_cache_hit_tokens, num_cached_tokens, cached_tokens } = usage;
  const places = [details.cached_tokens, prompt_cache_hit_tokens, num_cached_tokens, cached_tokens];
  return places.map(numberOf).find((count) => count !== undefined) ?? 0;
}

/** Two answers' tokens together. */
export function addUsage(a: Usage | undefined, b: Usage): Usage {
  if (!a) return b;
  return {
    input: a.input + b.input,
    cached: a.cached + b.cached,
    cacheWrite: a.cacheWrite + b.cacheWrite,
    output: a.output + b.output,
    reasoning: a.reasoning + b.reasoning,
  };
}

/** Writes usage in OpenAI's shape. */
export function encodeOpenaiUsage(usage: Usage): OpenaiUsage {
  return {
    prompt_tokens: usage.input,
    completion_tokens: usage.output,
    total_tokens: usage.input + usage.output,
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
