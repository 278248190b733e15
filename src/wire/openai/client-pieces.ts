/**
 * Encodes content for a chat message or delta: parts that it has a field for are encoded, the rest are counted as lost.
 */
import type { JsonObject } from '../json.ts';
import type { Lost, LostKind } from '../parts/lost.ts';
import type { Annotation, Part } from '../parts/part.ts';
import { isObject, listOf, objectOf } from '../json.ts';
import { chatAnnotation } from '../parts/message.ts';
import { annotationsIn } from '../parts/assemble.ts';
import { wholeParts } from '../parts/part-list.ts';
import { detailsIn } from './reasoning-details.ts';

const LOST: Readonly<Partial<Record<Part['type'], LostKind>>> = { hosted_call: 'hosted_tool', file: 'file' };

/** Encodes a whole message. @param message canonical, with parts if chat's fields would lose the order */
export function chatMessage(message: JsonObject, lost: Lost): JsonObject {
  const { parts, ...fields } = message;
  const listed = wholeParts(parts);
  const ran = new Set<string>();
  for (const part of listed) {
    countPart(part, ran, lost);
    if (part.type === 'text') countNotes(part.annotations ?? [], lost);
  }
  return withDetails(fields);
}

/** Encodes the pieces of a message, one after another. */
export class ChatPieces {
  readonly #lost: Lost;
  readonly #ran = new Set<string>();
  #images = 0;

  constructor(lost: Lost) {
    this.#lost = lost;
  }

  tell(delta: JsonObject): JsonObject {
    const { parts, annotations, ...fields } = objectOf(delta);
    if (parts === undefined && annotations === undefined && fields.thinking_blocks === undefined)
      return delta;
    const notes = annotationsIn({ annotations });
    countNotes(notes, this.#lost);
    const whole = wholeParts(parts);
    for (const part of whole) countPart(part, this.#ran, this.#lost);
    const pages = notes.flatMap(chatAnnotation);
    const images = whole.filter((part) => part.type === 'image').map(({ url }) => this.#image(url));
    return withDetails({
      ...fields,
      ...(pages.length > 0 ? { annotations: pages } : {}),
      ...(images.length > 0 ? { images } : {}),
    });
  }

  #image(url: string): JsonObject {
    return { type: 'image_url', index: this.#images++, image_url: { url } };
  }
}

/** @param ran the hosted tools called before: their results are not counted as lost again */
function countPart(part: Part, ran: Set<string>, lost: Lost): void {
  const kind = LOST[part.type];
  if (kind) lost.add(kind);
  if (part.type === 'hosted_call') ran.add(part.id);
  else if (part.type === 'hosted_result' && !ran.has(part.id)) lost.add('hosted_tool');
}

/** Citations of documents: chat only has citations of pages. */
function countNotes(notes: readonly Annotation[], lost: Lost): void {
  lost.add('citation', notes.filter(({ type }) => type !== 'url_citation').length);
}

/** What must be sent back to a gateway, in the field that its own clients use. */
function withDetails(fields: JsonObject): JsonObject {
  if (fields.thinking_blocks === undefined) return fields;
  const { thinking_blocks: seals, ...rest } = fields;
  const details = listOf(seals).flatMap((seal) => detailsIn(objectOf(seal)));
  const blocks = listOf(seals).filter((seal) => isObject(seal) && seal.type !== 'details');
  return {
    ...rest,
    ...(blocks.length > 0 ? { thinking_blocks: blocks } : {}),
    ...(details.length > 0 ? { reasoning_details: details } : {}),
  };
}
