import type { AnthropicModel } from './models.ts';
import type { ChatRequest } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { EncodeContext } from '../protocol.ts';
import { encodeMessages } from './messages.ts';
import { anthropicModel } from './models.ts';
import { openEffort, thinkingFor, thinkingOfEffort } from './thinking.ts';
import { mayThink } from './thinking-turns.ts';
import { withOwnFields } from '../facts/own-fields.ts';
import { isObject, listOf, objectOf } from '../json.ts';
import type { HostedTool } from '../parts/hosted-tools.ts';
import { hostedTools, knownOptions, wordFor } from '../parts/hosted-tools.ts';
import { OPENAI_ONLY, TUNING, requireMessages, given, moreThanOne } from '../requirements.ts';
import { schemaWords } from '../facts/format-words.ts';
import { hasObjectRoot } from '../facts/object-root.ts';
import { closedSchema } from '../parts/closed-schema.ts';
import { SchemaBudget } from '../parts/schema-budget.ts';
import { rootSchema } from '../parts/root-schema.ts';

/** An Anthropic request, and what is needed to decode its answer. */
export interface AnthropicRequest {
  readonly body: JsonObject;
  /** Fields of the client's request without a counterpart. */
  readonly dropped: readonly string[];
  /** The tool whose call stands for structured output, if the model does not support that itself. */
  readonly structuredTool: string | undefined;
}

/** Fields of a chat request without a counterpart. */
const UNSUPPORTED = [...TUNING, ...OPENAI_ONLY, 'store', 'verbosity'] as const;

const MIN_ANSWER = 1_024;

/**
 * Encodes OpenAI chat as Anthropic Messages.
 * @throws ProxyError `invalid_request`, or `unsupported` for what cannot be expressed
 * @see https://docs.anthropic.com/en/api/messages
 */
export function encodeAnthropicRequest(
  request: ChatRequest,
  {
    model,
    memory,
    quirks = {},
  }: Pick<EncodeContext, 'model' | 'memory'> & Partial<Pick<EncodeContext, 'quirks'>>,
): AnthropicRequest {
  requireMessages(request);
  const abilities = anthropicModel(quirks.like ?? model, quirks.abilities);
  const { system, turns } = encodeMessages(request.messages, memory);
  const budget = SchemaBudget.ofClaude();
  const structured = structure(request, abilities, budget);
  const dropped: string[] = [...given(request, UNSUPPORTED), ...moreThanOne(request)];
  const hosted = structured.tool
    ? []
    : hostedTools(request).flatMap((tool) => encodeHostedTool(tool, dropped));
  // Models without structured output have no strict tools either.
  const strict = abilities.jsonSchema ? budget : undefined;
  const tools = [...encodeTools(request, strict, dropped), ...hosted, ...structured.tools];
  // A thinking model cannot be forced to call the tool.
  const wished = reasoning(request, abilities, dropped);
  if (structured.tool && wished.thinking !== undefined) {
    dropped.push(isObject(request.thinking) ? 'thinking' : 'reasoning_effort');
    delete wished.thinking;
  }
  const thinking = mayThink(wished.thinking, turns) ? wished : withoutThinking(request, wished, dropped);
  const { type: mode = 'disabled' } = objectOf(thinking.thinking);
  const instructions = [...system, ...structured.system];
  const others = tools.length > structured.tools.length;
  const choosing = { structuredTool: structured.tool, others, budgeted: mode === 'enabled' };
  const body: JsonObject = {
    model,
    max_tokens: request.max_completion_tokens ?? request.max_tokens ?? abilities.maxTokens,
    messages: turns,
    ...(instructions.length > 0 ? { system: instructions } : {}),
    ...(request.stream ? { stream: true } : {}),
    ...sampling(request, abilities, mode !== 'disabled', dropped),
    ...stops(request, dropped),
    ...(tools.length > 0 ? { tools, ...toolChoice(request, choosing) } : {}),
    ...thinking,
    ...structured.fields,
    ...user(request),
    ...tier(request),
    ...(isObject(request.cache_control) ? { cache_control: request.cache_control } : {}),
  };
  makeRoom(body);
  if (isObject(thinking.output_config) && isObject(structured.fields.output_config)) {
    body.output_config = { ...thinking.output_config, ...structured.fields.output_config };
  }
  return { body: withOwnFields(body, request, 'messages'), dropped, structuredTool: structured.tool };
}

/** @param budget of strict tools; `undefined` if the model has none */
function encodeTools(
  request: ChatRequest,
  budget: SchemaBudget | undefined,
  dropped: string[],
): JsonObject[] {
  return listOf(request.tools).flatMap((tool, index) => {
    const { function: fn, type, cache_control } = objectOf(tool);
    if (type !== 'function' || !isObject(fn)) {
      dropped.push(`tools[${index}]`);
      return [];
    }
    const schema = rootSchema(fn.parameters);
    const closed = fn.strict === true ? budget?.grant(closedSchema(schema), 'tool') : undefined;
    return {
      name: fn.name,
      ...(typeof fn.description === 'string' ? { description: fn.description } : {}),
      input_schema: closed ?? schema,
      ...(closed ? { strict: true } : {}),
      ...(cache_control === undefined ? {} : { cache_control }),
    };
  });
}

/** A tool that Anthropic runs; a tool that it does not have is left out and named. */
function encodeHostedTool(tool: HostedTool, dropped: string[]): JsonObject[] {
  if (tool.native?.protocol === 'messages') return [tool.native.value];
  if (tool.name !== 'web_search') {
    dropped.push(wordFor(tool));
    return [];
  }
  const known = ['max_uses', 'allowed_domains', 'blocked_domains', 'user_location'] as const;
  return [{ type: 'web_search_20250305', name: 'web_search', ...knownOptions(tool, known, dropped) }];
}

