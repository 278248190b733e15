/** Where a text comes from: the annotations that chat and the Responses API both have. */
import type { JsonObject } from '../json.ts';
import type { Annotation } from '../parts/part.ts';
import type { Lost } from '../parts/lost.ts';
import { countOf, objectOf, stringOf } from '../json.ts';

/** Files that were cited: pages of them are not told. */
const FILES: ReadonlySet<unknown> = new Set(['file_citation', 'container_file_citation']);

/**
 * An annotation of a part; none where nobody else has a word for it.
 * @param before length of the text that comes before the part
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
 * Annotations as those of a part. xAI and others leave out what clients look for: title and place.
 * @param before length of the text that comes before the part
 * @param lost counts citations of documents, which have no form there
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
