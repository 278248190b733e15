import type { ChatResponse, ToolCall } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { ToolBox, ToolOrigin } from './tools.ts';
import type { OpenaiUsage } from '../usage.ts';
import { isImproper } from '../endings.ts';
import {
  echoedChoice,
  echoedMetadata,
  echoedReasoning,
  echoedText,
  echoedTier,
  echoedTools,
  echoedTruncation,
} from './echo.ts';
import type { LostKind } from '../parts/lost.ts';
import type { HostedCallPart, HostedResultPart, Part, TextPart, ThinkingPart } from '../parts/part.ts';
import { areBroken, entryOf, numberOf, stringOf } from '../json.ts';
import { Lost } from '../parts/lost.ts';
import { partsOf } from '../parts/message.ts';
import { encodeHosted, encodeImage, FOREIGN_ITEM } from './hosted.ts';
import { encodeCitations } from './citations.ts';
import { encodeProbabilities } from './probabilities.ts';
import { ownId, seal } from './sealed.ts';
import type { StorageState } from './storage-state.ts';
import { storageFields } from './storage-state.ts';
import { ownCallItem, ownPrefix } from './own-tools.ts';
import { freeText } from '../parts/free-text.ts';

/** The fields of a response that are known before it begins. */
export interface Envelope {
  readonly request: JsonObject;
  readonly origins: ToolBox['origins'];
  /** Seconds since the epoch. */
  readonly created: number;
  readonly newId: () => string;
  /** Separate, since reasoning may have an id of its own, which arrives too late in a stream. */
  readonly newThoughtId: () => string;
  readonly storage: StorageState;
  /** Stores an item of the answer, for clients that refer to it. */
  readonly remember: (item: JsonObject) => void;
}

/**
 * A response object with every field that clients expect. Fields of the request are echoed if they have the right type:
 * other values were ignored.
 * @see https://platform.openai.com/docs/api-reference/responses/object
 */
export function responseObject(
  { request, created, storage }: Envelope,
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
    ...storageFields(storage),
    error: null,
    frequency_penalty: numberOf(request.frequency_penalty) ?? 0,
    incomplete_details: reason ? { reason } : null,
    instructions: stringOf(request.instructions) ?? null,
    max_output_tokens: numberOf(request.max_output_tokens) ?? null,
    max_tool_calls: numberOf(request.max_tool_calls) ?? null,
    model,
    output,
    parallel_tool_calls: request.parallel_tool_calls !== false,
    presence_penalty: numberOf(request.presence_penalty) ?? 0,
    prompt_cache_key: stringOf(request.prompt_cache_key) ?? null,
    reasoning: echoedReasoning(request.reasoning),
    safety_identifier: stringOf(request.safety_identifier) ?? null,
    service_tier: echoedTier(request.service_tier),
    temperature: numberOf(request.temperature) ?? 1,
    text: echoedText(request.text),
    tool_choice: echoedChoice(request.tool_choice),
    tools: echoedTools(request.tools),
    top_logprobs: numberOf(request.top_logprobs) ?? 0,
    top_p: numberOf(request.top_p) ?? 1,
    truncation: echoedTruncation(request.truncation),
    usage: done ? encodeUsage(answer.usage) : null,
    ...(typeof request.user === 'string' ? { user: request.user } : {}),
    metadata: echoedMetadata(request.metadata),
  };
}

const INCOMPLETE: Readonly<Record<string, string>> = {
  length: 'max_output_tokens',
  content_filter: 'content_filter',
};

/** Encodes a canonical answer as a whole response. */
export function encodeResponse(answer: ChatResponse, envelope: Envelope, lost = new Lost()): JsonObject {
  const choice = answer.choices[0];
  lost.add('choice', answer.choices.length - 1);
  const id = responseId(answer.id, envelope);
  const output = choice ? outputOf(choice, envelope, lost) : [];
  for (const item of output) envelope.remember(item);
  return responseObject(envelope, {
    id,
    model: stringOf(answer.model) ?? '',
    output,
    finish: choice?.finish_reason ?? 'stop',
    ...(answer.usage ? { usage: answer.usage } : {}),
  });
}

/** The predetermined id, or the provider's own if it has the form of a response id. */
export function responseId(id: unknown, { newId, storage }: Pick<Envelope, 'newId' | 'storage'>): string {
  if (storage.id !== undefined) return storage.id;
  return stringOf(id)?.startsWith('resp_') ? String(id) : `resp_${newId()}`;
}

/** The context for building the items of an answer. */
interface Output {
  readonly envelope: Envelope;
  readonly lost: Lost;
  readonly items: JsonObject[];
  /** The parts of the current message. */
  content: JsonObject[] | undefined;
  /** The number of characters so far. */
  length: number;
  /** The log probabilities of the whole text; they are attached to the first part. */
  logprobs: JsonObject[];
}

/**
 * The items of an answer, in order. Consecutive texts and refusals form one message; a tool that the provider ran is
 * one item together with its result.
 */
