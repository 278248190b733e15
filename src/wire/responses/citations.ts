/** Annotations that chat and the Responses API have in common. */
import type { JsonObject } from '../json.ts';
import type { Annotation } from '../parts/part.ts';
import type { Lost } from '../parts/lost.ts';
import { countOf, objectOf, stringOf } from '../json.ts';

/** Cited files: their pages are not included. */
const FILES: ReadonlySet<unknown> = new Set(['file_citation', 'container_file_citation']);

/**
 * Decodes an annotation of a part; `undefined` if no other API has one like it.
 * @param before length of the text before the part
 */
export function decodeCitation(annotation: unknown, before: number): Annotation[] {
  const { type, url, title, start_index: start, end_index: end, filename } = objectOf(annotation);
  const place = { start_index: (countOf(start) ?? 0) + before, end_index: (countOf(end) ?? 0) + before };
  if (FILES.has(type)) {
    const native = { protocol: 'responses', value: objectOf(annotation) } as const;
    const document = { document: 0, title: stringOf(filename) ?? null, cited_text: '' };
    return [{ type: 'document_citation', ...document, ...place, native }];
  }
  if (type !== 'url_citation' || typeof url !== 'string') return [];
  return [{ type, url_citation: { url, title: stringOf(title) ?? '', ...place } }];
}

/**
 * Encodes annotations for a part. xAI and others omit fields that clients expect: title and positions.
 * @param before length of the text before the part
 * @param lost counts citations of documents, which cannot be expressed
 */
export function encodeCitations(
  annotations: readonly Annotation[],
  before: number,
  lost: Lost,
): JsonObject[] {
  return annotations.flatMap((annotation) => {
    if (annotation.native?.protocol === 'responses') return [annotation.native.value];
    if (annotation.type !== 'url_citation') {
      lost.add('citation');
      return [];
    }
    const { url, title, start_index, end_index } = annotation.url_citation;
    const place = {
      start_index: Math.max(0, start_index - before),
      end_index: Math.max(0, end_index - before),
    };
    return [{ type: 'url_citation', url, title, ...place }];
  });
}
