/** Cohere's citations as annotations. @see https://docs.cohere.com/docs/documents-and-citations */
import type { JsonObject } from '../json.ts';
import type { Annotation } from '../parts/part.ts';
import { countOf, isObject, listOf, objectOf, parseJson, stringOf } from '../json.ts';

/**
 * Converts one citation to annotations, one per source.
 * @param from the start of the text that it refers to within the whole text, characters
 */
export function decodeCitation({ start, end, sources }: JsonObject, from: number): Annotation[] {
  const start_index = from + (countOf(start) ?? 0);
  const end_index = from + (countOf(end) ?? 0);
  return listOf(sources)
    .filter(isObject)
    .map((source) => {
      const fields = source.document ?? source.tool_output;
      const { url, title, text, snippet } = isObject(fields)
        ? fields
        : objectOf(parseJson(stringOf(fields) ?? ''));
      const cited_text = stringOf(snippet) ?? stringOf(text) ?? '';
      if (typeof url === 'string') {
        const common = { url, title: stringOf(title) ?? '', start_index, end_index, cited_text };
        return { type: 'url_citation', url_citation: common };
      }
      const document = placeIn(stringOf(source.id) ?? '');
      const named = stringOf(title) ?? null;
      return { type: 'document_citation', document, title: named, cited_text, start_index, end_index };
    });
}

/** Documents are identified by index: "doc:0". */
function placeIn(id: string): number {
  return Number(/\d+$/.exec(id)?.[0] ?? 0);
}