interface Choosing {
  /** The tool whose call is the answer, and whether there are other tools. */
  readonly structuredTool: string | undefined;
  readonly others: boolean;
  /** With a thinking budget, the API only accepts auto and none. */
  readonly budgeted: boolean;
}

/** `tool_choice`. If there are tools beside the one for the answer, the model must call one of them. */
function toolChoice(request: ChatRequest, { structuredTool, others, budgeted }: Choosing): JsonObject {
  const { tool_choice: choice, parallel_tool_calls } = request;
  const single = parallel_tool_calls === false ? { disable_parallel_tool_use: true } : {};
  if (structuredTool) {
    const any = others && choice !== 'none';
    if (!any) return { tool_choice: { type: 'tool', name: structuredTool } };
    if (!isObject(choice)) return { tool_choice: { type: 'any', ...single } };
  }
  if (choice === 'none') return { tool_choice: { type: 'none' } };
  if (choice === 'required' && !budgeted) return { tool_choice: { type: 'any', ...single } };
  if (isObject(choice) && !budgeted)
    return { tool_choice: { type: 'tool', name: objectOf(choice.function).name, ...single } };
  return choice === undefined && parallel_tool_calls !== false
    ? {}
    : { tool_choice: { type: 'auto', ...single } };
}

function sampling(
  { temperature, top_p, top_k }: ChatRequest,
  abilities: AnthropicModel,
  thinking: boolean,
  dropped: string[],
): JsonObject {
  const wished: JsonObject = {};
  if (typeof temperature === 'number') wished.temperature = Math.min(1, temperature);
  if (typeof top_p === 'number') wished.top_p = top_p;
  if (typeof top_k === 'number') wished.top_k = top_k;
  if (abilities.sampling && !thinking) return wished;
  // Default values are never rejected.
  if (temperature === 1) delete wished.temperature;
  dropped.push(...Object.keys(wished));
  return temperature === 1 ? { temperature } : {};
}

function stops({ stop }: ChatRequest, dropped: string[]): JsonObject {
  const requested = [stop ?? []].flat().filter((text) => typeof text === 'string' && text !== '');
  // Stop sequences of white space only are rejected.
  const sequences = requested.filter((text) => text.trim() !== '');
  if (sequences.length < requested.length) dropped.push('stop');
  return sequences.length > 0 ? { stop_sequences: sequences } : {};
}

/** Settings given in the API's own terms are kept, as far as the model accepts them. */
function reasoning(request: ChatRequest, abilities: AnthropicModel, dropped: string[]): JsonObject {
  const { reasoning_effort: effort, thinking, output_config: config } = request;
  const own = objectOf(config).effort;
  if (isObject(thinking) || own !== undefined) {
    const { fields, lost } = thinkingFor(thinking, own ?? openEffort(thinking, effort), abilities);
    dropped.push(...lost.map((name) => (name === 'effort' ? 'reasoning_effort' : name)));
    return fields;
  }
  if (!effort) return {};
  const { fields, lost } = thinkingOfEffort(effort, abilities);
  if (lost.length > 0) dropped.push('reasoning_effort');
  return fields;
}

/** The preceding thinking is from another model, so that this one must continue without thinking. */
function withoutThinking(request: ChatRequest, wished: JsonObject, dropped: string[]): JsonObject {
  const { thinking: _, ...rest } = wished;
  dropped.push(isObject(request.thinking) ? 'thinking' : 'reasoning_effort');
  return rest;
}

/** The thinking budget is part of `max_tokens`, which must be larger. */
function makeRoom(body: JsonObject): void {
  const budget = objectOf(body.thinking).budget_tokens;
  if (typeof budget === 'number' && typeof body.max_tokens === 'number' && body.max_tokens <= budget) {
    body.max_tokens = budget + Math.max(MIN_ANSWER, body.max_tokens);
  }
}

interface Structure {
  readonly fields: JsonObject;
  readonly tools: JsonObject[];
  readonly system: JsonObject[];
  readonly tool: string | undefined;
}

/** `response_format`: the model's own if that can express it, otherwise a forced tool call, or an instruction. */
function structure(
  { response_format: format }: ChatRequest,
  abilities: AnthropicModel,
  budget: SchemaBudget,
): Structure {
  const none: Structure = { fields: {}, tools: [], system: [], tool: undefined };
  if (format?.type === 'json_object') {
    return {
      ...none,
      system: [{ type: 'text', text: 'Answer with one valid JSON object and nothing else.' }],
    };
  }
  if (format?.type !== 'json_schema') return none;
  const { schema, name } = format.json_schema ?? {};
  const closed = abilities.jsonSchema ? budget.grant(closedSchema(schema), 'answer') : undefined;
  if (closed)
    return { ...none, fields: { output_config: { format: { type: 'json_schema', schema: closed } } } };
  // The arguments of a tool are an object.
  if (!hasObjectRoot(schema)) return { ...none, system: [{ type: 'text', text: schemaWords(schema) }] };
  const tool = name ?? 'answer';
  const description = 'Gives the answer. Call it exactly once.';
  return { ...none, tool, tools: [{ name: tool, description, input_schema: rootSchema(schema) }] };
}

/** Anthropic's standard tier corresponds to OpenAI's default one. */
function tier({ service_tier: name }: ChatRequest): JsonObject {
  if (name === 'auto') return { service_tier: 'auto' };
  return name === 'default' ? { service_tier: 'standard_only' } : {};
}

function user({ user: id, safety_identifier, metadata }: ChatRequest): JsonObject {
  const userId = safety_identifier ?? id ?? objectOf(metadata).user_id;
  return typeof userId === 'string' ? { metadata: { user_id: userId } } : {};
}
