/** What is said, as a message or a delta of chat has it: parts that it has a field for in that, the rest counted. */
import type { JsonObject } from '../json.ts';
import type { Lost, LostKind } from '../parts/lost.ts';
import type { Annotation, Part } from '../parts/part.ts';
import { isObject, listOf, objectOf } from '../json.ts';
import { toldAnnotation } from '../parts/message.ts';
import { annotationsIn } from '../parts/assemble.ts';
import { wholeParts } from '../parts/part-list.ts';
import { detailsIn } from './reasoning-details.ts';

const LOST: Readonly<Partial<Record<Part['type'], LostKind>>> = { hosted_call: 'hosted_tool', file: 'file' };

/** A whole message. @param message canonical, with its parts where chat's fields say another order */
export function toldMessage(message: JsonObject, lost: Lost): JsonObject {
  const { parts, ...told } = message;
  const listed = wholeParts(parts);
  for (const part of listed) {
    const kind = LOST[part.type];
    if (kind) lost.add(kind);
    if (part.type === 'text') countNotes(part.annotations ?? [], lost);
  }
  return withDetails(told);
}

/** A piece of one. @param place of the next picture */
export function toldDelta(
  delta: JsonObject,
  lost: Lost,
  place: number,
): { told: JsonObject; images: number } {
  const { parts, annotations, ...told } = objectOf(delta);
  if (parts === undefined && annotations === undefined && told.thinking_blocks === undefined) {
    return { told: delta, images: 0 };
  }
  const notes = annotationsIn({ annotations });
  countNotes(notes, lost);
  const pages = notes.flatMap(toldAnnotation);
  const whole = wholeParts(parts);
  for (const { type } of whole) if (LOST[type]) lost.add(LOST[type]);
  const images = whole.filter((part) => part.type === 'image');
  return {
    told: withDetails({
      ...told,
      ...(pages.length > 0 ? { annotations: pages } : {}),
      ...(images.length > 0
        ? {
            images: images.map(({ url }, at) => ({
              type: 'image_url',
              index: place + at,
              image_url: { url },
            })),
          }
        : {}),
    }),
    images: images.length,
  };
}

/** Citations of documents: chat knows pages alone. */
function countNotes(notes: readonly Annotation[], lost: Lost): void {
  lost.add('citation', notes.filter(({ type }) => type !== 'url_citation').length);
}

/** What must be given back to a gateway is told where its own clients find it. */
function withDetails(told: JsonObject): JsonObject {
  if (told.thinking_blocks === undefined) return told;
  const { thinking_blocks: seals, ...rest } = told;
  const details = listOf(seals).flatMap((seal) => detailsIn(objectOf(seal)));
  const blocks = listOf(seals).filter((seal) => isObject(seal) && seal.type !== 'details');
  return {
    ...rest,
    ...(blocks.length > 0 ? { thinking_blocks: blocks } : {}),
    ...(details.length > 0 ? { reasoning_details: details } : {}),
  };
}
