import type { Iteration, IterationRecord } from './iterations.ts';
import type { JsonObject } from './json.ts';
import type { Costed } from './reported-cost.ts';
import type { Tiered } from './reported-tiers.ts';
import type { Units } from './units.ts';
import { decodeIterations, encodeIterations, iterationsOf } from './iterations.ts';
import { isObject, objectOf } from './json.ts';
import { reportedCost } from './reported-cost.ts';
import { decodeTiers } from './reported-tiers.ts';
import { toolCalls } from './reported-tools.ts';
import { decodeFeeUnits, encodeFeeUnits, sumOf, sumOfUnits, tokenCount, unitsOf } from './units.ts';

/**
 * The tokens of one answer, normalised: `input` includes what was read from and written to a prompt cache, `output`
 * includes reasoning. Providers count these differently; each protocol's decoder converts them. All values are
 * non-negative integers of a plausible size: anything else from a provider is left out.
 */
export interface Usage extends Units, Tiered, Costed {
  readonly input: number;
  readonly cached: number;
  readonly cacheWrite: number;
  readonly output: number;
  readonly reasoning: number;
  /** Inferences besides those that wrote the answer, if any: parts of the tokens above. */
  readonly iterations?: readonly Iteration[];
  /** No tokens were reported: the zeros are meaningless, and only other units are known. */
  readonly untold?: true;
}

/** An answer without reported tokens. */
export const UNKNOWN_USAGE: Usage = {
  input: 0,
  cached: 0,
  cacheWrite: 0,
  output: 0,
  reasoning: 0,
  untold: true,
};

/** Input tokens that did not come from a cache. */
export function plainUsage(input: number, output: number): Usage {
  return { input, cached: 0, cacheWrite: 0, output, reasoning: 0 };
}

/** Reads `usage` of a body in OpenAI's format (chat, completions, embeddings); `undefined` when there is none. */
export function openaiUsage(value: unknown): Usage | undefined {
  if (!isObject(value)) return undefined;
  const listed = tokenCount(value.prompt_tokens) ?? tokenCount(value.input_tokens);
  const output = tokenCount(value.completion_tokens) ?? tokenCount(value.output_tokens);
  if (listed === undefined && output === undefined) return undefined;
  const input = listed === undefined ? undefined : listed + besides(value, listed, output ?? 0);
  // Mistral's hosts misspell it.
  const details = value.prompt_tokens_details ?? value.input_tokens_details ?? value.prompt_token_details;
  // Transcriptions use the singular.
  const prompt = objectOf(details ?? value.input_token_details);
  const fromCache = objectOf(prompt.cached_tokens_details);
  const completion = objectOf(
    value.completion_tokens_details ?? value.output_tokens_details ?? value.output_token_details,
  );
  // Cached tokens are part of the input, and never more than that.
  const { cached, cacheWrite } = cacheTokens(value, prompt, input ?? 0);
  return {
    input: input ?? 0,
    cached,
    cacheWrite,
    output: output ?? 0,
    reasoning: tokenCount(completion.reasoning_tokens) ?? 0,
    ...unitsOf({
      cacheWrite1h: within(longWrites(prompt), cacheWrite),
      inputAudio: within(prompt.audio_tokens, input),
      cachedAudio: within(fromCache.audio_tokens, cached),
      outputAudio: within(completion.audio_tokens, output),
      inputImage: within(prompt.image_tokens, input),
      inputVideo: within(prompt.video_tokens, input),
      cachedImage: within(fromCache.image_tokens, cached),
      outputImage: within(completion.image_tokens, output),
      outputVideo: within(completion.video_tokens, output),
    }),
    ...toolCalls(value),
    ...(value.units === undefined ? {} : decodeFeeUnits(value.units)),
    ...(value.iterations === undefined ? {} : decodeIterations(value.iterations)),
    ...(value.tiers === undefined ? {} : decodeTiers(value.tiers)),
    ...reportedCost(value),
  };
}

/** Tokens written to a cache for an hour, as this project writes it, or for 12 hours, as OpenAI reports it. */
function longWrites({
  cache_write_1h_tokens: written,
  cache_write_tokens_details: details,
}: JsonObject): unknown {
  return written ?? objectOf(details).ttl_12h_tokens;
}

/** A part never exceeds the whole. */
function within(part: unknown, whole = 0): number {
  return Math.min(tokenCount(part) ?? 0, whole);
}

/** Tokens read from and written to a cache. Gateways were seen to count written tokens among the read ones. */
function cacheTokens(usage: JsonObject, details: JsonObject, input: number) {
  const reported = cachedTokens(usage, details);
  const written =
    tokenCount(details.cache_write_tokens) ??
    tokenCount(details.cache_creation_tokens) ??
    tokenCount(usage.cache_creation_input_tokens) ??
    0;
  const isBoth = reported <= input && reported + written > input;
  const cached = isBoth ? Math.max(0, reported - written) : Math.min(reported, input);
  return { cached, cacheWrite: Math.min(written, input - cached) };
}

/**
 * Cached tokens that the input does not include, as the total shows: some gateways count as Anthropic does, whose
 * fields they keep.
 * @see https://github.com/Portkey-AI/gateway/pull/1754
 */
function besides(usage: JsonObject, input: number, output: number): number {
  const { cache_read_input_tokens: read, cache_creation_input_tokens: written, total_tokens: total } = usage;
  const cached = (tokenCount(read) ?? 0) + (tokenCount(written) ?? 0);
  return tokenCount(total) === input + output + cached ? cached : 0;
}

/**
 * Tokens from a cache, in each vendor's field: DeepSeek, Mistral, then Moonshot and Together, and gateways such as
 * LiteLLM that add Anthropic's fields.
 */
