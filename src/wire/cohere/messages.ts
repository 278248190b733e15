import type { ChatMessage, ContentPart, ToolCall } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import { ProxyError } from '../../errors.ts';
import { isObject, listOf, objectOf, stringOf } from '../json.ts';
import { argumentsText } from '../json-written.ts';
import { named } from '../words.ts';

/**
 * Encodes OpenAI's messages as Cohere's, which are similar.
 * @param thinking whether earlier reasoning is sent back
 * @throws ProxyError `invalid_request` naming the invalid message, `unsupported` for content that Cohere does not
 * accept
 */
export function encodeCohereMessages(messages: readonly ChatMessage[], thinking: boolean): JsonObject[] {
  return messages.flatMap((message, index): JsonObject[] => {
    const at = `messages[${index}]`;
    const { role } = message;
    if (role === 'system' || role === 'developer') return [{ role: 'system', content: words(message, at) }];
    if (role === 'user') return [{ role: 'user', content: userContent(message, at) }];
    if (role === 'assistant') return assistant(message, thinking, at);
    if (role === 'tool' || role === 'function') return [toolResult(message, at)];
    throw invalid(at, `role ${named(role)} is not known`);
  });
}

function userContent({ content }: ChatMessage, at: string): string | JsonObject[] {
  if (typeof content === 'string') return content;
  return listOf(content).map((part, index) => {
    const { type, text, image_url: image } = objectOf(part) as ContentPart;
    if (typeof text === 'string') return { type: 'text', text };
    const where = `${at}.content[${index}]`;
    if (type !== 'image_url')
      throw unsupported(where, `parts of type ${named(type)} cannot be sent to Cohere`);
    const { url, detail } = typeof image === 'string' ? { url: image, detail: undefined } : objectOf(image);
    if (typeof url !== 'string') throw invalid(where, 'an image has no URL');
    return { type: 'image_url', image_url: { url, ...(detail === undefined ? {} : { detail }) } };
  });
}

/** Text before calls is the tool plan; Cohere accepts no text beside it. */
function assistant(message: ChatMessage, thinking: boolean, at: string): JsonObject[] {
  const { content, refusal, reasoning_content: reasoning, tool_calls } = message;
  const own = content === null || content === undefined ? '' : words(message, at);
  const text = own + (refusal ?? '');
  const calls = listOf(tool_calls).map((call, index) => toolCall(call, `${at}.tool_calls[${index}]`));
  const thought = thinking && reasoning ? [{ type: 'thinking', thinking: reasoning }] : [];
  if (calls.length > 0) {
    const plan = text === '' ? {} : { tool_plan: text };
    return [
      { role: 'assistant', ...(thought.length > 0 ? { content: thought } : {}), ...plan, tool_calls: calls },
    ];
  }
  if (text === '') return [];
  return [{ role: 'assistant', content: thought.length > 0 ? [...thought, { type: 'text', text }] : text }];
}

function toolCall(call: unknown, at: string): JsonObject {
  const { id, function: fn } = objectOf(call) as Partial<ToolCall>;
  if (typeof id !== 'string' || typeof fn?.name !== 'string') throw invalid(at, 'it is not a function call');
  return {
    id,
    type: 'function',
    function: { name: fn.name, arguments: argumentsText(fn.arguments) || '{}' },
  };
}

function toolResult(message: ChatMessage, at: string): JsonObject {
  const { tool_call_id: id, content } = message;
  if (typeof id !== 'string' || id === '') throw invalid(at, 'tool_call_id is missing');
  const odd = listOf(content).find((part) => !isObject(part) || typeof part.text !== 'string');
  if (odd !== undefined) throw unsupported(at, 'results of tools can only be text at Cohere');
  return { role: 'tool', tool_call_id: id, content: words(message, at) };
}

/** The text of a message that may contain nothing else. */
function words({ content }: ChatMessage, at: string): string {
  if (typeof content === 'string') return content;
  return listOf(content)
    .map((part) => {
      const { text, refusal } = objectOf(part);
      const own = stringOf(text) ?? stringOf(refusal);
      if (own === undefined) throw invalid(at, 'only text parts are accepted here');
      return own;
    })
    .join('\n');
}

function invalid(param: string, state: string): ProxyError {
  return new ProxyError('invalid_request', `Cannot translate ${param} for Cohere: ${state}`, { param });
}

function unsupported(param: string, state: string): ProxyError {
  return new ProxyError('unsupported', `Cannot translate ${param}: ${state}`, { param });
}
