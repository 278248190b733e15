/**
 * What a client sends back of earlier answers in a relayed request: anything that the provider did not issue is
 * removed, since it would be rejected with 400. Everything else is unchanged.
 */
import type { Endpoint } from '../endpoints.ts';
import type { JsonObject } from '../json.ts';
import type { Issued } from '../parts/issued.ts';
import { FOREIGN_CALL } from '../anthropic/hosted.ts';
import { SIGNATURES, withSignedCalls } from './signed-contents.ts';
import { mayThink } from '../anthropic/thinking-turns.ts';
import { isObject, objectOf, stringOf } from '../json.ts';
import { NO_SIGNATURE, signatureIn, valuesOf } from '../parts/issued.ts';
import { geminiModel } from '../gemini/models.ts';
import { summaryOf, summaryText } from '../responses/compaction.ts';
import { FOREIGN_ITEM } from '../responses/hosted.ts';

export interface OwnHistory {
  /** The request as the provider accepts it; `undefined` when no change is needed. */
  readonly request: JsonObject | undefined;
  readonly dropped: readonly string[];
  /** Whether signed or encrypted parts remain. */
  readonly sealed: boolean;
}

type Kept = (value: JsonObject) => JsonObject | undefined;

/** The facts about the target. */
export interface TargetFacts {
  /** The fields of chat messages that the provider supports: `extra_content`, `annotations`. */
  readonly keeps: readonly string[];
  readonly model: string;
  /**
   * Whether the history was assembled from responses stored here: providers other than the issuer have not stored it.
   */
  readonly expanded: boolean;
  /** Whether it rejects calls without signatures; otherwise its name shows it. */
  readonly signsCalls?: true | undefined;
}

export function ownHistory(
  endpoint: Endpoint,
  request: JsonObject,
  issued: Issued,
  { keeps, model, expanded, signsCalls }: TargetFacts,
): OwnHistory {
  let sealed = false;
  const owns = (seal: JsonObject): boolean => {
    const own = issued.owns(seal);
    sealed ||= own;
    return own;
  };
  const name = LISTS[endpoint] ?? 'messages';
  const given = request[name];
  if (!Array.isArray(given)) return { request: undefined, dropped: [], sealed };
  const kept =
    endpoint === 'messages'
      ? eachKept(given, (turn) => messagesTurn(turn, owns))
      : name === 'input'
        ? responsesItems(given, owns, expanded)
        : endpoint === 'gemini'
          ? geminiContents(given, owns, signsCalls ?? geminiModel(model).signsCalls)
          : eachKept(given, (message) => chatMessage(message, owns, keeps));
  const changed = kept === given ? undefined : { ...request, [name]: kept };
  if (endpoint !== 'messages' || mayThink(request.thinking, kept)) {
    return { request: changed, dropped: [], sealed };
  }
  const { thinking: _, ...unthinking } = changed ?? request;
  return { request: unthinking, dropped: ['thinking'], sealed };
}

/** Where a conversation is in a request. */
const LISTS: Readonly<Partial<Record<Endpoint, string>>> = {
  responses: 'input',
  'responses.compact': 'input',
  gemini: 'contents',
};

/** The list with its objects as filtered; the same list if nothing changes. */
function eachKept(list: readonly unknown[], keep: Kept): readonly unknown[] {
  const kept = list.map((value) => (isObject(value) ? keep(value) : value));
  return kept.every((value, at) => value === list[at]) ? list : kept.filter((value) => value !== undefined);
}

function messagesTurn(turn: JsonObject, owns: (seal: JsonObject) => boolean): JsonObject | undefined {
  const { role, content } = turn;
  if (role !== 'assistant' || !Array.isArray(content)) return turn;
  const kept = eachKept(content, (block) => messagesBlock(block, owns));
  if (kept === content) return turn;
  return kept.length > 0 ? { ...turn, content: kept } : undefined;
}

function messagesBlock(block: JsonObject, owns: (seal: JsonObject) => boolean): JsonObject | undefined {
  switch (block.type) {
    case 'thinking':
      return stringOf(block.signature) && owns(block) ? block : undefined;
    case 'redacted_thinking':
      return owns(block) ? block : undefined;
    case 'server_tool_use':
      return stringOf(block.id)?.startsWith(FOREIGN_CALL) ? undefined : block;
    case 'web_search_tool_result':
    case 'code_execution_tool_result':
      return stringOf(block.tool_use_id)?.startsWith(FOREIGN_CALL) ? undefined : block;
    case 'text':
      return withOwnCitations(block);
    default:
      return block;
  }
}

