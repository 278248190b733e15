import type { ChatResponse, ToolCall } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { ToolBox, ToolOrigin } from './tools.ts';
import type { OpenaiUsage } from '../usage.ts';
import { isImproper } from '../endings.ts';
import {
  toldChoice,
  toldMetadata,
  toldReasoning,
  toldText,
  toldTier,
  toldTools,
  toldTruncation,
} from './echo.ts';
import { areBroken, entryOf, isObject, listOf, numberOf, stringOf } from '../json.ts';
import { encodeCitations } from './citations.ts';
import { encodeProbabilities } from './probabilities.ts';
import { seal } from './sealed.ts';
import { customInput } from './tools.ts';

/** What is known of a response before it begins. */
export interface Envelope {
  readonly request: JsonObject;
  readonly origins: ToolBox['origins'];
  /** Seconds since the epoch. */
  readonly created: number;
  readonly newId: () => string;
  /** Keeps an item of the answer, for clients that refer to it. */
  readonly remember: (item: JsonObject) => void;
}

/**
 * A response object with every field that clients look for. What they asked for is told again, where it is of the
 * type that the field has: what is not was never taken.
 * @see https://platform.openai.com/docs/api-reference/responses/object
 */
export function responseObject(
  { request, created }: Envelope,
  answer: {
    id: string;
    model: string;
    output: readonly JsonObject[];
    finish: string | null;
    usage?: OpenaiUsage;
  },
): JsonObject {
  const { id, model, output, finish } = answer;
  const done = finish !== null;
  const reason = isImproper(finish) ? finish : entryOf(INCOMPLETE, finish);
  return {
    id,
    object: 'response',
    created_at: created,
    completed_at: done && !reason ? created : null,
    status: reason ? 'incomplete' : done ? 'completed' : 'in_progress',
    background: false,
    error: null,
    incomplete_details: reason ? { reason } : null,
    instructions: stringOf(request.instructions) ?? null,
    max_output_tokens: numberOf(request.max_output_tokens) ?? null,
    max_tool_calls: numberOf(request.max_tool_calls) ?? null,
    model,
    output,
    parallel_tool_calls: request.parallel_tool_calls !== false,
    previous_response_id: null,
    prompt_cache_key: stringOf(request.prompt_cache_key) ?? null,
    reasoning: toldReasoning(request.reasoning),
    safety_identifier: stringOf(request.safety_identifier) ?? null,
    service_tier: toldTier(request.service_tier),
    store: false,
    temperature: numberOf(request.temperature) ?? 1,
    text: toldText(request.text),
    tool_choice: toldChoice(request.tool_choice),
    tools: toldTools(request.tools),
    top_logprobs: numberOf(request.top_logprobs) ?? 0,
    top_p: numberOf(request.top_p) ?? 1,
    truncation: toldTruncation(request.truncation),
    ...(done ? { usage: encodeUsage(answer.usage) } : {}),
    ...(typeof request.user === 'string' ? { user: request.user } : {}),
    metadata: toldMetadata(request.metadata),
  };
}

const INCOMPLETE: Readonly<Record<string, string>> = {
  length: 'max_output_tokens',
  content_filter: 'content_filter',
};

/** A canonical answer as a whole response. */
export function encodeResponse(answer: ChatResponse, envelope: Envelope): JsonObject {
  const choice = answer.choices[0];
  const id = responseId(answer.id, envelope.newId);
  const output = choice ? outputOf(choice, envelope) : [];
  for (const item of output) envelope.remember(item);
  return responseObject(envelope, {
    id,
    model: stringOf(answer.model) ?? '',
    output,
    finish: choice?.finish_reason ?? 'stop',
    ...(answer.usage ? { usage: answer.usage } : {}),
  });
}

/** The provider's own id where it is one of a response. */
export function responseId(id: unknown, newId: () => string): string {
  return stringOf(id)?.startsWith('resp_') ? String(id) : `resp_${newId()}`;
}

function outputOf({ message, logprobs }: ChatResponse['choices'][number], envelope: Envelope): JsonObject[] {
  const { newId, origins } = envelope;
  const blocks = listOf(message.thinking_blocks).filter(isObject);
  const text = typeof message.content === 'string' ? message.content : '';
  const content = [
    ...(text === ''
      ? []
      : [textPart(text, encodeCitations(message.annotations), encodeProbabilities(logprobs))]),
    ...(message.refusal ? [{ type: 'refusal', refusal: message.refusal }] : []),
  ];
  const items: JsonObject[] = [];
  if (message.reasoning_content || blocks.length > 0) {
    items.push(...reasoningItems(message.reasoning_content ?? '', blocks, newId));
  }
  if (content.length > 0 || (message.tool_calls ?? []).length === 0) {
    items.push(messageItem(`msg_${newId()}`, content, 'completed'));
  }
  for (const call of message.tool_calls ?? []) items.push(callItem(call, origins, newId));
  return items;
}

/** One item a block that must be given back; the first has the text of them all. */
export function reasoningItems(
  text: string,
  blocks: readonly JsonObject[],
  newId: () => string,
): JsonObject[] {
  const summary = text === '' ? [] : [{ type: 'summary_text', text }];
  const [first, ...others] = blocks;
  return [
    reasoningItem(`rs_${newId()}`, summary, first),
    ...others.map((block) => reasoningItem(`rs_${newId()}`, [], block)),
  ];
}

export function reasoningItem(id: string, summary: readonly JsonObject[], block?: JsonObject): JsonObject {
  const encrypted = block ? { encrypted_content: seal(block) } : {};
  return { id, type: 'reasoning', summary, ...encrypted };
}

export function messageItem(id: string, content: readonly JsonObject[], status: string): JsonObject {
  return { id, type: 'message', status, role: 'assistant', content };
}

export function textPart(
  text: string,
  annotations: readonly JsonObject[],
  logprobs: readonly JsonObject[],
): JsonObject {
  return { type: 'output_text', text, annotations, logprobs };
}

function callItem(call: ToolCall, origins: ToolBox['origins'], newId: () => string): JsonObject {
  const { name, arguments: text } = call.function;
  const origin = origins.get(name) ?? { kind: 'function', name };
  const status = areBroken(text) ? 'incomplete' : 'completed';
  return callObject(origin, `${prefixOf(origin)}_${newId()}`, call.id, text || '{}', status);
}

/** The beginning of a call's id. */
export function prefixOf({ kind }: ToolOrigin): string {
  return kind === 'custom' ? 'ctc' : 'fc';
}

export function callObject(
  { kind, name, namespace }: ToolOrigin,
  id: string,
  callId: string,
  text: string,
  status: string,
): JsonObject {
  const group = namespace === undefined ? {} : { namespace };
  if (kind === 'custom') {
    return {
      id,
      type: 'custom_tool_call',
      status,
      call_id: callId,
      name,
      ...group,
      input: customInput(text),
    };
  }
  return { id, type: 'function_call', status, call_id: callId, name, ...group, arguments: text };
}

/** Clients read it without looking whether it is there: what is not known is 0. */
function encodeUsage(usage: OpenaiUsage | undefined): JsonObject {
  return {
    input_tokens: usage?.prompt_tokens ?? 0,
    input_tokens_details: usage?.prompt_tokens_details ?? { cached_tokens: 0, cache_write_tokens: 0 },
    output_tokens: usage?.completion_tokens ?? 0,
    output_tokens_details: usage?.completion_tokens_details ?? { reasoning_tokens: 0 },
    total_tokens: usage?.total_tokens ?? 0,
  };
}
