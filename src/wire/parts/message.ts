import type { ChatMessage, ContentPart, ToolCall } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { ReplayMemory } from '../protocol.ts';
import type { Annotation, AudioPart, Part, Seal, TextPart, ThinkingPart } from './part.ts';
import { isObject, listOf, objectOf, stringOf } from '../json.ts';
import { PartList } from './part-list.ts';

/** The parts of an assistant message, in order. */
export function partsOf(message: ChatMessage): readonly Part[] {
  return (message.parts as Part[] | undefined) ?? partsOfFields(message);
}

/** The same, with the remembered seals of its first call if the client did not send any back. */
export function partsWithSeals(message: ChatMessage, memory: ReplayMemory): readonly Part[] {
  const parts = partsOf(message);
  const first = message.tool_calls?.[0]?.id;
  if (first === undefined || parts.some((part) => part.type === 'thinking' && part.seal)) return parts;
  const kept = listOf(memory.get(first)?.thinking_blocks).filter(isObject);
  if (kept.length === 0) return parts;
  const sealed = kept.map((seal): Part => ({
    type: 'thinking',
    text: stringOf(seal.thinking) ?? '',
    seal: seal as Seal,
  }));
  return [...sealed, ...parts.filter(({ type }) => type !== 'thinking')];
}

/**
 * An answer in chat's format with these parts: in chat's own fields, and as ordered parts if the fields would lose the
 * order.
 * @param empty the content of a message with neither text nor calls
 */
export function answerOf(parts: readonly Part[], empty: string | null = null): ChatMessage {
  return { refusal: null, ...messageOf(parts, empty) };
}

/** The same as a message of a conversation. */
export function messageOf(parts: readonly Part[], empty: string | null = ''): ChatMessage {
  const texts = parts.filter((part) => part.type === 'text');
  const refusal = joined(parts, 'refusal');
  const thinking = parts.filter((part) => part.type === 'thinking');
  const thought = thinking.map(({ text }) => text).filter((text) => text !== '');
  const seals = thinking.flatMap(({ seal }) => seal ?? []);
  const calls = parts.flatMap((part) => (part.type === 'call' ? [part.call] : []));
  const annotations = texts.flatMap(({ annotations: notes = [] }) => notes).flatMap(chatAnnotation);
  const images = parts.flatMap((part) => (part.type === 'image' ? [part] : []));
  const audio = parts.find((part) => part.type === 'audio');
  const extra = texts.findLast(({ extra_content }) => extra_content !== undefined)?.extra_content;
  return {
    role: 'assistant',
    content: texts.length > 0 ? contentOf(texts) : calls.length > 0 ? null : empty,
    ...(refusal === '' ? {} : { refusal }),
    ...(thought.length > 0
      ? { reasoning_content: thought.join(seals.length > 1 && isSpaced(seals) ? '\n\n' : '') }
      : {}),
    ...(seals.length > 0 ? { thinking_blocks: seals } : {}),
    ...(annotations.length > 0 ? { annotations } : {}),
    ...(images.length > 0
      ? { images: images.map(({ url }, index) => ({ type: 'image_url', index, image_url: { url } })) }
      : {}),
    ...(audio ? { audio: chatAudio(audio) } : {}),
    ...(calls.length > 0 ? { tool_calls: calls } : {}),
    ...(extra === undefined ? {} : { extra_content: extra }),
    ...(isPlain(parts) ? {} : { parts: [...parts] }),
  };
}

/** A message with other parts; its remaining fields are kept. */
export function withParts(message: ChatMessage, parts: readonly Part[]): ChatMessage {
  const {
    content: _content,
    refusal: _refusal,
    reasoning_content: _thought,
    reasoning: _reasoning,
    reasoning_details: _details,
    thinking_blocks: _seals,
    annotations: _notes,
    images: _images,
    audio: _audio,
    tool_calls: _calls,
    extra_content: _extra,
    parts: _parts,
    ...rest
  } = message;
  return { ...rest, ...messageOf(parts) };
}

/** Summaries of different items are separated. */
function isSpaced(seals: readonly Seal[]): boolean {
  return seals.every(({ type }) => type === 'encrypted');
}

/** Consecutive texts without cache marks are joined. */
function contentOf(texts: readonly TextPart[]): string | ContentPart[] {
  const marked = texts.some(({ cache_control: mark }) => mark !== undefined);
  if (!marked) return texts.map(({ text }) => text).join('');
  return texts.map(({ text, cache_control: mark }) => ({
    type: 'text',
    text,
    ...(mark === undefined ? {} : { cache_control: mark }),
  }));
}

function joined(parts: readonly Part[], type: 'refusal'): string {
  return parts.map((part) => (part.type === type ? part.text : '')).join('');
}

/** Audio in chat's format. */
export function chatAudio({ id, data, transcript, expires_at }: AudioPart): JsonObject {
  return {
    ...(id === undefined ? {} : { id }),
    data,
    transcript,
    ...(expires_at === undefined ? {} : { expires_at }),
  };
}

