import type { ChatRequest } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { EncodeContext } from '../protocol.ts';
import type { GeminiModel } from './models.ts';
import { isObject } from '../json.ts';
import { encodeContents } from './contents.ts';
import { geminiModel } from './models.ts';
import { formatWords } from '../facts/format-words.ts';
import { withOwnFields } from '../facts/own-fields.ts';
import { openapiSchema, withoutConst } from './schema.ts';
import { askedTier } from './service-tier.ts';
import { effortOf, thinkingConfig } from './thinking.ts';
import { encodeTools, withHosted } from './tools.ts';
import { requireMessages, given } from '../requirements.ts';

/** Fields of a chat request without a counterpart. */
const UNSUPPORTED = [
  'logit_bias',
  'user',
  'safety_identifier',
  'store',
  'verbosity',
  'parallel_tool_calls',
  'prediction',
  'prompt_cache_key',
  'audio',
] as const;

const PENALTIES = ['presence_penalty', 'frequency_penalty'] as const;

type Context = Pick<EncodeContext, 'model' | 'memory'> & Partial<Pick<EncodeContext, 'quirks'>>;

/**
 * Encodes OpenAI chat as Gemini's generateContent.
 * @throws ProxyError `invalid_request`, or `unsupported` for what cannot be expressed
 * @see https://ai.google.dev/api/generate-content
 */
export function encodeGeminiRequest(
  request: ChatRequest,
  { model: name, memory, quirks }: Context,
): { body: JsonObject; dropped: string[]; headers?: Readonly<Record<string, string>> } {
  requireMessages(request);
  const named = geminiModel(quirks?.like ?? name, quirks?.abilities);
  const model = quirks?.signsCalls ? { ...named, signsCalls: true } : named;
  const known = { ...model, penalties: model.penalties || knowsPenalties(quirks?.keeps) };
  const dropped = droppedOf(request, known);
  const { system, contents } = encodeContents(request.messages, memory, model);
  const tools = withHosted(encodeTools(request, model, dropped), request, model, dropped);
  const format = formatOf(request, model);
  // If a model does not support functions together with JSON, functions that it must not call are left out.
  const alone = format && !model.jsonWithTools;
  const offered = alone && request.tool_choice === 'none' ? {} : tools;
  // If it may call them, JSON is requested in words, without a guarantee.
  const inWords = alone && offered.tools !== undefined;
  if (inWords) {
    system.push({ text: formatWords(request.response_format) });
    dropped.push('response_format');
  }
  const config = generationConfig(request, known, inWords ? undefined : format);
  const { fields, headers, isUnknown } = askedTier(request, quirks);
  if (isUnknown) dropped.push('service_tier');
  const body: JsonObject = {
    ...conversation(system, contents, model),
    ...offered,
    ...(Object.keys(config).length > 0 ? { generationConfig: config } : {}),
    ...fields,
  };
  return { body: withOwnFields(body, request, 'gemini'), dropped, ...(headers ? { headers } : {}) };
}

/** Vertex AI accepts penalties for models that reject them at Google AI. */
function knowsPenalties(keeps: readonly string[] = []): boolean {
  return PENALTIES.some((name) => keeps.includes(name));
}

function droppedOf(request: ChatRequest, { penalties, thinking }: GeminiModel): string[] {
  const dropped: string[] = given(request, penalties ? UNSUPPORTED : [...UNSUPPORTED, ...PENALTIES]);
  const effort = effortOf(request);
  if (thinking === 'none' && effort !== undefined && effort !== 'none') dropped.push('reasoning_effort');
  return dropped;
}

/** The conversation, and the system prompt. A conversation must not be empty. */
function conversation(
  system: JsonObject[],
  contents: ReturnType<typeof encodeContents>['contents'],
  model: GeminiModel,
): JsonObject {
  if (contents.length === 0) {
    const parts = system.splice(-1);
    contents.push({ role: 'user', parts: parts.length > 0 ? parts : [{ text: '' }] });
  }
  if (system.length === 0) return { contents };
  if (model.system) return { contents, systemInstruction: { parts: system } };
  const [first] = contents;
  if (first?.role === 'user') first.parts.unshift(...system);
  else contents.unshift({ role: 'user', parts: system });
  return { contents };
}

/** `response_format`, if it asks for JSON. */
function formatOf({ response_format: format }: ChatRequest, model: GeminiModel): JsonObject | undefined {
  if (format?.type === 'json_object') return { responseMimeType: 'application/json' };
  if (format?.type !== 'json_schema') return undefined;
  const schema = format.json_schema?.schema;
  if (!isObject(schema)) return { responseMimeType: 'application/json' };
  return {
    responseMimeType: 'application/json',
    ...(model.jsonSchema
      ? { responseJsonSchema: withoutConst(schema) }
      : { responseSchema: openapiSchema(schema) }),
  };
}

function generationConfig(
  request: ChatRequest,
  model: GeminiModel,
  format: JsonObject | undefined,
): JsonObject {
  const { n, seed, modalities } = request;
  const stop = [request.stop ?? []].flat().filter((text) => text !== '');
  const wanted = request.logprobs === true;
  const config: JsonObject = {
    maxOutputTokens: request.max_completion_tokens ?? request.max_tokens,
    temperature: request.temperature,
    topP: request.top_p,
    topK: request.top_k,
    candidateCount: n === 1 ? undefined : n,
    stopSequences: stop.length > 0 ? stop : undefined,
    // Gemini's seed has 32 bits, OpenAI's 64: any deterministic mapping will do.
    seed: typeof seed === 'number' ? seed | 0 : undefined,
    presencePenalty: model.penalties ? request.presence_penalty : undefined,
    frequencyPenalty: model.penalties ? request.frequency_penalty : undefined,
    responseLogprobs: wanted ? true : undefined,
    logprobs: wanted ? request.top_logprobs : undefined,
    responseModalities: Array.isArray(modalities)
      ? modalities.filter((each) => typeof each === 'string').map((each) => each.toUpperCase())
      : undefined,
    thinkingConfig: thinkingConfig(request, model),
    ...format,
  };
  return Object.fromEntries(
    Object.entries(config).filter(([, value]) => value !== undefined && value !== null),
  );
}
