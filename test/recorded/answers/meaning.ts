/** What a vendor's finish reasons and counts mean in OpenAI's chat: the tables, written independently of the source. */
import type { Api } from '../read/exchange.ts';
import type { Json } from '../read/json.ts';
import type { Choice, Counts } from './said.ts';
import { numberOf, objectOf, objectsOf } from '../read/json.ts';

const FINISH: Readonly<Record<Api, Readonly<Record<string, string>>>> = {
  chat: {
    stop: 'stop',
    length: 'length',
    tool_calls: 'tool_calls',
    content_filter: 'content_filter',
    function_call: 'tool_calls',
    eos: 'stop',
    model_length: 'length',
  },
  messages: {
    end_turn: 'stop',
    stop_sequence: 'stop',
    pause_turn: 'stop',
    max_tokens: 'length',
    model_context_window_exceeded: 'length',
    tool_use: 'tool_calls',
    refusal: 'content_filter',
    compaction: 'stop',
  },
  responses: {
    completed: 'stop',
    'incomplete max_output_tokens': 'length',
    'incomplete content_filter': 'content_filter',
  },
  gemini: {
    STOP: 'stop',
    MAX_TOKENS: 'length',
    SAFETY: 'content_filter',
    RECITATION: 'content_filter',
    PROHIBITED_CONTENT: 'content_filter',
    IMAGE_SAFETY: 'content_filter',
    MODEL_ARMOR: 'content_filter',
    MALFORMED_FUNCTION_CALL: 'error',
    UNEXPECTED_TOOL_CALL: 'error',
    MALFORMED_RESPONSE: 'error',
    OTHER: 'error',
    1: 'stop',
    2: 'length',
  },
  converse: {
    end_turn: 'stop',
    stop_sequence: 'stop',
    max_tokens: 'length',
    tool_use: 'tool_calls',
    guardrail_intervened: 'content_filter',
    content_filtered: 'content_filter',
  },
  cohere: { COMPLETE: 'stop', STOP_SEQUENCE: 'stop', MAX_TOKENS: 'length', TOOL_CALL: 'tool_calls' },
};

/**
 * The finish reason. In recordings without one, the calls show it.
 * @throws Error for a reason that is in no table
 */
export function ending(api: Api, { finish, parts }: Choice): string {
  const calls = parts.some(({ kind }) => kind === 'call');
  if (finish === undefined || finish === 'undefined') return calls ? 'tool_calls' : 'stop';
  const known = FINISH[api][finish];
  if (known === undefined) throw new Error(`the tables do not know the finish reason "${finish}"`);
  return known === 'stop' && calls ? 'tool_calls' : known;
}

/**
 * Token counts; `undefined` for those not reported. @param provider the name in the index, since some vendors count
 * differently
 */
export function counts(api: Api, provider: string, usage: Json | undefined): Counts | undefined {
  return usage && Object.keys(usage).length > 0 ? USAGE[api](usage, provider) : undefined;
}

function count(value: unknown): number {
  return numberOf(value) ?? 0;
}

type Counting = (usage: Json, provider: string) => Counts | undefined;

function openai(usage: Json, provider: string): Counts | undefined {
  const input = usage.prompt_tokens ?? usage.input_tokens;
  const output = usage.completion_tokens ?? usage.output_tokens;
  if (input === undefined && output === undefined) return undefined;
  const prompt = objectOf(usage.prompt_tokens_details ?? usage.input_tokens_details);
  const completion = objectOf(usage.completion_tokens_details ?? usage.output_tokens_details);
  const reasoning = count(completion.reasoning_tokens) || count(usage.reasoning_tokens);
  const isSum = reasoning > 0 && count(usage.total_tokens) === count(input) + count(output) + reasoning;
  const apart =
    isSum || ((provider === 'xai' || provider === 'perplexity') && usage.prompt_tokens !== undefined);
  const cached = prompt.cached_tokens ?? usage.prompt_cache_hit_tokens ?? usage.num_cached_tokens;
  return {
    input: count(input),
    cached: Math.min(count(cached ?? usage.cached_tokens), count(input)),
    // Cache writes and cache reads are both part of the input.
    cacheWrite: Math.min(
      count(prompt.cache_write_tokens),
      count(input) - Math.min(count(cached ?? usage.cached_tokens), count(input)),
    ),
    output: count(output) + (apart ? reasoning : 0),
    reasoning,
  };
}

const USAGE: Readonly<Record<Api, Counting>> = {
  chat: openai,
  responses: openai,
  messages(usage) {
    const all = objectsOf(usage.iterations);
    // A model that refused before another took over costs nothing.
    const refuses = all.some(({ type }) => type === 'fallback_message');
    const charged = all.filter((each) => !refuses || count(each.output_tokens) > 0);
    // The usage itself leaves out what compaction and advisers took.
    const sum = (name: string) =>
      charged.length > 0 ? charged.reduce((total, each) => total + count(each[name]), 0) : count(usage[name]);
    const cached = sum('cache_read_input_tokens');
    const cacheWrite = sum('cache_creation_input_tokens');
    const reasoning = count(objectOf(usage.output_tokens_details).thinking_tokens);
    return {
      input: sum('input_tokens') + cached + cacheWrite,
      cached,
      cacheWrite,
      output: sum('output_tokens'),
      reasoning,
    };
  },
  gemini(usage) {
    const { promptTokenCount, candidatesTokenCount, thoughtsTokenCount } = usage;
    if (promptTokenCount === undefined && candidatesTokenCount === undefined) return undefined;
    return {
      input: count(promptTokenCount) + count(usage.toolUsePromptTokenCount),
      cached: count(usage.cachedContentTokenCount),
      cacheWrite: 0,
      output: count(candidatesTokenCount) + count(thoughtsTokenCount),
      reasoning: count(thoughtsTokenCount),
    };
  },
  converse(usage) {
    const cached = count(usage.cacheReadInputTokens);
    const cacheWrite = count(usage.cacheWriteInputTokens);
    return {
      input: count(usage.inputTokens) + cached + cacheWrite,
      cached,
      cacheWrite,
      output: count(usage.outputTokens),
      reasoning: 0,
    };
  },
  cohere(usage) {
    const tokens = objectOf(usage.tokens);
    if (tokens.input_tokens === undefined) return undefined;
    return {
      input: count(tokens.input_tokens),
      cached: count(usage.cached_tokens),
      cacheWrite: 0,
      output: count(tokens.output_tokens),
      reasoning: count(tokens.reasoning_tokens),
    };
  },
};
