import type { ChatMessage, ContentPart, ToolCall } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { ReplayMemory } from '../protocol.ts';
import type { ConverseModel } from './models.ts';
import { ProxyError } from '../../errors.ts';
import type { Part, Seal } from '../parts/part.ts';
import { argumentsIn, isObject, listOf, objectOf, parseExactJson, stringOf } from '../json.ts';
import { partsWithSeals } from '../parts/message.ts';
import { DocumentNames, lacksText, mediaBlock } from './media.ts';
import { ToolIds } from './tool-ids.ts';
import { named } from '../words.ts';

interface Turn {
  readonly role: 'user' | 'assistant';
  readonly content: JsonObject[];
}

/** The context for encoding a conversation. */
interface Scope {
  readonly model: ConverseModel;
  readonly memory: ReplayMemory;
  readonly ids: ToolIds;
  readonly names: DocumentNames;
}

/** The text that is added if a document would be alone, or before a cache mark. */
const BESIDE_DOCUMENT = { text: 'See the document.' };

/**
 * Encodes OpenAI's messages as Converse's: system texts separately, alternating roles, the results of a turn's tools
 * together and first.
 * @throws ProxyError `invalid_request` naming the invalid message, `unsupported` for content that Bedrock does not
 * accept
 */
export function encodeConverseMessages(
  messages: readonly ChatMessage[],
  model: ConverseModel,
  memory: ReplayMemory,
  nineAlphanumerics: boolean,
): { system: JsonObject[]; turns: Turn[] } {
  const scope: Scope = { model, memory, ids: new ToolIds(nineAlphanumerics), names: new DocumentNames() };
  const system: JsonObject[] = [];
  const turns: Turn[] = [];
  messages.forEach((message, index) => {
    const at = `messages[${index}]`;
    const { role } = message;
    if (role === 'system' || role === 'developer') system.push(...textBlocks(message, scope, at));
    else if (role === 'user') add(turns, 'user', userBlocks(message, scope, at));
    else if (role === 'assistant') add(turns, 'assistant', assistantBlocks(message, scope, at));
    else if (role === 'tool' || role === 'function') addResult(turns, toolResult(message, scope, at));
    else throw invalid(at, `role ${named(role)} is not known`);
  });
  for (const { role, content } of turns)
    if (role === 'user' && lacksText(content)) content.push(BESIDE_DOCUMENT);
  return { system, turns };
}

/** A cache mark, if the model supports it. */
export function cachePoint(cacheControl: unknown, model: ConverseModel): JsonObject[] {
  if (!isObject(cacheControl) || model.caching === 'none') return [];
  const ttl = model.caching === 'everywhere' && cacheControl.ttl === '1h' ? { ttl: '1h' } : {};
  return [{ cachePoint: { type: 'default', ...ttl } }];
}

/** The blocks and their cache mark, which is rejected directly after a document. */
function marked(blocks: JsonObject[], cacheControl: unknown, model: ConverseModel): JsonObject[] {
  const mark = blocks.length > 0 ? cachePoint(cacheControl, model) : [];
  const apart = mark.length > 0 && blocks.at(-1)?.document !== undefined ? [BESIDE_DOCUMENT] : [];
  return [...blocks, ...apart, ...mark];
}

function add(turns: Turn[], role: Turn['role'], blocks: JsonObject[]): void {
  if (blocks.length === 0) return;
  const last = turns.at(-1);
  if (last?.role === role) last.content.push(...blocks);
  else turns.push({ role, content: blocks });
}

/** Tool results precede everything else in a user turn: Claude rejects them later in it. */
function addResult(turns: Turn[], blocks: JsonObject[]): void {
  const last = turns.at(-1);
  if (last?.role !== 'user') return void turns.push({ role: 'user', content: blocks });
  let place = last.content.findLastIndex(({ toolResult: result }) => result !== undefined) + 1;
  if (place > 0 && last.content[place]?.cachePoint !== undefined) place += 1;
  last.content.splice(place, 0, ...blocks);
}

