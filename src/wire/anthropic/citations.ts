/** Annotations as Anthropic's citations. @see https://docs.anthropic.com/en/docs/build-with-claude/citations */
import type { JsonObject } from '../json.ts';
import type { Annotation } from '../parts/part.ts';
import { countOf, isObject, listOf, stringOf } from '../json.ts';

/** The kinds of locations in citations of documents. */
const PLACES: Readonly<Record<string, unknown>> = {
  char_location: true,
  page_location: true,
  content_block_location: true,
};

/** The citations of the text between two positions of the whole text, in characters. */
export function decodeCitations(citations: unknown, start: number, end: number): Annotation[] {
  return listOf(citations)
    .filter(isObject)
    .flatMap((citation) => decodeCitation(citation, start, end));
}

function decodeCitation(citation: JsonObject, start_index: number, end_index: number): Annotation[] {
  const { type, url, source, title, document_title, document_index } = citation;
  const cited_text = stringOf(citation.cited_text) ?? '';
  const native = { protocol: 'messages', value: citation } as const;
  if (typeof type === 'string' && Object.hasOwn(PLACES, type)) {
    const document = countOf(document_index) ?? 0;
    const named = stringOf(document_title) ?? null;
    return [
      { type: 'document_citation', document, title: named, cited_text, start_index, end_index, native },
    ];
  }
  const page = stringOf(url) ?? stringOf(source);
  if (page === undefined) return [];
  const common = { url: page, title: stringOf(title) ?? '', start_index, end_index, cited_text };
  return [{ type: 'url_citation', url_citation: common, native }];
}

/** An annotation as a citation; Anthropic's own unchanged. @param text the whole text that it refers to */
export function encodeCitation(annotation: Annotation, text: string): JsonObject {
  if (annotation.native?.protocol === 'messages') return annotation.native.value;
  if (annotation.type === 'document_citation') {
    const { document, title, cited_text } = annotation;
    return {
      type: 'char_location',
      cited_text,
      document_index: document,
      document_title: title,
      file_id: null,
      start_char_index: 0,
      end_char_index: cited_text.length,
    };
  }
  const { url, title, start_index, end_index, cited_text } = annotation.url_citation;
  return {
    type: 'web_search_result_location',
    cited_text: cited_text || text.slice(start_index, end_index),
    // A field that Anthropic requires back for its own search results.
    encrypted_index: '',
    title,
    url,
  };
}