/** Search results from other providers have no encrypted index. */
function withOwnCitations(block: JsonObject): JsonObject {
  const { citations, ...rest } = block;
  if (!Array.isArray(citations)) return block;
  const own = citations.filter((citation) => objectOf(citation).encrypted_index !== '');
  if (own.length === citations.length) return block;
  return own.length > 0 ? { ...block, citations: own } : rest;
}

/**
 * If reasoning is removed, the following items of its turn lose their ids: OpenAI would miss the reasoning that belongs
 * to them.
 */
function responsesItems(
  items: readonly unknown[],
  owns: (seal: JsonObject) => boolean,
  expanded: boolean,
): readonly unknown[] {
  let bare = false;
  return eachKept(items, (item) => {
    if (item.type === 'reasoning') {
      const own = isOwnReasoning(item, owns, expanded);
      bare ||= !own;
      return own ? item : undefined;
    }
    const summary = summaryOf(item);
    if (summary !== undefined) return userSays(summaryText(summary));
    if (stringOf(item.id)?.includes(`_${FOREIGN_ITEM}`)) return undefined;
    const byModel = item.role === 'assistant' || stringOf(item.type)?.endsWith('_call');
    if (!byModel) bare = false;
    if (!byModel || !bare || item.id === undefined) return item;
    const { id: _, ...rest } = item;
    return rest;
  });
}

function userSays(text: string): JsonObject {
  return { type: 'message', role: 'user', content: [{ type: 'input_text', text }] };
}

/** Reasoning without content is identified by its id, for the provider that has stored it. */
function isOwnReasoning(item: JsonObject, owns: (seal: JsonObject) => boolean, expanded: boolean): boolean {
  if (stringOf(item.id)?.startsWith(`rs_${FOREIGN_ITEM}`)) return false;
  return valuesOf(item).length === 0 ? !expanded : owns(item);
}

/** @param demanded whether the model rejects calls without a signature: missing ones are replaced by a placeholder */
function geminiContents(
  contents: readonly unknown[],
  owns: (seal: JsonObject) => boolean,
  demanded: boolean,
): readonly unknown[] {
  const kept = eachKept(contents, (content) => geminiContent(content, owns, demanded));
  return demanded ? withSignedCalls(kept) : kept;
}

function geminiContent(
  content: JsonObject,
  owns: (seal: JsonObject) => boolean,
  demanded: boolean,
): JsonObject {
  const { parts } = content;
  if (!Array.isArray(parts)) return content;
  const kept = eachKept(parts, (part) => {
    const name = SIGNATURES.find((each) => typeof part[each] === 'string' && part[each] !== NO_SIGNATURE);
    if (name === undefined || owns({ type: 'thinking', signature: part[name] })) return part;
    const { [name]: _, ...plain } = part;
    const calls = (plain.functionCall ?? plain.function_call) !== undefined;
    if (calls && demanded) return { ...plain, [name]: NO_SIGNATURE };
    return isSilent(plain) ? undefined : plain;
  });
  return kept === parts ? content : { ...content, parts: kept };
}

/** A part that only carries a signature. */
function isSilent({ text, ...others }: JsonObject): boolean {
  return text === '' && Object.keys(others).every((name) => name === 'thought');
}

/** Fields that only this proxy adds to chat messages. */
const OURS = ['thinking_blocks'] as const;

function chatMessage(
  message: JsonObject,
  owns: (seal: JsonObject) => boolean,
  keeps: readonly string[],
): JsonObject {
  const keepsSignatures = keeps.includes('extra_content');
  if (message.role !== 'assistant') return message;
  let changed = message;
  const without = (name: string) => {
    const { [name]: _, ...rest } = changed;
    changed = rest;
  };
  for (const name of OURS) if (message[name] !== undefined) without(name);
  const { reasoning_details: details, tool_calls: calls } = message;
  if (Array.isArray(details) && !owns({ type: 'details', details })) without('reasoning_details');
  if (message.extra_content !== undefined && !keepsSignatures) without('extra_content');
  // An empty list is redundant, and strict servers reject the field.
  if (isEmpty(message.annotations) && !keeps.includes('annotations')) without('annotations');
  if (!Array.isArray(calls)) return changed;
  const kept = eachKept(calls, (call) => withOwnSignature(call, owns, keepsSignatures));
  return kept === calls ? changed : { ...changed, tool_calls: kept };
}

function isEmpty(list: unknown): boolean {
  return Array.isArray(list) && list.length === 0;
}

function withOwnSignature(
  call: JsonObject,
  owns: (seal: JsonObject) => boolean,
  keepsSignatures: boolean,
): JsonObject {
  const signature = signatureIn(call.extra_content);
  if (signature === undefined || (keepsSignatures && owns({ type: 'thinking', signature }))) return call;
  const { extra_content: _, ...plain } = call;
  return plain;
}
