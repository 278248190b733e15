import type { ChatRequest } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { EncodeContext } from '../protocol.ts';
import { ProxyError } from '../../errors.ts';
import { isObject, listOf, objectOf } from '../json.ts';
import { encodeContents } from './contents.ts';
import { openapiSchema } from './schema.ts';

/** Fields of a chat request that have no counterpart. */
const UNSUPPORTED = [
  'logit_bias',
  'user',
  'safety_identifier',
  'store',
  'service_tier',
  'verbosity',
  'parallel_tool_calls',
  'prediction',
  'web_search_options',
  'prompt_cache_key',
] as const;

/** Models before these take neither JSON Schema nor thinking. */
const OLDER = /gemini-(?:1|2\.0)|gemma/;
const BUDGETED = /gemini-2\.5|gemini-(?:flash|pro)-latest/;

/** Tokens to think with, by effort; 2.5 Pro cannot be told not to. */
const BUDGETS: Readonly<Record<string, number>> = {
  none: 0,
  minimal: 512,
  low: 1_024,
  medium: 8_192,
  high: 24_576,
  xhigh: 24_576,
  max: 24_576,
};
const LEAST_OF_PRO = 128;

const LEVELS: Readonly<Record<string, string>> = {
  none: 'MINIMAL',
  minimal: 'MINIMAL',
  low: 'LOW',
  medium: 'MEDIUM',
  high: 'HIGH',
  xhigh: 'HIGH',
  max: 'HIGH',
};

/**
 * OpenAI chat to Gemini's generateContent.
 * @throws ProxyError `invalid_request`, or `unsupported` for what cannot be said there
 * @see https://ai.google.dev/api/generate-content
 */
export function encodeGeminiRequest(
  request: ChatRequest,
  { model, memory }: Pick<EncodeContext, 'model' | 'memory'>,
): { body: JsonObject; dropped: string[] } {
  if (!Array.isArray(request.messages) || request.messages.length === 0) {
    throw new ProxyError('invalid_request', 'Cannot translate messages: expected a list of messages', {
      param: 'messages',
    });
  }
  const dropped: string[] = UNSUPPORTED.filter(
    (name) => request[name] !== undefined && request[name] !== null && request[name] !== true,
  );
  const strict = !OLDER.test(model) && !BUDGETED.test(model);
  const { system, contents } = encodeContents(request.messages, memory, strict);
  const tools = encodeTools(request, model, dropped);
  const config = generationConfig(request, model);
  const body: JsonObject = {
    contents: contents.length > 0 ? contents : [{ role: 'user', parts: system.splice(-1) }],
    ...(system.length > 0 ? { systemInstruction: { parts: system } } : {}),
    ...(tools.length > 0 ? { tools: [{ functionDeclarations: tools }], ...toolConfig(request) } : {}),
    ...(Object.keys(config).length > 0 ? { generationConfig: config } : {}),
  };
  return { body, dropped };
}

function encodeTools(request: ChatRequest, model: string, dropped: string[]): JsonObject[] {
  return listOf(request.tools).flatMap((tool, index) => {
    const { type, function: fn } = objectOf(tool);
    if (type !== 'function' || !isObject(fn)) {
      dropped.push(`tools[${index}]`);
      return [];
    }
    return {
      name: fn.name,
      ...(fn.description === undefined ? {} : { description: fn.description }),
      ...parameters(fn.parameters, model),
    };
  });
}

/** A function without parameters has none: an empty object is refused. */
function parameters(schema: unknown, model: string): JsonObject {
  if (!isObject(schema)) return {};
  const empty = schema.type === 'object' && Object.keys(objectOf(schema.properties)).length === 0;
  if (empty) return {};
  return OLDER.test(model) ? { parameters: openapiSchema(schema) } : { parametersJsonSchema: schema };
}

function toolConfig({ tool_choice: choice }: ChatRequest): JsonObject {
  if (choice === undefined || choice === null) return {};
  const name = isObject(choice) ? objectOf(choice.function).name : undefined;
  const mode = choice === 'none' ? 'NONE' : choice === 'auto' ? 'AUTO' : 'ANY';
  const only = name === undefined ? {} : { allowedFunctionNames: [name] };
  return { toolConfig: { functionCallingConfig: { mode, ...only } } };
}

function generationConfig(request: ChatRequest, model: string): JsonObject {
  const { n, response_format: format, modalities } = request;
  const stop = [request.stop ?? []].flat();
  const config: JsonObject = {
    maxOutputTokens: request.max_completion_tokens ?? request.max_tokens,
    temperature: request.temperature,
    topP: request.top_p,
    topK: request.top_k,
    candidateCount: n === 1 ? undefined : n,
    stopSequences: stop.length > 0 ? stop : undefined,
    seed: request.seed,
    presencePenalty: request.presence_penalty,
    frequencyPenalty: request.frequency_penalty,
    responseLogprobs: request.logprobs === true ? true : undefined,
    logprobs: request.logprobs === true ? request.top_logprobs : undefined,
    responseModalities: Array.isArray(modalities)
      ? modalities.map((each) => String(each).toUpperCase())
      : undefined,
    thinkingConfig: thinking(request, model),
  };
  if (format?.type === 'json_object') config.responseMimeType = 'application/json';
  if (format?.type === 'json_schema') {
    const schema = format.json_schema?.schema;
    config.responseMimeType = 'application/json';
    if (OLDER.test(model)) config.responseSchema = openapiSchema(schema);
    else config.responseJsonSchema = schema;
  }
  return Object.fromEntries(
    Object.entries(config).filter(([, value]) => value !== undefined && value !== null),
  );
}

function thinking({ reasoning_effort: effort }: ChatRequest, model: string): JsonObject | undefined {
  if (!effort || OLDER.test(model)) return undefined;
  const shown = effort === 'none' ? {} : { includeThoughts: true };
  if (!BUDGETED.test(model)) return { thinkingLevel: LEVELS[effort] ?? 'HIGH', ...shown };
  const budget = BUDGETS[effort] ?? -1;
  return { thinkingBudget: /-pro/.test(model) ? Math.max(LEAST_OF_PRO, budget) : budget, ...shown };
}