function cachedTokens(usage: JsonObject, details: JsonObject): number {
  const { prompt_cache_hit_tokens, num_cached_tokens, cached_tokens, cache_read_input_tokens } = usage;
  return (
    tokenCount(details.cached_tokens) ??
    tokenCount(prompt_cache_hit_tokens) ??
    tokenCount(num_cached_tokens) ??
    tokenCount(cached_tokens) ??
    tokenCount(cache_read_input_tokens) ??
    0
  );
}

/**
 * Merges the usage that a stream has reported so far, in its own fields: some report the input first and the output
 * last. Later counts replace earlier ones, but invalid values replace nothing, and zero replaces no count: some
 * servers repeat all fields and fill in only those that are new.
 */
export function reportedSoFar(earlier: JsonObject | undefined, value: unknown): JsonObject | undefined {
  if (!isObject(value)) return earlier;
  const known = Object.entries(value).filter(
    ([name, reported]) =>
      (reported !== null || earlier?.[name] === undefined) &&
      reported !== undefined &&
      ((tokenCount(reported) ?? 0) > 0 || !tokenCount(earlier?.[name])),
  );
  return { ...earlier, ...Object.fromEntries(known) };
}

/** All tokens of an answer, input and output; `undefined` if it did not report them. */
export function tokensIn(usage: Usage | undefined): number | undefined {
  return usage && sumOf(usage.input, usage.output);
}

/** The sum of two usages. */
export function addUsage(a: Usage | undefined, b: Usage): Usage {
  if (!a) return b;
  return {
    input: sumOf(a.input, b.input),
    cached: sumOf(a.cached, b.cached),
    cacheWrite: sumOf(a.cacheWrite, b.cacheWrite),
    output: sumOf(a.output, b.output),
    reasoning: sumOf(a.reasoning, b.reasoning),
    ...sumOfUnits(a, b),
    ...iterationsOf(a, b),
    ...tiersIn(a, b),
    // A part without a cost leaves that of the sum unknown.
    ...(a.usd === undefined || b.usd === undefined ? {} : { usd: a.usd + b.usd }),
    ...(a.untold && b.untold ? { untold: true } : {}),
  };
}

/** The tiers of a sum: those of its last part that has any. */
function tiersIn(a: Usage, b: Usage): Tiered {
  const tiers = b.tiers ?? a.tiers;
  return tiers ? { tiers } : {};
}

/** A usage with the service tiers that its answer reports beside it. */
export function withTiers<U extends Usage | undefined>(usage: U, { tiers }: Tiered): U {
  return usage && tiers ? { ...usage, tiers } : usage;
}

/** A usage with units that its answer shows elsewhere. */
export function withUnits<U extends Usage | undefined>(usage: U, units: Units): U {
  return usage && Object.keys(units).length > 0 ? { ...usage, ...units } : usage;
}

/** Writes usage in OpenAI's format. Values without a field there are put where other vendors put them, if any do. */
export function encodeOpenaiUsage(usage: Usage): OpenaiUsage {
  const { cacheWrite1h, inputAudio, cachedAudio, outputAudio } = usage;
  const { inputImage, cachedImage, outputImage, inputVideo, outputVideo } = usage;
  const { webSearches, fileSearches } = usage;
  const units = encodeFeeUnits(usage);
  return {
    prompt_tokens: usage.input,
    completion_tokens: usage.output,
    total_tokens: sumOf(usage.input, usage.output),
    prompt_tokens_details: {
      cached_tokens: usage.cached,
      cache_write_tokens: usage.cacheWrite,
      ...(cacheWrite1h ? { cache_write_1h_tokens: cacheWrite1h } : {}),
      ...(inputAudio ? { audio_tokens: inputAudio } : {}),
      ...(inputImage ? { image_tokens: inputImage } : {}),
      ...(inputVideo ? { video_tokens: inputVideo } : {}),
      ...(cachedAudio || cachedImage
        ? {
            cached_tokens_details: {
              ...(cachedAudio ? { audio_tokens: cachedAudio } : {}),
              ...(cachedImage ? { image_tokens: cachedImage } : {}),
            },
          }
        : {}),
    },
    completion_tokens_details: {
      reasoning_tokens: usage.reasoning,
      ...(outputAudio ? { audio_tokens: outputAudio } : {}),
      ...(outputImage ? { image_tokens: outputImage } : {}),
      ...(outputVideo ? { video_tokens: outputVideo } : {}),
    },
    ...(webSearches || fileSearches
      ? {
          server_tool_use: {
            web_search_requests: webSearches ?? 0,
            ...(fileSearches ? { file_search_requests: fileSearches } : {}),
          },
        }
      : {}),
    ...(units ? { units } : {}),
    ...(usage.iterations ? { iterations: encodeIterations(usage)! } : {}),
    ...(usage.tiers ? { tiers: [...usage.tiers] } : {}),
    ...(usage.usd === undefined ? {} : { cost: usage.usd }),
  };
}

/** OpenAI's `usage` object as this project writes it. */
export interface OpenaiUsage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  prompt_tokens_details: {
    cached_tokens: number;
    cache_write_tokens: number;
    cache_write_1h_tokens?: number;
    audio_tokens?: number;
    image_tokens?: number;
    video_tokens?: number;
    cached_tokens_details?: { audio_tokens?: number; image_tokens?: number };
  };
  completion_tokens_details: {
    reasoning_tokens: number;
    audio_tokens?: number;
    image_tokens?: number;
    video_tokens?: number;
  };
  server_tool_use?: { web_search_requests: number; file_search_requests?: number };
  units?: Record<string, number>;
  iterations?: IterationRecord[];
  tiers?: string[];
  cost?: number;
}
