import type { ChatMessage, ContentPart } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { Part } from '../parts/part.ts';
import { nameAt, objectAt, objectsAt, wrong } from '../anthropic/client-check.ts';
import { isObject, stringOf } from '../json.ts';
import { jsonTextOf } from '../json-written.ts';
import { CallPairs } from '../parts/call-pairs.ts';
import { messageOf } from '../parts/message.ts';
import { named } from '../words.ts';
import { imageUrl } from './images.ts';

/**
 * Decodes Ollama's messages to OpenAI's: arguments of calls are objects, results name their tool but rarely a call, and
 * images are plain base64.
 * @throws ProxyError `invalid_request` naming the invalid field
 */
export function decodeMessages(body: JsonObject): ChatMessage[] {
  const calls = new CallPairs();
  return objectsAt(body.messages ?? [], 'messages', false).map((message, index, all) => {
    const at = `messages.${index}`;
    const { role } = message;
    switch (role) {
      case 'system':
        return { role, content: contentOf(message, at) };
      case 'user':
        return { role, content: shown(contentOf(message, at), message.images, at) };
      case 'assistant':
        if (all[index - 1]?.role !== role) calls.turn();
        return assistantMessage(message, at, calls);
      case 'tool':
        return toolMessage(message, at, calls);
      default:
        throw wrong(`${at}.role`, `expected "system", "user", "assistant" or "tool", and not ${named(role)}`);
    }
  });
}

function contentOf({ content }: JsonObject, at: string): string {
  if (content === undefined || content === null) return '';
  if (typeof content === 'string') return content;
  throw wrong(`${at}.content`, 'expected a string');
}

/** A text with its images. @throws ProxyError `invalid_request` */
export function shown(text: string, images: unknown, at: string): string | ContentPart[] {
  const pictures = picturesIn(images, at);
  if (pictures.length === 0) return text;
  const texts: ContentPart[] = text === '' ? [] : [{ type: 'text', text }];
  return [...texts, ...pictures];
}

function picturesIn(images: unknown, at: string): ContentPart[] {
  if (images === undefined || images === null) return [];
  const place = at === '' ? 'images' : `${at}.images`;
  if (!Array.isArray(images)) throw wrong(place, 'expected a list');
  return images.map((image: unknown, index) => {
    if (typeof image !== 'string' || image === '') throw wrong(`${place}.${index}`, 'expected base64');
    return { type: 'image_url', image_url: { url: imageUrl(image) } };
  });
}

function assistantMessage(message: JsonObject, at: string, calls: CallPairs): ChatMessage {
  const { thinking, images } = message;
  const text = contentOf(message, at);
  const parts: Part[] = [];
  if (typeof thinking === 'string' && thinking !== '') parts.push({ type: 'thinking', text: thinking });
  if (text !== '') parts.push({ type: 'text', text });
  for (const { image_url: image } of picturesIn(images, at))
    if (isObject(image)) parts.push({ type: 'image', url: String(image.url) });
  objectsAt(message.tool_calls ?? [], `${at}.tool_calls`, false).forEach((call, index) => {
    const here = `${at}.tool_calls.${index}.function`;
    const called = objectAt(call, 'function', `${at}.tool_calls.${index}`);
    const name = nameAt(called, 'name', here);
    const args = called.arguments ?? {};
    // OpenAI's clients send them as text.
    if (typeof args !== 'string' && !isObject(args)) throw wrong(`${here}.arguments`, 'expected an object');
    const id = calls.called(stringOf(call.id), name);
    const text = typeof args === 'string' ? args : jsonTextOf(args);
    parts.push({ type: 'call', call: { id, type: 'function', function: { name, arguments: text } } });
  });
  return messageOf(parts);
}

function toolMessage(message: JsonObject, at: string, calls: CallPairs): ChatMessage {
  const name = stringOf(message.tool_name) ?? stringOf(message.name);
  return {
    role: 'tool',
    tool_call_id: calls.answered(stringOf(message.tool_call_id), name),
    content: shown(contentOf(message, at), message.images, at),
  };
}
