/** Chat in the words of Mistral and its clients, which other chat servers refuse. */
import type { ContentPart } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { Quirks } from '../quirks.ts';
import { isObject, listOf, objectOf, stringOf } from '../json.ts';
import { plainPart } from './media-types.ts';

/**
 * A relayed request in OpenAI's words: a required tool call, images, documents, sounds, and earlier answers without
 * Mistral's parts for reasoning. The same object if nothing changes, or if the target is Mistral.
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
  return message.content.some((part) => isThought(part) || isBareImage(part) || isBareFile(part));
}

function isThought(part: unknown): boolean {
  return isObject(part) && part.type === 'thinking';
}

function isBareImage(part: unknown): part is JsonObject {
  return isObject(part) && typeof part.image_url === 'string';
}

/** A document, or a sound without its format. */
function isBareFile(part: unknown): part is ContentPart {
  return isObject(part) && (part.type === 'document_url' || typeof part.input_audio === 'string');
}

function plainMessage(message: JsonObject): JsonObject {
  const content = listOf(message.content)
    .filter((part) => !isThought(part))
    .map((part) => {
      if (isBareImage(part)) return { ...part, image_url: { url: part.image_url } };
      return isBareFile(part) ? plainPart(part) : part;
    });
  return { ...message, content: content.length > 0 ? content : '' };
}

/**
 * The messages with files in Mistral's form, which is not OpenAI's; `undefined` if they have none.
 * @see https://docs.mistral.ai/capabilities/document_ai/document_qna
 */
export function withDocumentUrls(messages: unknown): unknown[] | undefined {
  if (!Array.isArray(messages) || !messages.some(hasFile)) return undefined;
  return messages.map((message: unknown) =>
    hasFile(message) ? { ...message, content: listOf(message.content).map(documentPart) } : message,
  );
}

function hasFile(message: unknown): message is JsonObject {
  return isObject(message) && listOf(message.content).some(isFile);
}

function isFile(part: unknown): part is ContentPart {
  return isObject(part) && part.type === 'file' && isObject(part.file);
}

function documentPart(part: unknown): unknown {
  if (!isFile(part)) return part;
  const { file_data: url, file_id: id, filename } = objectOf(plainPart(part).file);
  if (stringOf(url) === undefined) return id === undefined ? part : { type: 'file', file_id: id };
  return {
    type: 'document_url',
    document_url: url,
    ...(typeof filename === 'string' ? { document_name: filename } : {}),
  };
}
