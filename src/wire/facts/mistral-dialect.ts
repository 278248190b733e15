/** Chat in the words of Mistral's clients, which other chat servers refuse. */
import type { JsonObject } from '../json.ts';
import type { Quirks } from '../quirks.ts';
import { isObject, listOf } from '../json.ts';

/**
 * A relayed request in OpenAI's words: a required tool call, images, and earlier answers without Mistral's parts for
 * reasoning. The same object if nothing changes, or if the target is Mistral.
 */
export function fromMistral(request: JsonObject, { words }: Quirks): JsonObject {
  if (words?.tool_choice?.required === 'any') return request;
  const { messages, tool_choice: choice } = request;
  const chosen = choice === 'any' ? { ...request, tool_choice: 'required' } : request;
  if (!Array.isArray(messages) || !messages.some(hasForeignPart)) return chosen;
  return { ...chosen, messages: messages.map((each) => (hasForeignPart(each) ? plainMessage(each) : each)) };
}

function hasForeignPart(message: unknown): message is JsonObject {
  if (!isObject(message) || !Array.isArray(message.content)) return false;
  return message.content.some((part) => isThought(part) || isBareImage(part));
}

function isThought(part: unknown): boolean {
  return isObject(part) && part.type === 'thinking';
}

function isBareImage(part: unknown): part is JsonObject {
  return isObject(part) && typeof part.image_url === 'string';
}

function plainMessage(message: JsonObject): JsonObject {
  const content = listOf(message.content)
    .filter((part) => !isThought(part))
    .map((part) => (isBareImage(part) ? { ...part, image_url: { url: part.image_url } } : part));
  return { ...message, content: content.length > 0 ? content : '' };
}
