/** Annotations as citations of Converse. @see https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Citation.html */
import type { JsonObject } from '../json.ts';
import type { Annotation } from '../parts/part.ts';
import { countOf, isObject, listOf, objectOf, stringOf } from '../json.ts';

/** The citations of the text between two positions of the whole text, in characters. */
export function decodeCitations(citations: unknown, start: number, end: number): Annotation[] {
  return listOf(citations)
    .filter(isObject)
    .map((citation) => decodeCitation(citation, start, end));
}

function decodeCitation(citation: JsonObject, start_index: number, end_index: number): Annotation {
  const { location, sourceContent, title, source } = citation;
  const cited_text = listOf(sourceContent)
    .map((part) => stringOf(objectOf(part).text) ?? '')
    .join('');
  const { web, ...places } = objectOf(location);
  const url = stringOf(objectOf(web).url) ?? pageIn(source);
  if (url !== undefined) {
    const common = {
      url,
      title: stringOf(title) ?? stringOf(objectOf(web).domain) ?? '',
      start_index,
      end_index,
    };
    return { type: 'url_citation', url_citation: { ...common, cited_text } };
  }
  const [place] = Object.values(places);
  const document = countOf(objectOf(place).documentIndex) ?? 0;
  const named = stringOf(title) ?? null;
  return { type: 'document_citation', document, title: named, cited_text, start_index, end_index };
}

function pageIn(source: unknown): string | undefined {
  const text = stringOf(source);
  return text !== undefined && /^https?:\/\//.test(text) ? text : undefined;
}