function userBlocks({ content, cache_control }: ChatMessage, scope: Scope, at: string): JsonObject[] {
  const parts = typeof content === 'string' ? [{ type: 'text', text: content }] : listOf(content);
  const blocks = parts.flatMap((part, index) =>
    partBlocks(objectOf(part) as ContentPart, scope, `${at}.content[${index}]`),
  );
  return marked(blocks, cache_control, scope.model);
}

function partBlocks(part: ContentPart, scope: Scope, at: string): JsonObject[] {
  const block = typeof part.text === 'string' ? { text: part.text } : mediaBlock(part, scope.names, at);
  if (!block) throw unsupported(at, `parts of type ${named(part.type)} cannot be sent to Bedrock`);
  // Empty texts are rejected.
  return block.text === '' ? [] : marked([block], part.cache_control, scope.model);
}

function textBlocks({ content, cache_control }: ChatMessage, scope: Scope, at: string): JsonObject[] {
  const parts = typeof content === 'string' ? [{ text: content }] : listOf(content);
  const blocks = parts.flatMap((part) => {
    const { text, refusal, cache_control: mark } = objectOf(part);
    const words = text ?? refusal;
    if (typeof words !== 'string') throw invalid(at, 'only text parts are accepted here');
    return words === '' ? [] : marked([{ text: words }], mark, scope.model);
  });
  return marked(blocks, cache_control, scope.model);
}

function assistantBlocks(message: ChatMessage, scope: Scope, at: string): JsonObject[] {
  const blocks = partsWithSeals(message, scope.memory).flatMap((part) => partOf(part, scope, at));
  return marked(blocks, message.cache_control, scope.model);
}

function partOf(part: Part, scope: Scope, at: string): JsonObject[] {
  switch (part.type) {
    case 'thinking':
      return scope.model.reasoning === 'claude' && part.seal ? reasoningBlock(part.seal) : [];
    case 'text':
      return part.text === '' ? [] : marked([{ text: part.text }], part.cache_control, scope.model);
    case 'refusal':
      return [{ text: part.text }];
    case 'call':
      return marked([toolUse(part.call, scope, at)], objectOf(part.call).cache_control, scope.model);
    default:
      return [];
  }
}

/** Signed reasoning keeps its place and content; unsigned reasoning would be rejected and is left out. */
function reasoningBlock({ type, thinking, signature, data }: Seal): JsonObject[] {
  if (type === 'redacted_thinking' && data) return [{ reasoningContent: { redactedContent: data } }];
  if (type !== 'thinking' || !signature) return [];
  return [{ reasoningContent: { reasoningText: { text: stringOf(thinking) ?? '', signature } } }];
}

function toolUse(call: ToolCall, { ids }: Scope, at: string): JsonObject {
  const { name, arguments: text } = objectOf(objectOf(call).function);
  if (typeof call?.id !== 'string' || typeof name !== 'string')
    throw invalid(at, 'it is not a function call');
  return { toolUse: { toolUseId: ids.of(call.id), name, input: argumentsIn(text) } };
}

function toolResult(message: ChatMessage, scope: Scope, at: string): JsonObject[] {
  const { tool_call_id: id, content, is_error, cache_control } = message;
  if (typeof id !== 'string' || id === '') throw invalid(at, 'tool_call_id is missing');
  const json = scope.model.mistral && typeof content === 'string' ? parseExactJson(content) : undefined;
  const blocks = isObject(json)
    ? [{ json }]
    : userBlocks({ role: 'user', content }, scope, at).filter(({ cachePoint: mark }) => mark === undefined);
  const result = {
    toolUseId: scope.ids.of(id),
    // A result must not be empty.
    content: blocks.length > 0 ? blocks : [{ text: '(empty)' }],
    ...(is_error === true ? { status: 'error' } : {}),
  };
  return [{ toolResult: result }, ...cachePoint(cache_control, scope.model)];
}

function invalid(param: string, state: string): ProxyError {
  return new ProxyError('invalid_request', `Cannot translate ${param} for Bedrock: ${state}`, { param });
}

function unsupported(param: string, state: string): ProxyError {
  return new ProxyError('unsupported', `Cannot translate ${param}: ${state}`, { param });
}