function outputOf(
  { message, logprobs }: ChatResponse['choices'][number],
  envelope: Envelope,
  lost: Lost,
): JsonObject[] {
  const output: Output = {
    envelope,
    lost,
    items: [],
    content: undefined,
    length: 0,
    logprobs: encodeProbabilities(logprobs),
  };
  const parts = partsOf(message);
  const ran = new Set(parts.flatMap((part) => (part.type === 'hosted_call' ? [part.id] : [])));
  for (const [place, part] of parts.entries()) {
    // A tool called in an earlier answer has no item to add its result to.
    if (part.type === 'hosted_result' && !ran.has(part.id)) lost.add('hosted_tool');
    addPart(output, part, parts.slice(place + 1, place + 3));
  }
  if (output.items.every(({ type }) => type === 'reasoning')) {
    output.items.push(messageItem(`msg_${envelope.newId()}`, [], 'completed'));
  }
  return output.items;
}

/** @param next the following parts, which include the result of a tool */
function addPart(output: Output, part: Part, next: readonly Part[]): void {
  const { newId, origins } = output.envelope;
  switch (part.type) {
    case 'text':
      return addText(output, part);
    case 'refusal':
      return say(output, { type: 'refusal', refusal: part.text });
    case 'thinking':
      return addItem(output, thinkingItem(part, output.envelope.newThoughtId), 'reasoning_seal');
    case 'call':
      return addItem(output, callItem(part.call, origins, newId), 'hosted_tool');
    case 'hosted_call':
      return addItem(output, encodeHosted(part, resultOf(part, next), newId), 'hosted_tool');
    case 'image':
      return addItem(output, encodeImage(part.url, part.prompt, newId), 'image');
    case 'audio':
      output.lost.add('audio');
      if (part.transcript !== '') say(output, textPart(part.transcript, [], []));
      return;
    case 'file':
      return output.lost.add('file');
    case 'hosted_result':
  }
}

function addText(output: Output, { text, annotations = [] }: TextPart): void {
  const { length, lost, logprobs } = output;
  if (text === '') return lost.add('citation', annotations.length);
  say(output, textPart(text, encodeCitations(annotations, length, lost), logprobs));
  output.length += text.length;
  output.logprobs = [];
}

/** Adds a part to the current message, or begins one. */
function say(output: Output, part: JsonObject): void {
  if (output.content) return void output.content.push(part);
  output.content = [part];
  output.items.push(messageItem(`msg_${output.envelope.newId()}`, output.content, 'completed'));
}

/** @param kind of what is lost if there is no item for it */
function addItem(output: Output, item: JsonObject | undefined, kind: LostKind): void {
  output.content = undefined;
  if (item) output.items.push(item);
  else output.lost.add(kind);
}

/** The result of a hosted tool. @param among the parts after its call */
export function resultOf({ id }: HostedCallPart, among: readonly Part[]): HostedResultPart | undefined {
  return among.find((part) => part.type === 'hosted_result' && part.id === id) as
    HostedResultPart | undefined;
}

function thinkingItem({ text, seal: block }: ThinkingPart, newId: () => string): JsonObject {
  const summary = text === '' ? [] : [{ type: 'summary_text', text }];
  return reasoningItem(ownId(block) ?? reasoningId(newId), summary, block);
}

/** An id that is not OpenAI's, which would not find it. */
export function reasoningId(newId: () => string): string {
  return `rs_${FOREIGN_ITEM}${newId()}`;
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

/** The prefix of a call's id. */
export function prefixOf({ kind, name }: ToolOrigin): string {
  if (kind === 'own') return ownPrefix(name);
  return kind === 'custom' ? 'ctc' : 'fc';
}

export function callObject(
  { kind, name, namespace, encrypts }: ToolOrigin,
  id: string,
  callId: string,
  text: string,
  status: string,
): JsonObject {
  const group = namespace === undefined ? {} : { namespace };
  if (kind === 'own') return ownCallItem(name, { id, status, call_id: callId }, text);
  if (kind === 'custom') {
    return {
      id,
      type: 'custom_tool_call',
      status,
      call_id: callId,
      name,
      ...group,
      input: freeText(text),
    };
  }
  // Codex takes arguments for encrypted unless this says which ones are.
  const plain = encrypts ? { encrypted_function_args: [] } : {};
  return { id, type: 'function_call', status, call_id: callId, name, ...group, arguments: text, ...plain };
}

/** Clients read these fields unconditionally: unknown values are 0. */
export function encodeUsage(usage: OpenaiUsage | undefined): JsonObject {
  return {
    input_tokens: usage?.prompt_tokens ?? 0,
    input_tokens_details: usage?.prompt_tokens_details ?? { cached_tokens: 0, cache_write_tokens: 0 },
    output_tokens: usage?.completion_tokens ?? 0,
    output_tokens_details: usage?.completion_tokens_details ?? { reasoning_tokens: 0 },
    total_tokens: usage?.total_tokens ?? 0,
  };
}
