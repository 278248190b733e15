/** The pages that an answer is based on. @see https://ai.google.dev/api/generate-content#GroundingMetadata */
import type { JsonObject } from '../json.ts';
import type { Annotation, Part, Source } from '../parts/part.ts';
import { countOf, isObject, listOf, objectOf, stringOf } from '../json.ts';
import { pageNote } from '../parts/message.ts';

/** A text in UTF-8, as segments count it, and its position in the whole text of the answer, characters. */
export interface Grounded {
  readonly bytes: Uint8Array;
  readonly from: number;
}

/**
 * Converts Google's grounding metadata to annotations.
 * @param texts by the index of their part; a segment without a part index refers to the first one
 */
export function annotationsOf(metadata: JsonObject, texts: readonly (Grounded | undefined)[]): Annotation[] {
  const pages = pagesOf(metadata);
  const cited = new Set<number>();
  const notes = listOf(metadata.groundingSupports)
    .filter(isObject)
    .flatMap(({ segment, groundingChunkIndices: indices }) => {
      const { partIndex, startIndex, endIndex } = objectOf(segment);
      const within = texts[countOf(partIndex) ?? 0] ?? texts.find((text) => text !== undefined);
      if (!within) return [];
      const [start, end] = charactersAt(within, countOf(startIndex) ?? 0, countOf(endIndex) ?? 0);
      return listOf(indices).flatMap((index) => {
        const page = pages[countOf(index) ?? -1];
        if (page) cited.add(Number(index));
        return page ? [pageNote(page.url, page.title, start, end)] : [];
      });
    });
  // Search results that are not tied to any words.
  const others = pages.flatMap((page, index) =>
    page && !cited.has(index) ? [pageNote(page.url, page.title)] : [],
  );
  return [...notes, ...others];
}

/** The search that was made, and its results. @param id of the call */
export function searchOf(metadata: JsonObject, id: string): Part[] {
  const queries = listOf(metadata.webSearchQueries).filter((query) => typeof query === 'string');
  const sources = pagesOf(metadata).filter((page): page is Source => page !== undefined);
  if (queries.length === 0) return [];
  const input = JSON.stringify(
    queries.length === 1 ? { query: queries[0] } : { query: queries.join('\n'), queries },
  );
  return [
    { type: 'hosted_call', id, name: 'web_search', input },
    { type: 'hosted_result', id, name: 'web_search', sources },
  ];
}

function pagesOf({ groundingChunks: chunks }: JsonObject): (Source | undefined)[] {
  return listOf(chunks).map((chunk) => {
    const { web, maps, retrievedContext } = objectOf(chunk);
    const { uri, title } = objectOf(web ?? maps ?? retrievedContext);
    return typeof uri === 'string' ? { url: uri, title: stringOf(title) ?? '' } : undefined;
  });
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** @param from the number of characters of the answer before it */
export function grounded(text: string, from: number): Grounded {
  return { bytes: encoder.encode(text), from };
}

/** Converts positions in bytes of UTF-8 to positions in characters of the answer. */
function charactersAt({ bytes, from }: Grounded, start: number, end: number): [number, number] {
  const length = (until: number) => decoder.decode(bytes.subarray(0, until)).length;
  return [from + length(start), from + length(end)];
}
