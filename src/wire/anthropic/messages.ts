import type { ChatMessage, ContentPart, ToolCall } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { ReplayMemory } from '../protocol.ts';
import { ProxyError } from '../../errors.ts';
import type { Part } from '../parts/part.ts';
import { argumentsIn, listOf, objectOf, stringOf } from '../json.ts';
import { partsWithSeals } from '../parts/message.ts';
import { named } from '../words.ts';
import { nineOf } from '../quirks.ts';

interface Turn {
  readonly role: 'user' | 'assistant';
  readonly content: JsonObject[];
}

/**
 * Encodes OpenAI's messages as Anthropic's: system texts separately, alternating roles, the results of a turn's tools
 * together and first.
 * @throws ProxyError `invalid_request` naming the invalid message
 */
export function encodeMessages(
  messages: readonly ChatMessage[],
  memory: ReplayMemory,
): { system: JsonObject[]; turns: Turn[] } {
  const system: JsonObject[] = [];
  const turns: Turn[] = [];
  messages.forEach((message, index) => {
    const at = `messages[${index}]`;
    const { role } = message;
    if (role === 'system' || role === 'developer') system.push(...textBlocks(message, at));
    else if (role === 'user') add(turns, 'user', partBlocks(message, at));
    else if (role === 'assistant') add(turns, 'assistant', assistantBlocks(message, memory, at));
    else if (role === 'tool' || role === 'function') addResult(turns, toolResult(message, at));
    else throw invalid(at, `role ${named(role)} is not known`);
  });
  return { system, turns };
}

function add(turns: Turn[], role: Turn['role'], blocks: JsonObject[]): void {
  if (blocks.length === 0) return;
  const last = turns.at(-1);
  if (last?.role === role) last.content.push(...blocks);
  else turns.push({ role, content: blocks });
}

/** Tool results precede everything else in a user turn: the API rejects them later in it. */
function addResult(turns: Turn[], block: JsonObject): void {
  const last = turns.at(-1);
  if (last?.role !== 'user') return void turns.push({ role: 'user', content: [block] });
  const results = last.content.findLastIndex(({ type }) => type === 'tool_result') + 1;
  last.content.splice(results, 0, block);
}

function textBlocks({ content, cache_control }: ChatMessage, at: string): JsonObject[] {
  const parts = typeof content === 'string' ? [{ type: 'text', text: content }] : listOf(content);
  const blocks: JsonObject[] = [];
  for (const part of parts) {
    const { text, refusal } = objectOf(part);
    const words = stringOf(text) ?? stringOf(refusal);
    if (words === undefined) throw invalid(at, 'only text parts are accepted here');
    if (words !== '') blocks.push({ type: 'text', text: words, ...marker(objectOf(part)) });
  }
  return withMarker(blocks, cache_control);
}

function partBlocks({ content, cache_control }: ChatMessage, at: string): JsonObject[] {
  if (typeof content === 'string')
    return withMarker(content === '' ? [] : [{ type: 'text', text: content }], cache_control);
  const blocks = listOf(content).flatMap((part, index) =>
    partBlock(part as ContentPart, `${at}.content[${index}]`),
  );
  return withMarker(blocks, cache_control);
}

function partBlock(part: ContentPart, at: string): JsonObject[] {
  if (part?.type === 'text') return part.text ? [{ type: 'text', text: part.text, ...marker(part) }] : [];
  if (part?.type === 'image_url') {
    const url = typeof part.image_url === 'string' ? part.image_url : part.image_url?.url;
    return [{ type: 'image', source: source(url, at), ...marker(part) }];
  }
  if (part?.type === 'file') {
    const { file_data, file_id, filename } = part.file ?? {};
    const title = filename === undefined ? {} : { title: filename };
    const from = file_id === undefined ? source(file_data, at) : { type: 'file', file_id };
    const type = part.image === true ? 'image' : 'document';
    return [{ type, source: from, ...title, ...marker(part) }];
  }
  throw new ProxyError(
    'unsupported',
    `Cannot translate ${at} for Anthropic: no parts of type ${named(part?.type)}`,
    {
      param: at,
    },
  );
}

function source(url: unknown, at: string): JsonObject {
  if (typeof url === 'string') {
    const data = /^data:([^;,]+);base64,(.*)$/s.exec(url);
    if (data) return { type: 'base64', media_type: data[1], data: data[2] };
    if (/^https?:\/\//.test(url)) return { type: 'url', url };
  }
  throw invalid(at, 'expected an http(s) URL or base64 data: URI');
}

/** Signed reasoning keeps its place and content; unsigned reasoning would be rejected and is left out. */
function assistantBlocks(message: ChatMessage, memory: ReplayMemory, at: string): JsonObject[] {
  const blocks = partsWithSeals(message, memory).flatMap((part) => partOf(part, at));
  return withMarker(blocks, message.cache_control);
}

function partOf(part: Part, at: string): JsonObject[] {
  switch (part.type) {
    case 'thinking':
      return part.seal && isSigned(part.seal) ? [part.seal] : [];
    case 'text':
      return part.text === '' ? [] : [{ type: 'text', text: part.text, ...marker(part) }];
    case 'refusal':
      return [{ type: 'text', text: part.text }];
    case 'call':
      return [toolUse(part.call, at)];
    case 'hosted_call':
    case 'hosted_result':
      return part.native?.protocol === 'messages' ? [part.native.value] : [];
    default:
      return [];
  }
}

function isSigned({ type, signature, data }: JsonObject): boolean {
  return type === 'redacted_thinking' ? Boolean(data) : type === 'thinking' && Boolean(signature);
}

function toolUse(call: ToolCall, at: string): JsonObject {
  const { name, arguments: text } = objectOf(call.function);
  if (typeof name !== 'string') throw invalid(at, 'it is not a function call');
  return { type: 'tool_use', id: toolId(call.id), name, input: argumentsIn(text), ...marker(call) };
}

/** The longest prefix of an id that is kept, characters: no vendor's ids are longer. */
const MAX_ID = 256;

/**
 * Other vendors' ids may contain characters that the API rejects, and must stay distinct.
 * @see https://github.com/RooCodeInc/Roo-Code/pull/10649
 */
function toolId(id: string): string {
  const text = String(id);
  const short = text.length > MAX_ID ? `${text.slice(0, MAX_ID)}_${nineOf(text)}` : text;
  return short.replace(/[^a-zA-Z0-9_-]/g, (char) => `_${char.charCodeAt(0).toString(16)}_`);
}

function toolResult(message: ChatMessage, at: string): JsonObject {
  const id = message.tool_call_id;
  if (typeof id !== 'string' || id === '') throw invalid(at, 'tool_call_id is missing');
  const { content } = message;
  const inner = typeof content === 'string' ? content : partBlocks({ role: 'user', content }, at);
  const failed = message.is_error === true ? { is_error: true } : {};
  return { type: 'tool_result', tool_use_id: toolId(id), content: inner, ...failed, ...marker(message) };
}

function marker(part: { cache_control?: unknown } | JsonObject): JsonObject {
  return part.cache_control === undefined ? {} : { cache_control: part.cache_control };
}

function withMarker(blocks: JsonObject[], cacheControl: unknown): JsonObject[] {
  const last = blocks.at(-1);
  if (last && cacheControl !== undefined) last.cache_control ??= cacheControl;
  return blocks;
}

function invalid(param: string, state: string): ProxyError {
  return new ProxyError('invalid_request', `Cannot translate ${param} for Anthropic: ${state}`, {
    param: stringOf(param),
  });
}