/** An annotation in chat's format; `undefined` if chat has none like it. */
export function chatAnnotation(annotation: Annotation): JsonObject[] {
  if (annotation.type !== 'url_citation') return [];
  const { url, title, start_index, end_index } = annotation.url_citation;
  return [{ type: 'url_citation', url_citation: { url, title, start_index, end_index } }];
}

/** The order in which chat's fields are read. */
const ORDER: Readonly<Partial<Record<Part['type'], number>>> = { thinking: 0, text: 1, refusal: 2, call: 3 };

/** Whether chat's fields alone have the same content in the same order. */
function isPlain(parts: readonly Part[]): boolean {
  let place = 0;
  let thoughts = 0;
  for (const part of parts) {
    const its = ORDER[part.type];
    if (its === undefined || its < place) return false;
    place = its;
    if (part.type === 'thinking') {
      thoughts += 1;
      if (thoughts > 1 && !saysItself(part)) return false;
    } else if (part.type === 'text' && part.annotations?.some(saysMore)) {
      return false;
    }
  }
  return thoughts < 2 || parts.every((part) => part.type !== 'thinking' || saysItself(part));
}

/** Whether an annotation contains more than chat can express. */
export function saysMore(note: Annotation): boolean {
  return note.type !== 'url_citation' || note.native !== undefined || Boolean(note.url_citation?.cited_text);
}

/** Whether the seal contains all of the thinking. */
function saysItself({ text, seal }: ThinkingPart): boolean {
  return seal?.type === 'redacted_thinking' || (seal?.type === 'thinking' && seal.thinking === text);
}

function partsOfFields(message: ChatMessage): Part[] {
  const { content, refusal, tool_calls: calls, annotations, images, audio, extra_content: extra } = message;
  const parts: Part[] = thinkingOf(message);
  if (typeof content === 'string') {
    if (content !== '') parts.push({ type: 'text', text: content });
  } else for (const part of listOf(content)) parts.push(...partOf(objectOf(part)));
  const last = parts.findLast((part) => part.type === 'text');
  const notes = listOf(annotations).flatMap(readAnnotation);
  if (last && notes.length > 0) last.annotations = notes;
  if (last && extra !== undefined) last.extra_content = extra;
  if (typeof refusal === 'string' && refusal !== '') parts.push({ type: 'refusal', text: refusal });
  for (const image of listOf(images)) parts.push(...imagePart(image));
  if (isObject(audio)) parts.push(audioPart(audio));
  for (const call of listOf(calls))
    if (isObject(call)) parts.push({ type: 'call', call: call as unknown as ToolCall });
  return parts;
}

/** Reasoning and its seals, in the order of a stream that has both: text outside the seals comes first. */
function thinkingOf(message: ChatMessage): Part[] {
  const { thinking_blocks: blocks, reasoning_content, reasoning_details: details } = message;
  const given = Array.isArray(details) && details.length > 0 ? [{ type: 'details', details }] : [];
  const seals = [...listOf(blocks), ...given].filter(isObject) as Seal[];
  const list = new PartList();
  const words = stringOf(reasoning_content) ?? stringOf(message.reasoning) ?? '';
  if (!seals.some(({ type }) => type === 'thinking')) list.thinking(words);
  for (const seal of seals) list.seal(seal);
  return list.parts;
}

/** Decodes a part of an assistant's content in chat. */
function partOf(part: JsonObject): Part[] {
  const { type, text, refusal, cache_control: mark, image_url: image } = part;
  if (typeof text === 'string') {
    return text === ''
      ? []
      : [{ type: 'text', text, ...(mark === undefined ? {} : { cache_control: mark }) }];
  }
  if (typeof refusal === 'string') return refusal === '' ? [] : [{ type: 'refusal', text: refusal }];
  return type === 'image_url' ? imagePart({ image_url: image }) : [];
}

/** An image in OpenRouter's format. */
export function imagePart(value: unknown): Part[] {
  const { image_url: image } = objectOf(value);
  const url = stringOf(image) ?? stringOf(objectOf(image).url);
  return url ? [{ type: 'image', url }] : [];
}

export function audioPart({ id, data, transcript, expires_at }: JsonObject): AudioPart {
  return {
    type: 'audio',
    ...(typeof id === 'string' ? { id } : {}),
    data: stringOf(data) ?? '',
    transcript: stringOf(transcript) ?? '',
    ...(expires_at === undefined ? {} : { expires_at }),
  };
}

/** Decodes an annotation of chat, however incomplete; `undefined` if it has no URL. */
export function readAnnotation(value: unknown): Annotation[] {
  const { type, url_citation: citation } = objectOf(value);
  const { url, title, start_index: start, end_index: end } = objectOf(citation);
  if (type !== 'url_citation' || typeof url !== 'string') return [];
  return [pageNote(url, stringOf(title) ?? '', place(start), place(end))];
}

function place(value: unknown): number {
  return typeof value === 'number' && value >= 0 ? value : 0;
}

/** @param start and end in characters of the message's text; equal if it refers to no particular words */
export function pageNote(url: string, title: string, start = 0, end = start): Annotation {
  return { type: 'url_citation', url_citation: { url, title, start_index: start, end_index: end } };
}
