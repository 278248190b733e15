import type { ChatMessage, ContentPart, ToolCall } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import { isObject, objectOf, stringOf } from '../json.ts';
import { jsonTextOf } from '../json-written.ts';
import { flagIn, nameAt, objectAt, objectsAt, textAt, wrong } from './client-check.ts';
import { cacheOf, decodePart } from './client-parts.ts';
import { isToolChange } from './client-tool-changes.ts';
import { messageOf, imagePart } from '../parts/message.ts';
import { PartList } from '../parts/part-list.ts';
import { decodeCitations } from './citations.ts';
import { readThinking } from './client-thinking.ts';
import { decodeHosted } from './hosted.ts';
import { wordOf } from '../words.ts';

/**
 * Decodes Anthropic's `system` and `messages` to OpenAI's messages.
 * @param dropped collects the types of blocks without a counterpart
 * @throws ProxyError `invalid_request` naming the invalid field
 */
export function decodeTurns(body: JsonObject, dropped: Set<string>): ChatMessage[] {
  const turns = body.messages;
  if (turns === undefined) throw wrong('messages', 'field required');
  const list = objectsAt(turns, 'messages', false);
  if (list.length === 0) throw wrong('messages', 'at least one message is required');
  const messages = systemMessages(body.system, 'system');
  list.forEach((turn, index) => {
    const at = `messages.${index}`;
    refuseEmpty(turn, at, index === list.length - 1);
    const { role, content } = turn;
    if (role === 'user') messages.push(...userMessages(content, `${at}.content`, dropped));
    else if (role === 'assistant') messages.push(...assistantMessage(content, `${at}.content`, dropped));
    else if (role === 'system') messages.push(...systemMessages(textsOf(content, dropped), `${at}.content`));
    else throw wrong(`${at}.role`, role === undefined ? 'field required' : 'expected "user" or "assistant"');
  });
  return messages;
}

/** Only the last message, which the model continues, may be empty. */
function refuseEmpty({ role, content }: JsonObject, at: string, last: boolean): void {
  if (content === undefined) throw wrong(`${at}.content`, 'field required');
  const empty = content === '' || (Array.isArray(content) && content.length === 0);
  if (empty && !(last && role === 'assistant')) {
    throw wrong(at, 'messages must have content, except for the last one when it is the assistant’s');
  }
}

function blocksOf(content: unknown, at: string): JsonObject[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : objectsAt(content, at, true);
}

/** System messages within a conversation may contain blocks other than text for newer models. */
function textsOf(content: unknown, dropped: Set<string>): unknown {
  if (!Array.isArray(content)) return content;
  return content.filter((block: unknown) => {
    const type = objectOf(block).type;
    const taken = type === undefined || type === 'text';
    if (!taken && !isToolChange(objectOf(block))) dropped.add(`content.${wordOf(type)}`);
    return taken;
  });
}

function systemMessages(system: unknown, at: string): ChatMessage[] {
  if (system === undefined || system === null) return [];
  const parts = blocksOf(system, at).flatMap((block, index) => {
    if (block.type !== 'text') throw wrong(`${at}.${index}.type`, 'expected "text"');
    return decodePart(block, `${at}.${index}`, new Set());
  });
  return parts.length > 0 ? [{ role: 'system', content: simplest(parts) }] : [];
}

/** Tool results come first, each as a message of its own, then the rest of the user's content. */
function userMessages(content: unknown, at: string, dropped: Set<string>): ChatMessage[] {
  const results: ChatMessage[] = [];
  const parts: ContentPart[] = [];
  blocksOf(content, at).forEach((block, index) => {
    const here = `${at}.${index}`;
    if (block.type === 'tool_result') results.push(toolMessage(block, here, dropped));
    else if (!isToolChange(block)) parts.push(...decodePart(block, here, dropped));
  });
  return parts.length > 0 ? [...results, { role: 'user', content: simplest(parts) }] : results;
}

/** A result keeps its images and files; for targets that accept text only, they are moved after it. */
function toolMessage(block: JsonObject, at: string, dropped: Set<string>): ChatMessage {
  const id = nameAt(block, 'tool_use_id', at);
  const content = block.content ?? '';
  const parts = blocksOf(content, `${at}.content`).flatMap((each, index) =>
    decodePart(each, `${at}.content.${index}`, dropped),
  );
  const texts = parts.flatMap(({ text }) => text ?? []);
  const plain = texts.length === parts.length;
  return {
    role: 'tool',
    tool_call_id: id,
    content: plain ? texts.join('\n\n') : parts,
    ...(flagIn(block, 'is_error', at) ? { is_error: true } : {}),
    ...lastCache(parts, block),
  };
}

/** Chat represents a result as one text: a cache mark within it applies to everything before it. */
function lastCache(parts: readonly ContentPart[], block: JsonObject): { cache_control?: unknown } {
  const own = cacheOf(block);
  if (own.cache_control) return own;
  const inner = parts.findLast(({ type, cache_control }) => type === 'text' && cache_control !== undefined);
  return inner ? { cache_control: inner.cache_control } : {};
}

function assistantMessage(content: unknown, at: string, dropped: Set<string>): ChatMessage[] {
  const list = new PartList();
  blocksOf(content, at).forEach((block, index) => readAnswerPart(block, list, `${at}.${index}`, dropped));
  if (list.parts.length === 0) return [];
  return [messageOf(list.parts)];
}

/** A block of an earlier answer. */
function readAnswerPart(block: JsonObject, list: PartList, at: string, dropped: Set<string>): void {
  switch (block.type) {
    case 'thinking':
      textAt(block, 'thinking', at);
      return readThinking(block, list);
    case 'redacted_thinking':
      textAt(block, 'data', at);
      return readThinking(block, list);
    case 'tool_use':
      return list.call(toolCall(block, at));
    case 'text': {
      const before = list.length;
      list.text(textAt(block, 'text', at), cacheOf(block));
      return list.annotate(decodeCitations(block.citations, before, list.length));
    }
    case 'image':
      for (const part of decodePart(block, at, dropped)) for (const image of imagePart(part)) list.add(image);
      return;
    case 'compaction':
      // For other models a compaction is text; without it, nothing is known of what it replaces.
      return list.text(stringOf(block.content) ? `${String(block.content)}\n\n` : '');
    default: {
      const hosted = decodeHosted(block);
      for (const part of hosted) list.add(part);
      if (hosted.length === 0) dropped.add(`content.${wordOf(block.type)}`);
    }
  }
}

function toolCall(block: JsonObject, at: string): ToolCall {
  const name = nameAt(block, 'name', at);
  const input = objectAt(block, 'input', at);
  return {
    id: nameAt(block, 'id', at),
    type: 'function',
    function: { name, arguments: jsonTextOf(input) },
    ...cacheOf(block),
  };
}

/** A single plain text as a string, which every server accepts. */
function simplest(parts: ContentPart[]): string | ContentPart[] {
  const [only, second] = parts;
  const plain = only?.type === 'text' && !second && !isObject(only.cache_control);
  return plain ? (stringOf(only.text) ?? '') : parts;
}
