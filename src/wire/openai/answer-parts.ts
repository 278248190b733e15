import type { JsonObject } from '../json.ts';
import type { Annotation, Seal } from '../parts/part.ts';
import { isObject, listOf, objectOf, stringOf } from '../json.ts';
import { jsonTextOf } from '../json-written.ts';
import { audioPart, imagePart, pageNote, readAnnotation } from '../parts/message.ts';
import { PartList } from '../parts/part-list.ts';
import { detailsText, sealOf } from './reasoning-details.ts';

/** Decodes a chat message except its calls, under all the field names that vendors use. */
export function readMessage(message: JsonObject): PartList {
  const list = new PartList();
  const { content, refusal, audio, annotations, images, reasoning_details: details } = message;
  const seals = [
    ...listOf(message.thinking_blocks).filter(isObject),
    ...sealOf(listOf(details).filter(isObject)),
  ];
  list.thinking(reasoningOf(message));
  for (const seal of seals) list.seal(seal as Seal);
  readContent(content, list);
  list.annotate(listOf(annotations).flatMap(readAnnotation));
  if (message.extra_content !== undefined) list.accompany(message.extra_content);
  list.refusal(stringOf(refusal) ?? '');
  for (const image of listOf(images)) for (const part of imagePart(image)) list.add(part);
  if (isObject(audio)) list.add(audioPart(audio));
  return list;
}

/**
 * Content as text, as a list (Mistral's models put reasoning into it, others images), or as the object that the text
 * would encode.
 */
export function readContent(content: unknown, list: PartList): void {
  if (typeof content === 'string') return list.text(content);
  if (isObject(content)) return list.text(jsonTextOf(content));
  for (const part of listOf(content)) {
    const { type, text, thinking } = objectOf(part);
    if (type === 'thinking') list.thinking(thoughtIn(thinking));
    else if (type === 'image_url') for (const image of imagePart(part)) list.add(image);
    else list.text(stringOf(text) ?? '');
  }
}

function thoughtIn(parts: unknown): string {
  if (typeof parts === 'string') return parts;
  return listOf(parts)
    .map((part) => stringOf(objectOf(part).text) ?? '')
    .join('');
}

/** Reasoning under vendors' field names. */
export function reasoningOf(message: JsonObject): string {
  const plain = stringOf(message.reasoning_content) || stringOf(message.reasoning);
  return plain || detailsText(listOf(message.reasoning_details).filter(isObject));
}

/** Sources beside the choices: Perplexity's and xAI's. They refer to no particular words. */
export function sourcesBeside({ citations, search_results: results }: JsonObject): Annotation[] {
  const titles = new Map(
    listOf(results)
      .filter(isObject)
      .map(({ url, title }) => [stringOf(url) ?? '', stringOf(title) ?? '']),
  );
  const pages = Array.isArray(citations) ? citations.map(urlOf) : [...titles.keys()];
  return pages.filter((url) => url !== '').map((url) => pageNote(url, titles.get(url) ?? ''));
}

function urlOf(citation: unknown): string {
  return stringOf(citation) ?? stringOf(objectOf(citation).url) ?? '';
}
