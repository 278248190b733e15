/** Citations of pages: the annotations that chat and the Responses API both have. */
import type { JsonObject } from '../json.ts';
import { listOf, countOf, objectOf, stringOf } from '../json.ts';

/**
 * An annotation of a part as chat has it; none where chat has no word for it.
 * @param before length of the text that comes before the part
 */
export function decodeCitation(annotation: unknown, before: number): JsonObject[] {
  const { type, url, title, start_index: start, end_index: end } = objectOf(annotation);
  if (type !== 'url_citation' || typeof url !== 'string') return [];
  const place = { start_index: (countOf(start) ?? 0) + before, end_index: (countOf(end) ?? 0) + before };
  return [{ type, url_citation: { url, title: stringOf(title) ?? '', ...place } }];
}

/** Annotations of chat as those of a part. xAI and others leave out what clients look for: title and place. */
export function encodeCitations(annotations: unknown): JsonObject[] {
  return listOf(annotations).flatMap((annotation) => {
    const { type, url_citation: citation } = objectOf(annotation);
    const { url, title, start_index: start, end_index: end } = objectOf(citation);
    if (type !== 'url_citation' || typeof url !== 'string') return [];
    const place = { start_index: countOf(start) ?? 0, end_index: countOf(end) ?? 0 };
    return [{ type, url, title: stringOf(title) ?? '', ...place }];
  });
}
