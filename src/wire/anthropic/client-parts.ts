import type { ContentPart } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import { isObject, stringOf } from '../json.ts';
import { objectAt, objectsAt, textAt, wrong } from './client-check.ts';
import { wordOf } from '../words.ts';

/**
 * What a user says in a block, as parts of OpenAI's chat. Blocks that have no counterpart leave their type in
 * `dropped`.
 * @throws ProxyError `invalid_request` naming the field at fault
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

/** `cache_control` of a block, where it has one. */
export function cacheOf({ cache_control }: JsonObject): { cache_control?: JsonObject } {
  return isObject(cache_control) ? { cache_control } : {};
}

/** A text without anything in it is none: most APIs refuse it. */
function textPart(text: string, block: JsonObject): ContentPart[] {
  return text === '' ? [] : [{ type: 'text', text, ...cacheOf(block) }];
}

function image(source: JsonObject, at: string): ContentPart {
  // Chat's files are not told apart by what they hold; ours are, so that an image comes back as one.
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
  // Chat has files and no documents of plain text; as text every model takes it.
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
