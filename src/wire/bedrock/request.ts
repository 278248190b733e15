import type { ChatRequest } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { EncodeContext } from '../protocol.ts';
import type { ConverseModel } from './models.ts';
import { betasFor } from '../anthropic/betas.ts';
import { withOwnFields } from '../facts/own-fields.ts';
import { isObject, objectOf } from '../json.ts';
import { encodeConverseMessages } from './messages.ts';
import { converseModel } from './models.ts';
import { reasoningFields, roomFor } from './reasoning.ts';
import { SchemaBudget } from '../parts/schema-budget.ts';
import { structure } from './structure.ts';
import { singleCall, toolConfig } from './tools.ts';
import { OPENAI_ONLY, TUNING, requireMessages, given, moreThanOne } from '../requirements.ts';

/** A Converse request, and what is needed to decode its answer. */
export interface ConverseRequest {
  readonly body: JsonObject;
  /** Fields of the client's request without a counterpart. */
  readonly dropped: readonly string[];
  /** The tool whose call stands for structured output, if the model does not support that itself. */
  readonly structuredTool: string | undefined;
}

/** Fields of a chat request without a counterpart. */
const UNSUPPORTED = [
  ...TUNING,
  ...OPENAI_ONLY,
  'store',
  'verbosity',
  'metadata',
  'user',
  'safety_identifier',
] as const;

const TIERS: ReadonlySet<unknown> = new Set(['default', 'flex', 'priority', 'reserved']);
/** Service tiers that are equivalent to the default. */
const PLAIN_TIERS: ReadonlySet<unknown> = new Set(['auto', undefined, null]);

/**
 * Encodes OpenAI chat as Bedrock's Converse and ConverseStream, which have the same body.
 * @throws ProxyError `invalid_request`, or `unsupported` for what cannot be expressed
 * @see https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
 */
export function encodeConverseRequest(
  request: ChatRequest,
  { model: name, memory, quirks, betas }: Pick<EncodeContext, 'model' | 'memory' | 'quirks' | 'betas'>,
): ConverseRequest {
  requireMessages(request);
  const model = converseModel(quirks.like ?? name, quirks.abilities);
  const nine = model.mistral || quirks.toolIds === 'nine_alphanumerics';
  const { system, turns } = encodeConverseMessages(request.messages, model, memory, nine);
  const dropped: string[] = [...given(request, UNSUPPORTED), ...moreThanOne(request)];
  const budget = model.reasoning === 'claude' ? SchemaBudget.ofClaude() : SchemaBudget.unlimited();
  const { fields, system: instructions, tool, name: structuredTool } = structure(request, model, budget);
  // A thinking model cannot be forced to call the tool.
  const unthinking =
    tool === undefined
      ? request
      : { ...request, reasoning_effort: null, thinking: null, output_config: null };
  if (tool && request.reasoning_effort) dropped.push('reasoning_effort');
  else if (tool && isObject(request.thinking)) dropped.push('thinking');
  const reasoning = reasoningFields(unthinking, model, dropped);
  const thinking = 'thinking' in reasoning && objectOf(reasoning.thinking).type !== 'disabled';
  const { inferenceConfig, extra } = sampling(request, { model, reasoning, thinking }, dropped);
  const tools = toolConfig(request, turns, { model, thinking, structured: tool, budget }, dropped);
  const additional = {
    ...reasoning,
    ...extra,
    ...betaFields(betas, model, quirks, dropped),
    ...singleCall(request, model, tools, dropped),
  };
  const instructed = [...system, ...instructions];
  if (!TIERS.has(request.service_tier) && !PLAIN_TIERS.has(request.service_tier))
    dropped.push('service_tier');
  const body: JsonObject = {
    messages: turns,
    ...(instructed.length > 0 ? { system: instructed } : {}),
    ...(Object.keys(inferenceConfig).length > 0 ? { inferenceConfig } : {}),
    ...tools,
    ...fields,
    ...(Object.keys(additional).length > 0 ? { additionalModelRequestFields: additional } : {}),
    ...(TIERS.has(request.service_tier) ? { serviceTier: { type: request.service_tier } } : {}),
  };
  return { body: withOwnFields(body, request, 'converse'), dropped, structuredTool };
}

interface Requested {
  readonly model: ConverseModel;
  readonly reasoning: JsonObject;
  readonly thinking: boolean;
}

/** Sampling parameters: Converse's own fields, and those of particular models. */
function sampling(
  request: ChatRequest,
  { model, reasoning, thinking }: Requested,
  dropped: string[],
): { inferenceConfig: JsonObject; extra: JsonObject } {
  const { temperature, top_p, top_k } = request;
  const maxTokens = request.max_completion_tokens ?? request.max_tokens ?? defaultRoom(model);
  const stopSequences = stops(request, model, dropped);
  const config: JsonObject = {};
  const room = roomFor(maxTokens, reasoning.thinking, model.claude);
  if (room !== undefined) config.maxTokens = room;
  if (stopSequences.length > 0) config.stopSequences = stopSequences;

  const wished: JsonObject = {};
  if (typeof temperature === 'number') wished.temperature = Math.min(1, temperature);
  if (typeof top_p === 'number') wished.top_p = top_p;
  if (typeof top_k === 'number') wished.top_k = top_k;
  const leaveOut = (field: string) => {
    if (!(field in wished)) return;
    delete wished[field];
    dropped.push(field);
  };
  const claude = model.reasoning === 'claude';
  if ((claude && thinking) || !model.sampling) Object.keys(wished).forEach(leaveOut);
  if (model.topK === 'none') leaveOut('top_k');
  // Nova rejects all of them together with its highest effort.
  if (objectOf(reasoning.reasoningConfig).maxReasoningEffort === 'high') {
    Object.keys(wished).forEach(leaveOut);
    if ('maxTokens' in config) dropped.push('max_tokens');
    delete config.maxTokens;
  }
  if ('temperature' in wished) config.temperature = wished.temperature;
  if ('top_p' in wished) config.topP = wished.top_p;
  if (!('top_k' in wished)) return { inferenceConfig: config, extra: {} };
  const extra =
    model.topK === 'top_k' ? { top_k: wished.top_k } : { inferenceConfig: { topK: wished.top_k } };
  return { inferenceConfig: config, extra };
}

/**
 * `maxTokens` if the client sets none: Bedrock would end Claude's answers, including its thinking, after 4,096 tokens.
 * AWS documents the model's maximum as the default, which other models have.
 * @see https://github.com/BerriAI/litellm/issues/41529
 */
function defaultRoom({ reasoning, claude }: ConverseModel): number | undefined {
  return reasoning === 'claude' && claude.beyondWindow ? claude.maxTokens : undefined;
}

/** Beta features, which Anthropic's clients request by header, have a field here. */
function betaFields(
  header: string | undefined,
  { reasoning }: ConverseModel,
  { betas: taken }: EncodeContext['quirks'],
  dropped: string[],
): JsonObject {
  // They mean nothing to other models.
  if (header === undefined || reasoning !== 'claude') return {};
  const { kept, dropped: left } = betasFor(header, taken ?? []);
  dropped.push(...left);
  return kept.length > 0 ? { anthropic_beta: kept } : {};
}

function stops({ stop }: ChatRequest, model: ConverseModel, dropped: string[]): string[] {
  const sequences = [stop ?? []].flat().filter((text) => typeof text === 'string' && text !== '');
  // Claude rejects stop sequences of white space only.
  if (model.reasoning !== 'claude') return sequences;
  const taken = sequences.filter((text) => text.trim() !== '');
  if (taken.length < sequences.length) dropped.push('stop');
  return taken;
}
