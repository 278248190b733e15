/** Messages as OpenAI's chat has them, which half of all formats are made of. */
import type { JsonObject } from '../../wire/json.ts';
import type { AssistantMessage, Message } from '../conversation.ts';
import type { RenderOptions } from './format.ts';
import { Unfit } from '../reasons.ts';
import { callsOf, mergedTurns, textOnly, withReasoning } from './turns.ts';

/** What a loader knows beside roles and contents. */
export interface ChatRules {
  readonly arguments: 'string' | 'object';
  /** How a turn of the assistant that must not be trained is marked. */
  readonly mark?: 'weight' | 'train';
  readonly images: 'user' | 'none';
  /** A refusal has a field of its own. */
  readonly refusals: boolean;
  /** Messages may carry names. */
  readonly names: boolean;
}

/** @throws Unfit where the messages break the rules */
export function chatMessages(
  messages: readonly Message[],
  options: RenderOptions,
  rules: ChatRules,
): JsonObject[] {
  if (rules.images === 'none') textOnly(messages);
  return (options.mergeTurns ? mergedTurns(messages) : messages).map((message) =>
    chatMessage(message, options, rules),
  );
}

export function chatMessage(message: Message, options: RenderOptions, rules: ChatRules): JsonObject {
  const name = rules.names && message.name !== undefined ? { name: message.name } : {};
  if (message.role === 'assistant') return assistant(message, options, rules);
  if (message.role === 'tool')
    return { role: 'tool', tool_call_id: message.tool_call_id, ...name, content: message.content };
  return { role: message.role, content: message.content, ...name };
}

function assistant(message: AssistantMessage, options: RenderOptions, rules: ChatRules): JsonObject {
  const calls = callsOf(message, options.toolArguments ?? rules.arguments);
  if (message.refusal !== undefined && !rules.refusals) throw new Unfit('refusal');
  return {
    role: 'assistant',
    ...(message.refusal === undefined ? withReasoning(message, options) : { refusal: message.refusal }),
    ...(rules.names && message.name !== undefined ? { name: message.name } : {}),
    ...(calls ? { tool_calls: calls } : {}),
    ...(message.untrained && rules.mark ? { [rules.mark]: rules.mark === 'weight' ? 0 : false } : {}),
  };
}

const MAX_IMAGES = 10;
const MAX_IMAGE_BYTES = 10 * 1024 ** 2;
const IMAGE_TYPE = /^data:image\/(?:jpe?g|png|webp);base64,/i;

/**
 * Holds images to what hosts take: ten in a row, each JPEG, PNG or WebP of 10 MB at most.
 * @param urls whether images by URL are taken too
 */
export function boundedImages(messages: readonly Message[], urls: boolean): void {
  const images = messages.flatMap(({ content }) =>
    typeof content === 'string'
      ? []
      : content.flatMap((part) => (part.type === 'image_url' ? [part.image_url.url] : [])),
  );
  if (images.length > MAX_IMAGES) throw new Unfit('too_many_images');
  for (const url of images) if (!isImage(url, urls)) throw new Unfit('unsupported_content');
}

/** Whether a URL is an image that hosts take. */
export function isImage(url: string, urls: boolean): boolean {
  if (/^https?:\/\//i.test(url)) return urls;
  const data = IMAGE_TYPE.exec(url);
  // Four characters of base64 are three bytes.
  return data !== null && ((url.length - data[0].length) * 3) / 4 <= MAX_IMAGE_BYTES;
}
