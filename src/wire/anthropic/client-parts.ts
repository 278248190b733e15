import type { ContentPart } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import { isObject, stringOf } from '../json.ts';
import { objectAt, objectsAt, textAt, wrong } from './client-check.ts';
import { wordOf } from '../words.ts';

/**
 * Decodes a block of user content to parts of OpenAI's chat. The types of blocks without a counterpart are added to
 * `dropped`.
 * @throws ProxyError `invalid_request` naming the invalid field
 */
export function decodePart(block: JsonObject, at: string, dropped: Set<string>): ContentPart[] {
  switch (block.type) {
    case 'text':
      return textPart(textAt(block, 'text', at), block);
    case 'image':
      return [{ ...image(objectAt(block, 'source', at), `${at}.source`), ...cacheOf(block) }];
    case 'document':
      return documentParts(block, at, dropped);
    case 'search_result':
      return textPart(searchResult(block, at, dropped), block);
    case 'tool_reference':
      return textPart(textAt(block, 'tool_name', at), block);
    default:
      dropped.add(`content.${wordOf(block.type)}`);
      return [];
  }
}

/** `cache_control` of a block, if it has one. */
export function cacheOf({ cache_control }: JsonObject): { cache_control?: JsonObject } {
  return isObject(cache_control) ? { cache_control } : {};
}

/** An empty text is dropped: most APIs reject it. */
function textPart(text: string, block: JsonObject): ContentPart[] {
  return text === '' ? [] : [{ type: 'text', text, ...cacheOf(block) }];
}

function image(source: JsonObject, at: string): ContentPart {
  // Chat does not distinguish files by content; the canonical form does, so that an image stays an image.
  if (source.type === 'file')
    return { type: 'file', file: { file_id: textAt(source, 'file_id', at) }, image: true };
  return { type: 'image_url', image_url: { url: urlOf(source, at) } };
}

function urlOf(source: JsonObject, at: string): string {
  if (source.type === 'url') return textAt(source, 'url', at);
  if (source.type === 'base64')
    return `data:${textAt(source, 'media_type', at)};base64,${textAt(source, 'data', at)}`;
  throw wrong(`${at}.type`, 'expected "base64", "url" or "file"');
}

function documentParts(block: JsonObject, at: string, dropped: Set<string>): ContentPart[] {
  const source = objectAt(block, 'source', at);
  const here = `${at}.source`;
  const title = stringOf(block.title);
  if (isObject(block.citations) && block.citations.enabled === true) dropped.add('content.citations');
  // Chat has files, but no plain text documents; as text every model accepts them.
  if (source.type === 'text') return textPart(titled(block, textAt(source, 'data', here)), block);
  if (source.type === 'content') return contentParts(block, source, here, dropped);
  if (stringOf(block.context)) dropped.add('content.context');
  if (source.type === 'file') {
    const file = { file_id: textAt(source, 'file_id', here), ...(title ? { filename: title } : {}) };
    return [{ type: 'file', file, ...cacheOf(block) }];
  }
  const file = { file_data: urlOf(source, here), filename: title || 'document.pdf' };
  return [{ type: 'file', file, ...cacheOf(block) }];
}

function contentParts(
  block: JsonObject,
  source: JsonObject,
  at: string,
  dropped: Set<string>,
): ContentPart[] {
  const { content } = source;
  const inner = typeof content === 'string' ? [{ type: 'text', text: content }] : content;
  const parts = objectsAt(inner, `${at}.content`, true).flatMap((each, index) =>
    decodePart(each, `${at}.content.${index}`, dropped),
  );
  const heading = titled(block, '').trim();
  if (heading !== '') parts.unshift({ type: 'text', text: heading });
  const last = parts.at(-1);
  if (last) Object.assign(last, cacheOf(block));
  return parts;
}

function titled({ title, context }: JsonObject, text: string): string {
  return [title, context, text].filter((line) => typeof line === 'string' && line !== '').join('\n\n');
}

function searchResult(block: JsonObject, at: string, dropped: Set<string>): string {
  const content = objectsAt(block.content, `${at}.content`, true);
  const texts = content.map((each, index) => textAt(each, 'text', `${at}.content.${index}`));
  if (isObject(block.citations) && block.citations.enabled === true) dropped.add('content.citations');
  return [textAt(block, 'title', at), textAt(block, 'source', at), ...texts].join('\n\n');
}
