import type { ChatRequest } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { ReplayMemory } from '../protocol.ts';
import type { ToolBox } from './tools.ts';
import { ProxyError } from '../../errors.ts';
import { listOf, objectOf, stringOf } from '../json.ts';
import { decodeItems } from './client-items.ts';
import { SHARED_FIELDS } from './shared-fields.ts';
import { decodeChoice, decodeTools } from './tools.ts';
import { unknownFields } from './unknown-fields.ts';

/** Fields that refer to earlier responses. Where responses are stored, these were already resolved. */
const STATEFUL: Readonly<Record<string, string>> = {
  previous_response_id: 'responses are not stored here: send the whole conversation as input',
  conversation: 'conversations are not stored here: send the whole conversation as input',
  background: 'responses are not stored here: request a stream instead',
};

/** Fields that chat does not have, unless they have their default value. */
const UNSUPPORTED: Readonly<Record<string, unknown>> = {
  context_management: undefined,
  max_tool_calls: undefined,
  moderation: undefined,
  truncation: 'disabled',
};

/** The value that requests log probabilities. */
const LOGPROBS = 'message.output_text.logprobs';

/**
 * Decodes a Responses request to a chat request.
 * @throws ProxyError `invalid_request` naming the invalid field
 */
export function decodeResponsesRequest(
  body: JsonObject,
  memory: ReplayMemory,
  stores = false,
): {
  request: ChatRequest;
  dropped: string[];
  origins: ToolBox['origins'];
} {
  refuseStateful(body, stores);
  const box = decodeTools(toolsOf(body));
  const { messages, dropped } = decodeItems(body.input, box, memory);
  const instructions = stringOf(body.instructions);
  if (instructions) messages.unshift({ role: 'system', content: instructions });
  const isGiven = (name: string) => body[name] !== undefined && body[name] !== null;
  const given = SHARED_FIELDS.filter(isGiven);
  dropped.push(
    ...Object.keys(UNSUPPORTED).filter((name) => isGiven(name) && body[name] !== UNSUPPORTED[name]),
    ...unknownFields(body),
  );
  const stream = body.stream === true;
  const limit = body.max_output_tokens;
  const effort = stringOf(objectOf(body.reasoning).effort);
  const request: ChatRequest = {
    model: stringOf(body.model) ?? '',
    messages,
    ...Object.fromEntries(given.map((name) => [name, body[name]])),
    ...(typeof limit === 'number' ? { max_completion_tokens: limit } : {}),
    ...(effort === undefined ? {} : { reasoning_effort: effort }),
    ...decodeChoice(body.tool_choice, box, dropped),
    ...(box.hosted.length > 0 ? { hosted_tools: box.hosted } : {}),
    ...textOptions(objectOf(body.text)),
    ...probabilities(body),
    ...(stream ? { stream, stream_options: { include_usage: true } } : {}),
  };
  return { request, dropped: [...box.dropped, ...dropped], origins: box.origins };
}

/** Items that add tools to a conversation: the client's own, and those that a tool search found. */
const BRINGS_TOOLS: ReadonlySet<unknown> = new Set(['additional_tools', 'tool_search_output']);

/** The tools, including those added during the conversation, as if all had been declared at the start. */
function toolsOf({ tools, input }: JsonObject): unknown[] {
  const given = listOf(tools);
  const brought = listOf(input).flatMap((item) => {
    const { type, tools: added } = objectOf(item);
    return BRINGS_TOOLS.has(type) ? listOf(added) : [];
  });
  const known = new Set(given.flatMap(toolKeys));
  const others = brought.flatMap((tool) => withoutKnown(objectOf(tool), known));
  return others.length > 0 ? [...given, ...others] : given;
}

/** A tool by its namespace and name, or all tools of a namespace; none if they have no names. */
function toolKeys(tool: unknown): string[] {
  const { type, name, tools } = objectOf(tool);
  if (typeof name !== 'string') return [];
  return type === 'namespace' ? listOf(tools).map((inner) => keyOf(inner, name)) : [keyOf(tool)];
}

function keyOf(tool: unknown, namespace = ''): string {
  return JSON.stringify([namespace, objectOf(tool).name]);
}

/** Tools that were found, or added again, may already be declared. @param known the keys of those, which it extends */
function withoutKnown(tool: JsonObject, known: Set<string>): JsonObject[] {
  const isNew = (key: string) => !known.has(key) && known.add(key);
  if (tool.type !== 'namespace') return toolKeys(tool).every(isNew) ? [tool] : [];
  const inner = listOf(tool.tools).filter((each) => isNew(keyOf(each, stringOf(tool.name))));
  return inner.length > 0 ? [{ ...tool, tools: inner }] : [];
}

/** @param stores whether responses are stored: references that remain were not found then */
function refuseStateful(body: JsonObject, stores: boolean): void {
  const previous = body.previous_response_id;
  if (stores && typeof previous === 'string') throw previousNotFound(previous);
  if (stores && body.conversation) throw conversationNotFound(body.conversation);
  for (const [param, why] of Object.entries(STATEFUL)) {
    if (!body[param]) continue;
    throw new ProxyError('stateless', `Unsupported parameter: '${param}': ${why}`, { param });
  }
  if (body.prompt) {
    const state = 'stored prompts are not known here: send instructions and input';
    throw new ProxyError('stateless', `Unsupported parameter: 'prompt': ${state}`, { param: 'prompt' });
  }
}

/** In OpenAI's wording, which clients recognise. */
export function previousNotFound(id: string): ProxyError {
  const message = `Previous response with id '${id.slice(0, MAX_ID)}' not found.`;
  return new ProxyError('previous_not_found', message, { param: 'previous_response_id' });
}

export function conversationNotFound(conversation: unknown): ProxyError {
  const id = stringOf(conversation) ?? stringOf(objectOf(conversation).id) ?? '';
  return new ProxyError('not_stored', `Conversation with id '${id.slice(0, MAX_ID)}' not found.`, {
    param: 'conversation',
  });
}

/** The longest id that is quoted, characters. */
const MAX_ID = 100;

function probabilities({ include, top_logprobs: count }: JsonObject): Partial<ChatRequest> {
  if (!listOf(include).includes(LOGPROBS)) return {};
  return { logprobs: true, ...(typeof count === 'number' && count > 0 ? { top_logprobs: count } : {}) };
}

function textOptions({ format, verbosity }: JsonObject): Partial<ChatRequest> {
  const { type, ...schema } = objectOf(format);
  return {
    ...(type === 'json_schema' ? { response_format: { type, json_schema: schema } } : {}),
    ...(type === 'json_object' ? { response_format: { type } } : {}),
    ...(typeof verbosity === 'string' ? { verbosity } : {}),
  };
}
