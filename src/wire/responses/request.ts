import type { ChatRequest } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { EncodeContext } from '../protocol.ts';
import { isObject, listOf, objectOf } from '../json.ts';
import { encodeItems } from './items.ts';
import type { HostedTool } from '../parts/hosted-tools.ts';
import { hostedTools, knownOptions, wordFor } from '../parts/hosted-tools.ts';
import { OPENAI_ONLY, TUNING, requireMessages, given, moreThanOne } from '../requirements.ts';
import { SHARED_FIELDS as SAME_BUT_STREAM } from './shared-fields.ts';
import { rootSchema } from '../parts/root-schema.ts';

/** Fields that both APIs have under the same name. */
const SAME = [...SAME_BUT_STREAM, 'stream'] as const;

/** Fields of a chat request without a counterpart. */
const UNSUPPORTED = [
  'stop',
  ...TUNING.filter((name) => name !== 'logprobs' && name !== 'top_logprobs'),
  ...OPENAI_ONLY,
  'top_k',
] as const;

/** The smallest `max_output_tokens`. */
const MIN_OUTPUT = 16;

/** Reasoning models, whose reasoning must be sent back. */
const REASONING = /^o\d|^gpt-[5-9](?!.*-chat)|codex/;

/**
 * Encodes OpenAI chat as OpenAI Responses, without storage at OpenAI.
 * @throws ProxyError `invalid_request`, or `unsupported` for what cannot be expressed
 * @see https://platform.openai.com/docs/api-reference/responses/create
 */
export function encodeResponsesRequest(
  request: ChatRequest,
  { model, quirks, memory }: Pick<EncodeContext, 'model' | 'quirks' | 'memory'>,
): { body: JsonObject; dropped: string[] } {
  requireMessages(request);
  const same = SAME.filter((name) => request[name] !== undefined && request[name] !== null);
  const refused = same.filter((name) => quirks.drops?.includes(name));
  const dropped: string[] = [
    ...given(request, UNSUPPORTED),
    ...moreThanOne(request),
    ...given(request, refused),
  ];
  const { instructions, input } = encodeItems(request.messages, memory);
  const hosted = hostedTools(request).flatMap((tool) => encodeHostedTool(tool, dropped));
  const tools = [...encodeTools(request, dropped), ...hosted];
  const limit = request.max_completion_tokens ?? request.max_tokens;
  const effort = request.reasoning_effort;
  // Reasoning models reject requests for log probabilities.
  const silent = quirks.drops?.includes('logprobs') ?? false;
  if (silent) dropped.push(...given(request, ['logprobs', 'top_logprobs']));
  const requestsLogprobs = request.logprobs === true && !silent;
  const include = [
    ...(REASONING.test(model) ? ['reasoning.encrypted_content'] : []),
    ...(requestsLogprobs ? ['message.output_text.logprobs'] : []),
  ];
  const body: JsonObject = {
    model,
    input,
    ...(instructions === undefined ? {} : { instructions }),
    ...Object.fromEntries(
      same.filter((name) => !refused.includes(name)).map((name) => [name, request[name]]),
    ),
    ...(typeof limit === 'number' ? { max_output_tokens: Math.max(MIN_OUTPUT, limit) } : {}),
    ...(effort ? { reasoning: { effort, ...(effort === 'none' ? {} : { summary: 'auto' }) } } : {}),
    ...textOptions(request),
    ...(tools.length > 0 ? { tools, ...toolChoice(request, dropped) } : {}),
    ...(requestsLogprobs && typeof request.top_logprobs === 'number'
      ? { top_logprobs: request.top_logprobs }
      : {}),
    ...(include.length > 0 ? { include } : {}),
    store: request.store ?? false,
  };
  return { body, dropped };
}

function encodeTools(request: ChatRequest, dropped: string[]): JsonObject[] {
  return listOf(request.tools).flatMap((tool, index) => {
    const { type, function: fn } = objectOf(tool);
    if (type !== 'function' || !isObject(fn)) {
      dropped.push(`tools[${index}]`);
      return [];
    }
    return {
      type: 'function',
      name: fn.name,
      ...(fn.description === undefined ? {} : { description: fn.description }),
      parameters: rootSchema(fn.parameters),
      // Strict is the default there, and ordinary schemas do not satisfy it.
      strict: fn.strict ?? false,
    };
  });
}

/** A tool that OpenAI runs; a tool that it does not have is left out and named. */
function encodeHostedTool(tool: HostedTool, dropped: string[]): JsonObject[] {
  if (tool.native?.protocol === 'responses') return [tool.native.value];
  if (tool.name === 'code_execution') return [{ type: 'code_interpreter', container: { type: 'auto' } }];
  if (tool.name !== 'web_search') {
    dropped.push(wordFor(tool));
    return [];
  }
  const known = ['allowed_domains', 'user_location', 'search_context_size'] as const;
  const { allowed_domains: domains, ...options } = knownOptions(tool, known, dropped);
  return [{ type: 'web_search', ...options, ...(domains ? { filters: { allowed_domains: domains } } : {}) }];
}

function toolChoice({ tool_choice: choice }: ChatRequest, dropped: string[]): JsonObject {
  if (choice === undefined || choice === null) return {};
  if (!isObject(choice)) return { tool_choice: choice };
  const { type, allowed_tools } = choice as JsonObject;
  if (type === 'allowed_tools') {
    const { mode, tools: allowed } = objectOf(allowed_tools);
    const flat = listOf(allowed).map((tool) => ({ type: 'function', name: nameIn(objectOf(tool)) }));
    return { tool_choice: { type, mode: mode ?? 'auto', tools: flat } };
  }
  const name = nameIn(choice as JsonObject);
  if (name !== undefined) return { tool_choice: { type: 'function', name } };
  // A tool of another kind, which was left out.
  dropped.push('tool_choice');
  return {};
}

function nameIn(choice: JsonObject): unknown {
  return objectOf(choice.function).name;
}

function textOptions({ response_format: format, verbosity }: ChatRequest): JsonObject {
  const text: JsonObject = {};
  if (format?.type === 'json_schema') {
    const { strict, ...schema } = objectOf(format.json_schema);
    text.format = { type: 'json_schema', name: 'answer', ...schema, strict: strict ?? false };
  } else if (format) text.format = { type: format.type };
  if (typeof verbosity === 'string') text.verbosity = verbosity;
  return Object.keys(text).length > 0 ? { text } : {};
}
